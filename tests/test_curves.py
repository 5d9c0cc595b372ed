"""How tokens, temperature and guidance go over the steps of a row: what holds for all settings."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fourm_tui.curves import (
    guidance_at,
    guidance_schedule,
    parse_onex,
    reference_cosine_counts,
    temp_schedule,
    token_schedule,
)
from fourm_tui.errors import InputError

# -- tokens -------------------------------------------------------------------------------------------------------

COUNTS = st.integers(1, 800)
SCHEDULES = st.sampled_from([("maskgit", "cosine"), ("maskgit", "linear"), ("roar", "cosine")])


@given(SCHEDULES, COUNTS, COUNTS)
@settings(max_examples=300, deadline=None)
def test_every_step_decodes_something_and_all_is_decoded(names: tuple[str, str], steps: int, tokens: int) -> None:
    counts = token_schedule(*names, steps, tokens)
    assert counts.sum() == tokens
    assert len(counts) == min(steps, tokens)
    assert counts.min() >= 1


@given(COUNTS, COUNTS)
@settings(max_examples=300, deadline=None)
def test_cosine_differs_from_ml4m_only_where_that_leaves_a_step_without_tokens(steps: int, tokens: int) -> None:
    theirs = reference_cosine_counts(steps, tokens)
    ours = token_schedule("maskgit", "cosine", steps, tokens).tolist()
    assert (ours == theirs) == (min(theirs) >= 1)


@given(COUNTS, COUNTS)
@settings(max_examples=200, deadline=None)
def test_a_corrected_cosine_rises_and_falls_once(steps: int, tokens: int) -> None:
    counts = token_schedule("maskgit", "cosine", steps, tokens)
    if counts.tolist() != reference_cosine_counts(steps, tokens):
        turns = np.sign(np.diff(counts))
        turns = turns[turns != 0]
        assert (np.diff(turns) <= 0).all()


@pytest.mark.parametrize("tokens", [16, 196, 256])
def test_no_other_whole_numbers_are_closer_to_the_cosine(tokens: int) -> None:
    for steps in range(1, tokens + 1):
        counts = token_schedule("maskgit", "cosine", steps, tokens)
        if counts.tolist() == reference_cosine_counts(steps, tokens):
            continue
        edges = tokens * 0.5 * (1 + np.cos(np.pi * np.arange(steps + 1) / steps))
        excess = counts - (edges[:-1] - edges[1:])
        # Moving one token from a step to another changes the squared distance by 2 (1 + excess[to] - excess[from]).
        assert excess.min() - excess[counts > 1].max(initial=-np.inf) >= -1 - 1e-9


def test_196_tokens_turn_negative_for_92_step_counts_of_ml4m() -> None:
    assert sum(reference_cosine_counts(steps, 196)[-1] < 0 for steps in range(1, 197)) == 92


@given(COUNTS, COUNTS)
@settings(max_examples=200, deadline=None)
def test_linear_counts_fall_by_one_at_most(steps: int, tokens: int) -> None:
    counts = token_schedule("roar", None, steps, tokens)
    assert counts[0] - counts[-1] <= 1
    assert (np.diff(counts) <= 0).all()


@pytest.mark.parametrize(("steps", "tokens"), [(0, 196), (-3, 196), (8, 0), (8, -1)])
def test_no_steps_and_no_tokens_are_refused(steps: int, tokens: int) -> None:
    with pytest.raises(InputError):
        token_schedule("maskgit", "cosine", steps, tokens)


# -- temperature --------------------------------------------------------------------------------------------------

SPLITS = st.lists(st.integers(1, 50), min_size=1, max_size=30).map(np.array)
TEMPERATURES = st.floats(0, 20, allow_subnormal=False)


@given(SPLITS, TEMPERATURES)
def test_a_linear_temperature_starts_in_full_and_falls(tokens: np.ndarray, temp: float) -> None:
    temperature = temp_schedule("linear", temp, tokens)
    assert temperature[0] == max(temp, 1e-9)
    assert (np.diff(temperature) <= 0).all()
    assert temperature.min() >= 1e-9


@given(SPLITS, st.floats(0.5, 20), st.floats(0, 0.5), st.floats(0, 40))
def test_onex_falls_from_below_the_start_to_the_lowest(
    tokens: np.ndarray, temp: float, low: float, power: float
) -> None:
    temperature = temp_schedule(f"onex:{low}:{power}", temp, tokens)
    assert np.isfinite(temperature).all()
    assert (np.diff(temperature) <= 1e-12).all()
    assert temperature[0] <= temp
    assert temperature[-1] == max(low, 1e-9)


@given(SPLITS, TEMPERATURES)
def test_a_constant_temperature_may_be_greedy(tokens: np.ndarray, temp: float) -> None:
    assert temp_schedule("constant", temp, tokens).tolist() == [temp] * len(tokens)


def test_onex_is_one_over_x() -> None:
    tokens = np.array([100, 96])
    x = np.linspace(1, 100, 196)
    y = (1 / x - 0.01) / 0.99
    expected = 0.5 + 5.5 * np.array([96 / 196, 0]) * y[:2]
    assert temp_schedule("onex:0.5:1", 6.0, tokens) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("text", ["onex:0.5:0.5", "onex:.5:5e-1", "onex: 0.5 :0.5"])
def test_onex_is_read(text: str) -> None:
    assert parse_onex(text) == (0.5, 0.5)


@pytest.mark.parametrize(
    "text",
    ["onex", "onex:", "onex:0.5", "onex:0.5:0.5:1", "onex:a:b", "onex::", "onex:nan:1", "onex:0.5:inf", "onex:-1:0.5",
     "onex:0.5:-1", "ONEX:0.5:0.5", "", "cosine", "x\x1b[31m"],
)  # fmt: skip
def test_what_is_not_onex_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_onex(text)
    assert "\x1b" not in str(caught.value)


# -- guidance -----------------------------------------------------------------------------------------------------


def test_linear_guidance_grows_with_the_share_decoded() -> None:
    assert guidance_schedule("linear", 3.0, np.array([1, 1, 2])) == (1.5, 2.0, 3.0)


def test_cosine_guidance_grows_slowly_at_first() -> None:
    assert guidance_schedule("cosine", 5.0, np.array([1, 1, 1, 1])) == pytest.approx(
        (1 + 4 * (1 - math.sqrt(0.5)) / 2, 3.0, 1 + 4 * (1 + math.sqrt(0.5)) / 2, 5.0)
    )


def test_weights_grow_from_nothing() -> None:
    assert guidance_schedule("linear", {"caption": 2, "tok_depth@224": -0.5}, np.array([1, 3])) == (
        {"caption": 0.5, "tok_depth@224": -0.125},
        {"caption": 2.0, "tok_depth@224": -0.5},
    )


@given(st.sampled_from(["constant", "linear", "cosine"]), st.floats(-5, 10), SPLITS)
def test_the_last_step_has_the_full_scale_and_none_is_beyond_it(spec: str, scale: float, tokens: np.ndarray) -> None:
    guidance = guidance_schedule(spec, scale, tokens)
    assert guidance[-1] == scale
    low, high = sorted((1.0, scale))
    assert all(low - 1e-12 <= value <= high + 1e-12 for value in guidance)  # type: ignore[operator]


@given(st.sampled_from(["constant", "linear", "cosine"]), st.floats(0, 1))
def test_scale_one_stays_no_guidance(spec: str, share: float) -> None:
    assert guidance_at(spec, 1.0, share) == 1.0
