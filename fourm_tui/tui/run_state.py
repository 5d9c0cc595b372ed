"""A run as its events tell it: how far it is, which tokens are there, what came out. Without Textual."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from fourm_tui.errors import InputError, printable
from fourm_tui.events import (
    BatchProgress,
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
    SampleSkipped,
    StepDone,
    TargetDone,
    TextPiece,
)
from fourm_tui.modalities import MODALITIES, Modality
from fourm_tui.runs import Run
from fourm_tui.tui.run_times import RunTimes

RunStatus = Literal["waiting", "running", "done", "failed", "cancelled", "interrupted"]
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
    samples: tuple[int, ...] = ()
    """Numbers of those that are made together now."""
    loading: tuple[str, float | None] | None = None
    """A checkpoint being loaded, and how much of it is there."""
    decoding: tuple[int, int, int] | None = None
    """Row, steps done and steps of the detokenizer."""
    targets: dict[tuple[int, int], TargetState] = field(default_factory=dict)
    """By row and sample; those that have begun."""
    skipped: set[int] = field(default_factory=set)
    """Samples that are left out."""
    notes: deque[str] = field(default_factory=lambda: deque(maxlen=_NOTES))
    """The log for people, oldest first."""
    error: str = ""
    seconds: float | None = None
    began: float = 0.0
    """Seconds since 1970 of its first event; 0 before it."""
    seq: int = -1
    """Of the newest event."""
    times: RunTimes = field(default_factory=RunTimes)
    bulk: BatchProgress | None = None
    """How far a bulk run is; its rows and samples are not told one by one."""

    @classmethod
    def of_run(cls, run: Run) -> Self:
        """A run as its folder tells it, without its events; reads all its tokens, so not on the event loop."""
        from fourm_tui.tui.reopened import load_finished

        return load_finished(run, cls)

    @property
    def active(self) -> bool:
        """Whether more is to come."""
        return self.status in ("waiting", "running")

    @property
    def speed(self) -> float | None:
        """Steps per second over the newest ones; None where there are too few."""
        return self.times.speed if self.status == "running" else None

    @property
    def seconds_left(self) -> float | None:
        """Until all targets are there, pictures included; None where that is not known."""
        if self.status != "running":
            return None
        if self.bulk is not None:
            return self.bulk.left
        once = sum(row.steps for row in self.rows)
        groups = max(self.total_steps - self.total_step, 0) // once if once else 0
        return self.times.left(self.rows, self.row, self.step, groups)

    @property
    def row_seconds_left(self) -> float | None:
        """Until the steps of the row under way are done; None where that is not known."""
        return (self.steps - self.step) / self.speed if self.speed else None

    def is_row_done(self, number: int) -> bool:
        """Whether the targets of a row are there, in this run or before it."""
        if self.status == "done" or number < self.row:
            return True
        return bool(self.seeds) and all(
            (target := self.targets.get((number, sample))) is not None and target.done
            for sample in range(len(self.seeds))
            if sample not in self.skipped
        )

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
                if not self.active:  # it is begun again
                    self.status, self.error = "waiting", ""
            case RowStarted():
                self.loading = self.decoding = None
                if event.row < self.row or self.times.seconds_of(event.row) is not None:  # the next samples of many
                    self.times.group_began()
                self.row, self.step, self.steps, self.samples = event.row, 0, event.steps, event.samples
                self.total_step = max(sum(row.steps for row in self.rows if row.number < event.row), self.total_step)
                self.times.row_began(event.row, event.time)
                for sample in event.samples:
                    self.targets.pop((event.row, sample), None)  # of a row that is begun anew nothing is left
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
            case SampleSkipped(sample=sample):
                self.skipped.add(sample)
            case TargetDone():
                self.decoding = None
                if self.active:  # else only its picture was made, maybe days later
                    self.times.row_ended(event.row, event.time, event.seconds)
                target = self._target(event.row, event.sample)
                if target:
                    target.files = event.files
                    if self.active or target.seconds is None:
                        target.seconds = event.seconds
            case Note():
                self.notes.append(("! " if event.warning else "") + printable(event.message, 500))
            case BatchProgress():
                self.bulk = event
                self.total_step, self.total_steps = event.done, max(event.total, 1)
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
        self.status, self.error, self.loading, self.decoding, self.seconds = "running", "", None, None, None
        self.row = self.step = self.steps = self.total_step = 0
        self.times.run_began()
        self.total_steps = sum(row.steps for row in event.rows)

    def take(self, found: RunState) -> None:
        """Takes over what the folder of the run said, as far as no event has said more."""
        self.rows, self.seeds = self.rows or found.rows, self.seeds or found.seeds
        self.total_steps = self.total_steps or found.total_steps
        self.total_step = max(self.total_step, found.total_step)
        self.skipped |= found.skipped
        for key, target in found.targets.items():
            self.targets.setdefault(key, target)
        if self.seq < 0 and found.status in ("failed", "cancelled", "interrupted", "done"):
            self.status, self.error, self.seconds = found.status, found.error, found.seconds

    def interrupt(self) -> None:
        """Nobody is at work on it any more, and nothing has said how it ended."""
        if self.active:
            self._end("interrupted")

    def _end(self, status: RunStatus) -> None:
        self.status = status
        self.loading = self.decoding = None

    def _step(self, event: StepDone) -> None:
        self.row, self.step, self.steps = event.row, event.step + 1, event.steps
        self.total_step, self.total_steps = event.total_step + 1, event.total_steps
        self.times.stepped(event.row, event.time)
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
