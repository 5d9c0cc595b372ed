"""What of a picture a condition shows: the rectangle that is cropped or padded to the model's square."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True)
class View:
    """A rectangle of an upright picture, stretched to the model's square."""

    width: int
    """Of the picture, in pixels."""
    height: int
    left: int
    """Of the rectangle, in pixels of the picture; where it reaches beyond, there is padding."""
    top: int
    across: int
    """Width of the rectangle."""
    down: int
    """Height of the rectangle."""
    flip: bool = False
    """Mirrored left to right."""

    @classmethod
    def cropped(cls, width: int, height: int, flip: bool = False) -> View:
        """The central square."""
        side = min(width, height)
        return cls(width, height, (width - side) // 2, (height - side) // 2, side, side, flip)

    @classmethod
    def padded(cls, width: int, height: int, flip: bool = False) -> View:
        """The smallest square that begins at the top left and holds the whole picture."""
        side = max(width, height)
        return cls(width, height, 0, 0, side, side, flip)

    @property
    def has_padding(self) -> bool:
        return (
            self.left < 0 or self.top < 0 or self.left + self.across > self.width or self.top + self.down > self.height
        )

    def scaled(self, width: int, height: int) -> View:
        """The same rectangle of the same picture in another size."""
        x, y = width / self.width, height / self.height
        return View(
            width, height, round(self.left * x), round(self.top * y), max(1, round(self.across * x)),
            max(1, round(self.down * y)), self.flip,
        )  # fmt: skip

    def place(self, x: float, y: float) -> tuple[float, float]:
        """A point of the picture, from 0 at its left and top to 1, as a point of the square."""
        across = (x * self.width - self.left) / self.across
        return 1 - across if self.flip else across, (y * self.height - self.top) / self.down

    def content(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Where the picture lies in an image of the square, `width` x `height` pixels: left, top, right, bottom."""
        x0, x1 = (min(max(x, 0), 1) for x in ((-self.left) / self.across, (self.width - self.left) / self.across))
        y0, y1 = (min(max(y, 0), 1) for y in ((-self.top) / self.down, (self.height - self.top) / self.down))
        if self.flip:
            x0, x1 = 1 - x1, 1 - x0
        return round(x0 * width), round(y0 * height), round(x1 * width), round(y1 * height)

    def unpad(self, image: NDArray[Any]) -> NDArray[Any]:
        """An image of the square `[..., H, W]` without its padding."""
        left, top, right, bottom = self.content(image.shape[-1], image.shape[-2])
        return image[..., top : max(bottom, top + 1), left : max(right, left + 1)]
