"""Bars that say how much is done."""

from __future__ import annotations


def bar(width: int, fraction: float, ascii: bool = False) -> tuple[str, str]:
    """A bar as the part that is done and the rest, together `width` columns wide; 0 to 1 is done.

    It is full only when all is done, and empty only when nothing is.
    """
    halves = round(min(max(fraction, 0.0), 1.0) * width * 2)
    if 0 < fraction < 1:
        halves = min(max(halves, 1), width * 2 - 1)
    if ascii:
        full = "#" * (halves // 2)
        return full, "." * (width - len(full))
    full = "█" * (halves // 2) + "▌" * (halves % 2)
    return full, "░" * (width - len(full))
