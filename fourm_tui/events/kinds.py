"""What happens in a run, as frozen dataclasses with a JSON form.

`seq` and `time` are set when an event is logged. Rows count from 1, samples and steps from 0. Files are named
relative to the run folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fourm_tui.errors import InputError, printable
from fourm_tui.events.packed import Packed, PackedProbabilities
from fourm_tui.events.records import SCHEMA, check_schema, fields_to_json, from_json

NOT_LOGGED = -1
"""`seq` of an event that stands in no log yet."""


@dataclass(frozen=True)
class Event:
    """What all events have."""

    seq: int = field(default=NOT_LOGGED, kw_only=True)
    """From 0, without gaps, in one run."""
    time: float = field(default=0.0, kw_only=True)
    """Seconds since 1970, by the clock of the machine that ran it."""

    @property
    def type(self) -> str:
        """Its name in JSON: `step_done`."""
        return _NAMES[self.__class__]

    def to_json(self) -> dict[str, Any]:
        """A mapping that `json` can write."""
        return {"type": self.type, **fields_to_json(self)}


@dataclass(frozen=True)
class RowFacts:
    """A row of the chain, as far as a viewer needs it."""

    number: int
    """From 1; super-resolution goes on counting."""
    target: str
    scheme: str
    steps: int
    """Decoding steps; of an autoregressive row the most tokens that it generates."""
    tokens: int = 0
    """Tokens to decode."""
    super_resolution: bool = False


@dataclass(frozen=True)
class RunStarted(Event):
    """A run begins, or goes on after it was stopped."""

    run: str
    """Name of its folder."""
    rows: tuple[RowFacts, ...]
    seeds: tuple[int, ...]
    """The effective seed of each sample."""
    resumed: bool = False
    device: str = ""
    dtype: str = ""
    """`float32`, `bfloat16`, `float16`."""
    schema: int = SCHEMA

    @property
    def samples(self) -> int:
        return len(self.seeds)


@dataclass(frozen=True)
class Loading(Event):
    """A model or a tokenizer is being loaded."""

    what: str
    fraction: float | None = None
    """From 0 to 1; None where it is not known."""


@dataclass(frozen=True)
class RowStarted(Event):
    """A target begins to be decoded."""

    row: int
    target: str
    steps: int
    samples: tuple[int, ...] = ()
    """Those of this batch."""


@dataclass(frozen=True)
class StepDone(Event):
    """Tokens of one decoding step. Of a sequence, samples that have stopped are left out."""

    row: int
    target: str
    step: int
    """Within its row."""
    steps: int
    """Of its row."""
    total_step: int
    """Within the run."""
    total_steps: int
    samples: tuple[int, ...]
    """`[B]`."""
    positions: Packed
    """`[B, n]`."""
    tokens: Packed
    """`[B, n]`."""
    confidence: PackedProbabilities
    """`[B, n]`: guided probability of the token before filters and temperature."""

    def __post_init__(self) -> None:
        shapes = {self.positions.shape, self.tokens.shape, self.confidence.shape}
        if len(shapes) > 1 or self.positions.shape[0] != len(self.samples):
            raise ValueError(f"arrays of shapes {sorted(shapes)} for {len(self.samples)} samples")


@dataclass(frozen=True)
class TextPiece(Event):
    """One more token of a sequence, as text."""

    row: int
    target: str
    sample: int
    text: str
    """All of it so far: what a token adds depends on those before it."""
    token: int | None = None
    finished: bool = False


@dataclass(frozen=True)
class Preview(Event):
    """A picture of a target that is not finished."""

    row: int
    target: str
    sample: int
    step: int
    """The step within its row after which it was taken."""
    file: str


@dataclass(frozen=True)
class Decoding(Event):
    """The detokenizer makes pictures of tokens."""

    row: int
    target: str
    samples: tuple[int, ...]
    step: int
    """Steps of the detokenizer that are done."""
    steps: int


@dataclass(frozen=True)
class SampleSkipped(Event):
    """A sample is left out from here on; what is finished of it stays."""

    sample: int


@dataclass(frozen=True)
class TargetDone(Event):
    """A target of one sample is finished and its files are written."""

    row: int
    target: str
    sample: int
    files: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Note(Event):
    """Something the user should know, or with `warning` had better look at."""

    message: str
    warning: bool = False


@dataclass(frozen=True)
class RankProgress:
    """How far one of the processes of a bulk run is."""

    rank: int
    state: str = "loading"
    """`loading`, `generating`, `saving`, `done`."""
    done: int = 0
    """Items finished since this start."""
    total: int = 0
    """Items that it has to do."""
    skipped: int = 0
    """Items that cannot be made."""
    under_way: float = 0.0
    """Items that the finished steps of the current chunk amount to."""
    seconds: float = 0.0
    """Since it began."""
    working: float = 0.0
    """Seconds since its first chunk began."""
    device: str = ""

    @property
    def per_second(self) -> float:
        """Items a second; 0 while that cannot be told."""
        return (self.done + self.under_way) / self.working if self.working > 0 else 0.0


@dataclass(frozen=True)
class BatchProgress(Event):
    """How far a bulk run is."""

    done: int
    """Items that are finished, those from before an interruption included."""
    total: int
    skipped: int
    seconds: float
    """Since this start."""
    per_second: float
    """Items of all ranks together."""
    left: float | None
    """Seconds until the slowest rank is done; None while that cannot be told."""
    ranks: tuple[RankProgress, ...] = ()


@dataclass(frozen=True)
class RunDone(Event):
    """All rows of all samples are finished."""

    seconds: float


@dataclass(frozen=True)
class RunFailed(Event):
    """The run ended with an error; it can be resumed."""

    message: str
    kind: str
    """`input`, `memory`, `device`, `disk`, `bug`; a viewer is to expect others."""


@dataclass(frozen=True)
class RunCancelled(Event):
    """The user stopped the run; it can be resumed."""


@dataclass(frozen=True)
class UnknownEvent(Event):
    """An event that this version does not know; it is kept as it came."""

    name: str
    fields: Mapping[str, Any]

    @property
    def type(self) -> str:
        return self.name

    def to_json(self) -> dict[str, Any]:
        return {**self.fields, "type": self.name, "seq": self.seq, "time": self.time}


KINDS: Mapping[str, type[Event]] = {
    "run_started": RunStarted,
    "loading": Loading,
    "row_started": RowStarted,
    "step_done": StepDone,
    "text_piece": TextPiece,
    "preview": Preview,
    "decoding": Decoding,
    "target_done": TargetDone,
    "sample_skipped": SampleSkipped,
    "note": Note,
    "batch_progress": BatchProgress,
    "run_done": RunDone,
    "run_failed": RunFailed,
    "run_cancelled": RunCancelled,
}
"""The events by their name in JSON."""

_NAMES = {cls: name for name, cls in KINDS.items()}


def event_from_json(value: Mapping[str, Any], where: str = "event") -> Event:
    """The event that `to_json` made the mapping of; fields that are not known are ignored.

    Args:
        value: from JSON.
        where: begins the message of an error.

    Raises:
        InputError: no event, a field missing or of another type, or a schema of a newer version.
    """
    if "schema" in value:
        check_schema(value, where)
    name = value.get("type")
    if not isinstance(name, str):
        raise InputError(f"{where}: says no type of event")
    cls = KINDS.get(name)
    if cls is not None:
        return from_json(cls, value, f"{where}: {name}")
    common = from_json(Event, value, f"{where}: {printable(name, 40)}")
    others = {key: item for key, item in value.items() if key not in ("type", "seq", "time")}
    return UnknownEvent(name, others, seq=common.seq, time=common.time)
