"""How far the ranks are: each says so in a file of its own, from which one of them makes the total."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from fourm_tui.errors import InputError
from fourm_tui.events import BatchProgress, RankProgress
from fourm_tui.events.records import from_json, parse_object

RANKS = "ranks"
_EVERY = 0.5
"""Seconds between two writings."""
_SOON, _SELDOM = 600.0, 5.0
"""Seconds for which the total is told each second, and between two tellings after that."""


class Gauge:
    """What one rank says about itself.

    Args:
        folder: of the run.
        rank: its number.
        total: items that it has to do.
    """

    def __init__(self, folder: Path, rank: int, total: int, device: str) -> None:
        self._path = folder / RANKS / f"{rank:04d}.json"
        self._path.parent.mkdir(exist_ok=True)
        self.now = RankProgress(rank, total=total, device=device)
        self._began = time.monotonic()
        self._written = float("-inf")
        self.tell()

    def tell(self, at_once: bool = True, **changes: object) -> None:
        """Changes what is said; written soon, or at once."""
        self.now = replace(self.now, seconds=time.monotonic() - self._began, **changes)  # type: ignore[arg-type]
        if not at_once and time.monotonic() < self._written + _EVERY:
            return
        self._written = time.monotonic()
        beside = self._path.with_suffix(f".{os.getpid()}.part")
        beside.write_text(json.dumps(asdict(self.now)), encoding="ascii")
        beside.replace(self._path)


def read_ranks(folder: Path, world: int) -> list[RankProgress]:
    """What the ranks last said; those that have not said anything yet are left out."""
    found = []
    for rank in range(world):
        path = folder / RANKS / f"{rank:04d}.json"
        try:
            found.append(from_json(RankProgress, parse_object(path.read_bytes()), str(path)))
        except (OSError, ValueError, InputError):
            continue
    return found


def forget_ranks(folder: Path) -> None:
    """Removes what the ranks of an earlier start have said."""
    for path in (folder / RANKS).glob("*.json"):
        path.unlink(missing_ok=True)


def total_of(ranks: Sequence[RankProgress], before: int, total: int, seconds: float) -> BatchProgress:
    """The sum of what the ranks say.

    Args:
        ranks: as read.
        before: items that were finished before this start.
        total: items of the whole run.
        seconds: since this start.
    """
    done = sum(rank.done for rank in ranks)
    skipped = sum(rank.skipped for rank in ranks)
    speed = [rank.per_second for rank in ranks if rank.per_second]
    left = [(rank.total - rank.done - rank.skipped - rank.under_way) / rank.per_second for rank in ranks
            if rank.per_second]  # fmt: skip
    return BatchProgress(
        before + done, total, skipped, seconds, sum(speed), max(left, default=None), tuple(ranks)
    )  # fmt: skip


class Monitor:
    """Watches all ranks from the first one, in a thread, and tells how far they are.

    Args:
        folder: of the run.
        world: number of ranks.
        before, total: items that were finished before this start, and all.
        tell: called about once a second, later less often.
    """

    def __init__(
        self, folder: Path, world: int, before: int, total: int, tell: Callable[[BatchProgress], None]
    ) -> None:  # fmt: skip
        self._folder, self._world, self._before, self._total, self._tell = folder, world, before, total, tell
        self._began = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="progress", daemon=True)
        self._thread.start()

    def now(self) -> BatchProgress:
        seconds = time.monotonic() - self._began
        return total_of(read_ranks(self._folder, self._world), self._before, self._total, seconds)

    def wait(self, stop: Callable[[], bool]) -> None:
        """Until every rank is done, or `stop` says so."""
        while not stop() and any(rank.state != "done" for rank in self.now().ranks):
            time.sleep(_EVERY / 2)

    def close(self) -> None:
        """Tells for the last time; again, nothing."""
        if self._over.is_set():
            return
        self._over.set()
        self._thread.join()
        self._tell(self.now())

    def _watch(self) -> None:
        while not self._over.wait(1.0 if time.monotonic() < self._began + _SOON else _SELDOM):
            self._tell(self.now())
