"""Tar shards in the WebDataset layout: members of one key belong together.

A modality is a folder with shards of its own (`root/rgb/shard-0.tar`, members `key.jpg`), or part of the names of the
members of one shard (`key.jpg`, `key.txt`, `key.tok_rgb@224.npy`, `key.json` with a column per modality).
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from fourm_tui.datasets.contents import ROWS, Contents, Shard
from fourm_tui.datasets.json_parts import json_part
from fourm_tui.datasets.names import Key, plural, shared, shown_key
from fourm_tui.datasets.parts import Part
from fourm_tui.datasets.samples import Samples, shows_places
from fourm_tui.datasets.slots import (
    CROPS,
    RGB,
    all_slots,
    choose,
    encoded_notes,
    literal_slots,
    slot_of_column,
)
from fourm_tui.errors import InputError, printable
from fourm_tui.formats.reading import read_json
from fourm_tui.modalities import Modality


class Later:
    """Shards that are read when something of them is wanted for the first time, such as the real pictures."""

    def __init__(self, shards: Mapping[str, Sequence[Shard]], known: Collection[str]) -> None:
        self._shards, self._known = shards, known
        self._lock = threading.Lock()
        self._read: dict[str, Contents] = {}

    def part(self, slot: str, key: Key) -> Part | None:
        """The member of a key; None if there is none.

        Raises:
            InputError: there is none, and one of the shards is damaged.
        """
        if slot not in self._shards:
            return None
        with self._lock:
            if slot not in self._read:
                contents = Contents(self._known)
                for shard in self._shards[slot]:
                    contents.read(shard)
                self._read[slot] = contents
        found = self._read[slot]
        part = found.part(slot, key)
        if part is None and found.damage:
            raise InputError(f"has no {slot}, perhaps for this reason: {found.damage[0]}")
        return part


@dataclass(frozen=True, eq=False)
class Shards:
    """Where the members of each sample are."""

    title: str
    contents: Contents
    later: Later
    keys: Sequence[Key]
    needed: Collection[str]
    """Slots that are members of their own."""
    columns: Collection[str]
    """Slots that are columns of the JSON files."""
    literal: Collection[str]
    several: bool
    """Whether keys of several shards are told apart by the shard's name."""
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.keys)

    def name(self, number: int) -> str:
        return shown_key(self.keys[number]) if self.several else self.keys[number][1]

    def parts(self, number: int) -> dict[str, Part]:
        found = self._columns(number) if self.columns else {}
        for slot in self.needed:
            part = self.part(number, slot)
            if part is not None:
                found[slot] = part
        return found

    def part(self, number: int, slot: str) -> Part | None:
        key = self.keys[number]
        return self.contents.part(slot, key) or self.later.part(slot, key)

    def _columns(self, number: int) -> dict[str, Part]:
        member = self.part(number, ROWS)
        assert member is not None
        found = {slot_of_column(key): (key, value) for key, value in reversed(_row(member).items())}
        parts = {
            slot: json_part(found[slot][1], slot in self.literal, None, f"{member.shown}, {printable(found[slot][0])}")
            for slot in self.columns
            if slot in found
        }
        return {slot: part for slot, part in parts.items() if part is not None}


def open_shards(
    found: Sequence[Shard], where: str, wanted: Collection[str], modalities: Mapping[str, Modality]
) -> Samples:  # fmt: skip
    """The dataset in shards.

    Raises:
        InputError: a modality is not there, or no sample has all of them.
    """
    contents = Contents(all_slots(modalities))
    now, later = _needed(found, where, wanted, modalities)
    for shard in now:
        contents.read(shard)
    slots, notes = contents.slots, contents.notes()
    damage = "".join(f"\n{note}" for note in notes)
    if not slots:
        raise InputError(f"data_path: {where} has no members that are values of modalities{damage}")
    named = _first_keys(contents)
    columns = {slot_of_column(column) for column in named} & set(contents.known)
    chosen = choose(wanted, {*slots, *columns} - {ROWS}, modalities, f"data_path: {where}")
    needed = {slot for slot in chosen.values() if slot in slots}
    from_rows = set(chosen.values()) - needed
    required = needed | ({ROWS} if from_rows else set())
    if CROPS in slots and shows_places(chosen, modalities):
        required.add(CROPS)
    keys, told = shared({slot: slots[slot].place.keys() for slot in sorted(required)})
    if not keys:
        raise InputError(f"data_path: {where}: no sample has all of {', '.join(sorted(required))}; {told}{damage}")
    unused = [printable(column, 40) for column in named if slot_of_column(column) not in contents.known]
    if from_rows and unused:
        notes.append(f"keys of JSON members that are no modalities and are not used: {', '.join(unused[:12])}")
    contents.keep({*required, *RGB, CROPS})
    index = Shards(
        title=f"{where}: {plural(len(found), 'tar shard')}",
        contents=contents,
        later=Later(later, contents.known),
        keys=keys,
        needed=needed,
        columns=from_rows,
        literal=literal_slots(chosen, modalities),
        several=len({shard.name for shard in found}) > 1,
        notes=(*notes, *encoded_notes(chosen, modalities), *([told] if told else [])),
    )
    return Samples(index, chosen, modalities)


def _needed(
    found: Sequence[Shard], where: str, wanted: Collection[str], modalities: Mapping[str, Modality]
) -> tuple[Sequence[Shard], dict[str, list[Shard]]]:
    """The shards that are read at once, and by slot those that may be wanted later."""
    by_slot: dict[str, list[Shard]] = {}
    for shard in found:
        if shard.slot is None:
            return found, {}
        by_slot.setdefault(shard.slot, []).append(shard)
    chosen = choose(wanted, by_slot, modalities, f"data_path: {where}")
    now = {*chosen.values(), *([CROPS] if shows_places(chosen, modalities) else [])}
    later = {slot: shards for slot, shards in by_slot.items() if slot in (*RGB, CROPS) and slot not in now}
    return [shard for slot, shards in by_slot.items() if slot in now for shard in shards], later


def _row(part: Part) -> dict[str, Any]:
    row = read_json(part.text(), part.shown)
    if not isinstance(row, dict):
        raise InputError(f"{part.shown}: is no JSON object with a key per modality")
    return row


def _first_keys(contents: Contents, count: int = 20) -> dict[str, Any]:
    """The columns of the JSON files: those of the first ones that can be read."""
    found: dict[str, Any] = {}
    for key in islice(contents.slots[ROWS].place, count) if ROWS in contents.slots else ():
        part = contents.part(ROWS, key)
        try:
            found |= _row(part) if part else {}
        except InputError:
            continue
    return found
