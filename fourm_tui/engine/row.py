"""One row of a job: its steps told as events, its result gathered sample by sample."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fourm_tui.engine.job import Job, Models, Progress, Target
from fourm_tui.events import Event, RowStarted, SampleSkipped, StepDone, TextPiece
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
    """Decodes a row for samples of a job; `target`, `state` and the `numbers` of its samples are its results.

    Dense instances are several passes over each sample, run as further samples of the batch.

    Args:
        numbers: which of the job's samples; `state` holds these and no others.
    """

    def __init__(
        self, models: Models, model: FourM, job: Job, row: RowPlan, state: State, progress: Progress,
        numbers: Sequence[int],
    ) -> None:  # fmt: skip
        self.model, self.row, self.state = model, row, state
        self.numbers = list(numbers)
        self.gone: set[int] = set()
        """The numbers of samples that were skipped meanwhile."""
        self.passes = max(1, job.sam_dense) if row.row.target == "sam_instance" else 1
        self.seeds = [effective_seed(job.seeds[number], 0, n) for number in numbers for n in range(self.passes)]
        self.facts, self.before, self.total = progress.rows[row.number - 1], progress.before(row.number), progress.total
        self.target = Target(row)
        self.text = models.text
        self.newest: Decoded | None = None
        """The step that is being told."""
        on_gpu = model.device.type == "cuda"
        self.behind = 1 if on_gpu and not job.preview_every and not row.is_sequence else 0
        """Steps by which telling is behind decoding: a GPU makes the next one meanwhile, but for a preview it has to
        wait."""
        self._untold: deque[_Step] = deque()

    def decode(
        self, stop: Callable[[], bool], skipped: Callable[[], frozenset[int]] = frozenset
    ) -> Iterator[Event]:  # fmt: skip
        """Runs the row's steps.

        Args:
            stop: whether to end.
            skipped: samples that are not asked for any more; without any left, the row ends.

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
                yield from self._tell(gathered)
                raise StoppedError
            gone = skipped().intersection(self.numbers) - self.gone
            if gone:
                yield from self._tell(gathered)
                yield from map(SampleSkipped, sorted(gone))
                self.gone |= gone
                if self.gone.issuperset(self.numbers):
                    self.numbers = []
                    return
                if isinstance(gathered, _Images):
                    end = self._without_gone(end)
                    gathered.keep(self._leave_out())
                    steps = run_chain(self.model, end, row.steps[index:], step_seeds(self.seeds))
            decoded = next(steps, None)
            if decoded is None:  # every sequence of the batch has ended
                break
            self._untold.append(_Step(decoded, index))
            yield from self._tell(gathered, self.behind)
            end = decoded.state
        yield from self._tell(gathered)
        self.state = self._without_gone(end if self.passes == 1 else self.state)
        gathered.finish()
        self._leave_out()

    def _tell(self, gathered: _Images | _Sequences, but: int = 0) -> Iterator[Event]:
        """The events of the steps that were not told yet, but for the last ones."""
        while len(self._untold) > but:
            step = self._untold.popleft()
            self.newest = step.decoded
            yield from gathered.add(step)
            self.newest = None

    def _without_gone(self, state: State) -> State:
        return state.part(self._places()) if self.gone else state

    def _places(self) -> list[int]:
        return [place for place, number in enumerate(self.numbers) if number not in self.gone]

    def _leave_out(self) -> list[int]:
        """Forgets the samples that are gone; says at which places those were that are left."""
        places = self._places()
        self.seeds = [self.seeds[place * self.passes + n] for place in places for n in range(self.passes)]
        self.numbers = [self.numbers[place] for place in places]
        self.gone.clear()
        return places

    def step_done(
        self, index: int, samples: Sequence[int], at: NDArray[Any], tokens: NDArray[Any], confidence: NDArray[Any]
    ) -> StepDone:
        """The event of a step; arrays are `[B, n]`."""
        return StepDone(
            self.row.number, self.row.row.target, index, self.facts.steps, self.before + index, self.total,
            tuple(self.numbers[sample] for sample in samples),
            Packed.of(at), Packed.of(tokens), PackedProbabilities.of(confidence),
        )  # fmt: skip


class _Step:
    """What a step decoded, on its way from the device.

    Args:
        index: of the step in its row.
    """

    def __init__(self, decoded: Decoded, index: int) -> None:
        self.decoded, self.index = decoded, index
        tensors = decoded.positions, decoded.tokens, decoded.confidence
        self._tensors = [tensor.to("cpu", non_blocking=True) for tensor in tensors]
        self._arrived: torch.cuda.Event | None = None
        if tensors[0].is_cuda:
            self._arrived = torch.cuda.Event()
            self._arrived.record(torch.cuda.current_stream(tensors[0].device))

    def arrays(self) -> list[NDArray[Any]]:
        """Positions, tokens and confidence `[B, n]`; waits until they are here."""
        if self._arrived is not None:
            self._arrived.synchronize()
        return [tensor.numpy() for tensor in self._tensors]


class _Images:
    """Tokens of a grid as they come, `[B, N]`."""

    def __init__(self, row: RowDecoder, start: State) -> None:
        self.row = row
        tokens = start.image(row.row.row.target)
        known = tokens.known.cpu().numpy()
        self.tokens = tokens.ids.cpu().numpy().copy()
        self.step = np.where(known, GIVEN, LEFT_OPEN).astype(np.int16)
        self.confidence = known.astype(np.float32)

    def add(self, step: _Step) -> list[Event]:
        at, tokens, confidence = step.arrays()
        np.put_along_axis(self.tokens, at, tokens, axis=1)
        np.put_along_axis(self.step, at, np.int16(step.index), axis=1)
        np.put_along_axis(self.confidence, at, confidence, axis=1)
        return [self.row.step_done(step.index, range(len(at)), at, tokens, confidence)]

    def keep(self, places: list[int]) -> None:
        """Leaves all samples out but those at some places of the batch."""
        self.tokens, self.step, self.confidence = self.tokens[places], self.step[places], self.confidence[places]

    def finish(self) -> None:
        for place, number in enumerate(self.row.numbers):
            if number not in self.row.gone:
                target = self.row.target
                target.tokens[number], target.step[number] = self.tokens[place], self.step[place]
                target.confidence[number] = self.confidence[place]


class _Sequences:
    """Text as it comes; each sample ends at its own stop token.

    A sample that is skipped is decoded with the others to the end of the row, unseen: keys and values of all are kept
    together.
    """

    def __init__(self, row: RowDecoder, start: State) -> None:
        self.row = row
        sequence = start.sequence(row.row.row.target)
        self.given, self.stop = sequence.texts(), sequence.stop
        self.generated = [[sequence.start] for _ in range(start.batch)]
        self.confidence = [[1.0] for _ in range(start.batch)]
        # The passes of dense instances are not told one by one: they become one text in the end.
        shown = start.batch if row.passes == 1 else 0
        self.streams = [TextStream(row.text) for _ in range(shown)] if row.text else []

    def add(self, step: _Step) -> list[Event]:
        _, tokens, confidence = step.arrays()
        decoded, index = step.decoded, step.index
        numbers = [number for number in self.row.numbers for _ in range(self.row.passes)]
        going = [b for b, done in enumerate(decoded.done) if not done and numbers[b] not in self.row.gone]
        for b in going:
            self.generated[b].append(int(tokens[b, 0]))
            self.confidence[b].append(float(confidence[b, 0]))
        if self.row.passes > 1 or not going:
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
        for place, number in enumerate(self.row.numbers):
            if number not in self.row.gone:
                batch = range(place * passes, (place + 1) * passes)
                self._merge(number, batch, self.row.target, self.row.text)

    def _merge(self, number: int, batch: range, target: Target, text: TextTokenizer | None) -> None:
        """One sample's text: what was given, with what was generated in its place; passes one after the other."""
        merged = [(b, at) for b in batch for at in merge_origins(self.given[b], self.generated[b])]
        ids = [self.generated[b][at] if at >= 0 else self.given[b][-1 - at] for b, at in merged]
        target.tokens[number] = np.array(ids, dtype=np.int64)
        target.step[number] = np.array([at - 1 if at >= 0 else GIVEN for _, at in merged], dtype=np.int16)
        confidence = [self.confidence[b][at] if at >= 0 else 1.0 for b, at in merged]
        target.confidence[number] = np.array(confidence, dtype=np.float32)
        target.texts[number] = text.decode_text(ids) if text else ""
