"""Crop settings: the rectangles of a picture that its tokens were made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fourm_tui.conditions.arrays import read_arrays
from fourm_tui.conditions.pictures import LARGEST_PIXELS, LARGEST_SIDE
from fourm_tui.datasets.parts import Part
from fourm_tui.datasets.slots import CROPS
from fourm_tui.errors import InputError


@dataclass(frozen=True)
class Crop:
    """The rectangle of a picture that a sample shows."""

    rectangle: tuple[int, int, int, int]
    """Top, left, height, width in pixels."""
    flip: bool

    @property
    def options(self) -> dict[str, Any]:
        """Of a `Given`."""
        return {"crop": self.rectangle, "flip": self.flip}


def read_crop(part: Part) -> Crop:
    """The first rectangle of a file, which run_generation.py takes.

    Raises:
        InputError: the file cannot be read, or the rectangle is none.
    """
    where = part.shown
    if part.ending != ".npy":
        raise InputError(f"{where}: {CROPS} are to be a .npy file")
    with part.file() as path:
        (rows,) = read_arrays(path, where, (CROPS,)).arrays.values()
    if rows.ndim != 2 or rows.shape[1] != 5 or not len(rows) or (rows[0] != np.trunc(rows[0])).any():
        raise InputError(
            f"{where} has {rows.dtype} values of the shape {list(rows.shape)}; expected are whole numbers "
            "[crops, 5]: top, left, height, width, mirrored (0 or 1)"
        )
    top, left, height, width, flip = (int(value) for value in rows[0])
    sizes_fit = 1 <= height <= LARGEST_SIDE and 1 <= width <= LARGEST_SIDE and height * width <= LARGEST_PIXELS
    if not sizes_fit or max(abs(top), abs(left)) > LARGEST_SIDE or flip not in (0, 1):
        raise InputError(f"{where} has the rectangle {[top, left, height, width, flip]}, which is none of a picture")
    return Crop((top, left, height, width), bool(flip))
