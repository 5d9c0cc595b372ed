"""The simple hierarchical format of ml-4m: `root/<modality>/<class folder>/<name>.<ending>`, matched by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fourm_tui.datasets.names import Key, by_name, files_below, plural, shared, shown_folder, shown_key
from fourm_tui.datasets.parts import FilePart, Part
from fourm_tui.datasets.samples import PLACED, Samples, shows_places
from fourm_tui.datasets.slots import CROPS, IMAGES, RGB, choose, encoded_notes, endings_of
from fourm_tui.errors import InputError, printable
from fourm_tui.modalities import Modality

_WRITTEN = (*IMAGES, *(ending.upper() for ending in IMAGES))


@dataclass(frozen=True, eq=False)
class Tree:
    """The files of a tree by sample."""

    what: str
    keys: Sequence[Key]
    endings: Mapping[str, Mapping[Key, str] | str]
    """How the files of a slot end: all of them alike, or by sample."""
    folders: Mapping[str, Path]
    """Of each slot that has one, asked for or not."""
    notes: tuple[str, ...]

    @property
    def title(self) -> str:
        return self.what

    def __len__(self) -> int:
        return len(self.keys)

    def name(self, number: int) -> str:
        return shown_key(self.keys[number])

    def parts(self, number: int) -> dict[str, Part]:
        return {slot: self._file(number, slot, ending) for slot, ending in self.endings.items()}

    def part(self, number: int, slot: str) -> FilePart | None:
        if slot not in self.folders:
            return None
        if slot in self.endings:
            return self._file(number, slot, self.endings[slot])
        for ending in (".npy",) if slot == CROPS else _WRITTEN:
            part = self._file(number, slot, ending)
            if part.path.is_file():
                return part
        return None

    def _file(self, number: int, slot: str, ending: Mapping[Key, str] | str) -> FilePart:
        folder, name = self.keys[number]
        written = ending if isinstance(ending, str) else ending[folder, name]
        return FilePart(self.folders[slot] / folder / (name + written), written.lower())


def open_tree(
    root: Path, folders: Sequence[str], wanted: Collection[str], modalities: Mapping[str, Modality]
) -> Samples:  # fmt: skip
    """The dataset in a tree.

    Args:
        root: the folder that holds one folder per modality.
        folders: those that are known.
        wanted: the modalities that samples are to have.

    Raises:
        InputError: a modality is not there, or no name is in all of the folders.
    """
    where = f"data_path: {printable(root, 400)}"
    chosen = choose(wanted, folders, modalities, where)
    notes = list(encoded_notes(chosen, modalities))
    needed = {slot: endings_of(modalities[name]) for name, slot in chosen.items()}
    placed = [name for name in chosen if name in PLACED]
    if CROPS in folders and shows_places(chosen, modalities):
        needed[CROPS] = (".npy",)
    if placed and CROPS in folders and not any(slot in folders for slot in RGB):
        notes.append(f"{', '.join(placed)}: taken as they are, for there is no rgb whose {CROPS} would move them")
    found = {slot: _names(root / slot, slot, endings, notes) for slot, endings in needed.items()}
    keys, told = shared(found)
    if told:
        notes.append(told)
    if not keys:
        raise InputError(f"{where}: no name is in all of {', '.join(found)}; {told or 'they are empty'}")
    places = {slot: root / slot for slot in folders}
    what = f"{shown_folder(root)}: one folder per modality"
    return Samples(Tree(what, keys, compact(found), places, tuple(notes)), chosen, modalities)


def compact(found: Mapping[str, Mapping[Key, str]]) -> dict[str, Mapping[Key, str] | str]:
    """How files end, by slot: in a word where all end alike."""
    kinds = {slot: set(names.values()) for slot, names in found.items()}
    return {slot: kinds[slot].pop() if len(kinds[slot]) == 1 else names for slot, names in found.items()}


def _names(folder: Path, slot: str, endings: tuple[str, ...], notes: list[str]) -> dict[Key, str]:
    found, twice, others = by_name(files_below(folder), endings)
    if twice:
        notes.append(f"{printable(slot)}: {plural(twice, 'name')} with several files, of which the first is taken")
    if others:
        notes.append(f"{printable(slot)}: {plural(others, 'file')} with other endings left out")
    if not found:
        raise InputError(f"{printable(folder, 400)} has no files that end in {', '.join(endings)}")
    return found
