"""What lies in a folder, whatever the folder and the names in it are like. Without Textual."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fourm_tui.errors import InputError, printable
from fourm_tui.tui.fits import typed_path

MOST = 200_000
"""Entries of a folder that are read."""


@dataclass(frozen=True)
class FileEntry:
    """A file or a folder."""

    path: Path
    shown: str
    """Its name, made printable; a folder's ends in a slash."""
    is_folder: bool = False


@dataclass(frozen=True)
class Listing:
    """A folder."""

    folder: Path
    entries: tuple[FileEntry, ...] = ()
    """Folders first, then by name as people count."""
    problem: str = ""


def list_folder(folder: Path, hidden: bool = False) -> Listing:
    """The entries of a folder; one that cannot be read is empty, and says why."""
    found: list[tuple[bool, list[object], FileEntry]] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") and not hidden:
                    continue
                if len(found) >= MOST:
                    break
                is_folder = _is_folder(entry)
                shown = printable(entry.name, 255) + ("/" if is_folder else "")
                found.append((not is_folder, _order(entry.name), FileEntry(Path(entry.path), shown, is_folder)))
    except (OSError, ValueError) as error:
        return Listing(folder, (), f"cannot be read: {getattr(error, 'strerror', None) or printable(error, 80)}")
    found.sort(key=lambda each: (each[0], each[1]))
    more = f"only the first {MOST} of its entries are shown" if len(found) >= MOST else ""
    return Listing(folder, tuple(entry for _, _, entry in found), more)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _order(name: str) -> list[object]:
    """`photo9` before `photo10`; texts stand at even places, numbers at odd ones, so that they can be compared."""
    parts = re.split(r"([0-9]{1,18})", name.casefold())
    return [int(part) if at % 2 else part for at, part in enumerate(parts)]


def narrowed(entries: Sequence[FileEntry], text: str) -> list[FileEntry]:
    """The entries whose names hold all words of a text."""
    words = text.casefold().split()
    return [entry for entry in entries if all(word in entry.shown.casefold() for word in words)]


def completed(text: str, folder: Path) -> tuple[str, tuple[str, ...]]:
    """A path that is being typed as far as what lies there allows only one way on, as shells complete it, and the names
    that it may become.

    Names that cannot be shown as they are do not count, nor do hidden ones whose dot is not typed.

    Args:
        text: what is typed.
        folder: from which it goes on, unless it is absolute or begins with `~`.
    """
    if text == "~":
        return "~/", ()
    before, slash, begin = text.rpartition("/")
    try:
        with os.scandir(typed_path(before + slash, folder)) as entries:
            found = {
                entry.name + "/" * _is_folder(entry)
                for entry in itertools.islice(entries, MOST)
                if entry.name.startswith(begin) and (begin or not entry.name.startswith("."))
            }
    except (OSError, ValueError, InputError):
        return text, ()
    names = sorted(name for name in found if printable(name, 300) == name)
    common = os.path.commonprefix(names)  # noqa: RUF071 - of characters, not of folders
    return before + slash + (common or begin), tuple(names)


def parent_of(folder: Path) -> Path | None:
    """The folder around a folder; None for the root. `..` is worked out by name, so that links lead back."""
    absolute = Path(os.path.normpath(folder.absolute()))
    return absolute.parent if absolute.parent != absolute else None


def short(path: Path) -> str:
    """A path as people write it, made printable."""
    try:
        home = Path.home()
    except RuntimeError:
        return printable(path, 400)
    if path == home:
        return "~"
    return printable(f"~/{path.relative_to(home)}" if path.is_relative_to(home) else path, 400)


def near(path: Path) -> str:
    """A path as people say it: from the working folder on where it lies in there."""
    with contextlib.suppress(OSError, ValueError):
        return printable(path.absolute().relative_to(Path.cwd()), 400)
    return short(path)
