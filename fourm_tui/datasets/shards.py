"""Tar shards in the WebDataset layout: members of one key belong together.

A modality is a folder with shards of its own (`root/rgb/shard-0.tar`, members `key.jpg`), or part of the names of the
members of one shard (`key.jpg`, `key.txt`, `key.tok_rgb@224.npy`, `key.json` with a column per modality).
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fourm_tui.datasets.json_parts import json_part
from fourm_tui.datasets.names import Key, plural, shared, shown_key
from fourm_tui.datasets.parts import MemberPart, Part
from fourm_tui.datasets.samples import PLACED, Samples
from fourm_tui.datasets.slots import (
    CROPS,
    IMAGES,
    RGB,
    all_slots,
    choose,
    encoded_notes,
    literal_slots,
    slot_of_column,
    split_ending,
)
from fourm_tui.datasets.tar import Report, members
from fourm_tui.errors import InputError, printable
from fourm_tui.formats.reading import read_json
from fourm_tui.modalities import Modality

ROWS = ".json"
"""The slot of JSON files that hold several modalities; no modality has this name."""
_NAMED = 3


@dataclass(frozen=True)
class Shard:
    """A tar file."""

    path: Path
    name: str
    """What shards that belong together share: `shard-00000`."""
    slot: str | None = None
    """The modality of its folder; None: the members' names say it."""


@dataclass(eq=False)
class Members:
    """The members of one slot, in arrays: there may be millions."""

    place: dict[Key, int] = field(default_factory=dict)
    shard: array[int] = field(default_factory=lambda: array("l"))
    start: array[int] = field(default_factory=lambda: array("q"))
    size: array[int] = field(default_factory=lambda: array("q"))
    suffix: array[int] = field(default_factory=lambda: array("l"))
    """Number of what follows the key in the name."""


@dataclass(frozen=True, eq=False)
class Shards:
    """Where the members of each sample are."""

    where: str
    shards: Sequence[tuple[Path, int]]
    """With their sizes."""
    suffixes: Sequence[str]
    keys: Sequence[Key]
    slots: Mapping[str, Members]
    needed: Collection[str]
    columns: Collection[str]
    """Slots that are columns of the JSON files."""
    literal: Collection[str]
    several: bool
    """Whether keys of several shards are told apart by the shard's name."""
    notes: tuple[str, ...]

    @property
    def title(self) -> str:
        return f"{self.where}: {plural(len(self.shards), 'tar shard')}"

    def __len__(self) -> int:
        return len(self.keys)

    def name(self, number: int) -> str:
        return shown_key(self.keys[number]) if self.several else self.keys[number][1]

    def parts(self, number: int) -> dict[str, Part]:
        found: dict[str, Part] = {}
        for slot in self.needed:
            part = self.part(number, slot)
            if part is not None:
                found[slot] = part
        if self.columns:
            found |= self._columns(number)
        return found

    def part(self, number: int, slot: str) -> Part | None:
        group, key = self.slots.get(slot), self.keys[number]
        place = None if group is None else group.place.get(key)
        if group is None or place is None:
            return None
        suffix = self.suffixes[group.suffix[place]]
        path, size = self.shards[group.shard[place]]
        return MemberPart(
            path, size, group.start[place], group.size[place], key[1] + suffix, split_ending("x" + suffix)[1]
        )  # fmt: skip

    def _columns(self, number: int) -> dict[str, Part]:
        member = self.part(number, ROWS)
        assert member is not None
        row = read_row(member.text(), member.shown)
        found = {slot_of_column(column): (column, value) for column, value in reversed(row.items())}
        parts = {
            slot: json_part(found[slot][1], slot in self.literal, None, f"{member.shown}, {printable(found[slot][0])}")
            for slot in self.columns
            if slot in found
        }
        return {slot: part for slot, part in parts.items() if part is not None}


def read_row(text: str, where: str) -> dict[str, Any]:
    row = read_json(text, where)
    if not isinstance(row, dict):
        raise InputError(f"{where}: is no JSON object with a key per modality")
    return row


def open_shards(
    found: Sequence[Shard], where: str, wanted: Collection[str], modalities: Mapping[str, Modality]
) -> Samples:
    """The dataset in shards.

    Raises:
        InputError: a modality is not there, or no sample has all of them.
    """
    reading = _Reading(all_slots(modalities))
    for shard in found:
        reading.read(shard)
    slots, notes = reading.slots, reading.notes()
    rows = _first_row(reading) if ROWS in slots else {}
    columns = {slot_of_column(column) for column in rows} & set(reading.known)
    there = [slot for slot in slots if slot != ROWS]
    damage = "".join(f"\n{note}" for note in notes)
    if not slots:
        raise InputError(f"data_path: {where} has no members that are values of modalities{damage}")
    chosen = choose(wanted, {*there, *columns}, modalities, f"data_path: {where}")
    needed = {slot for slot in chosen.values() if slot in slots}
    from_rows = set(chosen.values()) - needed
    placed = any(name in PLACED or modalities[name].kind in ("pixels", "image") for name in chosen)
    required = needed | ({CROPS} if placed and CROPS in slots else set()) | ({ROWS} if from_rows else set())
    keys, told = shared({slot: slots[slot].place.keys() for slot in sorted(required)})
    notes += [*encoded_notes(chosen, modalities), *([told] if told else [])]
    if not keys:
        raise InputError(f"data_path: {where}: no sample has all of {', '.join(sorted(required))}; {told}{damage}")
    kept = {slot: group for slot, group in slots.items() if slot in required or slot in RGB or slot == CROPS}
    index = Shards(
        where, reading.shards, reading.suffixes, keys, kept, needed, from_rows, literal_slots(chosen, modalities),
        len({shard.name for shard in found}) > 1, tuple(notes),
    )  # fmt: skip
    return Samples(index, chosen, modalities)


class _Reading:
    """Members gathered by slot, shard after shard."""

    def __init__(self, known: Collection[str]) -> None:
        self.known = known
        self.slots: dict[str, Members] = {}
        self.shards: list[tuple[Path, int]] = []
        self.suffixes: list[str] = []
        self._numbers: dict[str, int] = {}
        self._keys: dict[Key, Key] = {}
        self._damage: list[str] = []
        self._odd: list[str] = []
        self._others = 0
        self._twice: list[str] = []
        self._unused: dict[str, int] = {}

    def read(self, shard: Shard) -> None:
        report, count = Report(), 0
        number = len(self.shards)
        for member in members(shard.path, report):
            count += 1
            folder, slash, name = member.name.removeprefix("./").rpartition("/")
            if name.startswith("."):
                continue
            stem, suffix, slot = self._parted(name, shard.slot)
            if slot is None:
                self._unused[suffix] = self._unused.get(suffix, 0) + 1
                continue
            group = self.slots.setdefault(slot, Members())
            key = (shard.name, folder + slash + stem)
            key = self._keys.setdefault(key, key)
            if key in group.place:
                self._twice.append(shown_key(key))
                continue
            group.place[key] = len(group.start)
            group.shard.append(number)
            group.start.append(member.start)
            group.size.append(member.size)
            group.suffix.append(self._suffix(suffix))
        self.shards.append((shard.path, report.size))
        self._odd += report.odd[:_NAMED] if len(self._odd) < _NAMED else report.odd[:0]
        self._others += report.others
        if report.damage:
            kept = f"the {plural(count, 'member')} before are used" if count else "nothing of it is used"
            self._damage.append(f"{printable(shard.path, 400)}: {report.damage}; {kept}")

    def notes(self) -> list[str]:
        """What is to be told."""
        notes = list(self._damage)
        if self._others:
            notes.append(f"{plural(self._others, 'member')} of shards left out that are no files (links, devices)")
        if self._odd:
            shown = ", ".join(printable(name, 60) for name in self._odd[:_NAMED])
            notes.append(f"odd names of members, taken as names only: {shown}")
        if self._twice:
            shown = ", ".join(printable(name, 60) for name in self._twice[:_NAMED])
            notes.append(f"{plural(len(self._twice), 'member')} there twice, of which the first is taken: {shown}")
        if self._unused:
            shown = ", ".join(
                f"{printable(suffix or 'no ending', 40)} ({count:,})" for suffix, count in [*self._unused.items()][:12]
            )
            notes.append(f"members that are no modalities and are not used: {shown}")
        return notes

    def _parted(self, name: str, folder: str | None) -> tuple[str, str, str | None]:
        """The key of a member's name, what follows it, and its slot."""
        stem, ending = split_ending(name)
        key, dot, middle = stem.rpartition(".")
        if dot and key and middle in self.known:
            slot = middle if folder in (None, middle) else None
            return key, name[len(key) :], slot
        suffix = name[len(stem) :]
        if folder is not None:
            return stem, suffix, folder if ending else None
        slot = {".txt": "caption", ".json": ROWS, ".json.gz": ROWS}.get(ending)
        return stem, suffix, "rgb" if ending in IMAGES else slot

    def _suffix(self, suffix: str) -> int:
        number = self._numbers.get(suffix)
        if number is None:
            number = self._numbers[suffix] = len(self.suffixes)
            self.suffixes.append(suffix)
        return number


def _first_row(reading: _Reading) -> dict[str, Any]:
    """The columns of the JSON files: those of the first ones that can be read."""
    group = reading.slots[ROWS]
    index = Shards("", reading.shards, reading.suffixes, list(_some(group)), {ROWS: group}, (), (), (), True, ())
    found: dict[str, Any] = {}
    for number in range(len(index)):
        part = index.part(number, ROWS)
        try:
            found |= read_row(part.text(), part.shown) if part else {}
        except InputError:
            continue
    return found


def _some(group: Members, count: int = 20) -> Iterator[Key]:
    for _, key in zip(range(count), group.place, strict=False):
        yield key
