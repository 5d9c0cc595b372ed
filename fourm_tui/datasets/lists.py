"""Samples that are rows: captions in a text file, the cells of a table."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fourm_tui.conditions.files import LARGEST_TEXT
from fourm_tui.datasets.json_parts import value_part
from fourm_tui.datasets.lines import read_lines
from fourm_tui.datasets.parts import Part
from fourm_tui.datasets.samples import Samples
from fourm_tui.datasets.slots import RGB, all_slots, choose, encoded_notes, literal_slots, slot_of_column
from fourm_tui.errors import InputError, printable
from fourm_tui.modalities import Modality


@dataclass(frozen=True, eq=False)
class Rows:
    """The cells that are wanted, by column, and the line that each row begins in."""

    path: Path
    what: str
    numbers: Sequence[int]
    columns: Mapping[str, Sequence[str | None]]
    """The cells by slot; None: the row is too short."""
    literal: Collection[str]
    """Slots whose cells are the text itself, unless `@` stands before a path."""
    paths: bool
    """Whether cells may be paths at all."""
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return f"{printable(self.path.name)}: {self.what}"

    def __len__(self) -> int:
        return len(self.numbers)

    def name(self, number: int) -> str:
        return f"line {self.numbers[number]}"

    def parts(self, number: int) -> dict[str, Part]:
        found = {slot: self._part(number, slot) for slot in self.columns}
        return {slot: part for slot, part in found.items() if part is not None}

    def part(self, number: int, slot: str) -> Part | None:
        return self._part(number, slot) if slot in self.columns else None

    def _part(self, number: int, slot: str) -> Part | None:
        cell = self.columns[slot][number]
        if cell is None or not cell.strip():
            return None
        column = f", column {slot}" if self.paths else ""
        shown = f"{printable(self.path, 400)}, line {self.numbers[number]}{column}"
        return value_part(cell.strip(), slot in self.literal, self.path.parent if self.paths else None, shown)


def open_captions(path: Path, wanted: Collection[str], modalities: Mapping[str, Modality]) -> Samples:
    """Captions, one in each line; empty lines are no samples, but count.

    Raises:
        InputError: another condition than captions is wanted, or there are none.
    """
    where = printable(path, 400)
    chosen = choose(wanted, ["caption"], modalities, f"data_path: {where}, a text of captions,")
    numbers, texts = [], []
    for number, _, text in read_lines(path, LARGEST_TEXT):
        if text.strip():
            numbers.append(number)
            texts.append(text.strip())
    if not numbers:
        raise InputError(f"{where} has only empty lines; expected is a caption in each")
    rows = Rows(path, "captions", numbers, {"caption": texts}, {"caption"}, paths=False)
    return Samples(rows, chosen, modalities, ())


def open_table(path: Path, wanted: Collection[str], modalities: Mapping[str, Modality]) -> Samples:
    """A table with a column per modality, the first row of which names them: `.tsv`, its cells parted by tabs and
    quotes as they are; `.csv`, parted by commas, with quotes around cells that hold commas or line breaks.

    pandas takes quotes off that surround the beginning of a cell of a `.tsv`, too; of PartiPrompts that changes one
    prompt (`"G I G G L E" painted …`), which is read here as it was written.

    Raises:
        InputError: a column is missing, or the table has no rows or cannot be read.
    """
    where = printable(path, 400)
    rows = _cells(path, tabs=path.suffix.lower() == ".tsv")
    _, header = next(rows, (0, []))
    known = all_slots(modalities)
    slots = [slot_of_column(column) for column in header]
    there = {slot: place for place, slot in reversed(list(enumerate(slots))) if slot in known}
    chosen = choose(
        wanted, there, modalities, f"data_path: {where}, of whose first row the columns are {_named(header)},"
    )
    kept = {slot: there[slot] for slot in {*chosen.values(), *(slot for slot in RGB if slot in there)}}
    numbers: list[int] = []
    cells: dict[str, list[str | None]] = {slot: [] for slot in kept}
    for number, row in rows:
        if not any(cell.strip() for cell in row):
            continue
        numbers.append(number)
        for slot, place in kept.items():
            cells[slot].append(row[place] if place < len(row) else None)
    if not numbers:
        raise InputError(f"{where} has no rows below its first one, which names the columns")
    notes = [*encoded_notes(chosen, modalities)]
    unused = [column for column, slot in zip(header, slots, strict=True) if slot not in known and column.strip()]
    if unused:
        notes.append(f"columns that are no modalities and are not used: {_named(unused)}")
    literal = literal_slots(chosen, modalities)
    what = "a table in tabs" if path.suffix.lower() == ".tsv" else "a table in commas"
    return Samples(Rows(path, what, numbers, cells, literal, paths=True, notes=tuple(notes)), chosen, modalities)


def _named(columns: Sequence[str]) -> str:
    shown = ", ".join(printable(column.strip(), 40) for column in columns[:12])
    return (shown or "none") + (", …" if len(columns) > 12 else "")


def _cells(path: Path, tabs: bool) -> Iterator[tuple[int, list[str]]]:
    """The line in which a row begins, and its cells; empty lines are left out."""
    if tabs:
        for number, _, text in read_lines(path):
            if text.strip():
                yield number, text.rstrip("\r\n").split("\t")
        return
    where = printable(path, 400)
    reader = csv.reader(text for _, _, text in read_lines(path))
    start = 1
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            hint = " (is a quote never closed?)" if "field limit" in str(error) else ""
            raise InputError(f"{where}, line {start}: {printable(error)}{hint}") from None
        if row is None:
            return
        if row:
            yield start, row
        start = reader.line_num + 1
