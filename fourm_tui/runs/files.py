"""Files that appear whole or not at all: written beside, flushed to the disk, then given their name."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path

from fourm_tui.errors import FourmError, printable
from fourm_tui.events.log import cannot_write

_WITHOUT_LINKS = (errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)


def write_new(path: Path, data: bytes) -> None:
    """Writes a file that is not there yet, and the folders above it.

    Raises:
        FourmError: it is there already (and stays as it is), or it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = _write_beside(path, data)
        try:
            taken = not _give_name(beside, path)
        finally:
            beside.unlink(missing_ok=True)
        _flush_folder(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from None
    if taken:
        raise FourmError(f"{printable(path)}: is there already, and nothing is overwritten")


def replace_file(path: Path, data: bytes) -> None:
    """Puts a file in the place of the one that may be there; a reader sees the one or the other.

    Raises:
        FourmError: it cannot be written; the old one is still there.
    """
    try:
        beside = _write_beside(path, data)
        try:
            beside.replace(path)
        except OSError:
            beside.unlink(missing_ok=True)
            raise
        _flush_folder(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from None


def _write_beside(path: Path, data: bytes) -> Path:
    beside = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.part")
    try:
        with beside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    return beside


def _give_name(beside: Path, path: Path) -> bool:
    """False if the name is taken. A rename would overwrite, a link does not."""
    try:
        path.hardlink_to(beside)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _WITHOUT_LINKS:
            raise
        if path.exists():
            return False
        beside.rename(path)
    return True


def _flush_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # not every file system can
        opened = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
