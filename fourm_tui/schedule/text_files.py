"""Text files read and written as they are."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from fourm_tui.errors import InputError, printable
from fourm_tui.schedule.tree import MAX_SIZE, place_at


def read_text(path: Path) -> str:
    """The text of a file as it is, line endings and byte order mark included.

    Raises:
        InputError: it cannot be read, is not UTF-8, or has more than 1 MiB.
    """
    name = printable(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SIZE + 1)
    except FileNotFoundError:
        raise InputError(f"{name}: there is no such file (check its name)") from None
    except IsADirectoryError:
        raise InputError(f"{name} is a folder (name a file in it)") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{name} cannot be read: {printable(reason)} (check the file and its permissions)") from None
    if len(data) > MAX_SIZE:
        raise InputError(f"{name} has more than 1 MiB (name a settings file)")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        place, byte = place_at(before, len(before), path), data[error.start]
        raise InputError(f"{place}: the byte 0x{byte:02x} is not UTF-8 (save the file as UTF-8)") from None


def write_text(path: Path, text: str) -> None:
    """Writes a file that is there as a whole or not at all, keeping its permissions; a link's target is written.

    Raises:
        InputError: it cannot be written.
    """
    temporary: Path | None = None
    try:
        target = path.resolve()
        mode: int | None = None
        with suppress(FileNotFoundError):
            found = target.stat()
            if not stat.S_ISREG(found.st_mode):
                raise InputError(f"{printable(path)} is no file that can be written (choose another name)")
            mode = stat.S_IMODE(found.st_mode)
        temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with os.fdopen(descriptor, "wb") as file:
            if mode is not None:
                os.fchmod(descriptor, mode)
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(descriptor)
        temporary.replace(target)
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{printable(path)} cannot be written: {printable(reason)} (choose another place)") from None
    finally:
        if temporary is not None:
            with suppress(OSError):  # there is none after the renaming
                temporary.unlink()
