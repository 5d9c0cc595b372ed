"""Picture files: opened safely, turned upright, cropped or padded to the square that a model takes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from fourm_tui.conditions.files import open_file
from fourm_tui.conditions.views import View
from fourm_tui.errors import InputError, printable

LARGEST_SIDE = 65_500
LARGEST_MAP = 32_000_000
"""Pixels of a map, whose values are taken as they are."""
LARGEST_PIXELS = 100_000_000
"""Of a picture that is decoded as a whole: 400 MB. JPEGs are decoded at a fraction of their size, so that Pillow's own
limit (about 179 million) is theirs."""
HUGE = 16_000_000
"""Pixels from which a picture is made smaller while it is decoded or converted."""

IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
IMAGENET_STD = np.array([0.229, 0.224, 0.225], dtype=np.float32)

BICUBIC, BILINEAR, NEAREST = Image.Resampling.BICUBIC, Image.Resampling.BILINEAR, Image.Resampling.NEAREST

# EPS runs Ghostscript on what the file says.
_REFUSED_FORMATS = frozenset({"EPS"})
_TRANSPARENT = ("RGBA", "LA", "PA", "RGBa", "La")
_DEEP = ("I", "F")


@dataclass(frozen=True, eq=False)
class Picture:
    """An upright picture with its size before any reduction while decoding."""

    image: Image.Image
    width: int
    height: int

    def view(self, fit: str = "crop", crop: tuple[int, int, int, int] | None = None, flip: bool = False) -> View:
        """What is taken of it: `crop` (top, left, height, width) if given, else the square that `fit` says."""
        if crop is not None:
            top, left, down, across = crop
            return View(self.width, self.height, left, top, across, down, flip)
        return (View.padded if fit == "pad" else View.cropped)(self.width, self.height, flip)


@contextmanager
def opened(
    path: Path, where: str, size: int, largest: int = LARGEST_PIXELS, huge: int = HUGE
) -> Iterator[Picture]:  # fmt: skip
    """A picture, decoded and turned upright as its EXIF orientation says; of an animation, the first frame.

    Args:
        path: any format that Pillow reads, but EPS.
        where: names the file in messages.
        size: side in pixels of what is made of it; a huge JPEG is decoded at no less than twice that.
        largest: pixels of a picture that has to be decoded as a whole.
        huge: pixels from which a JPEG is huge; 0 for any.

    Raises:
        InputError: it cannot be opened, is no picture, is damaged or far too large.
    """
    with open_file(path, where) as file:
        try:
            picture = _decoded(file, where, size, largest, huge)
        except InputError:
            raise
        except (Image.DecompressionBombError, MemoryError):
            raise InputError(f"{where} has more pixels than can be read safely") from None
        except Exception as error:  # decoders raise all sorts of things at what is no picture
            shown = printable(error, 100) if str(error) and "object at" not in str(error) else type(error).__name__
            if isinstance(error, UnidentifiedImageError):
                shown = "its content is of no known format"
            raise InputError(f"{where} is no picture, or a damaged one: {shown}") from None
        yield picture


def _decoded(file: Any, where: str, size: int, largest: int, huge: int) -> Picture:
    Image.init()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        picture = Image.open(file, formats=[name for name in Image.ID if name not in _REFUSED_FORMATS])
        width, height = picture.size
        whole = picture.format != "JPEG" or "progression" in picture.info or "progressive" in picture.info
        if (whole and width * height > largest) or max(width, height) > LARGEST_SIDE:
            raise InputError(f"{where} has {width} x {height} pixels, more than can be read safely")
        if width * height > huge:
            picture.draft(None, (2 * size, 2 * size))
        picture.load()
        upright = ImageOps.exif_transpose(picture)
    turned = picture.getexif().get(0x0112, 1) in (5, 6, 7, 8)
    return Picture(upright, *((height, width) if turned else (width, height)))


def square(picture: Picture, view: View, size: int, where: str, resample: Image.Resampling = BICUBIC) -> Image.Image:
    """The rectangle of a view in RGB on white, resized to `size` x `size` pixels; padding is black.

    Pillow's `resize` with a box looks beyond the box: what is trained on is cropped first.
    """
    view = view.scaled(*picture.image.size)
    left, top = max(view.left, 0), max(view.top, 0)
    right, bottom = min(view.left + view.across, view.width), min(view.top + view.down, view.height)
    factor = max(1, min(view.across, view.down) // (2 * size)) if view.across * view.down > HUGE else 1
    taken = _reduced(picture.image, (left, top, right, bottom), factor, where)
    if view.has_padding:
        frame = Image.new("RGB", (-(-view.across // factor), -(-view.down // factor)))
        frame.paste(taken, ((left - view.left) // factor, (top - view.top) // factor))
        taken = frame
    taken = taken.resize((size, size), resample)
    return taken.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if view.flip else taken


def _reduced(image: Image.Image, box: tuple[int, int, int, int], factor: int, where: str) -> Image.Image:
    """A rectangle in RGB at a fraction of its size; of a huge picture strip by strip, so that it is not there twice."""
    left, top, right, bottom = box
    if factor == 1:
        return rgb(image.crop(box), where)
    rows = factor * 64
    result = Image.new("RGB", (-(-(right - left) // factor), -(-(bottom - top) // factor)))
    for start in range(top, bottom, rows):
        strip = image.crop((left, start, right, min(start + rows, bottom)))
        result.paste(rgb(strip, where).reduce(factor), (0, (start - top) // factor))
    return result


def rgb(image: Image.Image, where: str) -> Image.Image:
    """In RGB: transparent parts on white, deep greys at their own depth (Pillow would clip them at 255)."""
    if image.mode in _TRANSPARENT or "transparency" in image.info:
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    if image.mode in _DEEP or image.mode.startswith("I;"):
        values = deep(image, where)
        most = max(float(values.max()), 0.0)
        scale = 255.0 if image.mode == "F" and most <= 1 else 1.0 if most <= 255 and image.mode in _DEEP else 1 / 257
        return Image.fromarray(np.clip(values * scale, 0, 255).astype(np.uint8)).convert("RGB")
    try:
        return image.convert("RGB")
    except ValueError:
        raise InputError(f"{where} has the colour mode {image.mode}, which cannot be converted to RGB") from None


def deep(image: Image.Image, where: str) -> NDArray[np.float32]:
    """The values of a picture with one channel, `[H, W]`.

    Raises:
        InputError: some of them are not finite.
    """
    values = np.asarray(image, dtype=np.float32)
    if not np.isfinite(values).all():
        raise InputError(f"{where} has values that are no finite numbers")
    return values


def normalised(picture: Image.Image) -> NDArray[np.float32]:
    """Pixels as 4M's encoder takes them: `[3, H, W]`, ImageNet mean and deviation."""
    values = np.asarray(picture, dtype=np.float32) / 255
    return np.ascontiguousarray(((values - IMAGENET_MEAN) / IMAGENET_STD).transpose(2, 0, 1))


def centred(picture: Image.Image) -> NDArray[np.float32]:
    """Pixels as tokenizers of pictures take them: `[C, H, W]`, from -1 to 1."""
    values = np.asarray(picture, dtype=np.float32) / 127.5 - 1
    return np.ascontiguousarray(values[None] if values.ndim == 2 else values.transpose(2, 0, 1))
