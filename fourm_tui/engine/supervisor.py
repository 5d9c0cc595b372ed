"""The supervisor: the engine's process without torch. It listens, keeps the queue, and has the workers do the runs.

There is one for each user, which a lock sees to. It ends when nothing has been asked of it for some time, when it is
told to, when its program is gone from the disk, or when its socket is and it has nothing to do.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fourm_tui import __version__
from fourm_tui.engine.jobs import OPEN, Queue, QueuedJob
from fourm_tui.engine.listening import Listener
from fourm_tui.engine.places import lock_path
from fourm_tui.engine.protocol import AUTO, greeting, line
from fourm_tui.engine.requests import answer
from fourm_tui.engine.workers import Worker
from fourm_tui.errors import FourmError, printable
from fourm_tui.events import Event, EventLog, RunCancelled, RunFailed
from fourm_tui.runs import Run, Status, open_run

IDLE_SECONDS = 15 * 60
MOST_VIEWERS = 200

_LOG = logging.getLogger(__name__)
_LOOK = 1.0
"""Seconds between two looks at whether to go on living."""
_BEHIND = 2**20
"""Bytes that a viewer may be behind before it is hung up on."""
_GRACE = 5.0
"""Seconds in which a worker is to end by itself."""


class Supervisor:
    """The engine.

    Args:
        idle: seconds without a job and without a viewer after which it ends; 0: never.
    """

    def __init__(self, idle: float = IDLE_SECONDS) -> None:
        self.idle = idle
        self.queue = Queue()
        self.workers: dict[str, Worker] = {}
        self.viewers: set[asyncio.StreamWriter] = set()
        self.watching: set[asyncio.StreamWriter] = set()
        self.busy_until = time.monotonic()
        self.ending = asyncio.Event()
        self.began = time.time()
        for job in self.queue.jobs:
            if job.status in ("running", "paused"):
                self.queue.change(job, status="interrupted", error="the engine ended while this ran")

    # -- life ---------------------------------------------------------------------------------------------------------

    async def live(self) -> None:
        """Serves until it is time to end.

        Raises:
            FourmError: its socket cannot be made.
        """
        listener = Listener(self._serve)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.ending.set)
        try:
            await self._begin(AUTO)
            await listener.open()
            say_where(listener.path)
            self.dispatch()
            while not self.ending.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.ending.wait(), _LOOK)
                if why := self._reason_to_end(listener):
                    _LOG.info("ends: %s", why)
                    break
                if not listener.is_reachable:
                    await self._listen_again(listener)
        finally:
            listener.close()
            await self._end()

    def _reason_to_end(self, listener: Listener) -> str:
        if not Path(__file__).exists():
            return "its program has been removed"
        waits = any(job.status in ("waiting", "running") for job in self.queue.jobs)
        if not waits and not listener.is_reachable:
            return "its socket has been removed"
        if self.viewers or any(job.status in OPEN for job in self.queue.jobs):
            self.busy_until = time.monotonic()
        idle = bool(self.idle) and time.monotonic() > self.busy_until + self.idle
        return f"nothing to do for {self.idle:g} s" if idle else ""

    async def _listen_again(self, listener: Listener) -> None:
        """Logging out may remove the folder of sockets; what runs is not to end for that."""
        with contextlib.suppress(FourmError):  # there is no place for it now, but there may be at the next look
            await listener.open()
            say_where(listener.path)
            _LOG.info("its socket was removed; listens again")

    async def _end(self) -> None:
        """Lets running jobs end at their next step; they are interrupted, and can be resumed."""
        self.ending.set()
        for worker in list(self.workers.values()):
            worker.say(do="stop")
        until = time.monotonic() + _GRACE
        while any(worker.job for worker in self.workers.values()) and time.monotonic() < until:
            await asyncio.sleep(0.02)
        for worker in list(self.workers.values()):
            worker.kill()
        for writer in list(self.viewers):
            writer.close()
        _LOG.info("has ended")

    # -- workers ------------------------------------------------------------------------------------------------------

    async def _begin(self, device: str) -> None:
        worker = self.workers.setdefault(device, Worker(device, self._told))
        with contextlib.suppress(OSError):  # said when there is a job
            await worker.start()

    def dispatch(self) -> None:
        """Gives waiting jobs to workers that are free."""
        if self.ending.is_set():
            return
        for job in list(self.queue.waiting()):
            for device in (job.device or AUTO).split(","):
                name = _in_full(device.strip())
                worker = self._worker_for(name)
                if worker is None and any(each.is_choosing for each in self.workers.values()):
                    break  # it may choose this one, which two workers would have to share
                if worker is None or worker.job is None:
                    self._give(job, worker or self.workers.setdefault(name, Worker(name, self._told)))
                    break

    def _worker_for(self, device: str) -> Worker | None:
        """The worker of a device, also that which chose it by itself."""
        chosen = (each for each in self.workers.values() if each.actual == device)
        return self.workers.get(device) or next(chosen, None)

    def _give(self, job: QueuedJob, worker: Worker) -> None:
        worker.take(job.id)
        self.queue.change(job, status="running", error=None)
        asyncio.get_running_loop().create_task(self._start_job(worker, job))
        self.changed()

    async def _start_job(self, worker: Worker, job: QueuedJob) -> None:
        try:
            await worker.start()
        except OSError as error:
            worker.trouble = f"the worker could not be started: {error.strerror or error}"
            self._died(worker, 1)
            return
        now = self._current(worker) or job
        _LOG.info("%s runs on %s: %s", job.id, worker.actual or worker.device, printable(job.run, 400))
        worker.say(do="run", job=job.id, run=job.run, skip=list(now.skip), decode=list(now.decode))
        # What was asked for before there was a process to tell it to.
        if worker.cancelled:
            worker.say(do="stop")
        elif now.status == "paused":
            worker.say(do="pause")

    def _told(self, worker: Worker, message: Mapping[str, Any]) -> None:
        """What a worker says, or that it has ended."""
        if isinstance(message.get("memory"), Mapping):
            worker.memory = message["memory"]
        if "ready" in message:
            worker.actual = str(message["ready"])
            self.changed()
        elif "trouble" in message:
            worker.trouble = str(message["trouble"])
        elif message.get("state") == "started":
            worker.started = True
        elif "state" in message:
            worker.held = list(message.get("held") or [])
            self._ended(worker, str(message["state"]), message.get("error"))
        elif "ended" in message:
            _LOG.info("the worker on %s has ended with code %s", worker.actual or worker.device, message["ended"])
            if worker.job is not None:
                self._died(worker, int(message["ended"]))
        self.dispatch()

    def _ended(self, worker: Worker, state: str, error: Any) -> None:
        job, worker.job = self._current(worker), None
        if job is None:
            return
        if state == "cancelled" and not worker.cancelled:
            state, error = "interrupted", "the engine was told to end"
        if state == "failed" and worker.again:  # it was asked for anew before this was known
            state, error = "waiting", None
        known = ("done", "failed", "cancelled", "interrupted", "waiting")
        self._close(job, next((each for each in known if each == state), "failed"), error)

    def _died(self, worker: Worker, code: int) -> None:
        """The worker is gone in the middle of a job: its log says so, and the next job gets a new worker."""
        job, worker.job = self._current(worker), None
        if job is None:
            return
        if worker.cancelled:
            _close_log(job, RunCancelled(), "cancelled", None)
            self._close(job, "cancelled")
        elif worker.again or (worker.actual and not worker.started):  # the process was dying when it got the job
            self._close(job, "waiting")
        else:
            how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
            error = worker.trouble or f"the process that ran it {how}"
            _close_log(job, RunFailed(error, "input" if worker.trouble else "device"), "failed", error)
            self._close(job, "failed", error)

    def _close(self, job: QueuedJob, status: Any, error: Any = None) -> None:
        _LOG.info("%s is %s%s", job.id, status, f": {printable(error, 1000)}" if error else "")
        self.queue.change(job, status=status, error=str(error) if error else None)
        self.changed()

    def _current(self, worker: Worker) -> QueuedJob | None:
        return next((job for job in self.queue.jobs if job.id == worker.job), None)

    def worker_at(self, job: QueuedJob) -> Worker | None:
        """The worker that is at a job."""
        return next((worker for worker in self.workers.values() if worker.job == job.id), None)

    def cancel(self, job: QueuedJob) -> QueuedJob:
        """Ends a job at its next step, asked for the second time at once; what has ended is left as it is."""
        worker = self.worker_at(job)
        if worker is not None:
            if worker.cancelled:
                worker.kill()
            worker.cancelled = True
            worker.say(do="stop")
        elif job.status in OPEN:
            _close_log(job, RunCancelled(), "cancelled", None)
            self._close(job, "cancelled")
        return self.queue.find(job.id)

    # -- viewers ------------------------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self.viewers) >= MOST_VIEWERS:
            writer.write(line({"error": f"there are {MOST_VIEWERS} viewers already", "code": 1}))
            writer.close()
            return
        self.viewers.add(writer)
        try:
            writer.write(line(greeting()))
            while received := await reader.readline():
                writer.write(line(answer(self, received, writer)))
                await writer.drain()
                if self._is_behind(writer):
                    break
        except (ConnectionError, ValueError):  # gone, or a line longer than a line may be
            pass
        finally:
            self.viewers.discard(writer)
            self.watching.discard(writer)
            writer.close()

    def _is_behind(self, writer: asyncio.StreamWriter) -> bool:
        return writer.transport.get_write_buffer_size() > _BEHIND

    def changed(self) -> None:
        """Tells those that watch what the queue looks like now."""
        if not self.watching:
            return
        news = line({"jobs": [asdict(job) for job in self.queue.jobs]})
        for writer in list(self.watching):
            if self._is_behind(writer):
                self.watching.discard(writer)
                writer.transport.abort()
            else:
                writer.write(news)


def _in_full(device: str) -> str:
    """The name by which a worker calls its device."""
    return "cuda:0" if device == "cuda" else device


def _close_log(job: QueuedJob, event: Event, status: Status, error: str | None) -> None:
    """Says in a run's folder how it ended, in the place of a worker that cannot any more."""
    if job.decode:  # the run itself had ended before
        return
    try:
        run: Run = open_run(Path(job.run))
        with EventLog(run.events) as log:
            log.append(event)
        run.save(status=status, error=error)
    except FourmError as problem:  # the folder may be gone, the disk full
        _LOG.warning("%s", problem)


def say_where(path: Path | None) -> None:
    """Writes into the lock who holds it."""
    with contextlib.suppress(OSError):
        lock_path().write_text(f"{os.getpid()} {path}\n", encoding="utf-8")


def serve(idle: float = IDLE_SECONDS) -> int:
    """Lives as the engine, unless there is one already; returns an exit code.

    Args:
        idle: see `Supervisor`.

    Raises:
        FourmError: its files or its socket cannot be made.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    path = lock_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise FourmError(f"{printable(path)}: the engine's lock cannot be made: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return 0
    except OSError:
        pass  # a file system without locks
    _LOG.info("engine %s begins, process %s", __version__, os.getpid())
    asyncio.run(Supervisor(idle).live())
    return 0
