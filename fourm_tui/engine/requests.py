"""What viewers can ask of the supervisor, and how they are answered; `protocol` says what goes over the socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from fourm_tui.engine.jobs import OPEN, QueuedJob
from fourm_tui.engine.protocol import greeting, parse
from fourm_tui.errors import FourmError, InputError, printable
from fourm_tui.events import being_written
from fourm_tui.runs import open_run

if TYPE_CHECKING:
    from fourm_tui.engine.supervisor import Supervisor

Message: TypeAlias = Mapping[str, Any]


def answer(engine: Supervisor, received: bytes, viewer: asyncio.StreamWriter) -> dict[str, Any]:
    """The answer to a line that a viewer has sent, whatever it is."""
    number: Any = None
    try:
        message = parse(received)
        number = message.get("id")
        if not isinstance(number, int | str | None):
            number = None
        do = message.get("do")
        if do == "watch":
            engine.watching.add(viewer)
        found = _REQUESTS.get(do) if isinstance(do, str) else None
        if found is None:
            raise InputError(f"the engine cannot do {printable(do, 40)}")
        return {"id": number, "ok": found(engine, message)}
    except FourmError as error:
        return {"id": number, "error": str(error), "code": error.exit_code}


def _status(engine: Supervisor, message: Message) -> dict[str, Any]:
    return {
        **greeting(),
        "began": engine.began,
        "idle": engine.idle,
        "viewers": len(engine.viewers),
        "workers": [
            {
                "device": worker.actual or worker.device,
                "pid": worker.process.pid if worker.process else None,
                "job": worker.job,
                "held": worker.held,
                "memory": worker.memory,
            }
            for worker in engine.workers.values()
        ],
        "jobs": _jobs(engine, message),
    }


def _jobs(engine: Supervisor, message: Message) -> list[dict[str, Any]]:
    return [asdict(job) for job in engine.queue.jobs]


def _job(engine: Supervisor, message: Message) -> dict[str, Any]:
    return asdict(_found(engine, message))


def _submit(engine: Supervisor, message: Message) -> dict[str, Any]:
    folder = Path(_text(message, "run"))
    if not folder.is_absolute():
        raise InputError("a run is submitted by its absolute path")
    run = open_run(folder)
    device = message.get("device", run.record.options.get("device"))
    if device is not None and not isinstance(device, str):
        raise InputError("the device is to be a text")
    job = engine.queue.add(folder, device, _numbers(message, "decode"))
    worker = engine.worker_at(job)
    if worker is not None and worker.started and not being_written(run.events):
        worker.again = True
    engine.changed()
    engine.dispatch()
    return asdict(engine.queue.find(job.id))


def _cancel(engine: Supervisor, message: Message) -> dict[str, Any]:
    return asdict(engine.cancel(_found(engine, message)))


def _cancel_others(engine: Supervisor, message: Message) -> list[dict[str, Any]]:
    others = [job for job in engine.queue.jobs if job.status in OPEN and engine.worker_at(job) is None]
    return [asdict(engine.cancel(job)) for job in others]


def _pause(engine: Supervisor, message: Message) -> dict[str, Any]:
    job = _found(engine, message)
    if job.status not in ("waiting", "running"):
        raise InputError(f"{job.id} is {job.status}, so it cannot be paused")
    return _held(engine, job, "pause", "paused")


def _resume(engine: Supervisor, message: Message) -> dict[str, Any]:
    job = _found(engine, message)
    if job.status != "paused":
        hint = "; `fourm-tui queue retry` goes on with what ended early" if job.status not in OPEN else ""
        raise InputError(f"{job.id} is {job.status}, not paused{hint}")
    return _held(engine, job, "go", "running" if engine.worker_at(job) else "waiting")


def _held(engine: Supervisor, job: QueuedJob, do: str, status: str) -> dict[str, Any]:
    """A job held, or let go."""
    worker = engine.worker_at(job)
    if worker is not None:
        worker.say(do=do)
    job = engine.queue.change(job, status=status)
    engine.changed()
    engine.dispatch()
    return asdict(engine.queue.find(job.id))


def _move(engine: Supervisor, message: Message) -> dict[str, Any]:
    job, places = _found(engine, message), message.get("places")
    if not isinstance(places, int) or isinstance(places, bool):
        raise InputError("a job is moved by a whole number of places")
    if job.status != "waiting":
        raise InputError(f"{job.id} is {job.status}, so it has no place to be moved to")
    job = engine.queue.move(job, places)
    engine.changed()
    return asdict(job)


def _skip(engine: Supervisor, message: Message) -> dict[str, Any]:
    """Leaves a sample out from the next step on; without any sample left, the job is cancelled."""
    job, sample = _found(engine, message), message.get("sample")
    if job.status == "done":
        raise InputError(f"{job.id} is done, so there is nothing to leave out")
    if job.decode:
        raise InputError(f"{job.id} makes pictures of samples that are there, so none can be left out")
    samples = open_run(Path(job.run)).record.samples
    if sample is None and len(samples) == 1:
        sample = 0
    if not isinstance(sample, int) or isinstance(sample, bool) or not 0 <= sample < len(samples):
        raise InputError(f"{job.id} has the samples 0 to {len(samples) - 1}; name the one to be left out")
    gone = {*job.skip, sample, *(number for number, each in enumerate(samples) if each.skipped)}
    if len(gone) == len(samples):
        return asdict(engine.cancel(job))
    job = engine.queue.change(job, skip=tuple(sorted({*job.skip, sample})))
    worker = engine.worker_at(job)
    if worker is not None:
        worker.say(do="skip", sample=sample)
    engine.changed()
    return asdict(job)


def _stop(engine: Supervisor, message: Message) -> None:
    engine.ending.set()


_REQUESTS: Mapping[str, Callable[[Supervisor, Message], Any]] = {
    "status": _status,
    "submit": _submit,
    "watch": _jobs,
    "job": _job,
    "cancel": _cancel,
    "cancel_others": _cancel_others,
    "pause": _pause,
    "resume": _resume,
    "move": _move,
    "skip": _skip,
    "stop": _stop,
}


def _found(engine: Supervisor, message: Message) -> QueuedJob:
    return engine.queue.find(_text(message, "job"))


def _numbers(message: Message, name: str) -> tuple[int, ...]:
    value = message.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, int) and not isinstance(each, bool) for each in value):
        raise InputError(f"{name} is to be a list of whole numbers")
    return tuple(value)


def _text(message: Message, name: str) -> str:
    value = message.get(name)
    if not isinstance(value, str) or not value or "\0" in value:
        raise InputError(f"{name} is missing, or no text")
    return value
