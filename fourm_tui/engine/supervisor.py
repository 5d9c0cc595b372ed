"""The supervisor: the engine's process without torch. It listens, keeps the queue, and has the workers do the runs.

There is one for each user, which a lock sees to. It ends when nothing has been asked of it for some time, when it is
told to, or when its program or its socket is gone from the disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fourm_tui.engine.jobs import OPEN, Queue, QueuedJob
from fourm_tui.engine.protocol import AUTO, LONGEST, greeting, line, lock_path, parse, socket_path
from fourm_tui.engine.workers import Worker
from fourm_tui.errors import FourmError, InputError, printable
from fourm_tui.events import Event, EventLog, RunCancelled, RunFailed, being_written
from fourm_tui.runs import Run, Status, open_run

IDLE_SECONDS = 15 * 60
MOST_VIEWERS = 200

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
        """Serves until it is time to end."""
        path = socket_path()
        beside = path.with_name(f"{path.name}.{os.getpid()}")
        beside.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            server = await asyncio.start_unix_server(self._serve, beside, limit=LONGEST)
        finally:
            os.umask(before)
        beside.replace(path)  # a stale one goes, and nobody ever finds none
        mine = path.stat().st_ino
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.ending.set)
        await self._begin(AUTO)
        self._dispatch()
        try:
            while not self.ending.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.ending.wait(), _LOOK)
                if self._is_orphan(path, mine) or self._is_idle():
                    break
        finally:
            server.close()
            with contextlib.suppress(OSError):
                if path.stat().st_ino == mine:
                    path.unlink()
            await self._end()

    def _is_orphan(self, path: Path, mine: int) -> bool:
        try:
            return path.stat().st_ino != mine or not Path(__file__).exists()
        except OSError:
            return True

    def _is_idle(self) -> bool:
        if self.viewers or any(job.status in OPEN for job in self.queue.jobs):
            self.busy_until = time.monotonic()
        return bool(self.idle) and time.monotonic() > self.busy_until + self.idle

    async def _end(self) -> None:
        """Lets running jobs end at their next step; they are interrupted, and can be resumed."""
        for worker in list(self.workers.values()):
            worker.say(do="stop")
        until = time.monotonic() + _GRACE
        while any(worker.job for worker in self.workers.values()) and time.monotonic() < until:
            await asyncio.sleep(0.02)
        for worker in list(self.workers.values()):
            worker.kill()
        for writer in list(self.viewers):
            writer.close()

    # -- workers ------------------------------------------------------------------------------------------------------

    async def _begin(self, device: str) -> Worker:
        worker = self.workers.setdefault(device, Worker(device, self._told))
        if worker.process is None:
            await worker.start()
        return worker

    def _dispatch(self) -> None:
        """Gives waiting jobs to workers that are free."""
        if self.ending.is_set():
            return
        for job in list(self.queue.waiting()):
            for device in (job.device or AUTO).split(","):
                worker = self._worker_for(device.strip())
                if worker is None or worker.job is None:
                    self._give(job, device.strip(), worker)
                    break

    def _worker_for(self, device: str) -> Worker | None:
        found = self.workers.get(device)
        if found is None:  # `cpu` is the worker that chose the CPU by itself
            found = next((worker for worker in self.workers.values() if worker.actual == device), None)
        return found

    def _give(self, job: QueuedJob, device: str, worker: Worker | None) -> None:
        worker = worker or self.workers.setdefault(device, Worker(device, self._told))
        worker.job, worker.cancelled, worker.started, worker.again = job.id, False, False, False
        self.queue.change(job, status="running", error=None)
        asyncio.get_running_loop().create_task(self._start_job(worker, job))
        self._changed()

    async def _start_job(self, worker: Worker, job: QueuedJob) -> None:
        try:
            if worker.process is None:
                await worker.start()
        except OSError as error:
            worker.trouble = f"the worker could not be started: {error.strerror or error}"
            self._died(worker, 1)
        else:
            worker.say(do="run", job=job.id, run=job.run)

    def _told(self, worker: Worker, message: Mapping[str, Any]) -> None:
        """What a worker says, or that it has ended."""
        if "ready" in message:
            worker.actual = str(message["ready"])
        elif "trouble" in message:
            worker.trouble = str(message["trouble"])
        elif message.get("state") == "started":
            worker.started = True
        elif "state" in message:
            worker.held = list(message.get("held") or [])
            self._ended(worker, str(message["state"]), message.get("error"))
        elif "ended" in message and worker.job is not None:
            self._died(worker, int(message["ended"]))
        self._dispatch()

    def _ended(self, worker: Worker, state: str, error: Any) -> None:
        job, worker.job = self._current(worker), None
        if job is None:
            return
        if state == "cancelled" and not worker.cancelled:
            state, error = "interrupted", "the engine was told to end"
        status = state if state in ("done", "failed", "cancelled", "interrupted") else "failed"
        self.queue.change(job, status=status, error=str(error) if error else None)
        self._changed()

    def _died(self, worker: Worker, code: int) -> None:
        """The worker is gone in the middle of a job: its log says so, and the next job gets a new worker."""
        job, worker.job = self._current(worker), None
        if job is None:
            return
        if worker.cancelled:
            _close_log(Path(job.run), RunCancelled(), "cancelled", None)
            self.queue.change(job, status="cancelled")
        elif worker.again or (worker.actual and not worker.started):  # the process was dying when it got the job
            self.queue.change(job, status="waiting")
        else:
            how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
            error = worker.trouble or f"the process that ran it {how}"
            _close_log(Path(job.run), RunFailed(error, "input" if worker.trouble else "device"), "failed", error)
            self.queue.change(job, status="failed", error=error)
        self._changed()

    def _current(self, worker: Worker) -> QueuedJob | None:
        return next((job for job in self.queue.jobs if job.id == worker.job), None)

    def _at(self, job: QueuedJob) -> Worker | None:
        return next((worker for worker in self.workers.values() if worker.job == job.id), None)

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
                await self._answer(received, writer)
                await writer.drain()
                if self._is_behind(writer):
                    break
        except (ConnectionError, ValueError):  # gone, or a line longer than a line may be
            pass
        finally:
            self.viewers.discard(writer)
            self.watching.discard(writer)
            writer.close()

    async def _answer(self, received: bytes, writer: asyncio.StreamWriter) -> None:
        number: Any = None
        try:
            message = parse(received)
            number = message.get("id")
            if not isinstance(number, int | str | None):
                number = None
            do = self._orders.get(message.get("do") if isinstance(message.get("do"), str) else None)
            if do is None:
                raise InputError(f"the engine cannot do {printable(message.get('do'), 40)}")
            found = await do(self, message, writer)
            answer = {"id": number, "ok": found}
        except FourmError as error:
            answer = {"id": number, "error": str(error), "code": error.exit_code}
        writer.write(line(answer))

    def _is_behind(self, writer: asyncio.StreamWriter) -> bool:
        return writer.transport.get_write_buffer_size() > _BEHIND

    def _changed(self) -> None:
        """Tells those that watch what the queue looks like now."""
        news = line({"jobs": [asdict(job) for job in self.queue.jobs]})
        for writer in list(self.watching):
            if self._is_behind(writer):
                self.watching.discard(writer)
                writer.transport.abort()
            else:
                writer.write(news)

    # -- orders -------------------------------------------------------------------------------------------------------

    async def _status(self, message: Mapping[str, Any], writer: asyncio.StreamWriter) -> Any:
        return {
            **greeting(),
            "began": self.began,
            "idle": self.idle,
            "viewers": len(self.viewers),
            "workers": [
                {
                    "device": worker.actual or worker.device,
                    "pid": worker.process.pid if worker.process else None,
                    "job": worker.job,
                    "held": worker.held,
                }
                for worker in self.workers.values()
            ],
            "jobs": [asdict(job) for job in self.queue.jobs],
        }

    async def _submit(self, message: Mapping[str, Any], writer: asyncio.StreamWriter) -> Any:
        folder = Path(_text(message, "run"))
        if not folder.is_absolute():
            raise InputError("a run is submitted by its absolute path")
        run = open_run(folder)
        device = message.get("device", run.record.options.get("device"))
        if device is not None and not isinstance(device, str):
            raise InputError("the device is to be a text")
        job = self.queue.add(folder, device)
        worker = self._at(job)
        if worker is not None and worker.started and not being_written(run.events):
            worker.again = True
        self._changed()
        self._dispatch()
        return asdict(self.queue.find(job.id))

    async def _watch(self, message: Mapping[str, Any], writer: asyncio.StreamWriter) -> Any:
        self.watching.add(writer)
        return [asdict(job) for job in self.queue.jobs]

    async def _cancel(self, message: Mapping[str, Any], writer: asyncio.StreamWriter) -> Any:
        return asdict(self._cancel_job(self.queue.find(_text(message, "job"))))

    async def _cancel_others(self, message: Mapping[str, Any], writer: asyncio.StreamWriter) -> Any:
        return [asdict(self._cancel_job(job)) for job in list(self.queue.waiting())]

    def _cancel_job(self, job: QueuedJob) -> QueuedJob:
        worker = self._at(job)
        if worker is not None:
            if worker.cancelled:
                worker.kill()  # asked for the second time
            worker.cancelled = True
            worker.say(do="stop")
            return job
        if job.status in OPEN:
            _close_log(Path(job.run), RunCancelled(), "cancelled", None)
            job = self.queue.change(job, status="cancelled")
            self._changed()
        return job

    async def _pause(self, message: Mapping[str, Any], writer: asyncio.StreamWriter) -> Any:
        job = self.queue.find(_text(message, "job"))
        worker = self._at(job)
        if job.status not in ("waiting", "running"):
            raise InputError(f"{job.id} is {job.status}, so it cannot be paused")
        if worker is not None:
            worker.say(do="pause")
        job = self.queue.change(job, status="paused")
        self._changed()
        return asdict(job)

    async def _resume(self, message: Mapping[str, Any], writer: asyncio.StreamWriter) -> Any:
        job = self.queue.find(_text(message, "job"))
        worker = self._at(job)
        if worker is not None:
            worker.say(do="go")
        job = self.queue.change(job, status="running" if worker else "waiting", error=None)
        self._changed()
        self._dispatch()
        return asdict(job)

    async def _move(self, message: Mapping[str, Any], writer: asyncio.StreamWriter) -> Any:
        job, places = self.queue.find(_text(message, "job")), message.get("places")
        if not isinstance(places, int) or isinstance(places, bool):
            raise InputError("a job is moved by a whole number of places")
        if job.status != "waiting":
            raise InputError(f"{job.id} is {job.status}, so it has no place to be moved to")
        job = self.queue.move(job, places)
        self._changed()
        return asdict(job)

    async def _stop(self, message: Mapping[str, Any], writer: asyncio.StreamWriter) -> Any:
        self.ending.set()
        return None

    _orders: Mapping[Any, Callable[[Supervisor, Mapping[str, Any], asyncio.StreamWriter], Awaitable[Any]]] = {
        "status": _status,
        "submit": _submit,
        "watch": _watch,
        "cancel": _cancel,
        "cancel_others": _cancel_others,
        "pause": _pause,
        "resume": _resume,
        "move": _move,
        "stop": _stop,
    }


def _text(message: Mapping[str, Any], name: str) -> str:
    value = message.get(name)
    if not isinstance(value, str) or not value or "\0" in value:
        raise InputError(f"{name} is missing, or no text")
    return value


def _close_log(folder: Path, event: Event, status: Status, error: str | None) -> None:
    """Says in a run's folder how it ended, in the place of a worker that cannot any more."""
    with contextlib.suppress(FourmError):  # the folder may be gone
        run: Run = open_run(folder)
        with EventLog(run.events) as log:
            log.append(event)
        run.save(status=status, error=error)


def serve(idle: float = IDLE_SECONDS) -> int:
    """Lives as the engine, unless there is one already; returns an exit code."""
    lock = os.open(lock_path(), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return 0
    asyncio.run(Supervisor(idle).live())
    return 0
