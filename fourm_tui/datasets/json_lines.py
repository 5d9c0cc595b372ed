"""JSON lines: an object in each line, with a key per modality."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fourm_tui.conditions.files import LARGEST_JSON, open_file
from fourm_tui.datasets.json_parts import json_part
from fourm_tui.datasets.lines import decoded, read_lines
from fourm_tui.datasets.parts import Part, check_text
from fourm_tui.datasets.samples import Samples
from fourm_tui.datasets.slots import CROPS, all_slots, choose, encoded_notes, literal_slots, slot_of_column
from fourm_tui.errors import InputError, printable
from fourm_tui.formats.reading import read_json
from fourm_tui.modalities import Modality

_LOOKED_AT = 100
"""Lines whose keys are taken for those of all."""


@dataclass(frozen=True, eq=False)
class JsonLines:
    """Where the lines are; they are read when they are wanted."""

    path: Path
    places: array[int]
    """Of the lines that are not empty, in bytes."""
    numbers: array[int]
    slots: Collection[str]
    literal: Collection[str]
    notes: tuple[str, ...]

    @property
    def title(self) -> str:
        return f"{printable(self.path.name)}: JSON lines"

    def __len__(self) -> int:
        return len(self.places)

    def name(self, number: int) -> str:
        return f"line {self.numbers[number]}"

    def parts(self, number: int) -> dict[str, Part]:
        found = self._row(number)
        parts = {slot: self._part(number, found, slot) for slot in self.slots}
        return {slot: part for slot, part in parts.items() if part is not None}

    def part(self, number: int, slot: str) -> Part | None:
        return None if slot == CROPS else self._part(number, self._row(number), slot)

    def _part(self, number: int, row: Mapping[str, tuple[str, Any]], slot: str) -> Part | None:
        if slot not in row:
            return None
        key, value = row[slot]
        shown = f"{printable(self.path, 400)}, {self.name(number)}, {printable(key, 40)}"
        return json_part(value, slot in self.literal, self.path.parent, shown)

    def _row(self, number: int) -> dict[str, tuple[str, Any]]:
        """Keys and values by slot; of two keys of the same slot the first."""
        where = printable(self.path, 400)
        with open_file(self.path, where) as file:
            file.seek(self.places[number])
            content = file.readline(LARGEST_JSON + 1)
        row = _object(decoded(content, self.places[number] == 0), f"{where}, {self.name(number)}")
        return {slot_of_column(key): (key, value) for key, value in reversed(row.items())}


def open_json_lines(path: Path, wanted: Collection[str], modalities: Mapping[str, Modality]) -> Samples:
    """The dataset in a file of JSON lines. Sequences are texts or JSON; other values are paths, relative to the file.

    Raises:
        InputError: none of the first lines is an object, or none has a wanted key.
    """
    where = printable(path, 400)
    places, numbers = array("q"), array("q")
    keys: dict[str, None] = {}
    error: InputError | None = None
    for number, place, text in read_lines(path):
        if not text.strip():
            continue
        places.append(place)
        numbers.append(number)
        if len(places) <= _LOOKED_AT:
            try:
                keys |= dict.fromkeys(_object(text, f"{where}, line {number}"))
            except InputError as found:
                error = error or found
    if not keys:
        raise error or InputError(f"{where} has no JSON objects with keys; expected is one in each line")
    known = all_slots(modalities)
    there = [slot for key in keys if (slot := slot_of_column(key)) in known]
    chosen = choose(wanted, there, modalities, f"data_path: {where}")
    notes = [*encoded_notes(chosen, modalities)]
    unused = [printable(key, 40) for key in keys if slot_of_column(key) not in known]
    if unused:
        notes.append(f"keys that are no modalities and are not used: {', '.join(unused[:12])}")
    literal = literal_slots(chosen, modalities)
    index = JsonLines(path, places, numbers, frozenset(chosen.values()), literal, tuple(notes))
    return Samples(index, chosen, modalities)


def _object(text: str, where: str) -> dict[str, Any]:
    check_text(text, where)
    row = read_json(text, where)
    if not isinstance(row, dict):
        raise InputError(f"{where}: is no JSON object with a key per modality")
    return row
