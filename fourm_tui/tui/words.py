"""The words for what a run is at, the same ones in all places. Without Textual."""

from __future__ import annotations

from fourm_tui.engine.jobs import OPEN, QueuedJob
from fourm_tui.tui.run_state import RunState


def status_word(status: str) -> str:
    """Of a run or a job as it is recorded: what nobody has begun waits, wherever that is read."""
    return "waiting" if status == "pending" else status


def is_decoding(job: QueuedJob | None) -> bool:
    """Whether pictures of a run that has ended are made."""
    return job is not None and bool(job.decode) and job.status == "running"


def job_word(job: QueuedJob) -> str:
    """What a job is at, as the queue tells it."""
    return "decoding" if is_decoding(job) else job.status


def run_word(state: RunState, job: QueuedJob | None = None, stopping: bool = False) -> str:
    """What a run is at: `waiting`, `paused`, `starting`, `loading`, `running`, `stopping`, `decoding`; or how it ended.

    Args:
        state: as its events tell it.
        job: as the queue tells it, which knows sooner that it waits, and that it is over.
        stopping: whether it was told to end.
    """
    if not stopping and job is not None and (job.status in ("paused", "waiting") or is_decoding(job)):
        return job_word(job)
    if not state.active:
        return state.status
    if job is not None and job.status not in OPEN:
        return job.status
    if stopping:
        return "stopping"
    if state.loading:
        return "loading"
    if state.status == "waiting":
        return "starting" if job is not None else "waiting"
    return "decoding" if state.decoding and state.fraction == 1 else "running"
