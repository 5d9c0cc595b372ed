"""Picture files: opened safely, turned upright, cropped to the square that a model takes."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from fourm_tui.errors import InputError, printable

LARGEST_SIDE = 65_500
LARGEST_PIXELS = 500_000_000

IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
IMAGENET_STD = np.array([0.229, 0.224, 0.225], dtype=np.float32)


def read_picture(path: Path, size: int, name: str) -> Image.Image:
    """A picture upright, in RGB on white, its central square resized to `size` x `size` pixels (bicubic).

    Args:
        path: any format that Pillow reads.
        size: side of the result in pixels.
        name: of the condition, for messages.

    Raises:
        InputError: it cannot be opened, is no picture, is damaged or far too large.
    """
    where = f"-i {name}: {printable(path)}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                width, height = picture.size
                if width * height > LARGEST_PIXELS or max(width, height) > LARGEST_SIDE:
                    raise InputError(f"{where} has {width} x {height} pixels, more than can be read safely")
                if picture.format == "JPEG":  # decodes at a fraction of the size where that is still large enough
                    picture.draft("RGB", (2 * size, 2 * size))
                upright = ImageOps.exif_transpose(picture)
                return _square(_rgb(upright), size)
    except FileNotFoundError:
        raise InputError(f"{where}: no such file") from None
    except IsADirectoryError:
        raise InputError(f"{where} is a folder, not a picture") from None
    except Image.DecompressionBombError:
        raise InputError(f"{where} has more pixels than can be read safely") from None
    except PermissionError as error:
        raise InputError(f"{where} cannot be read: {error.strerror}") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise InputError(f"{where} is no picture, or a damaged one: {printable(error, 100)}") from None


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture.convert("RGBA")).convert("RGB")
    if picture.mode.startswith("I;16") or picture.mode in ("I", "F"):
        # convert() clips at 255: take the values' own range instead
        values = np.asarray(picture, dtype=np.float32) / np.float32(257 if picture.mode.startswith("I;16") else 1)
        return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).convert("RGB")
    return picture.convert("RGB")


def _square(picture: Image.Image, size: int) -> Image.Image:
    width, height = picture.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return picture.resize((size, size), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))


def normalised(picture: Image.Image) -> NDArray[np.float32]:
    """Pixels as 4M's encoder takes them: `[3, H, W]`, ImageNet mean and deviation."""
    values = np.asarray(picture, dtype=np.float32) / 255
    return np.ascontiguousarray(((values - IMAGENET_MEAN) / IMAGENET_STD).transpose(2, 0, 1))
