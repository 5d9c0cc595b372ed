"""Back from the square that a model takes to the picture that was given: what was padded is cut off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from PIL import Image


@dataclass(frozen=True)
class Placed:
    """Where the picture lies in the padded square; all parts from 0 to 1 of the square's sides."""

    left: float = 0.0
    top: float = 0.0
    right: float = 1.0
    bottom: float = 1.0

    def __post_init__(self) -> None:
        if not (0 <= self.left < self.right <= 1 and 0 <= self.top < self.bottom <= 1):
            raise ValueError(f"{self} is no part of a square")

    @property
    def is_whole(self) -> bool:
        """Whether nothing was padded."""
        return (self.left, self.top, self.right, self.bottom) == (0, 0, 1, 1)

    def pixels(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Left, top, right, bottom in a square of this size, at least one pixel wide and high."""
        left, top = min(round(self.left * width), width - 1), min(round(self.top * height), height - 1)
        right, bottom = max(round(self.right * width), left + 1), max(round(self.bottom * height), top + 1)
        return left, top, right, bottom

    def inside(self, x: float, y: float) -> tuple[float, float]:
        """A point of the square as parts of the picture; below 0 or above 1 where it lies in the padding."""
        return (x - self.left) / (self.right - self.left), (y - self.top) / (self.bottom - self.top)


WHOLE = Placed()


def padded(width: int, height: int) -> Placed:
    """Where a picture of this size lies if it was scaled to fit a square and put in its middle."""
    side = max(width, height)
    x, y = (side - width) / 2 / side, (side - height) / 2 / side
    return Placed(x, y, 1 - x, 1 - y)


def cropped(picture: Image.Image, placed: Placed, size: tuple[int, int] | None = None) -> Image.Image:
    """The part of an output that belongs to the picture, resized to `size` (width, height) if that is given."""
    part = picture if placed.is_whole else picture.crop(placed.pixels(*picture.size))
    return part if size is None or part.size == size else part.resize(size, Image.Resampling.LANCZOS)


def cropped_array(array: NDArray[Any], placed: Placed) -> NDArray[Any]:
    """The same for an array `[..., H, W]`."""
    left, top, right, bottom = placed.pixels(array.shape[-1], array.shape[-2])
    return array[..., top:bottom, left:right]
