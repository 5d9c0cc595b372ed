"""Seeds: what makes a sample again."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourm_tui.errors import InputError
from fourm_tui.runs import decoding_seed, effective_seed

SEEDS = st.integers(0, 2**64 - 1)


@given(SEEDS)
def test_the_first_sample_has_the_given_seed_itself(seed: int) -> None:
    assert effective_seed(seed) == effective_seed(seed, 0, 0) == seed


@given(SEEDS)
def test_an_effective_seed_makes_its_sample_again(seed: int) -> None:
    effective = effective_seed(seed, 3, 2)
    assert effective_seed(effective) == effective


def test_seeds_differ_between_samples_variations_and_digits_that_move() -> None:
    seeds = {effective_seed(*numbers) for numbers in product((0, 1, 12), (0, 3, 23), (0, 4, 34))}
    assert len(seeds) == 27
    assert all(0 <= seed < 2**64 for seed in seeds)


def test_seeds_stay_what_they_are() -> None:
    # What was written into a run once must come out in every later version.
    assert [effective_seed(1, 23, 4), effective_seed(12, 3, 4)] == [5044163835973111324, 3486990616727943598]
    assert decoding_seed(1, "tok_rgb@224") == 6578938995413908742


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_out_of_range_is_refused(seed: int) -> None:
    with pytest.raises(InputError, match=f"seed {seed}: is to be from 0"):
        effective_seed(seed, 1, 1)
