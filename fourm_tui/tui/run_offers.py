"""What can be done with a run of the queue, as it stands. Without Textual."""

from __future__ import annotations

from collections.abc import Sequence

from fourm_tui.engine.jobs import OPEN, QueuedJob


def offered(name: str, title: str, job: QueuedJob | None, jobs: Sequence[QueuedJob]) -> str:
    """What an action of the pane is called as the selected job and the queue stand; empty where it has no object."""
    status = job.status if job is not None else ""
    match name:
        case "pause" if status == "paused":
            return "go on"
        case "skip":
            can_be = job is not None and status in OPEN and not job.decode
        case "pause" | "remove":
            can_be = status in OPEN
        case "retry":
            can_be = status in ("failed", "cancelled", "interrupted")
        case "first" | "later":
            can_be = status == "waiting"
        case "cancel_others":
            can_be = any(each.status in ("waiting", "paused") for each in jobs)
        case "attach":
            can_be = job is not None
        case _:
            can_be = True
    return title if can_be else ""
