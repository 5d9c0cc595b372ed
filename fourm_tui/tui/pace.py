"""How often and how much may be drawn: often here, rarely and little over a slow line."""

from __future__ import annotations

import os
from dataclasses import dataclass

HERE, REMOTE, GRAPHICS = 0.1, 0.2, 0.5
"""Seconds between two drawings: on this machine, over SSH, and of graphics over SSH."""
_BURST = 1.0  # seconds of bytes that may be saved up


def is_remote() -> bool:
    """Whether the terminal is at the other end of an SSH connection."""
    return bool(os.environ.get("SSH_CONNECTION"))


@dataclass
class Pace:
    """Counts what was drawn.

    Args:
        interval: least seconds between two drawings.
        rate: bytes a second; 0 is as many as one likes.
    """

    interval: float = HERE
    rate: float = 0.0
    _last: float = float("-inf")
    _debt: float = 0.0
    """Bytes that the rate has still to make up for."""

    def wait(self, now: float) -> float:
        """Seconds until the next drawing; 0: now."""
        paid = self._debt - self.rate * (now - self._last) if self.rate else 0.0
        owed = max(paid - self.rate * _BURST, 0.0) / self.rate if self.rate else 0.0
        return max(self._last + self.interval - now, owed, 0.0)

    def drew(self, now: float, bytes_: int) -> None:
        """Something was drawn."""
        if self.rate:
            elapsed = now - self._last
            self._debt = max(self._debt - self.rate * elapsed, 0.0) + bytes_
        self._last = now
