"""The stages of a chain, one by one, each measured at a few of its steps."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fourm_tui.bench.probe import synchronise
from fourm_tui.conditions.condition import Condition
from fourm_tui.cost import Calibration, Cost, row_cost
from fourm_tui.curves import Floats
from fourm_tui.engine.memory import device_memory
from fourm_tui.engine.tokenize import Decoded, Tokenizers
from fourm_tui.modalities import Modality
from fourm_tui.model.fourm import FourM
from fourm_tui.pictures.save import Output, output_files
from fourm_tui.plan import Plan, RowPlan
from fourm_tui.sampling.chain import run_chain, step_seeds
from fourm_tui.sampling.state import ImageTokens, Sequence, State, Values, Vectors

_STEPS, _TOKENS = 6, 24
"""How many steps of an image, and tokens of a text, are measured."""
_CAPTION = 12
"""Tokens of a text that is a condition."""


@dataclass(frozen=True)
class Stage:
    """What was measured."""

    name: str
    detail: str
    """What was done, in words."""
    seconds: float
    """Of all of it."""
    times: int = 1
    """Steps, passes or pieces that these are."""
    tokens: int = 0
    """Tokens decoded in this time, of all samples together."""
    limit: float | None = None
    """Seconds that the hardware needs at the least, by the roofline of the probe; None: not known."""

    @property
    def share(self) -> float | None:
        """Of the hardware's limit that is reached, up to 1."""
        return self.limit / self.seconds if self.limit and self.seconds else None


def rows(
    models: Mapping[str, FourM], plan: Plan, batch: int, speed: Calibration, bytes_per_weight: int
) -> Iterator[Stage]:
    """The rows of a plan, from states as they are in the middle of a chain.

    Args:
        models: by prefix: `""` and, if the plan has such rows, `"sr_"`.
        batch: samples together.
        speed: of the machine.
    """
    for row in plan.rows:
        yield _row(models[row.prefix], row, batch, speed, bytes_per_weight)


def _row(model: FourM, row: RowPlan, batch: int, speed: Calibration, bytes_per_weight: int) -> Stage:
    known = {row.row.target: _TOKENS} if row.is_sequence else {}
    cost = row_cost(row, model.architecture, known, bytes_per_weight)
    limits = least_seconds(row, cost, speed, batch)
    if row.is_sequence:
        seconds, count = _text(model, row, batch)
        return Stage(row.row.target, f"{count} tokens of text", seconds, count, count * batch, float(limits.sum()))
    numbers = sorted({round(n) for n in np.linspace(0, len(row.steps) - 1, min(_STEPS, len(row.steps)))})
    before = np.concatenate([[0], np.cumsum(row.tokens)])
    _step(model, row, batch, numbers[0], 0)  # the first time does not count
    seconds = sum(_step(model, row, batch, number, int(before[number])) for number in numbers)
    tokens = batch * int(row.tokens[numbers].sum())
    detail = f"{row.row.scheme}, {len(numbers)} of {len(row.steps)} steps"
    return Stage(row.row.target, detail, seconds, len(numbers), tokens, float(limits[numbers].sum()))


def least_seconds(row: RowPlan, cost: Cost, speed: Calibration, batch: int) -> Floats:
    """What each step needs at the least, `[steps]` (of a text: one), by the roofline: all its passes together."""
    flops, weights, other = cost.each.T
    each = np.maximum(batch * flops / speed.flops_per_second, (weights + batch * other) / speed.bytes_per_second)
    steps = len(row.tokens)
    if row.is_sequence:
        return each.sum(keepdims=True)
    # Passes are listed branch by branch; that without conditions has one only where there is guidance.
    guided = np.flatnonzero(row.passes > 1)
    unconditional = len(each) == steps + len(guided)
    places = [np.arange(steps), guided] if unconditional else [np.arange(steps)] * (len(each) // steps)
    found = np.zeros(steps)
    np.add.at(found, np.concatenate(places), each)
    return found


def _step(model: FourM, row: RowPlan, batch: int, number: int, decoded: int) -> float:
    """Seconds of one step of an image."""
    state = _state(model, row, batch, decoded)
    began = _now(model)
    for _ in run_chain(model, state, row.steps[number : number + 1], step_seeds(range(batch))):
        pass
    return _now(model) - began


def _text(model: FourM, row: RowPlan, batch: int) -> tuple[float, int]:
    """Seconds of the first tokens of a text, and how many they are; conditions are encoded with the first."""
    steps = run_chain(model, _state(model, row, batch, 0), row.steps, step_seeds(range(batch)))
    began, count = _now(model), 0
    while count < _TOKENS and next(steps, None) is not None:
        count += 1
    return _now(model) - began, count


def _now(model: FourM) -> float:
    synchronise(model.device)
    return time.perf_counter()


def _state(model: FourM, row: RowPlan, batch: int, decoded: int) -> State:
    """Everything that the row sees, made up, and so many of its own tokens."""
    values: dict[str, Values] = {}
    draw = torch.Generator(model.device).manual_seed(0)
    for name in row.visible:
        if name in model.encoder_embeddings:
            values[name] = _values(model, name, batch, draw)
    name = row.row.target
    if row.is_sequence:
        values[name] = Sequence.empty(batch, row.open_tokens, model.device)
        return State(values, batch, model.device)
    modality = model.architecture.modalities[name]
    empty = ImageTokens.empty(batch, modality.max_tokens, model.device)
    if decoded:
        order = torch.rand(batch, modality.max_tokens, generator=draw, device=model.device).argsort(dim=1)[:, :decoded]
        ids = torch.randint(modality.vocab_size, order.shape, generator=draw, device=model.device)
        empty = empty.decoded(order, ids)
    return State({**values, name: empty}, batch, model.device)


def _values(model: FourM, name: str, batch: int, draw: torch.Generator) -> Values:
    modality, device = model.architecture.modalities[name], model.device
    if modality.kind == "image":
        shape = (batch, modality.max_tokens)
        return ImageTokens.of(torch.randint(modality.vocab_size, shape, generator=draw, device=device))
    if modality.kind == "sequence":
        return Sequence.of([[300 + n for n in range(_CAPTION)]] * batch, device)
    width = 3 * modality.patch_size**2 if modality.kind == "pixels" else 4096
    count = modality.max_tokens if modality.kind == "pixels" else _CAPTION
    return Vectors.of(torch.randn(batch, count, width, generator=draw, device=device))


def pictures(tokenizers: Tokenizers, modality: Modality, batch: int) -> Iterator[Stage]:
    """A tokenizer: loaded, pictures to tokens, tokens to pictures, pictures to files."""
    name = modality.name
    yield Stage(name, "tokenizer loaded", _seconds(tokenizers.load(name)))
    draw = np.random.default_rng(0)
    tokens = [draw.integers(0, modality.vocab_size, modality.max_tokens) for _ in range(batch)]
    made: list[NDArray[Any]] = []
    for steps in (1, tokenizers.steps):  # the first time does not count
        began = time.perf_counter()
        for event in tokenizers.decode(modality, 1, tokens, [], list(range(batch)), steps=steps):
            made = list(event.arrays) if isinstance(event, Decoded) else made
        seconds = time.perf_counter() - began
    yield Stage(name, f"to picture, {steps} steps if it diffuses", seconds, batch)
    if modality.stem != "tok_semseg":  # of that the decoder gives logits, and the encoder takes classes
        given = [{name: Condition(name, values=array)} for array in made]
        yield Stage(name, "picture to tokens", _seconds(tokenizers.encode(given)), batch)
    began = time.perf_counter()
    for array in made:
        output_files(Output(modality, array))
    yield Stage(name, "drawn and packed as files", time.perf_counter() - began, batch)


def _seconds(work: Iterator[object]) -> float:
    began = time.perf_counter()
    for _ in work:
        pass
    return time.perf_counter() - began


def peak_memory(device: torch.device) -> int | None:
    """Bytes: of a GPU the most that was allocated, of the CPU what this process has to itself now."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    found = device_memory(device)
    return found["own"] if found else None
