"""A run: the base chain and the super-resolution chain of a batch of samples, told as events."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from fourm_tui.engine.finish import Finisher
from fourm_tui.engine.job import Job, Models, Progress, Target, decoded_rows, plan_job
from fourm_tui.engine.outputs import Gallery, Outputs
from fourm_tui.engine.pieces import Pieces
from fourm_tui.engine.prepare import Conditions, base_state, next_state
from fourm_tui.engine.previews import Previews
from fourm_tui.engine.resume import recalled
from fourm_tui.engine.row import RowDecoder, StoppedError
from fourm_tui.errors import InputError
from fourm_tui.events import (
    Event,
    RunCancelled,
    RunDone,
    RunStarted,
    SampleSkipped,
    StepDone,
)
from fourm_tui.model.fourm import FourM
from fourm_tui.plan import Plan, RowPlan
from fourm_tui.sampling.state import State, joined

Finished: TypeAlias = Callable[[Sequence[int]], Mapping[int, Target] | None]
"""The results of the first rows of some samples, by row; None where everything of these samples is done."""


def run(
    models: Models,
    job: Job,
    outputs: Outputs | None = None,
    stop: Callable[[], bool] = lambda: False,
    finished: Finished | None = None,
    skipped: Callable[[], frozenset[int]] = frozenset,
) -> Iterator[Event]:
    """Generates, some samples at a time: what is finished and what has not begun is not in memory.

    Args:
        models: base model, super-resolution model where the schedule has such a chain, tokenizers.
        job: what to generate.
        outputs: where finished targets go, and whether they are decoded; None keeps nothing.
        stop: asked before every step, of decoding too; true ends the run with `RunCancelled`.
        finished: what there is from before an interruption; it is not made again.
        skipped: asked before every step of decoding tokens; these samples are left out from there on, which is told by
            `SampleSkipped` and changes nothing about the others. Without any left the run ends with `RunCancelled`.

    Raises:
        InputError: what is given does not go together.
    """
    began = time.monotonic()
    worked_out = plan_job(models, job)
    progress = Progress.of(worked_out, len(job.groups))
    yield RunStarted(
        job.name,
        progress.rows,
        tuple(job.seeds),
        resumed=finished is not None,
        device=str(models.model.device),
        dtype=str(models.model.dtype).removeprefix("torch."),
    )
    try:
        chains = _Chains(models, job, outputs or Outputs(), stop, skipped)
        yield from chains.run(worked_out, progress, finished or (lambda numbers: {}))
    except StoppedError:
        yield RunCancelled()
    else:
        yield RunDone(time.monotonic() - began)


class _NobodyLeftError(Exception):
    """Every sample of a group has been skipped."""


class _Chains:
    """The chains of a job under way."""

    def __init__(
        self,
        models: Models,
        job: Job,
        outputs: Outputs,
        stop: Callable[[], bool],
        skipped: Callable[[], frozenset[int]],
    ) -> None:
        self.models, self.job, self.outputs, self.stop, self.skipped = models, job, outputs, stop, skipped
        self.samples: Sequence[Conditions] = job.samples
        self.numbers: list[int] = []
        """Of the samples that the state holds, in its order."""
        self.most = job.together
        """Samples that are decoded at once, as far as memory is known to allow."""
        self.gallery: Gallery | None = None

    def run(self, worked_out: Plan, progress: Progress, finished: Finished) -> Iterator[Event]:
        if len(self.job.skipped) == len(self.samples):
            raise StoppedError
        yield from self._encode()
        if self.outputs.wants_pictures:
            self.gallery = self.outputs.gallery(self.samples, self.models.model.architecture.modalities)
        tokenizers, seeds, rows = self.models.tokenizers, self.job.seeds, decoded_rows(worked_out, self.job.decode)
        self.previews = Previews(self.job.preview_every, tokenizers, self.gallery, self.outputs, seeds)
        self.finisher = Finisher(tokenizers, self.gallery, self.outputs, seeds, rows, self.stop, self.models.forget)
        gone = len(self.job.skipped)
        for group, numbers in enumerate(self.job.groups):
            self.numbers = [number for number in numbers if number not in self.job.skipped]
            before = finished(self.numbers) if self.numbers else None
            if before is not None:
                if group:
                    self._check_stop()
                try:
                    yield from self._group(worked_out, replace(progress, group=group), before)
                except _NobodyLeftError:
                    self.numbers = []
            gone += len(numbers) - len(self.numbers) - len(self.job.skipped.intersection(numbers))
            if gone == len(self.samples):
                raise StoppedError
            if self.gallery is not None:
                self.gallery.end_group(self.numbers)
        yield from self.previews.cost()
        if self.gallery is not None and self.outputs.wants_sheet:
            self.outputs.end(self.gallery.sheet(self.job.title or self.job.name, self.job.seeds))

    def _group(self, worked_out: Plan, progress: Progress, finished: Mapping[int, Target]) -> Iterator[Event]:
        """All rows of the samples that are in turn."""
        if self.gallery is not None:
            self.gallery.begin_group(self.numbers)
        state: State | None = None
        for prefix, model in (("", self.models.model), ("sr_", self.models.sr_model)):
            rows = worked_out.part(prefix)
            if not rows:
                continue
            assert model is not None  # plan_job has seen to it
            samples = [self.samples[number] for number in self.numbers]
            if state is None:
                state = base_state(model, rows, samples, self.models.text)
            else:
                state = next_state(model, rows, state, samples, self.models.text)
            for row in rows:
                state = yield from self._without_skipped(state)
                if row.number in finished:
                    state = recalled(state, finished[row.number], self.numbers)
                    modality = model.architecture.modalities[row.row.target]
                    yield from self.finisher.recall(finished[row.number], modality, self.most)
                    continue
                began = time.monotonic()
                target, state = yield from self._row(model, row, state, progress)
                modality = model.architecture.modalities[target.name]
                yield from self.finisher.keep(target, modality, began, self.most)

    def _without_skipped(self, state: State) -> Generator[Event, None, State]:
        """The state of the samples that are still asked for."""
        gone = self.skipped().intersection(self.numbers)
        if not gone:
            return state
        yield from map(SampleSkipped, sorted(gone))
        places = [place for place, number in enumerate(self.numbers) if number not in gone]
        if not places:
            raise _NobodyLeftError
        self.numbers = [self.numbers[place] for place in places]
        return state.part(places)

    def _row(
        self, model: FourM, row: RowPlan, state: State, progress: Progress
    ) -> Generator[Event, None, tuple[Target, State]]:
        """A row of all samples, together or, where memory does not allow that, in pieces; its result, and the state."""
        pieces, done = Pieces(len(self.numbers), self.most, model.device, self.models.forget), []
        for piece in pieces:
            part = state if len(piece) == len(self.numbers) else state.part(piece)
            numbers = [self.numbers[place] for place in piece]
            decoder = RowDecoder(self.models, model, self.job, row, part, progress, numbers)
            try:
                for event in decoder.decode(self.stop, self.skipped):
                    yield event
                    if isinstance(event, StepDone) and decoder.newest is not None and row.number in self.finisher.rows:
                        modality = model.architecture.modalities[row.row.target]
                        yield from self.previews.after(event, decoder.newest, modality)
            except (RuntimeError, MemoryError) as error:
                yield from pieces.again(piece, error, row.row.target)
                self.most = pieces.most
            else:
                done += [decoder] if decoder.numbers else []
        if not done:
            raise _NobodyLeftError
        places = {number: place for place, number in enumerate(self.numbers)}
        self.numbers = [number for decoder in done for number in decoder.numbers]
        if len(done) == 1:
            return done[0].target, done[0].state
        target = Target(row)
        for decoder in done:
            target.add(decoder.target)
        name, state = row.row.target, state.part(places[number] for number in self.numbers)
        return target, state.having(name, joined([decoder.state.modalities[name] for decoder in done]))

    def _encode(self) -> Iterator[Event]:
        """Tokens of the conditions that were given as pictures."""
        if not any(condition.needs_tokens for sample in self.samples for condition in sample.values()):
            return
        if self.models.tokenizers is None:
            raise InputError("a condition is a picture that a tokenizer has to encode, and none is named")
        for item in self.models.tokenizers.encode(self.samples):
            if isinstance(item, list):
                self.samples = item
            else:
                yield item
                self._check_stop()

    def _check_stop(self) -> None:
        if self.stop():
            raise StoppedError
