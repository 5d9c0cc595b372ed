"""When something was and how long it took, in few characters."""

from __future__ import annotations

from datetime import datetime

_DAY = 86400


def moment(created: str) -> datetime | None:
    """An ISO 8601 time as local time; None if it is none."""
    try:
        return datetime.fromisoformat(created).astimezone()
    except (ValueError, OverflowError, OSError):
        return None


def ago(then: datetime, now: datetime) -> str:
    """`now`, `40 s ago`, `3 min ago`, `5 h ago`, `12 d ago`; after a month the date."""
    seconds = (now - then).total_seconds()
    for limit, unit, name in (
        (10, 0, ""),
        (60, 1, "s"),
        (3600, 60, "min"),
        (2 * _DAY, 3600, "h"),
        (31 * _DAY, _DAY, "d"),
    ):
        if seconds < limit:
            return f"{seconds // unit:.0f} {name} ago" if unit else "now"
    return f"{then:%Y-%m-%d}"


def lasting(seconds: float | None) -> str:
    """`0.8 s`, `12 s`, `3:05 min`, `1:02 h`; `–` if unknown."""
    if seconds is None:
        return "–"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60}:{whole % 60:02d} min" if whole < 3600 else f"{whole // 3600}:{whole % 3600 // 60:02d} h"
