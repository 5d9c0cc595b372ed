"""From settings files to a `Schedule`. Reading never stops at a wrong value: each becomes a `Problem`."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from fourm_tui.errors import printable
from fourm_tui.schedule.columns import COLUMNS, COND_DOMAINS_DEFAULT, KNOWN_KEYS, SCHEDULE_KEYS, Column
from fourm_tui.schedule.document import Document
from fourm_tui.schedule.rows import Part, Place, Problem, Row, Schedule
from fourm_tui.schedule.values import NOTHING, pieces, read_value


def load_schedule(file: str | Path, sr: str | Path | None = None) -> Schedule:
    """The schedule in a settings file, with its super-resolution part in the same file or another.

    Raises:
        InputError: a file cannot be read. Wrong values are the schedule's `problems`.
    """
    return read_schedule([Document.read(Path(each)) for each in (file, sr) if each is not None])


def read_schedule(documents: Sequence[Document]) -> Schedule:
    """The schedule that settings files describe together; a later file's value wins over an earlier one's.

    The base chain is there unless the files hold nothing but `sr_` keys; the super-resolution chain is there if any
    of its keys is. Missing keys have the defaults of run_generation.py.
    """
    reader = _Reader(documents)
    given = reader.given
    has_sr = any(key.startswith("sr_") for key in given & SCHEDULE_KEYS)
    has_base = not has_sr or any(not key.startswith("sr_") for key in (given & SCHEDULE_KEYS) - {"name"})
    base = reader.part("", None) if has_base else None
    super_resolution = reader.part("sr_", base, first=len(base.rows) + 1 if base else 1) if has_sr else None
    reader.unknown_keys()
    settings = {key: reader.raw(key) for key in sorted(given - SCHEDULE_KEYS) if key in KNOWN_KEYS}
    return Schedule(
        base, super_resolution, tuple(reader.problems), tuple(reader.hints), tuple(reader.incompatible), settings
    )


class _Reader:
    """Reads keys from a stack of documents and gathers what it finds wrong on the way."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = list(documents)
        self.given = {key for document in documents for key in document.keys()}  # noqa: SIM118
        self.problems: list[Problem] = []
        self.hints: list[Problem] = []
        self.incompatible: list[Problem] = []

    def document(self, key: str) -> Document | None:
        return next((document for document in reversed(self.documents) if key in document), None)

    def raw(self, key: str) -> Any:
        document = self.document(key)
        return document[key] if document else None

    def place(self, key: str, index: int | None = None) -> Place:
        document = self.document(key)
        if document is not None:
            return document.place(key, index)
        return Place(self.documents[-1].path if self.documents else None)

    def part(self, prefix: str, base: Part | None, first: int = 1) -> Part:
        targets_column = COLUMNS["target_domains"]
        names = self._values(prefix, targets_column)
        places = {(-1, key): self.place(prefix + key) for key in ("cond_domains", "cfg_grow_conditioning")}
        cells: dict[str, list[Any]] = {}
        broadcast: set[str] = set()
        defaults: set[str] = set()
        for column in COLUMNS.values():
            key = prefix + column.key
            raws = names if column is targets_column else self._values(prefix, column)
            if key not in self.given:
                defaults.add(column.key)
            elif isinstance(self.raw(key), list):
                self._incompatible("a YAML list crashes ml-4m", None, column.key, self.place(key))
            elif column.key in ("top_p", "top_k") and len(raws) > 1:
                self._incompatible("ml-4m takes one value for the chain", None, column.key, self.place(key))
            if len(raws) == 1 and len(names) != 1:
                broadcast.add(column.key)
            in_string = isinstance(self._raw_or_default(prefix, column), str)
            cells[column.key] = self._cells(column, key, raws, len(names), first, in_string, places)
        rows = tuple(
            Row(**{column.attribute: cells[column.key][i] for column in COLUMNS.values()}) for i in range(len(names))
        )
        conditions, all_base = self._conditions(prefix, base)
        return Part(
            prefix, conditions, rows, self._grow(prefix), frozenset(broadcast), frozenset(defaults), all_base, places
        )

    def _raw_or_default(self, prefix: str, column: Column) -> Any:
        key = prefix + column.key
        if key in self.given:
            return self.raw(key)
        return column.sr_default if prefix else column.default

    def _values(self, prefix: str, column: Column) -> list[Any]:
        raw = self._raw_or_default(prefix, column)
        if column.key == "target_domains" and raw in (None, "", []):
            place = self.place(prefix + column.key)
            self.problems.append(Problem("there is no target", "name what to generate", None, column.key, place))
            return []
        return pieces(raw)

    def _cells(
        self, column: Column, key: str, raws: list[Any], rows: int, first: int, in_string: bool,
        places: dict[tuple[int, str], Place],
    ) -> list[Any]:  # fmt: skip
        places[-1, column.key] = self.place(key)
        if len(raws) not in (1, rows) and rows:
            values, targets = _count(len(raws), "value"), _count(rows, "target")
            fix = "give one value for all targets, or one for each"
            if key not in self.given:
                fix += "; these are the defaults of run_generation.py, as the key is missing"
            self.problems.append(Problem(f"{values} for {targets}", fix, None, column.key, places[-1, column.key]))
        values_read: list[Any] = []
        for i in range(rows):
            index = 0 if len(raws) == 1 else i
            if index >= len(raws):
                values_read.append(None)
                continue
            place = self.place(key, index if len(raws) > 1 or isinstance(raws, list) else None)
            places[i, column.key] = place
            row = first + i if len(raws) > 1 else None
            if len(raws) == 1 and i > 0:
                values_read.append(values_read[0])
                continue
            read = read_value(column, raws[index], in_string=in_string)
            if read.problem:
                problem, fix = _explain_hyphens(column, self.raw(key), read.problem, read.fix)
                self.problems.append(Problem(problem, fix, row, column.key, place))
            elif read.differs:
                self._incompatible(read.differs, row, column.key, place)
            value = read.value
            if column.key == "target_domains" and value is None:
                self.problems.append(Problem("a target has no name", "name it, or remove it", row, column.key, place))
                value = ""
            values_read.append(value)
        return values_read

    def _conditions(self, prefix: str, base: Part | None) -> tuple[tuple[str, ...], bool]:
        key = prefix + "cond_domains"
        raw = self.raw(key) if key in self.given else (None if prefix else COND_DOMAINS_DEFAULT)
        if prefix and raw is None:
            return (*base.conditions, *(row.target for row in base.rows)) if base else (), True
        if raw is None or raw in ("", []):
            if key in self.given and not prefix:
                self._incompatible("ml-4m cannot be asked for no conditions", None, "cond_domains", self.place(key))
            return (), False
        if isinstance(raw, list):
            self._incompatible("a YAML list crashes ml-4m", None, "cond_domains", self.place(key))
        names = []
        for index, name in enumerate(pieces(raw)):
            if not isinstance(name, str) or name.strip().lower() in NOTHING:
                problem = f"{printable(name, 40) or 'an empty name'} is no condition"
                fix = "name a modality, or write []"
                self.problems.append(Problem(problem, fix, None, "cond_domains", self.place(key, index)))
            else:
                names.append(name.strip())
        return tuple(sorted(names)), False

    def _grow(self, prefix: str) -> bool:
        key = prefix + "cfg_grow_conditioning"
        raw = self.raw(key) if key in self.given else True
        if isinstance(raw, bool):
            return raw
        fix = "write True or False"
        problem = f"{printable(raw, 40)!r} is neither True nor False (ml-4m takes any text for true)"
        self.problems.append(Problem(problem, fix, None, "cfg_grow_conditioning", self.place(key)))
        return True

    def _incompatible(self, message: str, row: int | None, column: str, place: Place) -> None:
        self.incompatible.append(Problem(message, "", row, column, place))

    def unknown_keys(self) -> None:
        for key in sorted(self.given - KNOWN_KEYS):
            close = get_close_matches(key, KNOWN_KEYS, n=1, cutoff=0.8)
            meant = f"did you mean {close[0]}?" if close else "neither ml-4m nor this program reads it"
            self.hints.append(Problem(f"unknown key {printable(key, 40)}", meant, place=self.place(key)))


def _explain_hyphens(column: Column, raw: Any, problem: str, fix: str) -> tuple[str, str]:
    """A better message where the hyphens of a string cut something that they should not."""
    if isinstance(raw, str) and column.kind != "name" and "e-" in raw.lower():
        return f"{printable(raw, 60)!r} is cut at every hyphen, also inside 1e-2", "write 0.01, or a YAML list"
    if isinstance(raw, str) and column.kind != "name" and ("--" in raw or raw.startswith("-")):
        return f"{printable(raw, 60)!r} is cut at every hyphen", (
            "a negative number stands alone without quotes, or in a YAML list such as [-1.0, 2.0]"
        )
    return problem, fix


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
