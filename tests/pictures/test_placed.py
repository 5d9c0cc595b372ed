"""Back from the padded square to the picture."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from fourm_tui.pictures.placed import WHOLE, Placed, cropped, cropped_array, padded


@pytest.mark.parametrize("size", [(1600, 900), (900, 1600), (500, 500), (1000, 3), (3, 1000)])
def test_a_padded_picture_comes_back_in_its_shape(size: tuple[int, int]) -> None:
    placed = padded(*size)
    picture = cropped(Image.new("RGB", (224, 224)), placed)
    expected = [max(1, round(224 * length / max(size))) for length in size]
    assert max(abs(a - b) for a, b in zip(picture.size, expected, strict=True)) <= 1
    assert cropped(Image.new("RGB", (224, 224)), placed, size).size == size


def test_padding_alone_is_cut_off() -> None:
    array = np.zeros((3, 224, 224))
    array[:, 56:168] = 1
    part = cropped_array(array, padded(448, 224))
    assert part.shape == (3, 112, 224) and part.min() == 1
    np.testing.assert_array_equal(cropped_array(array, WHOLE), array)


def test_the_middle_stays_the_middle() -> None:
    placed = padded(300, 100)
    assert placed.inside(0.5, 0.5) == pytest.approx((0.5, 0.5))
    assert placed.inside(0.0, placed.top) == pytest.approx((0.0, 0.0))
    assert placed.inside(0.0, 0.0)[1] == pytest.approx(-1.0)


@pytest.mark.parametrize("corners", [(0.5, 0, 0.5, 1), (-0.1, 0, 1, 1), (0, 0, 1, 1.2), (0, 0.8, 1, 0.2)])
def test_what_is_no_part_of_a_square_is_refused(corners: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="no part"):
        Placed(*corners)
