"""From the screens to the engine and back, on threads of their own, so that no key ever waits for it."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from fourm_tui.engine.client import Engine, NoEngineError
from fourm_tui.engine.jobs import QueuedJob, read_jobs
from fourm_tui.errors import FourmError
from fourm_tui.events import Event, being_written, follow

_RATE = 0.1
"""Seconds between two deliveries of events; what comes in between is delivered together."""
_POLL = 0.03
_QUEUE_RATE = 0.5


@dataclass(frozen=True)
class RunNews:
    """Events of the run that is followed, in their order."""

    folder: Path
    events: tuple[Event, ...]


@dataclass(frozen=True)
class QueueNews:
    """The queue as it is now; `status` is what the engine says of itself, None while there is none."""

    jobs: tuple[QueuedJob, ...]
    status: Mapping[str, Any] | None


@dataclass(frozen=True)
class Trouble:
    """Something that was asked of the engine did not work."""

    message: str


@dataclass(frozen=True)
class Answer:
    """What the engine answered to `ask`."""

    do: str
    found: Any
    asked: Mapping[str, Any] = field(default_factory=dict)


News = RunNews | QueueNews | Trouble | Answer


class Link:
    """Keeps a connection to the engine and follows one run.

    Args:
        tell: called with news, from any of the threads.
    """

    def __init__(self, tell: Callable[[News], None]) -> None:
        self._tell = tell
        self._asked: queue.SimpleQueue[tuple[str, dict[str, Any]] | None] = queue.SimpleQueue()
        self._closed = threading.Event()
        self._followed: tuple[Path, threading.Event] | None = None
        self._engine: Engine | None = None

    def open(self, warm: bool) -> None:
        """Begins; with `warm` the engine is started at once."""
        threading.Thread(target=self._serve, args=(warm,), name="engine", daemon=True).start()

    def close(self) -> None:
        """Ends all threads; what runs goes on."""
        self._closed.set()
        self._asked.put(None)
        self.unfollow()

    def ask(self, do: str, **more: Any) -> None:
        """Asks the engine, which is started if there is none; `Answer` or `Trouble` comes as news."""
        self._asked.put((do, more))

    def submit(self, folder: Path) -> None:
        """Puts a run into the queue."""
        self.ask("submit", run=str(folder.resolve()))

    def follow(self, folder: Path) -> None:
        """Tells the events of a run from its first on, then as they come, in place of those of another."""
        self.unfollow()
        stop = threading.Event()
        self._followed = (folder, stop)
        threading.Thread(target=self._follow, args=(folder, stop), name="run", daemon=True).start()

    def unfollow(self) -> None:
        if self._followed is not None:
            self._followed[1].set()
            self._followed = None

    # -- threads --------------------------------------------------------------------------------------------------

    def _serve(self, warm: bool) -> None:
        if warm:
            self._with_engine(lambda engine: None)
        last: QueueNews | None = None
        while not self._closed.is_set():
            try:
                asked = self._asked.get(timeout=_QUEUE_RATE)
            except queue.Empty:
                asked = None
            if self._closed.is_set():
                break
            if asked is not None:
                do, more = asked
                self._with_engine(partial(self._ask, do, more))
            news = self._queue()
            if news != last:
                self._tell(news)
                last = news
        if self._engine is not None:
            self._engine.close()

    def _ask(self, do: str, more: dict[str, Any], engine: Engine) -> None:
        self._tell(Answer(do, engine.ask(do, **more), more))

    def _with_engine(self, do: Callable[[Engine], None]) -> None:
        try:
            if self._engine is None or not self._engine.is_alive:
                self._engine = Engine.start()
            do(self._engine)
        except NoEngineError as error:
            self._engine = None
            self._tell(Trouble(str(error)))
        except FourmError as error:
            self._tell(Trouble(str(error)))

    def _queue(self) -> QueueNews:
        if self._engine is None:
            with contextlib.suppress(NoEngineError, FourmError):
                self._engine = Engine.find()
        if self._engine is not None:
            try:
                status = self._engine.ask("status")
            except FourmError:
                self._engine = None
            else:
                jobs = read_jobs()
                return QueueNews(jobs, {key: value for key, value in status.items() if key != "jobs"})
        return QueueNews(read_jobs(), None)

    def _follow(self, folder: Path, stop: threading.Event) -> None:
        path = folder / "events.jsonl"
        held: list[Event] = []
        told = 0.0

        def over() -> bool:
            nonlocal told
            if held and time.monotonic() - told >= _RATE:
                self._tell(RunNews(folder, tuple(held)))
                held.clear()
                told = time.monotonic()
            return stop.is_set()

        try:
            for event in follow(path, over, poll=_POLL):
                held.append(event)
                if stop.is_set():
                    return
                over()
        except FourmError as error:
            self._tell(Trouble(str(error)))


def is_written(folder: Path) -> bool:
    """Whether some process is at work on a run."""
    return being_written(folder / "events.jsonl")
