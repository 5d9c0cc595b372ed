"""Dense maps given as pictures or arrays: depth, surface normals, segmentation, as their tokenizers take them.

Normalisations are those of ml-4m (`fourm/data/modality_transforms.py`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm_tui.conditions.pictures import BICUBIC, BILINEAR, NEAREST, Picture, centred, deep, rgb
from fourm_tui.conditions.views import View
from fourm_tui.errors import InputError

COCO_CLASSES = 134
"""Class 0 is none; 1 to 133 are COCO's panoptic classes."""


def framed(image: Image.Image, view: View, size: int, resample: Image.Resampling) -> Image.Image:
    """The rectangle of a view, with its values as they are, resized to `size` x `size`; padding is 0."""
    view = view.scaled(*image.size)
    taken = image.crop((view.left, view.top, view.left + view.across, view.top + view.down))
    taken = taken.resize((size, size), resample)
    return taken.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if view.flip else taken


def depth_of_picture(picture: Picture, where: str) -> NDArray[np.float32]:
    """Depth `[H, W]` from 0 to 1: of a 16 bit picture its values / 65535, of an 8 bit one / 255.

    Raises:
        InputError: the picture has colours, which are no depths.
    """
    image = picture.image
    if image.mode.startswith("I;") or image.mode in ("I", "F"):
        values = deep(image, where)
        return _in_range(values, 65535 if image.mode != "F" else 1)
    if image.mode not in ("L", "1"):
        channels = np.asarray(rgb(image, where))
        if (channels != channels[..., :1]).any():
            raise InputError(f"{where} is a picture in colours; expected is a depth map in grey, best of 16 bit")
        return channels[..., 0].astype(np.float32) / np.float32(255)
    return np.asarray(image.convert("L"), dtype=np.float32) / np.float32(255)


def depth_of_array(array: NDArray[Any], where: str) -> NDArray[np.float32]:
    """Depth `[H, W]` from 0 to 1: whole numbers of 16 bit / 65535; others as they are, or by their own range.

    Raises:
        InputError: the array is no map `[H, W]`.
    """
    if array.ndim == 3 and 1 in (array.shape[0], array.shape[2]):
        array = array.reshape(array.shape[:2] if array.shape[2] == 1 else array.shape[1:])
    if array.ndim != 2 or min(array.shape) < 1:
        raise InputError(f"{where} has the shape {list(array.shape)}; expected is a depth map [height, width]")
    most = {"u1": 255, "u2": 65535}.get(array.dtype.str[1:], 1)
    return _in_range(array.astype(np.float32), most)


def _in_range(values: NDArray[np.float32], most: float) -> NDArray[np.float32]:
    """From 0 to 1; values beyond `most` by their own range, which the standardisation takes out again."""
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= most:
        return values / np.float32(most)
    return (values - low) / np.float32(max(high - low, 1e-12))


def depth_values(depth: NDArray[np.float32], view: View, size: int, resample: Image.Resampling = BICUBIC) -> Any:
    """Depth as its tokenizer takes it, `[1, size, size]` float32: standardised over the middle 80 % of the values.

    Padding has no depth: it is not counted, and is 0, the mean.
    """
    view = view.scaled(depth.shape[1], depth.shape[0])
    left, top, right, bottom = view.content(size, size)
    if right <= left or bottom <= top:
        return np.zeros((1, size, size), np.float32)
    # Resized without the padding, which would blend into the depth at its border.
    x0, y0 = max(view.left, 0), max(view.top, 0)
    x1, y1 = min(view.left + view.across, view.width), min(view.top + view.down, view.height)
    image = Image.fromarray(depth[y0:y1, x0:x1] * np.float32(65535)).resize((right - left, bottom - top), resample)
    levels = np.clip(np.round(np.asarray(image)), 0, 65535).astype(np.float32)  # the picture stays one of 16 bit
    result = np.zeros((1, size, size), np.float32)
    result[0, top:bottom, left:right] = standardised((levels[:, ::-1] if view.flip else levels) / np.float32(65535))
    return result


def standardised(depth: NDArray[np.float32]) -> NDArray[np.float32]:
    """Depth minus the mean and divided by the deviation of its middle 80 %, in float32."""
    middle = np.sort(depth.reshape(-1))
    middle = middle[int(0.1 * len(middle)) : int(0.9 * len(middle))].astype(np.float64)
    if not len(middle):
        return depth - depth.mean()
    variance = middle.var(ddof=1) if len(middle) > 1 else 0.0
    return ((depth - middle.mean()) / np.sqrt(variance + 1e-6)).astype(np.float32)


def normal_values(image: Image.Image, view: View, size: int, where: str, resample: Image.Resampling = BILINEAR) -> Any:
    """Surface normals as their tokenizer takes them, `[3, size, size]` float32 from -1 to 1; mirroring inverts x."""
    if image.mode in ("L", "1") or image.mode.startswith("I;") or image.mode in ("I", "F"):
        raise InputError(f"{where} is a grey picture; expected are surface normals, coded in red, green and blue")
    values = np.array(framed(rgb(image, where), view, size, resample))
    if view.flip:
        values[..., 0] = 255 - values[..., 0]
    return centred(Image.fromarray(values))


def normals_of_array(array: NDArray[Any], where: str) -> Image.Image:
    """The picture of normals `[3, H, W]` or `[H, W, 3]`: floats from -1 to 1, or bytes as in a picture.

    Raises:
        InputError: another shape, or numbers beyond -1 to 1.
    """
    if array.ndim == 3 and array.shape[0] == 3 and array.shape[2] != 3:
        array = array.transpose(1, 2, 0)
    if array.ndim != 3 or array.shape[2] != 3 or min(array.shape) < 1:
        raise InputError(f"{where} has the shape {list(array.shape)}; expected are normals [3, height, width]")
    if array.dtype == np.uint8:
        return Image.fromarray(np.ascontiguousarray(array))
    if array.dtype.kind != "f" or np.abs(array).max() > 1.01:
        raise InputError(f"{where} has {array.dtype} values up to {np.abs(array).max():g}; normals are from -1 to 1")
    return Image.fromarray(np.clip(np.round((array + 1) * 127.5), 0, 255).astype(np.uint8))


def classes_of_picture(picture: Picture, where: str) -> NDArray[np.int64]:
    """The indices `[H, W]` of a picture in grey or with a palette.

    Raises:
        InputError: the picture has colours instead of indices.
    """
    image = picture.image
    if image.mode not in ("L", "P", "1") and not image.mode.startswith("I"):
        raise InputError(
            f"{where} is a picture in {image.mode}; expected are class ids: a picture in grey or a palette"
        )
    return np.asarray(image).astype(np.int64)


def semseg_values(classes: NDArray[Any], view: View, size: int, count: int, ids: str, where: str) -> NDArray[np.int64]:
    """Class ids as their tokenizer takes them, `[size, size]` int64 from 0 (none) to `count` - 1.

    Args:
        classes: `[H, W]`.
        ids: `coco`: ids of a file of ml-4m, 0 to `count` - 2, and 254 or 255 for none; `model`: as the result.

    Raises:
        InputError: an array of another shape, or an id that is no class.
    """
    if classes.ndim == 3 and classes.shape[0] == 1:
        classes = classes[0]
    if classes.ndim != 2 or classes.dtype.kind not in "biu" or min(classes.shape) < 1:
        raise InputError(
            f"{where} has {classes.dtype} values of the shape {list(classes.shape)}; expected are class ids "
            "[height, width], whole numbers"
        )
    shifted = class_numbers(classes, count, ids, where)
    image = framed(Image.fromarray(shifted.astype(np.int32)), view, size, NEAREST)
    return np.asarray(image).astype(np.int64)


def class_numbers(classes: NDArray[Any], count: int, ids: str, where: str) -> NDArray[np.int64]:
    """Class ids as the model counts them, 0 (none) to `count` - 1; `ids` is as for `semseg_values`.

    Raises:
        InputError: an id is no class.
    """
    stored = classes.astype(np.int64)
    shifted = np.where((stored == 254) | (stored == 255), 0, stored + 1) if ids == "coco" else stored
    wrong = stored[(shifted < 0) | (shifted >= count)]
    if len(wrong):
        expected = f"0 to {count - 2}, and 255 (or 254) for none" if ids == "coco" else f"0 to {count - 1}"
        raise InputError(f"{where} has the class id {wrong[0]}; expected are {expected}")
    return shifted
