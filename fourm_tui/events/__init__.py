"""What happens in a run: events, their JSON form, and the log they are written to."""

from fourm_tui.events.kinds import (
    KINDS,
    Decoding,
    Event,
    Loading,
    Note,
    Preview,
    RowFacts,
    RowStarted,
    RunCancelled,
    RunDone,
    RunFailed,
    RunStarted,
    StepDone,
    TargetDone,
    TextPiece,
    UnknownEvent,
    event_from_json,
)
from fourm_tui.events.log import EventLog, being_written, follow, read_events
from fourm_tui.events.packed import Packed, PackedProbabilities

__all__ = [
    "KINDS",
    "Decoding",
    "Event",
    "EventLog",
    "Loading",
    "Note",
    "Packed",
    "PackedProbabilities",
    "Preview",
    "RowFacts",
    "RowStarted",
    "RunCancelled",
    "RunDone",
    "RunFailed",
    "RunStarted",
    "StepDone",
    "TargetDone",
    "TextPiece",
    "UnknownEvent",
    "being_written",
    "event_from_json",
    "follow",
    "read_events",
]
