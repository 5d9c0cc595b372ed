"""The queue as the engine tells it: pushed whenever it changes, read from the disk while there is no engine."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fourm_tui.engine.jobs import QueuedJob, read_jobs
from fourm_tui.engine.places import queue_dir, socket_path
from fourm_tui.engine.protocol import LONGEST, check_greeting, line, parse
from fourm_tui.errors import FourmError
from fourm_tui.events.records import from_json
from fourm_tui.tui.news import News, QueueNews, Trouble

_SECONDS = 10.0
"""That the engine may take to answer."""
_LOOK = 0.5
"""Seconds between two looks at whether the screens are closed."""
_LEAST = 0.1
"""Seconds between two questions, however often the queue changes."""
_MEMORY = 2.0
"""Seconds between two questions while something runs, since memory changes without a word."""
_AGAIN, _AGAIN_AFTER_TROUBLE = 1.0, 5.0
_STATUS = 1
_ROUND = 10**7  # bytes


class GoneError(Exception):
    """The engine has hung up, or there is none."""


def watch(tell: Callable[[News], None], closed: threading.Event, again: threading.Event) -> None:
    """Tells the queue until the screens are closed; an engine that goes is waited for, and found when it is there.

    Args:
        tell: called with `QueueNews` that differ from those before, and with `Trouble`, once each.
        closed: set when it is to end.
        again: set when it is worth looking for the engine at once.
    """
    last: QueueNews | None = None
    troubled = ""
    while not closed.is_set():
        wait = _AGAIN
        try:
            with _Watching() as engine:
                for news in engine.news(closed):
                    troubled = ""
                    if news != last:
                        tell(news)
                        last = news
        except GoneError:
            if last is not None and last.status is not None and any(job.status == "running" for job in last.jobs):
                tell(Trouble("the engine has ended; what it was at goes on where it was when it is retried (F3, t)"))
        except FourmError as error:
            wait = _AGAIN_AFTER_TROUBLE
            if str(error) != troubled:
                troubled = str(error)
                tell(Trouble(troubled))
        if closed.is_set():
            return
        last = _without_engine(tell, last)
        again.wait(wait)
        again.clear()


def _without_engine(tell: Callable[[News], None], last: QueueNews | None) -> QueueNews:
    news = QueueNews(_on_disk(), None)
    if news != last:
        tell(news)
    return news


_read: dict[Path, tuple[int, tuple[QueuedJob, ...]]] = {}


def _on_disk() -> tuple[QueuedJob, ...]:
    """The jobs as they are on disk, read when their folder has changed; nothing of it runs without an engine."""
    folder = queue_dir()
    try:
        changed = folder.stat().st_mtime_ns
    except OSError:
        return ()
    if folder not in _read or _read[folder][0] != changed:
        _read[folder] = changed, tuple(map(_stopped, read_jobs(folder)))
    return _read[folder][1]


def _stopped(job: QueuedJob) -> QueuedJob:
    return replace(job, status="interrupted") if job.status in ("running", "paused") else job


class _Watching:
    """A connection to the engine on which it tells what changes.

    Raises:
        GoneError: there is none.
        FourmError: what answers is none, or does not answer.
    """

    def __init__(self) -> None:
        self._received = b""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(_SECONDS)
        try:
            self._socket.connect(str(socket_path()))
            self._socket.sendall(line({"id": 0, "do": "watch"}))
            check_greeting(self._first())
        except (OSError, FourmError, GoneError) as error:
            self._socket.close()
            if isinstance(error, TimeoutError):
                raise FourmError(_SILENT) from None
            if isinstance(error, OSError):
                raise GoneError from None
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()

    def news(self, closed: threading.Event) -> Iterator[QueueNews]:
        """The queue at once, then whenever it changes, until the screens are closed.

        Raises:
            GoneError: it has hung up.
            FourmError: it does not answer, or with something that is no answer.
        """
        try:
            yield from self._news(closed)
        except TimeoutError:
            raise FourmError(_SILENT) from None
        except OSError:
            raise GoneError from None

    def _news(self, closed: threading.Event) -> Iterator[QueueNews]:
        changed, waiting, asked, busy = True, False, 0.0, False
        while not closed.is_set():
            now = time.monotonic()
            due = (changed and now - asked >= _LEAST) or (busy and now - asked >= _MEMORY)
            if due and not waiting:
                self._socket.sendall(line({"id": _STATUS, "do": "status"}))
                changed, waiting, asked = False, True, now
            elif waiting and now - asked > _SECONDS:
                raise FourmError(_SILENT)
            for message in self._messages(_LEAST if changed else _LOOK):
                if message.get("id") == _STATUS:
                    waiting = False
                    news = _news_of(message.get("ok"))
                    busy = any(job.status == "running" for job in news.jobs)
                    yield news
                else:
                    changed = changed or "jobs" in message

    def _first(self) -> dict[str, Any]:
        until = time.monotonic() + _SECONDS
        while b"\n" not in self._received:
            self._receive()
            if time.monotonic() > until:
                raise TimeoutError
        first, _, self._received = self._received.partition(b"\n")
        return parse(first)

    def _messages(self, seconds: float) -> list[dict[str, Any]]:
        """What has come; waits for that for a moment."""
        if b"\n" not in self._received:
            if not select.select([self._socket], [], [], seconds)[0]:
                return []
            self._receive()
        *lines, self._received = self._received.split(b"\n")
        return [parse(each) for each in lines]

    def _receive(self) -> None:
        received = self._socket.recv(2**16)
        if not received:
            raise GoneError
        self._received += received
        if len(self._received) > LONGEST:
            raise FourmError("the engine says too much; `fourm-tui engine stop` ends it")


_SILENT = "the engine does not answer; `fourm-tui engine stop` ends it, `fourm-tui engine logs` says what it was at"


def _news_of(status: Any) -> QueueNews:
    """Raises FourmError where it is not what an engine says."""
    if not isinstance(status, Mapping) or not isinstance(status.get("jobs"), list):
        raise FourmError("the engine answers with something else than its state")
    jobs = tuple(from_json(QueuedJob, job, "the engine's queue") for job in status["jobs"] if isinstance(job, dict))
    workers = status.get("workers")
    pids = [each.get("pid") for each in workers if isinstance(each, Mapping)] if isinstance(workers, list) else []
    facts = {key: value for key, value in status.items() if key != "jobs"}
    own = sum(_memory(pid) for pid in pids if isinstance(pid, int))
    return QueueNews(tuple(sorted(jobs, key=lambda job: job.order)), facts, own // _ROUND * _ROUND)


def _memory(pid: int) -> int:
    """Bytes that a process has to itself; 0 where the system does not tell."""
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
        return next(int(each.split()[1]) * 1024 for each in lines if each.startswith("RssAnon"))
    return 0
