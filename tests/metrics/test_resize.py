"""Pictures at the size of the figures."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from fourm_tui.metrics.resize import resized


def random(*shape: int) -> Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


SIZES = [(224, 224), (448, 448), (300, 224), (224, 301), (600, 451), (100, 30), (256, 256), (256, 400)]


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_it_is_pillows_antialiased_bilinear_up_to_rounding(height: int, width: int) -> None:
    picture = random(1, 3, height, width)
    small = resized(picture, 256)
    assert small.dtype == torch.uint8 and min(small.shape[-2:]) == 256
    assert abs(small.shape[-2] / small.shape[-1] - height / width) < 1 / 100
    expected = Image.fromarray(picture[0].permute(1, 2, 0).numpy()).resize(
        small.shape[:1:-1], Image.Resampling.BILINEAR
    )
    apart = np.abs(np.asarray(expected, np.int16) - small[0].permute(1, 2, 0).numpy().astype(np.int16))
    assert apart.max() <= 1


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("size", [64, 256])
def test_it_is_torchvisions(height: int, width: int, size: int) -> None:
    try:
        from torchvision.transforms import functional
    except (ImportError, RuntimeError) as error:  # the latter if it is of another release than torch
        pytest.skip(f"needs torchvision: {error}")
    picture = random(2, 3, height, width)
    assert torch.equal(resized(picture, size), functional.resize(picture, size))


def test_a_picture_of_the_right_size_stays_as_it_is() -> None:
    picture = random(1, 3, 256, 256)
    assert resized(picture, 256) is picture
