"""A run: the base chain and the super-resolution chain of a batch of samples, told as events, kept in a folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fourm_tui.conditions.loading import Condition
from fourm_tui.engine.prepare import Conditions, base_state, next_state
from fourm_tui.errors import InputError
from fourm_tui.events import (
    Event,
    RowFacts,
    RowStarted,
    RunCancelled,
    RunDone,
    RunStarted,
    StepDone,
    TargetDone,
    TextPiece,
)
from fourm_tui.events.packed import Packed, PackedProbabilities
from fourm_tui.model.fourm import FourM
from fourm_tui.plan import Plan, RowPlan, plan
from fourm_tui.runs import GIVEN, LEFT_OPEN, TargetTokens
from fourm_tui.sampling.chain import Decoded, run_chain, step_seeds
from fourm_tui.sampling.spans import merge_origins
from fourm_tui.sampling.state import State
from fourm_tui.schedule.rows import Schedule
from fourm_tui.tokenizers.text import TextStream, TextTokenizer


@dataclass(frozen=True)
class Models:
    """What is loaded."""

    model: FourM
    sr_model: FourM | None = None
    text: TextTokenizer | None = None


@dataclass(frozen=True)
class Job:
    """What is to be generated: a schedule for samples that are generated together.

    `samples` are the conditions of each sample, `seeds` their effective seeds.
    """

    schedule: Schedule
    samples: Sequence[Conditions]
    seeds: Sequence[int]
    name: str = ""
    sam_dense: int = 0
    """Passes of dense instance prediction for `sam_instance`; 0 is the ordinary single one."""


@dataclass(eq=False)
class Target:
    """A target while it is decoded, and its result: per sample the arrays of its token file, and text."""

    row: RowPlan
    tokens: list[NDArray[np.int64]] = field(default_factory=list)
    """`[N]` each; of a sequence the whole text, what was given included."""
    step: list[NDArray[np.int16]] = field(default_factory=list)
    confidence: list[NDArray[np.float32]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


Finished = Callable[[Target, int], tuple[str, ...]]
"""Called with a finished target and a sample; keeps it somewhere and returns the names of the files."""


def plan_job(models: Models, job: Job) -> Plan:
    """The job's schedule worked out, with the open positions of what is partly given.

    Raises:
        InputError: the schedule has a cell that cannot be used, or dense instances are to be conditioned on.
    """
    sr_modalities = models.sr_model.architecture.modalities if models.sr_model else None
    worked_out = plan(
        job.schedule,
        open_positions=_open_positions(job.samples[0]),
        modalities=models.model.architecture.modalities,
        sr_modalities=sr_modalities,
    )
    if job.schedule.super_resolution and models.sr_model is None:
        raise InputError("the schedule has a super-resolution chain, and no model for it is given (sr_model)")
    targets = [row.row.target for row in worked_out.rows]
    if job.sam_dense and (not targets or targets[-1] != "sam_instance"):
        raise InputError(
            "dense SAM instances are too many tokens to be a condition of later rows: make sam_instance the last row"
            if "sam_instance" in targets
            else "dense SAM instances need a row with the target sam_instance"
        )
    return worked_out


def _open_positions(conditions: Mapping[str, Condition]) -> dict[str, int]:
    return {
        name: int((~condition.known).sum())
        for name, condition in conditions.items()
        if condition.known is not None
    }  # fmt: skip


def run(
    models: Models,
    job: Job,
    finished: Finished = lambda target, sample: (),
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Event]:
    """Generates.

    Args:
        models: base model, super-resolution model where the schedule has such a chain, text tokenizer.
        job: what to generate.
        finished: keeps a target of a sample as soon as it is there.
        stop: asked before every step; true ends the run with `RunCancelled`.

    Raises:
        InputError: what is given does not go together.
    """
    began = time.monotonic()
    worked_out = plan_job(models, job)
    progress = _Progress(worked_out)
    yield RunStarted(job.name, tuple(progress.facts), tuple(job.seeds))
    state: State | None = None
    for prefix, model in (("", models.model), ("sr_", models.sr_model)):
        rows = worked_out.part(prefix)
        if not rows:
            continue
        assert model is not None
        if state is None:
            state = base_state(model, rows, job.samples, models.text)
        else:
            state = next_state(model, rows, state, job.samples, models.text)
        for row in rows:
            decoder = _Row(models, model, job, row, state, progress)
            for event in decoder.decode(stop):
                yield event
                if isinstance(event, RunCancelled):
                    return
            state = decoder.state
            for sample in range(len(job.samples)):
                files = finished(decoder.target, sample)
                yield TargetDone(row.number, row.row.target, sample, files, decoder.seconds)
    yield RunDone(time.monotonic() - began)


class _Progress:
    """Rows as viewers see them, and how many steps there are before each of them."""

    def __init__(self, worked_out: Plan) -> None:
        self.facts = [
            RowFacts(
                row.number, row.row.target, str(row.row.scheme),
                row.open_tokens - 1 if row.is_sequence else len(row.tokens), row.open_tokens, bool(row.prefix),
            )
            for row in worked_out.rows
        ]  # fmt: skip
        self.total = sum(facts.steps for facts in self.facts)

    def before(self, number: int) -> int:
        return sum(facts.steps for facts in self.facts if facts.number < number)


class _Row:
    """One row being decoded for all samples of the batch."""

    def __init__(
        self, models: Models, model: FourM, job: Job, row: RowPlan, state: State, progress: _Progress
    ) -> None:  # fmt: skip
        self.models, self.model, self.job, self.row, self.state = models, model, job, row, state
        self.progress, self.facts = progress, progress.facts[row.number - 1]
        self.target, self.seconds = Target(row), 0.0
        self.passes = max(1, job.sam_dense) if row.row.target == "sam_instance" else 1

    def decode(self, stop: Callable[[], bool]) -> Iterator[Event]:
        began, row, name = time.monotonic(), self.row, self.row.row.target
        samples = tuple(range(len(self.job.samples)))
        yield RowStarted(row.number, name, self.facts.steps, samples)
        if stop():
            yield RunCancelled()
            return
        keep = self._keep_sequence if row.is_sequence else self._keep_image
        start, seeds = self._started(), self._seeds()
        kept = keep(start)
        last = None
        for index, decoded in enumerate(run_chain(self.model, start, row.steps, step_seeds(seeds))):
            yield from kept(decoded, index)
            last = decoded
            if stop() and not (decoded.finished and index + 1 == len(row.tokens)):
                yield RunCancelled()
                return
        self.state = self._ended(start if last is None else last.state)
        kept(None, self.facts.steps)
        self.seconds = time.monotonic() - began

    # -- dense instances: several passes over each sample, as further samples of the batch ---------------------------

    def _started(self) -> State:
        return self.state if self.passes == 1 else self.state.repeated(self.passes)

    def _seeds(self) -> list[int]:
        from fourm_tui.runs import effective_seed

        return [effective_seed(seed, 0, n) for seed in self.job.seeds for n in range(self.passes)]

    def _ended(self, state: State) -> State:
        return state if self.passes == 1 else self.state

    # -- keeping what comes --------------------------------------------------------------------------------------------

    def _keep_image(self, start: State) -> Callable[[Decoded | None, int], list[Event]]:
        known = start.image(self.row.row.target).known.cpu().numpy()
        tokens = start.image(self.row.row.target).ids.cpu().numpy().copy()
        step = np.where(known, GIVEN, LEFT_OPEN).astype(np.int16)
        confidence = np.where(known, 1, 0).astype(np.float32)

        def keep(decoded: Decoded | None, index: int) -> list[Event]:
            if decoded is None:
                self.target.tokens, self.target.step = list(tokens), list(step)
                self.target.confidence = list(confidence)
                return []
            at, new, sure = _numpy(decoded.positions), _numpy(decoded.tokens), _numpy(decoded.confidence)
            np.put_along_axis(tokens, at, new, axis=1)
            np.put_along_axis(step, at, np.int16(index), axis=1)
            np.put_along_axis(confidence, at, sure, axis=1)
            return [self._event(index, range(len(at)), at, new, sure)]

        return keep

    def _keep_sequence(self, start: State) -> Callable[[Decoded | None, int], list[Event]]:
        name = self.row.row.target
        sequence = start.sequence(name)
        generated = [[sequence.start] for _ in range(start.batch)]
        sure: list[list[float]] = [[1.0] for _ in range(start.batch)]
        streams = [TextStream(self.models.text) for _ in range(start.batch)] if self.models.text else []

        def keep(decoded: Decoded | None, index: int) -> list[Event]:
            if decoded is None:
                self._keep_texts(sequence.texts(), generated, sure)
                return []
            new, confidence = _numpy(decoded.tokens), _numpy(decoded.confidence)
            going = [b for b in range(start.batch) if not decoded.done[b]]
            events: list[Event] = []
            if self.passes == 1:
                at = np.full((len(going), 1), index)
                events.append(self._event(index, going, at, new[going], confidence[going]))
            for b in going:
                token = int(new[b, 0])
                generated[b].append(token)
                sure[b].append(float(confidence[b, 0]))
                if streams and self.passes == 1:
                    text = streams[b].add(token)
                    ended = token == sequence.stop or decoded.finished
                    events.append(TextPiece(self.row.number, name, b, text, token, ended))
            return events

        return keep

    def _keep_texts(self, given: list[list[int]], generated: list[list[int]], sure: list[list[float]]) -> None:
        target = self.target
        for sample in range(len(self.job.samples)):
            ids: list[int] = []
            steps: list[int] = []
            confidence: list[float] = []
            for b in range(sample * self.passes, (sample + 1) * self.passes):
                for at in merge_origins(given[b], generated[b]):
                    ids.append(generated[b][at] if at >= 0 else given[b][-1 - at])
                    steps.append(at - 1 if at >= 0 else GIVEN)
                    confidence.append(sure[b][at] if at >= 0 else 1.0)
            target.tokens.append(np.array(ids, dtype=np.int64))
            target.step.append(np.array(steps, dtype=np.int16))
            target.confidence.append(np.array(confidence, dtype=np.float32))
            target.texts.append(self.models.text.decode_text(ids) if self.models.text else "")

    def _event(
        self, index: int, samples: Sequence[int], at: NDArray[np.int64], tokens: NDArray[np.int64],
        confidence: NDArray[np.float32],
    ) -> StepDone:  # fmt: skip
        row = self.row
        return StepDone(
            row.number, row.row.target, index, self.facts.steps, self.progress.before(row.number) + index,
            self.progress.total, tuple(samples), Packed.of(at), Packed.of(tokens), PackedProbabilities.of(confidence),
        )  # fmt: skip


def target_file(target: Target, sample: int, seed: int) -> TargetTokens:
    """What the token file of a sample holds."""
    return TargetTokens(
        target.row.row.target, target.row.number, seed, target.tokens[sample], target.step[sample],
        target.confidence[sample],
    )  # fmt: skip


def _numpy(values: torch.Tensor) -> NDArray[Any]:
    return values.cpu().numpy()
