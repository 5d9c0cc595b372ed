"""Depth maps: coloured to look at, and as 16-bit data.

The depth of 4M has neither unit nor zero: it was standardised for every picture in training. So the data carry the
range of their own picture: value = `depth_minimum` + level * `depth_step`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm_tui.pictures.colormaps import TURBO, apply, min_max

LEVELS = 65_535


@dataclass(frozen=True, eq=False)
class Depth16:
    """A depth map in 16 bits."""

    levels: NDArray[np.uint16]
    """`[H, W]`; what is not finite is 0."""
    minimum: float
    """The depth of level 0."""
    step: float
    """The depth between two levels; 0 for a constant map."""

    @property
    def values(self) -> NDArray[np.float64]:
        """The depth that the levels stand for, `[H, W]`."""
        return self.minimum + self.levels.astype(np.float64) * self.step

    @property
    def facts(self) -> dict[str, str]:
        """For the text chunks of a PNG."""
        return {"depth_minimum": repr(self.minimum), "depth_step": repr(self.step)}

    @property
    def picture(self) -> Image.Image:
        """A picture in 16 bits of grey."""
        return Image.fromarray(self.levels)


def colored(depth: NDArray[np.floating]) -> Image.Image:
    """A depth map, `[1, H, W]` or `[H, W]`, in turbo, stretched to its own range. A constant map is black."""
    return Image.fromarray(apply(min_max(_map(depth)), TURBO))


def in_16_bits(depth: NDArray[np.floating]) -> Depth16:
    """A depth map, `[1, H, W]` or `[H, W]`, in 65,536 levels between its finite extremes."""
    values = _map(depth)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    levels = np.round(np.nan_to_num(min_max(values)) * LEVELS).astype(np.uint16)
    return Depth16(levels, low, (high - low) / LEVELS)


def _map(depth: NDArray[np.floating]) -> NDArray[np.float64]:
    values = np.asarray(depth, dtype=np.float64)
    return values[0] if values.ndim == 3 else values
