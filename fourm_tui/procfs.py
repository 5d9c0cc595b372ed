"""What Linux says of the machine and of processes in /proc; other systems say nothing."""

from __future__ import annotations

from pathlib import Path


def said(file: str | Path, name: str) -> str | None:
    """What the first line `NAME: ...` of a file in /proc says; None where there is none."""
    try:
        lines = Path("/proc", file).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    found = (line.partition(":") for line in lines)
    return next((value.strip() for key, _, value in found if key.strip() == name), None)


def said_bytes(file: str | Path, name: str) -> int | None:
    """Bytes of a line `NAME: 7 kB`; None where there is none."""
    number, _, unit = (said(file, name) or "").partition(" ")
    return 1024 * int(number) if unit == "kB" and number.isdigit() else None
