"""From the screens to the engine and back, on threads of their own, so that no key ever waits for it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from fourm_tui.engine.client import Engine, NoEngineError
from fourm_tui.errors import FourmError
from fourm_tui.events import Event, RunCancelled, RunDone, RunFailed, being_written, follow
from fourm_tui.runs import open_run
from fourm_tui.tui.news import Answer, News, QueueNews, RunNews, RunOpened, Trouble
from fourm_tui.tui.reopened import load_finished
from fourm_tui.tui.watching import watch

__all__ = ["Answer", "Link", "News", "QueueNews", "RunNews", "RunOpened", "Trouble"]

_RATE = 0.1
"""Seconds between two deliveries of events; what comes in between is delivered together."""
_MOST = 200
"""Events that are delivered together, so that taking them holds nothing up; more of them follow at once."""
_POLL, _IDLE_POLL, _IDLE = 0.03, 0.25, 5.0
"""Seconds between two looks at a log; also where it has not changed for so many seconds."""
_LOOK = 1.0
"""Seconds without an event after which is looked whether a run still has somebody at work."""
_AT_ONCE = 1.0


class Link:
    """Keeps connections to the engine and follows one run.

    Args:
        tell: called with news, from any of the threads; what it gets next waits until it has returned.
    """

    def __init__(self, tell: Callable[[News], None]) -> None:
        self._tell = tell
        self._asked: queue.SimpleQueue[tuple[str, dict[str, Any]] | None] = queue.SimpleQueue()
        self._closed, self._again = threading.Event(), threading.Event()
        self._followed: tuple[Path, threading.Event] | None = None
        self._engine: Engine | None = None

    def open(self, warm: bool) -> None:
        """Begins; with `warm` the engine is started at once."""
        threading.Thread(target=self._serve, args=(warm,), name="engine", daemon=True).start()
        watching = partial(watch, self._tell, self._closed, self._again)
        threading.Thread(target=watching, name="queue", daemon=True).start()

    def close(self) -> None:
        """Ends all threads; what runs goes on."""
        self._closed.set()
        self._again.set()
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
        threading.Thread(target=_Following(folder, stop, self._tell).go, name="run", daemon=True).start()

    def unfollow(self) -> None:
        if self._followed is not None:
            self._followed[1].set()
            self._followed = None

    # -- the thread that asks ---------------------------------------------------------------------------------------

    def _serve(self, warm: bool) -> None:
        if warm:
            self._with_engine(lambda engine: None)
        while (asked := self._asked.get()) is not None and not self._closed.is_set():
            do, more = asked
            self._with_engine(partial(self._ask, do, more))
        if self._engine is not None:
            self._engine.close()

    def _ask(self, do: str, more: dict[str, Any], engine: Engine) -> None:
        self._tell(Answer(do, engine.ask(do, **more), more))

    def _with_engine(self, do: Callable[[Engine], None]) -> None:
        """Does something with the engine; one that dies just then is replaced once: nothing is done twice by that."""
        for may_try_again in (True, False):
            began = time.monotonic()
            try:
                if self._engine is None or not self._engine.is_alive:
                    self._engine = Engine.start()
                    self._again.set()
                do(self._engine)
                return
            except NoEngineError as error:
                self._drop()
                if not may_try_again or time.monotonic() - began > _AT_ONCE or self._closed.is_set():
                    self._tell(Trouble(str(error)))
                    return
            except FourmError as error:
                self._tell(Trouble(str(error)))
                return

    def _drop(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine = None


class _Following:
    """The thread that follows a run.

    Args:
        folder: of the run.
        stop: set when it is to end.
        tell: called with `RunOpened`, then with `RunNews`.
    """

    def __init__(self, folder: Path, stop: threading.Event, tell: Callable[[News], None]) -> None:
        self.folder, self.stop, self._tell = folder, stop, tell
        self.path = folder / "events.jsonl"
        self._held: list[Event] = []
        self._told = self._came = self._looked = 0.0
        self._active = False
        self._unwritten = 0

    def go(self) -> None:
        try:
            run = open_run(self.folder)
            state = load_finished(run)
            if not self.stop.is_set():
                self._tell(RunOpened(self.folder, run.record, state))
            for event in follow(self.path, self._pause, poll=_POLL):
                if self.stop.is_set():
                    return
                self._held.append(event)
                self._came, self._unwritten = time.monotonic(), 0
                self._active = not isinstance(event, RunDone | RunFailed | RunCancelled)
                if len(self._held) >= _MOST:
                    self._deliver(more=True)
        except FourmError as error:
            self._tell(Trouble(str(error)))

    def _deliver(self, more: bool = False) -> None:
        news, self._held = RunNews(self.folder, tuple(self._held), more), []
        if not self.stop.is_set():
            self._tell(news)
        self._told = time.monotonic()

    def _pause(self) -> bool:
        """Called whenever the log has been read to its end; whether that was the last time."""
        now = time.monotonic()
        if self._held and now - self._told >= _RATE:
            self._deliver()
        elif not self._held:
            if self._active and now - max(self._came, self._looked) >= _LOOK:
                self._look(now)
            if now - self._came > _IDLE:
                self.stop.wait(_IDLE_POLL)
        return self.stop.is_set()

    def _look(self, now: float) -> None:
        """Whether somebody is still at work; asked twice, for the last words may be on their way."""
        self._looked = now
        self._unwritten = 0 if being_written(self.path) else self._unwritten + 1
        if self._unwritten >= 2:
            self._active = False
            self._tell(RunNews(self.folder, (), gone=True))
