"""The members of tar shards by modality and key."""

from __future__ import annotations

from array import array
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from fourm_tui.datasets.names import Key, plural, shown_key
from fourm_tui.datasets.parts import MemberPart
from fourm_tui.datasets.slots import IMAGES, split_ending
from fourm_tui.datasets.tar import Report, members
from fourm_tui.errors import printable

ROWS = ".json"
"""The slot of JSON files that hold several modalities; no modality has this name."""
_NAMED = 3
"""Names in a note."""


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


class Contents:
    """What is in shards: their members by slot and key."""

    def __init__(self, known: Collection[str]) -> None:
        self.known = known
        self.slots: dict[str, Members] = {}
        self._shards: list[tuple[Path, int]] = []
        self._suffixes: list[str] = []
        self._numbers: dict[str, int] = {}
        self._keys: dict[Key, Key] = {}
        self.damage: list[str] = []
        """What is wrong with shards."""
        self._odd: list[str] = []
        self._others = 0
        self._twice: list[str] = []
        self._unused: dict[str, int] = {}

    def read(self, shard: Shard) -> None:
        report, count = Report(), 0
        number = len(self._shards)
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
        self._shards.append((shard.path, report.size))
        self._odd += report.odd[:_NAMED] if len(self._odd) < _NAMED else report.odd[:0]
        self._others += report.others
        if report.damage:
            kept = f"the {plural(count, 'member')} before are used" if count else "nothing of it is used"
            self.damage.append(f"{printable(shard.path, 400)}: {report.damage}; {kept}")

    def part(self, slot: str, key: Key) -> MemberPart | None:
        """The member of a key; None if there is none."""
        group = self.slots.get(slot)
        place = None if group is None else group.place.get(key)
        if group is None or place is None:
            return None
        suffix = self._suffixes[group.suffix[place]]
        path, size = self._shards[group.shard[place]]
        ending = split_ending("x" + suffix)[1]
        return MemberPart(path, size, group.start[place], group.size[place], key[1] + suffix, ending)

    def keep(self, slots: Collection[str]) -> None:
        """Forgets the members of the other slots."""
        self.slots = {slot: group for slot, group in self.slots.items() if slot in slots}
        self._keys = {}

    def notes(self) -> list[str]:
        """What is to be told."""
        notes = list(self.damage)
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
            number = self._numbers[suffix] = len(self._suffixes)
            self._suffixes.append(suffix)
        return number
