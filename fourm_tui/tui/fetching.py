"""Fetching checkpoints from the Hub in a thread, so that it can be looked at and stopped. Without Textual.

What has arrived is kept: the next time goes on there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event

from fourm_tui.hub import Source, size_text

_INTERVAL = 0.1  # seconds between two reports


@dataclass(frozen=True)
class Fetched:
    """How far a download is."""

    name: str
    """Of the source under way."""
    doing: str
    done: int
    """Bytes of all that is fetched."""
    total: int
    """0: not known yet."""

    @property
    def fraction(self) -> float:
        return min(self.done / self.total, 1.0) if self.total else 0.0

    def __str__(self) -> str:
        if not self.total:
            return f"{self.doing} {self.name}"
        return f"{self.doing} {self.name}   {size_text(self.done)} of {size_text(self.total)}"


class _StoppedError(Exception):
    pass


def fetch_all(sources: Sequence[Source], stop: Event, tell: Callable[[Fetched], None]) -> bool:
    """Fetches sources one after the other.

    Args:
        stop: is looked at often; once it is set, the download ends and what has arrived is kept.
        tell: called at most ten times a second, in this thread.

    Returns:
        Whether all of it is there now; False if it was stopped.

    Raises:
        FourmError: the Hub cannot be reached or does not have it, or there is no room.
    """
    from fourm_tui.download import RemoteFile, Transfer, check_space, fetch, finish, look_up

    plan: list[tuple[RemoteFile, ...]] = []
    for source in sources:
        if stop.is_set():
            return False
        tell(Fetched(source.name, "asking the Hub for", 0, 0))
        plan.append(look_up(source))
    files = [file for group in plan for file in group]
    check_space(files)
    arrived = {file: file.present for file in files}
    total, last = sum(file.bytes for file in files), float("-inf")

    def progress(transfer: Transfer) -> None:
        nonlocal last
        if stop.is_set():
            raise _StoppedError
        if transfer.doing == "downloading":
            arrived[transfer.file] = transfer.done
        now = time.monotonic()
        if now - last >= _INTERVAL:
            last = now
            tell(Fetched(transfer.file.source.name, transfer.doing, sum(arrived.values()), total))

    try:
        for group in plan:
            for file in group:
                fetch(file, progress)
            finish(group)
    except _StoppedError:
        return False
    return True
