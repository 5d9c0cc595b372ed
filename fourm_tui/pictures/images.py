"""Arrays of colours, normals and edges to pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm_tui.conditions.pictures import IMAGENET_MEAN, IMAGENET_STD


def to_unit(array: NDArray[np.floating]) -> NDArray[np.float32]:
    """What a tokenizer decoded to, `[C, H, W]` from -1 to 1, as `[H, W, C]` from 0 to 1; `[H, W]` if C is 1.

    Values beyond the range are held to it; what is not a number is 0.
    """
    values = (np.asarray(array, dtype=np.float32) + np.float32(1)) / np.float32(2)
    values = np.clip(np.nan_to_num(values, nan=0.0, posinf=1.0, neginf=0.0), 0, 1).transpose(1, 2, 0)
    return values[..., 0] if values.shape[-1] == 1 else values


def denormalised(pixels: NDArray[np.floating]) -> NDArray[np.float32]:
    """Pixels of a condition, `[3, H, W]` with ImageNet's mean and deviation, as `[H, W, 3]`; 0 to 1, not held there."""
    return np.asarray(pixels, dtype=np.float32).transpose(1, 2, 0) * IMAGENET_STD + IMAGENET_MEAN


def picture(unit: NDArray[np.floating]) -> Image.Image:
    """Values from 0 to 1, `[H, W, 3]` or `[H, W]`, as a picture in RGB or grey."""
    return Image.fromarray(np.round(np.clip(np.nan_to_num(unit), 0, 1) * 255).astype(np.uint8))


def nearest_to(picture: Image.Image, size: int) -> Image.Image:
    """A picture of few cells made larger by a whole factor, until its longer side is about `size`; never smaller."""
    factor = max(1, round(size / max(picture.size)))
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
