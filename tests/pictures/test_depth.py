"""Depth in turbo and in 16 bits."""

from __future__ import annotations

import numpy as np
import pytest

from fourm_tui.pictures.colormaps import TURBO
from fourm_tui.pictures.depth import colored, in_16_bits
from tests.pictures.reference import arrays, enlarged, noise

ARRAYS = arrays("depth_turbo")
MAPS = {
    "b1": enlarged(noise("depth_a", (1, 1, 28, 28), -1, 1), 8),
    "b2": enlarged(noise("depth_b", (2, 1, 28, 28), -3, 0.5), 8),
}


@pytest.mark.parametrize(("name", "sample"), [("b1", 0), ("b2", 0), ("b2", 1)])
def test_colours_are_those_of_the_reference_up_to_one_level(name: str, sample: int) -> None:
    picture = np.asarray(colored(MAPS[name][sample]))
    assert picture.shape == (224, 224, 3)
    expected = ARRAYS[name].reshape(-1, 28, 28, 3)[sample]
    assert np.abs(picture[::8, ::8].astype(int) - expected).max() <= 1


def test_the_table_is_turbo() -> None:
    assert np.abs(TURBO - ARRAYS["lut"] * 255).max() <= 0.5 + 1e-4


@pytest.mark.parametrize("values", [np.full((1, 4, 4), 0.3), np.full((4, 4), np.nan)])
def test_a_constant_map_is_black(values: np.ndarray) -> None:
    assert np.asarray(colored(values)).max() == 0
    data = in_16_bits(values)
    assert data.levels.max() == 0 and data.step == 0


def test_a_constant_map_keeps_its_depth() -> None:
    np.testing.assert_array_equal(in_16_bits(np.full((1, 4, 4), 0.3)).values, np.full((4, 4), 0.3))


def test_one_bad_pixel_does_not_spoil_the_map() -> None:
    values = np.linspace(0, 1, 16).reshape(4, 4)
    good = np.asarray(colored(values))
    values[1, 1] = np.inf
    assert (np.asarray(colored(values))[1, 1] == 0).all()
    assert (np.asarray(colored(values)) == good).all(axis=-1).sum() == 15


def test_depth_comes_back_from_16_bits() -> None:
    values = MAPS["b2"][0][0]
    data = in_16_bits(values)
    assert data.levels.dtype == np.uint16 and data.levels.max() == 65_535
    np.testing.assert_allclose(data.values, values, atol=data.step / 2 + 1e-9)
    assert data.picture.mode == "I;16"
