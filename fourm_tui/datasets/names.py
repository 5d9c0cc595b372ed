"""The files below a folder by name, and the names that several folders share."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from fourm_tui.datasets.slots import split_ending
from fourm_tui.errors import InputError, printable

Key = tuple[str, str]
"""The folder below the modality's, with `/`, and the name without ending."""

DEEPEST = 64
"""Folders inside each other."""
MOST_LINKS = 8
"""Times that a folder may be there; links that double at every level would never end."""


def files_below(folder: Path) -> Iterator[tuple[str, str]]:
    """The folder below `folder` and the name of each file; hidden ones are left out.

    Links to folders are followed, but a folder is never entered from within itself. What a file is, is not looked at:
    that would take a look at the disk for each.

    Raises:
        InputError: the folder cannot be read, is too deep, or links lead to the same folder over and over.
    """
    yield from _below(folder, "", (), Counter())


def _below(
    folder: Path, relative: str, above: tuple[tuple[int, int], ...], entered: Counter[tuple[int, int]]
) -> Iterator[tuple[str, str]]:
    where = printable(folder, 400)
    inner = []
    try:
        facts = folder.stat()
        identity = (facts.st_dev, facts.st_ino)
        if identity in above:
            return
        entered[identity] += 1
        if len(above) >= DEEPEST:
            raise InputError(f"{where} is more than {DEEPEST} folders deep")
        if entered[identity] > MOST_LINKS:
            raise InputError(f"{where} is reached by more than {MOST_LINKS} links; each of them counts as a folder")
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if is_folder(entry):
                    inner.append(entry.name)
                else:
                    yield relative, entry.name
    except OSError as error:
        raise InputError(f"{where} cannot be read: {printable(error.strerror or error)}") from None
    for name in sorted(inner):
        yield from _below(folder / name, f"{relative}/{name}" if relative else name, (*above, identity), entered)


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder or a link to one; a link that leads in circles is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def by_name(files: Iterator[tuple[str, str]], endings: Collection[str]) -> tuple[dict[Key, str], int, int]:
    """The ending, as it is written, of the file of each name; how many names have several files, of which the first
    by its ending counts; and how many files have other endings."""
    found: dict[Key, str] = {}
    twice, others = set(), 0
    same: dict[str, str] = {}
    folders: dict[str, str] = {}
    for folder, name in files:
        stem, ending = split_ending(name)
        if ending not in endings:
            others += 1
            continue
        written = name[len(stem) :]
        key = (folders.setdefault(folder, folder), stem)
        there = found.get(key)
        if there is not None:
            twice.add(key)
            written = min(written, there)
        found[key] = same.setdefault(written, written)
    return found, len(twice), others


def in_order(keys: Iterable[Key]) -> list[Key]:
    """By class folder, then the folders in it, then the file name, as run_generation.py numbers samples."""
    folders: dict[str, list[Key]] = {}
    for key in keys:
        folders.setdefault(key[0], []).append(key)
    order = sorted(folders, key=lambda folder: (folder.partition("/")[0], folder))
    return [key for folder in order for key in sorted(folders[folder], key=lambda key: key[1] + ".")]


def shared(names: Mapping[str, Collection[Key]]) -> tuple[list[Key], str | None]:
    """The names that all slots have, in order, and what is to be told about the others."""
    common: set[Key] = set.intersection(*(set(keys) for keys in names.values()))
    every = set().union(*names.values()) if len(names) > 1 else common
    missing = every - common
    if not missing:
        return in_order(common), None
    lacking = sorted(
        f"{sum(key not in keys for key in every):,} in {printable(slot, 40)}"
        for slot, keys in names.items()
        if any(key not in keys for key in missing)
    )
    first = ", ".join(printable(shown_key(key), 80) for key in in_order(missing)[:3])
    more = ", …" if len(missing) > 3 else ""
    count = f"{len(missing):,} name{'' if len(missing) == 1 else 's'}"
    return in_order(common), f"{count} left out, missing {', '.join(lacking)}: {first}{more}"


def shown_key(key: Key) -> str:
    return f"{key[0]}/{key[1]}" if key[0] else key[1]


def shown_folder(path: Path) -> str:
    """The end of a path, for titles: `coco/val`."""
    return printable("/".join(path.absolute().parts[-2:]).removeprefix("//"), 80)


def plural(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def folders_in(folder: Path) -> Sequence[str]:
    """The names of the folders directly in a folder, sorted.

    Raises:
        InputError: the folder cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if is_folder(entry) and not entry.name.startswith("."))
    except OSError as error:
        raise InputError(f"{printable(folder, 400)} cannot be read: {printable(error.strerror or error)}") from None


def files_in(folder: Path, ending: str) -> Sequence[str]:
    """The names of the files directly in a folder that end so, sorted.

    Raises:
        InputError: the folder cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(
                entry.name for entry in entries if entry.name.endswith(ending) and not entry.name.startswith(".")
            )
    except OSError as error:
        raise InputError(f"{printable(folder, 400)} cannot be read: {printable(error.strerror or error)}") from None
