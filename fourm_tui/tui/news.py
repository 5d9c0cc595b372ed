"""What the threads of the link tell the screens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fourm_tui.engine.jobs import QueuedJob
from fourm_tui.events import Event
from fourm_tui.runs import RunRecord
from fourm_tui.tui.run_state import RunState


@dataclass(frozen=True)
class RunOpened:
    """A run is followed from now on; what its folder said before its first event."""

    folder: Path
    record: RunRecord
    state: RunState


@dataclass(frozen=True)
class RunNews:
    """Events of the run that is followed, in their order."""

    folder: Path
    events: tuple[Event, ...]
    more: bool = False
    """Whether others are there already: it need not be drawn yet."""
    gone: bool = False
    """Nobody is at work on the run any more, although it has not ended."""


@dataclass(frozen=True)
class QueueNews:
    """The queue as it is now."""

    jobs: tuple[QueuedJob, ...]
    status: Mapping[str, Any] | None
    """What the engine says of itself, without its jobs; None while there is none."""
    resident: int = 0
    """Bytes of main memory that its workers have to themselves."""


@dataclass(frozen=True)
class Trouble:
    """Something that was asked of the engine did not work, or the engine is gone."""

    message: str


@dataclass(frozen=True)
class Answer:
    """What the engine answered to `ask`."""

    do: str
    found: Any
    asked: Mapping[str, Any] = field(default_factory=dict)


News = RunOpened | RunNews | QueueNews | Trouble | Answer
