"""No wasted memory: the bytes that a step allocates are counted, and held to what its shapes need.

Counted are tensors on the CPU, with one thread, since attention has room of its own for each. The nucleus is sorted by
numpy there, whose arrays are not counted.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate, islice
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from fourm_tui.curves import Guidance
from fourm_tui.model.fourm import FourM
from fourm_tui.sampling.state import State
from tests.model.steps import (
    BATCH,
    POSITIONS,
    WEIGHTS,
    branches,
    image_chain,
    image_state,
    image_step,
    text_chain,
    wide_model,
)
from tests.tiny import tiny_model

VOCABULARY = 16384
FLOAT, INDEX, BOOL = 4, 8, 1
"""Bytes of a number."""
STATE = BATCH * POSITIONS * (INDEX + BOOL)
"""Bytes of the ids of a grid, and of which of them are known."""


@dataclass(frozen=True)
class Memory:
    """Bytes of tensors that something allocated."""

    made: int
    """All of them, whatever became of them."""
    peak: int
    """The most that there were at once."""
    left: int
    """What is still there at the end, with its result."""


Measure: TypeAlias = Callable[[Callable[[], Any]], Memory]


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Measure]:
    def measured(work: Callable[[], Any]) -> Memory:
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as found:
            result = work()
        del result
        found.export_chrome_trace(str(tmp_path / "trace.json"))
        events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
        changes = sorted((event["ts"], event["args"]["Bytes"]) for event in events if event["name"] == "[memory]")
        sizes = [size for _, size in changes]
        return Memory(sum(size for size in sizes if size > 0), max(accumulate(sizes)), sum(sizes))

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield measured
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def model() -> FourM:
    return tiny_model()


@pytest.fixture(scope="module")
def wide() -> FourM:
    return wide_model(VOCABULARY)


def test_bytes_are_counted_as_they_come_and_go(memory: Measure) -> None:
    def work() -> torch.Tensor:
        first = torch.empty(1000)
        second = torch.empty(500)
        del first
        return torch.cat([second, second[:100]])

    assert memory(work) == Memory(made=8400, peak=6000, left=2400)


@pytest.mark.parametrize("scheme", ["roar", "maskgit"])
@pytest.mark.parametrize("guidance", [1.0, 3.0, WEIGHTS], ids=["alone", "guided", "weighted"])
def test_an_equal_step_allocates_no_more_the_second_time(
    model: FourM, scheme: str, guidance: Guidance, memory: Measure
) -> None:
    state, step = image_state(known=20), image_step(scheme, 24, guidance=guidance)
    first, second = (memory(lambda: list(image_chain(model, state, step))) for _ in range(2))
    assert second.made <= first.made
    assert second.peak <= first.peak
    assert second.left <= first.left


@pytest.mark.parametrize("texts", [(3, 3), (3, 7)], ids=["even", "padded"])
@pytest.mark.parametrize(
    "sizes", [[(32, 8), (64, 8), (128, 8)], [(8, 40), (8, 80), (8, 160)]], ids=["decoded", "known"]
)
def test_what_a_step_allocates_grows_in_line_with_its_tokens(
    model: FourM, texts: tuple[int, ...], sizes: list[tuple[int, int]], memory: Measure
) -> None:
    """Of twice as many tokens twice as much; scores of all tokens by all tokens would be four times as much."""
    small, middle, large = (
        memory(lambda: list(image_chain(model, image_state(known, texts), image_step("roar", tokens))))  # noqa: B023
        for tokens, known in sizes
    )
    assert large.made - middle.made <= 2.05 * (middle.made - small.made)
    # The peak is that of the stage that needs the most, which is another one for few tokens than for many.
    assert middle.peak <= 2.05 * small.peak
    assert large.peak <= 2.05 * middle.peak


@pytest.mark.parametrize("guidance", [1.0, 3.0, WEIGHTS], ids=["alone", "guided", "weighted"])
@pytest.mark.parametrize("draw", [{}, {"top_k": 50}, {"temperature": 0.0}], ids=["top_p", "top_k and top_p", "greedy"])
@pytest.mark.parametrize(("scheme", "known"), [("roar", 0), ("maskgit", POSITIONS - 8)])
def test_a_step_has_room_for_the_logits_of_its_positions_only(
    wide: FourM, scheme: str, known: int, guidance: Guidance, draw: dict[str, Any], memory: Measure
) -> None:
    """ROAR looks at the positions that it decodes, MaskGIT at all that are open: here eight."""
    state, step = image_state(known), image_step(scheme, 8, guidance=guidance, **draw)
    list(image_chain(wide, state, step))
    found = memory(lambda: list(image_chain(wide, state, step)))
    logits = BATCH * 8 * VOCABULARY * FLOAT
    together = branches(guidance) + 5  # probabilities with and without filters, random numbers, what is on the way
    assert found.peak <= together * logits
    assert found.made <= 8 * together * logits


@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_a_late_token_of_a_text_allocates_no_more_than_an_early_one(
    model: FourM, guidance: float, memory: Measure
) -> None:
    """Only scores may be more; a copy of what is cached would be `2 * head_dim` times as much."""
    chain = text_chain(model, guidance, 60)
    found = [memory(lambda: next(chain)) for _ in range(51)]
    early, late = found[2], found[50]
    a = model.architecture
    scores = a.decoder_depth * branches(guidance) * BATCH * a.num_heads * (50 - 2) * FLOAT
    assert late.made - early.made <= scores
    assert late.peak - early.peak <= scores
    assert late.left <= early.left


@pytest.mark.parametrize("scheme", ["roar", "maskgit"])
@pytest.mark.parametrize("guidance", [1.0, 3.0, WEIGHTS], ids=["alone", "guided", "weighted"])
@pytest.mark.parametrize("steps", [2, 28])
def test_a_chain_leaves_the_state_and_nothing_else(
    model: FourM, scheme: str, guidance: Guidance, steps: int, memory: Measure
) -> None:
    state = image_state()
    plan = [image_step(scheme, POSITIONS // steps, index, guidance) for index in range(steps)]
    found = memory(lambda: deque(image_chain(model, state, *plan), maxlen=1).pop().state)
    assert found.left == STATE


@pytest.mark.parametrize("tokens", [2, 50])
def test_a_text_leaves_its_ids_and_nothing_else(model: FourM, tokens: int, memory: Measure) -> None:
    chain = text_chain(model, 2.0, tokens)
    found = memory(lambda: deque(chain, maxlen=1).pop().state)
    assert found.left == BATCH * tokens * INDEX


@pytest.mark.parametrize("scheme", ["roar", "maskgit"])
def test_between_steps_a_chain_holds_no_more_the_longer_it_goes_on(model: FourM, scheme: str, memory: Measure) -> None:
    """What it holds 27 steps after it began is what one holds that began with 25 of them done."""

    def held(state: State, done: int) -> int:
        chain = image_chain(model, state, *(image_step(scheme, 7, index) for index in range(done, 28)))
        return memory(lambda: deque(islice(chain, 27 - done), maxlen=0)).left

    assert held(image_state(), 0) == held(image_state(known=25 * 7), 25)


@pytest.mark.parametrize("scheme", ["roar", "maskgit"])
def test_steps_that_are_kept_keep_no_logits(wide: FourM, scheme: str, memory: Measure) -> None:
    plan = [image_step(scheme, 4, index) for index in range(3)]
    found = memory(lambda: list(image_chain(wide, image_state(known=POSITIONS - 12), *plan)))
    assert found.left < BATCH * 4 * VOCABULARY * FLOAT
