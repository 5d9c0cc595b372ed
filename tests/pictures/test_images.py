"""RGB, normals, edges and the pixels of a condition."""

from __future__ import annotations

import numpy as np
import pytest

from fourm_tui.pictures.images import denormalised, nearest_to, picture, to_unit
from tests.pictures.reference import arrays, enlarged, noise

ARRAYS = arrays("rgb_normal_edge")


@pytest.mark.parametrize("sample", [0, 1])
@pytest.mark.parametrize(("name", "expected"), [("rec3", "tok_rgb.b2"), ("rec1", "tok_canny_edge.b2")])
def test_colours_and_edges_are_those_of_the_reference(name: str, expected: str, sample: int) -> None:
    channels = int(name[-1])
    decoded = enlarged(noise(name, (2, channels, 56, 56), -1.4, 1.4)[sample], 4)
    unit = to_unit(decoded)
    assert unit.shape == ((224, 224, 3) if channels == 3 else (224, 224))
    np.testing.assert_allclose(unit[::8, ::8], ARRAYS[expected][sample], atol=1e-6)


def test_pixels_of_a_condition_come_back_unclamped() -> None:
    pixels = denormalised(noise("rgb_in", (1, 3, 32, 32), -2.2, 2.7)[0])
    np.testing.assert_allclose(pixels[::2, ::2], ARRAYS["rgb_in"], atol=1e-6)
    assert pixels.min() < 0 and pixels.max() > 1


def test_what_is_not_a_number_is_black() -> None:
    assert np.asarray(picture(to_unit(np.full((3, 2, 2), np.nan)))).max() == 0


def test_levels_are_rounded() -> None:
    assert np.asarray(picture(np.array([[0.0, 0.5, 1.0, 0.9999]]))).tolist() == [[0, 128, 255, 255]]


def test_few_cells_are_enlarged_by_a_whole_factor() -> None:
    small = picture(np.eye(14))
    assert nearest_to(small, 224).size == (224, 224)
    assert nearest_to(picture(np.eye(300)), 224).size == (300, 300)
