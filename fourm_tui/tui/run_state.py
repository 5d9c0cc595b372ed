"""A run as its events tell it: how far it is, which tokens are there, what came out. Without Textual."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fourm_tui.errors import InputError, printable
from fourm_tui.events import (
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
)
from fourm_tui.modalities import MODALITIES, Modality

RunStatus = Literal["waiting", "running", "done", "failed", "cancelled"]
_RECENT = 40  # steps that the speed is measured over
_NOTES = 500


@dataclass
class TargetState:
    """One target of one sample: the token map as far as it is, its text, its files."""

    facts: RowFacts
    sample: int
    modality: Modality | None
    step: NDArray[np.int32]
    """Which step decoded each position, `[N]`; -1: still open (or given)."""
    tokens: NDArray[np.int32]
    """`[N]`; -1: unknown."""
    confidence: NDArray[np.float32]
    """`[N]`, 0 to 1; NaN: unknown."""
    last: NDArray[np.int64]
    """Positions of the newest step."""
    text: str = ""
    ends: list[int] = field(default_factory=list)
    """Of a sequence: how much of `text` was there after each of its tokens, as far as they came one by one."""
    files: tuple[str, ...] = ()
    """Relative to the run folder; filled when it is done."""
    preview: str | None = None
    """File of the newest picture of the unfinished target."""
    preview_step: int = 0
    """The step after which it was taken."""
    seconds: float | None = None

    @property
    def done(self) -> bool:
        return self.seconds is not None

    @property
    def decoded(self) -> int:
        return int((self.step >= 0).sum())

    @property
    def grid(self) -> tuple[int, int] | None:
        """Rows and columns of positions; None for a sequence."""
        return self.modality.grid if self.modality else None

    def until(self, step: int) -> NDArray[np.bool_]:
        """Positions that were there after a step, `[N]`."""
        return (self.step >= 0) & (self.step <= step)


@dataclass
class RunState:
    """What is known of a run. `apply` takes its events in their order."""

    folder: Path
    name: str = ""
    status: RunStatus = "waiting"
    rows: tuple[RowFacts, ...] = ()
    seeds: tuple[int, ...] = ()
    device: str = ""
    dtype: str = ""
    row: int = 0
    """Number of the row under way; 0 before the first."""
    step: int = 0
    """Steps of it that are done."""
    steps: int = 0
    total_step: int = 0
    total_steps: int = 0
    loading: tuple[str, float | None] | None = None
    """A checkpoint being loaded, and how much of it is there."""
    decoding: tuple[int, int, int] | None = None
    """Row, steps done and steps of the detokenizer."""
    targets: dict[tuple[int, int], TargetState] = field(default_factory=dict)
    """By row and sample; those that have begun."""
    notes: deque[str] = field(default_factory=lambda: deque(maxlen=_NOTES))
    """The log for people, oldest first."""
    error: str = ""
    seconds: float | None = None
    began: float = 0.0
    """Seconds since 1970 of its first event; 0 before it."""
    seq: int = -1
    """Of the newest event."""
    _times: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT))

    @property
    def active(self) -> bool:
        """Whether more is to come."""
        return self.status in ("waiting", "running")

    @property
    def speed(self) -> float | None:
        """Steps per second over the newest ones; None where there are too few."""
        if len(self._times) < 2 or self._times[-1] <= self._times[0]:
            return None
        return (len(self._times) - 1) / (self._times[-1] - self._times[0])

    @property
    def seconds_left(self) -> float | None:
        """Until all steps are done, at the present speed; None where that is not known."""
        speed = self.speed
        return (self.total_steps - self.total_step) / speed if speed and self.active else None

    @property
    def fraction(self) -> float:
        """Of the whole job, 0 to 1."""
        if self.status == "done":
            return 1.0
        return self.total_step / self.total_steps if self.total_steps else 0.0

    @property
    def current(self) -> RowFacts | None:
        return next((row for row in self.rows if row.number == self.row), None)

    def of_row(self, row: int) -> list[TargetState]:
        """A row's target in all samples, as far as it has begun."""
        return [self.targets[key] for key in sorted(self.targets) if key[0] == row]

    def apply(self, event: Event) -> None:
        """Takes the next event. Events that are known already, or that say nothing new, do no harm."""
        if 0 <= event.seq <= self.seq:
            return
        self.seq = max(self.seq, event.seq)
        self.began = self.began or event.time
        match event:
            case RunStarted():
                self._start(event)
            case Loading(what=what, fraction=fraction):
                self.loading = None if fraction == 1 else (what, fraction)
            case RowStarted():
                self.loading = self.decoding = None
                self.row, self.step, self.steps = event.row, 0, event.steps
                self._times.clear()
                for sample in event.samples:
                    self._target(event.row, sample)
            case StepDone():
                self._step(event)
            case TextPiece():
                target = self._target(event.row, event.sample)
                if target:
                    target.text = event.text
                    target.ends.append(len(event.text))
            case Preview():
                target = self._target(event.row, event.sample)
                if target:
                    target.preview, target.preview_step = event.file, event.step
            case Decoding():
                self.decoding = (event.row, event.step, event.steps)
            case TargetDone():
                self.decoding = None
                target = self._target(event.row, event.sample)
                if target:
                    target.files, target.seconds = event.files, event.seconds
            case Note():
                self.notes.append(("! " if event.warning else "") + printable(event.message, 500))
            case RunDone():
                self._end("done")
                self.seconds = event.seconds
            case RunFailed():
                self._end("failed")
                self.error = printable(event.message, 2000)
            case RunCancelled():
                self._end("cancelled")

    def _start(self, event: RunStarted) -> None:
        self.name, self.rows, self.seeds = event.run, event.rows, event.seeds
        self.device, self.dtype = event.device, event.dtype
        self.status, self.error, self.loading = "running", "", None
        self.total_steps = sum(row.steps for row in event.rows)

    def _end(self, status: RunStatus) -> None:
        self.status = status
        self.loading = self.decoding = None

    def _step(self, event: StepDone) -> None:
        self.row, self.step, self.steps = event.row, event.step + 1, event.steps
        self.total_step, self.total_steps = event.total_step + 1, event.total_steps
        self._times.append(event.time)
        try:
            arrays = event.positions.array, event.tokens.array, event.confidence.array
        except (InputError, ValueError):
            return
        for sample, positions, tokens, confidence in zip(event.samples, *arrays, strict=True):
            target = self._target(event.row, sample)
            if target is None:
                continue
            fits = (positions >= 0) & (positions < len(target.step))
            where = positions[fits].astype(np.int64)
            target.step[where] = event.step
            target.tokens[where] = tokens[fits]
            target.confidence[where] = confidence[fits]
            target.last = where

    def _target(self, row: int, sample: int) -> TargetState | None:
        known = self.targets.get((row, sample))
        if known is not None:
            return known
        facts = next((each for each in self.rows if each.number == row), None)
        if facts is None or not 0 <= sample < max(len(self.seeds), 1):
            return None
        modality = MODALITIES.get(facts.target)
        count = modality.max_tokens if modality and modality.grid else max(facts.steps, 1) + 1
        self.targets[row, sample] = made = TargetState(
            facts, sample, modality, np.full(count, -1, np.int32), np.full(count, -1, np.int32),
            np.full(count, np.nan, np.float32), np.zeros(0, np.int64),
        )  # fmt: skip
        return made
