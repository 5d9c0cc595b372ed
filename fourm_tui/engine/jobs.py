"""The queue on disk: a file for each job, so that it outlives the engine."""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from fourm_tui.engine.places import queue_dir
from fourm_tui.errors import FourmError, InputError, printable
from fourm_tui.events.records import SCHEMA, check_schema, from_json, parse_object, to_json
from fourm_tui.runs import replace_file

JobStatus = Literal["waiting", "running", "paused", "done", "failed", "cancelled", "interrupted"]
OPEN = ("waiting", "running", "paused")
"""What is still to be done; everything else has ended."""
_KEPT = 50  # jobs that have ended
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class QueuedJob:
    """A run in the queue."""

    id: str
    run: str
    """Its folder, absolute."""
    order: float
    """The smaller, the sooner."""
    status: JobStatus = "waiting"
    device: str | None = None
    """Where it is to run; None: wherever there is room."""
    error: str | None = None
    submitted: float = 0.0
    """Seconds since 1970."""
    skip: tuple[int, ...] = ()
    """Samples that are to be left out."""
    decode: tuple[int, ...] = ()
    """Rows of a run that has ended whose tokens are to become pictures; none: the run itself is to be done."""
    schema: int = SCHEMA


class Queue:
    """The jobs in a folder, read once and written whenever one changes. One process at a time owns it.

    Args:
        folder: None: the user's own.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or queue_dir()
        self._jobs = {job.id: job for job in read_jobs(self.folder)}

    @property
    def jobs(self) -> tuple[QueuedJob, ...]:
        """All of them, in their order; what has ended keeps its place."""
        return tuple(sorted(self._jobs.values(), key=lambda job: job.order))

    def waiting(self) -> Iterable[QueuedJob]:
        return (job for job in self.jobs if job.status == "waiting")

    def find(self, name: str) -> QueuedJob:
        """A job by its id, a unique beginning of it, or the name or path of its run.

        Raises:
            InputError: there is none, or several.
        """
        found = [job for job in self.jobs if name in (job.id, job.run, Path(job.run).name)]
        found = found or [job for job in self.jobs if name and job.id.startswith(name)]
        found = [job for job in found if job.status in OPEN] or found[-1:]
        if len(found) == 1:
            return found[0]
        raise InputError(f"{printable(name, 80)}: {'fits several jobs' if found else 'there is no such job'}")

    def add(self, run: Path, device: str | None = None, decode: tuple[int, ...] = ()) -> QueuedJob:
        """Puts a run at the end of the queue; one that is there and open already stays where it is.

        Args:
            run: its folder.
            device, decode: as of `QueuedJob`.

        Raises:
            FourmError: the queue cannot be written, or has the run with something else to be done.
        """
        for job in self.jobs:
            if job.run == str(run) and job.status in OPEN:
                if bool(decode) == bool(job.decode) and set(decode) <= set(job.decode):
                    return job
                if not (job.decode and decode and job.status == "waiting"):
                    does = "its pictures are being made" if job.decode else f"is {job.status}"
                    raise InputError(f"{printable(run.name)}: {does}; wait until that is over")
                return self.change(job, decode=tuple(sorted({*job.decode, *decode})))
        before = [job for job in self.jobs if job.run == str(run)]
        skip = before[-1].skip if before else ()
        order = max((job.order for job in self.jobs), default=0.0) + 1
        made = QueuedJob(
            secrets.token_hex(3), str(run), order, device=device, submitted=time.time(), skip=skip, decode=decode
        )
        self._write(made)
        self._jobs[made.id] = made
        for job in before:
            self._remove(job)
        return made

    def change(self, job: QueuedJob, **changes: Any) -> QueuedJob:
        """Changes a job, also where the disk is full: what runs is to go on, and is seen to end."""
        made = self._jobs[job.id] = replace(self._jobs[job.id], **changes)
        try:
            self._write(made)
        except FourmError as error:
            _LOG.warning("%s", error)
        ended = [each for each in self.jobs if each.status not in OPEN]
        for old in ended[: max(0, len(ended) - _KEPT)]:
            self._remove(old)
        return made

    def move(self, job: QueuedJob, places: int) -> QueuedJob:
        """Moves a waiting job up (negative) or down among those that wait."""
        others = [other for other in self.waiting() if other.id != job.id]
        here = sum(other.order < job.order for other in others)
        place = min(max(here + places, 0), len(others))
        before = others[place - 1].order if place else (others[0].order - 2 if others else job.order)
        after = others[place].order if place < len(others) else before + 2
        return self.change(job, order=(before + after) / 2)

    def _write(self, job: QueuedJob) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FourmError(f"{printable(self.folder)}: the queue cannot be kept: {error.strerror}") from None
        replace_file(self.folder / f"{job.id}.json", json.dumps(to_json(job), indent=1).encode("ascii") + b"\n")

    def _remove(self, job: QueuedJob) -> None:
        with contextlib.suppress(OSError):
            (self.folder / f"{job.id}.json").unlink(missing_ok=True)
        self._jobs.pop(job.id, None)


def read_jobs(folder: Path | None = None) -> tuple[QueuedJob, ...]:
    """The jobs in a folder as they are on disk, in their order; files that are none are passed over."""
    folder = folder or queue_dir()
    found = []
    for file in folder.glob("*.json"):
        try:
            value = parse_object(file.read_bytes())
            check_schema(value, str(file))
            found.append(from_json(QueuedJob, value, printable(file)))
        except (OSError, ValueError, InputError):
            continue
    return tuple(sorted(found, key=lambda job: job.order))
