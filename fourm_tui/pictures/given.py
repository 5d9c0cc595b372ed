"""What a condition looks like."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm_tui.conditions.condition import Condition
from fourm_tui.modalities import Modality
from fourm_tui.pictures.save import Output, output_picture

_STRIPES = 14
"""Pixels from one hatch to the next."""


def given_picture(condition: Condition, modality: Modality) -> Image.Image | None:
    """What a condition looks like; None for text, tokens and vectors."""
    array = condition.pixels if condition.pixels is not None else condition.values
    if array is None or modality.kind == "sequence" or modality.learned_positions:
        return None
    return output_picture(Output(modality, array))


def hatched(picture: Image.Image, known: NDArray[np.bool_], grid: tuple[int, int]) -> Image.Image:
    """A picture whose open part, which is to be generated, is dark and hatched.

    Args:
        picture: of the square that the model sees.
        known: which positions are given, `[N]`, row by row.
        grid: rows and columns of positions.
    """
    image = picture.convert("RGB")
    mask = Image.fromarray(np.where(known.reshape(grid), 0, 255).astype(np.uint8))
    mask = mask.resize(image.size, Image.Resampling.NEAREST)
    pixels = np.asarray(image).astype(np.float32) * 0.25
    down, across = np.mgrid[: image.height, : image.width]
    stripes = (down + across) * 224 // max(image.width, 1) % _STRIPES < _STRIPES // 4
    pixels[stripes] = 0.5 * pixels[stripes] + 70
    return Image.composite(Image.fromarray(pixels.astype(np.uint8)), image, mask)
