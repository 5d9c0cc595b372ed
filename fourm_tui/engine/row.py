"""One row of a job: its steps told as events, its result gathered sample by sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fourm_tui.engine.job import Job, Models, Progress, Target
from fourm_tui.events import Event, RowStarted, StepDone, TextPiece
from fourm_tui.events.packed import Packed, PackedProbabilities
from fourm_tui.model.fourm import FourM
from fourm_tui.plan import RowPlan
from fourm_tui.runs import GIVEN, LEFT_OPEN, effective_seed
from fourm_tui.sampling.chain import Decoded, run_chain, step_seeds
from fourm_tui.sampling.spans import merge_origins
from fourm_tui.sampling.state import State
from fourm_tui.tokenizers.text import TextStream, TextTokenizer


class StoppedError(Exception):
    """The user asked to stop."""


class RowDecoder:
    """Decodes a row for all samples of a job; `target` and `state` are its results.

    Dense instances are several passes over each sample, run as further samples of the batch.

    Args:
        samples: which of the job's samples; `state` holds these and no others.
    """

    def __init__(
        self, models: Models, model: FourM, job: Job, row: RowPlan, state: State, progress: Progress, samples: range
    ) -> None:  # fmt: skip
        self.model, self.row, self.state = model, row, state
        self.numbers, self.samples = samples, len(samples)
        self.passes = max(1, job.sam_dense) if row.row.target == "sam_instance" else 1
        self.seeds = [
            effective_seed(seed, 0, n) for seed in job.seeds[samples.start : samples.stop] for n in range(self.passes)
        ]
        self.facts, self.before, self.total = progress.rows[row.number - 1], progress.before(row.number), progress.total
        self.target = Target(row)
        self.text = models.text

    def decode(self, stop: Callable[[], bool]) -> Iterator[Event]:
        """Runs the row's steps.

        Raises:
            StoppedError: `stop` said so before a step.
        """
        row, name = self.row, self.row.row.target
        yield RowStarted(row.number, name, self.facts.steps, tuple(self.numbers))
        start = self.state if self.passes == 1 else self.state.repeated(self.passes)
        gathered = _Sequences(self, start) if row.is_sequence else _Images(self, start)
        end, steps = start, run_chain(self.model, start, row.steps, step_seeds(self.seeds))
        for index in range(self.facts.steps):
            if stop():
                raise StoppedError
            decoded = next(steps, None)
            if decoded is None:  # every sequence of the batch has ended
                break
            yield from gathered.add(decoded, index)
            end = decoded.state
        gathered.finish()
        self.state = end if self.passes == 1 else self.state

    def step_done(
        self, index: int, samples: Sequence[int], at: NDArray[Any], tokens: NDArray[Any], confidence: NDArray[Any]
    ) -> StepDone:
        """The event of a step; arrays are `[B, n]`."""
        return StepDone(
            self.row.number, self.row.row.target, index, self.facts.steps, self.before + index, self.total,
            tuple(self.numbers[sample] for sample in samples),
            Packed.of(at), Packed.of(tokens), PackedProbabilities.of(confidence),
        )  # fmt: skip


class _Images:
    """Tokens of a grid as they come, `[B, N]`."""

    def __init__(self, row: RowDecoder, start: State) -> None:
        self.row = row
        tokens = start.image(row.row.row.target)
        known = tokens.known.cpu().numpy()
        self.tokens = tokens.ids.cpu().numpy().copy()
        self.step = np.where(known, GIVEN, LEFT_OPEN).astype(np.int16)
        self.confidence = known.astype(np.float32)

    def add(self, decoded: Decoded, index: int) -> list[Event]:
        at, tokens, confidence = _numpy(decoded.positions), _numpy(decoded.tokens), _numpy(decoded.confidence)
        np.put_along_axis(self.tokens, at, tokens, axis=1)
        np.put_along_axis(self.step, at, np.int16(index), axis=1)
        np.put_along_axis(self.confidence, at, confidence, axis=1)
        return [self.row.step_done(index, range(len(at)), at, tokens, confidence)]

    def finish(self) -> None:
        target = self.row.target
        target.tokens, target.step, target.confidence = list(self.tokens), list(self.step), list(self.confidence)


class _Sequences:
    """Text as it comes; each sample ends at its own stop token."""

    def __init__(self, row: RowDecoder, start: State) -> None:
        self.row = row
        sequence = start.sequence(row.row.row.target)
        self.given, self.stop = sequence.texts(), sequence.stop
        self.generated = [[sequence.start] for _ in range(start.batch)]
        self.confidence = [[1.0] for _ in range(start.batch)]
        # The passes of dense instances are not told one by one: they become one text in the end.
        shown = start.batch if row.passes == 1 else 0
        self.streams = [TextStream(row.text) for _ in range(shown)] if row.text else []

    def add(self, decoded: Decoded, index: int) -> list[Event]:
        tokens, confidence = _numpy(decoded.tokens), _numpy(decoded.confidence)
        going = [b for b, done in enumerate(decoded.done) if not done]
        for b in going:
            self.generated[b].append(int(tokens[b, 0]))
            self.confidence[b].append(float(confidence[b, 0]))
        if self.row.passes > 1:
            return []
        at = np.full((len(going), 1), index)
        events: list[Event] = [self.row.step_done(index, going, at, tokens[going], confidence[going])]
        if self.streams:
            events += [self._piece(b, int(tokens[b, 0]), decoded.finished) for b in going]
        return events

    def _piece(self, sample: int, token: int, finished: bool) -> TextPiece:
        text = self.streams[sample].add(token)
        row = self.row.row
        return TextPiece(
            row.number, row.row.target, self.row.numbers[sample], text, token, finished or token == self.stop
        )

    def finish(self) -> None:
        passes = self.row.passes
        for sample in range(self.row.samples):
            self._merge(range(sample * passes, (sample + 1) * passes), self.row.target, self.row.text)

    def _merge(self, batch: range, target: Target, text: TextTokenizer | None) -> None:
        """One sample's text: what was given, with what was generated in its place; passes one after the other."""
        merged = [(b, at) for b in batch for at in merge_origins(self.given[b], self.generated[b])]
        ids = [self.generated[b][at] if at >= 0 else self.given[b][-1 - at] for b, at in merged]
        target.tokens.append(np.array(ids, dtype=np.int64))
        target.step.append(np.array([at - 1 if at >= 0 else GIVEN for _, at in merged], dtype=np.int16))
        confidence = [self.confidence[b][at] if at >= 0 else 1.0 for b, at in merged]
        target.confidence.append(np.array(confidence, dtype=np.float32))
        target.texts.append(text.decode_text(ids) if text else "")


def _numpy(values: torch.Tensor) -> NDArray[Any]:
    return values.cpu().numpy()
