"""The manifest: a line of JSON for each item that is finished or cannot be made.

Each rank appends to a file of its own in `parts/`, all lines of a chunk at once when its files are written. At the end
they become `manifest.jsonl`, in the order of the data. The lines are also what says, when a run is started again, what
is done: a chunk some of whose items have no line is made again as a whole.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from fourm_tui.batch.work import Item, Work
from fourm_tui.errors import FourmError, InputError, printable
from fourm_tui.events.log import cannot_write, ends_torn
from fourm_tui.events.records import SCHEMA, check_schema, from_json, parse_object
from fourm_tui.runs.files import replace_file

MANIFEST, PARTS = "manifest.jsonl", "parts"


@dataclass(frozen=True)
class Line:
    """What became of an item."""

    sample: int
    variation: int
    seed: int
    """Its effective seed: `--seed` of a single run makes the same."""
    source: str
    """Name of the sample in its data."""
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By target; relative to the run folder."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Of targets that are text."""
    seconds: float = 0.0
    """Of its chunk, shared out over the chunk's items."""
    rank: int = 0
    skipped: str | None = None
    """Why it could not be made."""
    schema: int = SCHEMA

    @property
    def item(self) -> Item:
        return Item(self.sample, self.variation)

    def to_bytes(self) -> bytes:
        value = {name: entry for name, entry in asdict(self).items() if entry not in (None, {})}
        return json.dumps(value, ensure_ascii=True, allow_nan=False).encode("ascii") + b"\n"


class Part:
    """The lines that one rank writes."""

    def __init__(self, folder: Path, rank: int) -> None:
        self.path = folder / PARTS / f"rank_{rank:04d}.jsonl"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("ab", buffering=0)
            if ends_torn(self.path):
                self._file.write(b"\n")
        except OSError as error:
            raise cannot_write(self.path, error) from None

    def append(self, lines: Iterable[Line]) -> None:
        """Writes lines, on the disk when it returns.

        Raises:
            FourmError: they cannot be written.
        """
        try:
            rest = b"".join(line.to_bytes() for line in lines)
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            raise cannot_write(self.path, error) from None

    def close(self) -> None:
        self._file.close()


def read_lines(folder: Path) -> dict[Item, Line]:
    """The last line of each item in a run folder; torn ones do not count. A finished item stays finished.

    Raises:
        InputError: a line is of a newer version or not of this program.
    """
    found: dict[Item, Line] = {}
    for path in sorted((folder / PARTS).glob("rank_*.jsonl")):
        for line in _lines_of(path):
            before = found.get(line.item)
            if before is None or before.skipped is not None or line.skipped is None:
                found[line.item] = line
    return found


def left_to_do(work: Work, lines: Mapping[Item, Line]) -> list[int]:
    """The chunks that are not finished. Items that could not be made are tried again."""
    made = {item for item, line in lines.items() if line.skipped is None}
    return [number for number in range(work.chunks) if not made.issuperset(work.chunk(number))]


def items_to_do(chunk: tuple[Item, ...], lines: Mapping[Item, Line]) -> tuple[Item, ...]:
    """The items of an unfinished chunk that are to be made: all of them, or, where every one has its line, those that
    could not be made before."""
    if all(item in lines for item in chunk):
        return tuple(item for item in chunk if lines[item].skipped is not None)
    return chunk


def write_manifest(folder: Path, work: Work, lines: Mapping[Item, Line]) -> Path:
    """Writes `manifest.jsonl` anew."""
    path = folder / MANIFEST
    replace_file(path, b"".join(lines[item].to_bytes() for item in work.items() if item in lines))
    return path


def _lines_of(path: Path) -> Iterator[Line]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FourmError(f"{printable(path)}: cannot be read: {error.strerror}") from None
    for number, text in enumerate(content.split(b"\n")[:-1], start=1):
        try:
            value = parse_object(text)
        except ValueError:
            continue  # torn
        where = f"{printable(path)}:{number}"
        check_schema(value, where)
        try:
            yield from_json(Line, value, where)
        except InputError:
            raise InputError(f"{where}: is no line of a manifest; the folder is not of this program") from None
