"""Files that a user names, opened so that nothing hangs and nothing grows without bounds."""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from pathlib import Path
from typing import BinaryIO

from fourm_tui.errors import InputError, printable

LARGEST_TEXT = 2**20
"""Bytes of a text file."""
LARGEST_JSON = 2**24
"""Bytes of a JSON file, unpacked."""

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def open_file(path: Path, where: str) -> BinaryIO:
    """Opens an ordinary file for reading; anything whose reading could wait for ever or never end is refused.

    Raises:
        InputError: there is none, it is empty, it is a folder, pipe or device, or it may not be read.
    """
    try:
        _refuse_special(path.stat().st_mode, where)
        # A file may turn into a pipe in between: O_NONBLOCK keeps open() from waiting, fstat looks again.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        file = os.fdopen(descriptor, "rb")
    except (OSError, ValueError) as error:
        raise InputError(f"{where} cannot be read: {_reason(error)}") from None
    try:
        facts = os.fstat(file.fileno())
        _refuse_special(facts.st_mode, where)
        if not facts.st_size:
            raise InputError(f"{where} is an empty file")
    except InputError:
        file.close()
        raise
    return file


def read_text(path: Path, where: str) -> str:
    """The text of a file without blanks around it; `.json.gz` is unpacked.

    Raises:
        InputError: it cannot be read, is too large, or is no text in UTF-8.
    """
    name = path.name.lower()
    limit = LARGEST_JSON if name.endswith((".json", ".json.gz")) else LARGEST_TEXT
    with open_file(path, where) as file:
        try:
            if name.endswith(".gz"):
                with gzip.GzipFile(fileobj=file) as unpacked:
                    content = unpacked.read(limit + 1)
            else:
                content = file.read(limit + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"{where} cannot be read: {_reason(error)}") from None
    if len(content) > limit:
        raise InputError(f"{where} is larger than a text of {limit // 2**20} MiB")
    try:
        return content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise InputError(f"{where} is no text in UTF-8") from None


def _refuse_special(mode: int, where: str) -> None:
    if not stat.S_ISREG(mode):
        kind = next((name for test, name in _KINDS if test(mode)), "something special")
        raise InputError(f"{where} is {kind}, not a file")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or printable(error, 100)
