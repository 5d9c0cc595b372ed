"""How long a run takes: steps, pictures and loading measured apart, so that the first run of a day spoils nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fourm_tui.chain.calibration import Clock, Pace, Timing
from fourm_tui.cost import Cost
from fourm_tui.events import Event, Loading, RowFacts, RowStarted, RunDone, RunStarted, StepDone, TargetDone
from fourm_tui.events.packed import Packed, PackedProbabilities
from fourm_tui.tui.detail import pieces
from tests.tui.conftest import demo

STEPS = 5


def told(cold: bool) -> Iterator[Event]:
    """A run of one row with steps of a second and a picture of two; a cold one loads for 4 + 3 s, its first step 6 s."""
    now = 100.0
    if cold:
        yield Loading("model", 0.0, time=now)
        now += 4
        yield Loading("model", 1.0, time=now)
    yield RunStarted("r", (RowFacts(1, "tok_rgb@224", "roar", STEPS, 196),), (0,), device="cpu", time=now)
    yield RowStarted(1, "tok_rgb@224", STEPS, (0,), time=now)
    at, sure = Packed.of([[0]]), PackedProbabilities.of([[0.5]])
    for step in range(STEPS):
        now += 6 if cold and step == 0 else 1
        yield StepDone(1, "tok_rgb@224", step, STEPS, step, STEPS, (0,), at, at, sure, time=now)
    if cold:
        yield Loading("rgb", 0.0, time=now)
        now += 3
        yield Loading("rgb", 1.0, time=now)
    now += 2
    yield TargetDone(1, "tok_rgb@224", 0, (), 7.0, time=now)
    yield RunDone(9.0, time=now)


def test_a_run_that_had_to_load_is_as_fast_as_one_that_had_not() -> None:
    cold, warm = Clock.of(told(True)), Clock.of(told(False))
    assert (cold.steps, cold.pictures) == (warm.steps, warm.pictures) == (STEPS, 2)


def test_loading_is_models_and_tokenizers_and_the_first_step() -> None:
    assert (Clock.of(told(True)).loading, Clock.of(told(False)).loading) == (4 + 3 + 5, 0)


def cost() -> Cost:
    found = demo().check.costs[0]
    assert found is not None
    return found


def test_pictures_are_counted_for_every_sample_and_steps_for_those_made_together() -> None:
    timing = Timing({"m cpu": Pace(2.0, picture=1.5)})
    plain = Timing().seconds(cost(), "m", "cpu", 32)
    assert timing.seconds(cost(), "m", "cpu", 64) == pytest.approx(2 * 2 * plain + 64 * 1.5)


def said(loading: float | None) -> str:
    found = pieces(demo(), 1, 100, lambda cost: (2.0, False), dict.fromkeys(("dim", "error", "warning", "accent"), ""),
                   loading=loading)  # fmt: skip
    return next(each.text.plain for each in found if each.text.plain.startswith("chain "))


@pytest.mark.parametrize(("loading", "words"), [(None, ""), (0.0, " + loading"), (7.0, " + loading 7.0 s")])
def test_a_model_that_is_not_there_is_told(loading: float | None, words: str) -> None:
    line = said(loading)
    assert (words in line, "loading" in line) == (True, bool(words))
