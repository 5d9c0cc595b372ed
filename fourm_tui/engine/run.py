"""A run: the base chain and the super-resolution chain of a batch of samples, told as events."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from numpy.typing import NDArray

from fourm_tui.engine.job import Job, Models, Progress, Target, plan_job
from fourm_tui.engine.outputs import Gallery, Outputs
from fourm_tui.engine.prepare import Conditions, base_state, next_state
from fourm_tui.engine.row import RowDecoder, StoppedError
from fourm_tui.engine.tokenize import Decoded
from fourm_tui.errors import InputError
from fourm_tui.events import Event, Note, RunCancelled, RunDone, RunStarted, TargetDone
from fourm_tui.modalities import Modality
from fourm_tui.plan import Plan
from fourm_tui.sampling.state import State


def run(
    models: Models,
    job: Job,
    outputs: Outputs | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Event]:
    """Generates.

    Args:
        models: base model, super-resolution model where the schedule has such a chain, tokenizers.
        job: what to generate.
        outputs: where finished targets go, and whether they are decoded; None keeps nothing.
        stop: asked before every step, of decoding too; true ends the run with `RunCancelled`.

    Raises:
        InputError: what is given does not go together.
    """
    began = time.monotonic()
    worked_out = plan_job(models, job)
    progress = Progress.of(worked_out)
    yield RunStarted(job.name, progress.rows, tuple(job.seeds))
    try:
        yield from _Chains(models, job, outputs or Outputs(), stop).run(worked_out, progress)
    except StoppedError:
        yield RunCancelled()
    else:
        yield RunDone(time.monotonic() - began)


class _Chains:
    """The chains of a job under way."""

    def __init__(self, models: Models, job: Job, outputs: Outputs, stop: Callable[[], bool]) -> None:
        self.models, self.job, self.outputs, self.stop = models, job, outputs, stop
        self.samples: Sequence[Conditions] = job.samples
        self.gallery: Gallery | None = None

    def run(self, worked_out: Plan, progress: Progress) -> Iterator[Event]:
        yield from self._encode()
        if self.outputs.wants_pictures:
            self.gallery = Gallery(self.samples, self.models.model.architecture.modalities)
        state: State | None = None
        for prefix, model in (("", self.models.model), ("sr_", self.models.sr_model)):
            rows = worked_out.part(prefix)
            if not rows:
                continue
            assert model is not None  # plan_job has seen to it
            if state is None:
                state = base_state(model, rows, self.samples, self.models.text)
            else:
                state = next_state(model, rows, state, self.samples, self.models.text)
            for row in rows:
                decoder = RowDecoder(self.models, model, self.job, row, state, progress)
                began = time.monotonic()
                yield from decoder.decode(self.stop)
                state = decoder.state
                yield from self._keep(decoder.target, model.architecture.modalities[decoder.target.name], began)
        if self.gallery is not None:
            self.outputs.end(self.gallery.sheet(self.job.title or self.job.name, self.job.seeds))

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

    def _keep(self, target: Target, modality: Modality, began: float) -> Iterator[Event]:
        """Hands a finished target on, first as tokens, then as pictures."""
        everyone = range(len(self.samples))
        files = [self.outputs.tokens(target, sample) for sample in everyone]
        if self.gallery is not None:
            for item in self._decoded(target, modality, self.gallery):
                if isinstance(item, Event):
                    yield item
                    self._check_stop()
                    continue
                for sample, array in enumerate(item):
                    output = self.gallery.output(target, sample, modality, array)
                    files[sample] += self.outputs.picture(target, sample, output, self.gallery.show(output, sample))
        seconds = time.monotonic() - began
        for sample in everyone:
            yield TargetDone(target.row.number, target.name, sample, files[sample], seconds)

    def _decoded(
        self, target: Target, modality: Modality, gallery: Gallery
    ) -> Iterator[Event | Sequence[NDArray[Any] | None]]:
        """The arrays of a target, one per sample (None: text alone); nothing if its tokenizer is not named."""
        tokenizers = self.models.tokenizers
        if modality.tokenizer_key is None:
            yield [None] * len(self.samples)
        elif tokenizers is None or not tokenizers.has(modality.name):
            yield Note(f"{modality.title}: no tokenizer is named ({modality.tokenizer_key}), so its tokens stay tokens")
            for sample, tokens in enumerate(target.tokens):
                gallery.missing(modality, sample, f"{len(tokens)} tokens")
        else:
            row, seeds = target.row.number, self.job.seeds
            for item in tokenizers.decode(modality, row, target.tokens, target.texts, seeds):
                yield item.arrays if isinstance(item, Decoded) else item

    def _check_stop(self) -> None:
        if self.stop():
            raise StoppedError
