"""Files of all kinds as panels to look at, and as one line of facts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm_tui.cli.show_tokens import By, array_tokens, file_tokens
from fourm_tui.conditions.files import LARGEST_TEXT, open_file, read_text
from fourm_tui.conditions.pictures import Picture, opened, rgb
from fourm_tui.errors import InputError, printable
from fourm_tui.modalities import MODALITIES, PICTURES
from fourm_tui.pictures import depth, features, images, labels
from fourm_tui.pictures.png import PREFIX
from fourm_tui.terminal.panels import Panel

TEXTS = (".txt", ".json")
SUFFIXES = (*PICTURES, ".gif", ".npy", ".safetensors", *TEXTS)
"""Endings of files that can be shown."""

_NAME = re.compile(r"(?:\d+_)?(?P<modality>[\w]+(?:@\d+)?)(?P<part>_16bit|_classes|_legend)?")
_LARGEST_ARRAY = 2**26
_GRIDS = {modality.max_tokens for modality in MODALITIES.values() if modality.grid}
_DEEP = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")
_MOST_PIXELS = 1024


@dataclass(frozen=True, eq=False)
class Shown:
    """Something to show."""

    facts: str
    """One line."""
    draw: Callable[[int], Panel]
    """The panel, from the pixels that the longer side of its picture needs."""


def show_file(path: Path, by: By | None = None, title: str | None = None) -> Shown:
    """What a file shows, by its ending. Only what its facts need is read until it is drawn.

    Args:
        path: a picture, an array, a token file, a text.
        by: what the colours of tokens tell.
        title: instead of the name of the file.

    Raises:
        InputError: it cannot be read, or there is nothing to show of it.
    """
    where, suffix = printable(path), path.suffix.lower()
    title = path.name if title is None else title
    if suffix not in SUFFIXES:
        raise InputError(f"{where}: {suffix or 'a file without an ending'} is nothing that can be shown; known are "
                         f"{', '.join(SUFFIXES)}, and runs")  # fmt: skip
    if suffix in TEXTS:
        text = read_text(path, f"{where}:")
        return Shown(f"{where}  {len(text)} characters  {printable(' '.join(text.split()), 80)}",
                     lambda _: Panel(title, text=text))  # fmt: skip
    if suffix == ".safetensors":
        return _tokens(path, by, title)
    return _array_file(path, by, title) if suffix == ".npy" else _picture_file(path, title)


def _kind(path: Path) -> tuple[str, str]:
    """The modality that a file of ours is named by, else '', and which of its files it is."""
    found = _NAME.fullmatch(path.stem)
    if not found:
        return "", ""
    name, part = found["modality"], found["part"] or ""
    for end in ("_16bit", "_classes", "_legend"):  # the name takes underscores, too
        if name.endswith(end):
            name, part = name.removesuffix(end), end
    return (name, part) if name in MODALITIES else ("", part)


def _with_modality(path: Path) -> str:
    name, _ = _kind(path)
    return f"  {MODALITIES[name].title}" if name else ""


# -- pictures ---------------------------------------------------------------------------------------------------


def _picture_file(path: Path, title: str) -> Shown:
    found = _drafted(path, 64)
    note = f"{found.width} x {found.height}{_with_modality(path)}"
    low, high = _range(path, found.image)
    facts = f"{printable(path)}  {note}  {_mode(found.image)}  {low:g} to {high:g}"
    return Shown(facts, lambda pixels: _picture_panel(path, title, note, pixels))


def _picture_panel(path: Path, title: str, note: str, pixels: int) -> Panel:
    image = _drafted(path, pixels).image
    name, part = _kind(path)
    if part == "_classes":
        return Panel(title, labels.colored(np.asarray(_smaller(image, pixels), dtype=np.int64)), note=note, labels=True)
    if image.mode in _DEEP:
        return Panel(title, depth.colored(_values(_smaller(image, pixels))), note=note)
    segmentation = name.startswith("tok_semseg") and not part
    shown = image if segmentation else _reduced(image, pixels)
    return Panel(title, rgb(shown, f"{printable(path)}:"), note=note, labels=segmentation)


def _drafted(path: Path, pixels: int) -> Picture:
    """A picture; a JPEG is decoded at a fraction of its size, but no less than `pixels` a side."""
    with opened(path, f"{printable(path)}:", (pixels + 1) // 2, huge=0) as picture:
        return picture


def _range(path: Path, image: Image.Image) -> tuple[float, float]:
    """The smallest and the largest value; of a depth map of ours in its own unit."""
    low, high = (
        (float(np.nanmin(v)), float(np.nanmax(v)))
        if image.mode in _DEEP and (v := _values(image)).size
        else (
            min(np.ravel(image.getextrema())),
            max(np.ravel(image.getextrema())),
        )
    )
    facts = {key.removeprefix(PREFIX): value for key, value in image.info.items() if isinstance(key, str)}
    try:
        minimum, step = float(facts["depth_minimum"]), float(facts["depth_step"])
    except (KeyError, ValueError, TypeError):
        return float(low), float(high)
    return round(minimum + low * step, 4), round(minimum + high * step, 4)


def _mode(image: Image.Image) -> str:
    return {"I;16": "16 bit", "I": "32 bit", "F": "float", "L": "grey", "1": "1 bit", "P": "palette"}.get(
        image.mode, image.mode
    )


def _values(image: Image.Image) -> NDArray[np.float64]:
    return np.asarray(image).astype(np.float64)


def _smaller(image: Image.Image, pixels: int) -> Image.Image:
    """Sampled, so that values stay what they are."""
    scale = max(image.size) / max(pixels, 64)
    if scale <= 1:
        return image
    size = max(1, round(image.width / scale)), max(1, round(image.height / scale))
    return image.resize(size, Image.Resampling.NEAREST)


def _reduced(image: Image.Image, pixels: int) -> Image.Image:
    """Averaged before it is converted to RGB, so that large pictures are not there twice."""
    factor = max(image.size) // max(2 * pixels, 128)
    return image.reduce(factor) if factor > 1 and image.mode in ("RGB", "L", "CMYK", "YCbCr") else image


# -- arrays and tokens ------------------------------------------------------------------------------------------


def _tokens(path: Path, by: By | None, title: str) -> Shown:
    with open_file(path, f"{printable(path)}:"):
        pass  # neither a pipe nor empty
    found = file_tokens(path)
    return Shown(found.facts(printable(path)), lambda _: found.panel(by or "step", title))


def _array_file(path: Path, by: By | None, title: str) -> Shown:
    where = printable(path)
    with open_file(path, f"{where}:"):
        pass
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # of headers that are none
        raise InputError(f"{where}: cannot be read as an array: {printable(error, 100)}") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf" or not array.size:
        raise InputError(f"{where}: holds no numbers that could be shown")
    if array.size > _LARGEST_ARRAY:
        raise InputError(f"{where}: has {array.size} values, more than can be shown")
    shape = " x ".join(map(str, array.shape)) or "1"
    finite = array[np.isfinite(array)] if array.dtype.kind == "f" else array
    extent = f"{finite.min():g} to {finite.max():g}" if finite.size and array.dtype.kind != "b" else "no or yes"
    facts = f"{where}  {shape}{_with_modality(path)}  {array.dtype}  {extent}"
    plane = np.squeeze(array)
    if plane.dtype.kind in "iu" and plane.size in _GRIDS and (plane.ndim == 1 or _is_square(plane)):
        if int(plane.max()) < 2**31 and int(plane.min()) >= 0:
            tokens = array_tokens(plane.reshape(-1).astype(np.int64), _kind(path)[0], where)
            return Shown(facts, lambda _: tokens.panel(by or "token", title))
    if by is not None:
        raise InputError(f"{where}: holds no tokens, so there is nothing to colour by {by}")
    return Shown(facts, lambda pixels: _array_panel(array, title, shape, pixels))


def _array_panel(array: NDArray[Any], title: str, shape: str, pixels: int) -> Panel:
    plane = np.squeeze(array)
    if plane.ndim < 2:
        values = plane.astype(np.float64).reshape(-1)
        return Panel(title, text=f"{values.size} numbers, length {np.linalg.norm(values):.3g}", note=shape)
    if plane.ndim == 2:
        step = max(1, min(plane.shape) // max(pixels, _MOST_PIXELS))
        plane = plane[::step, ::step]
        if plane.dtype.kind == "f":
            return Panel(title, depth.colored(plane), note=shape)
        if plane.dtype.kind == "b" or int(plane.max()) in (1, 255):
            bright = plane if plane.dtype.kind == "b" or int(plane.max()) == 1 else plane / 255
            return Panel(title, images.picture(np.asarray(bright, dtype=np.float64)), note=shape)
        if plane.dtype == np.uint16 and int(plane.max()) > 1000:
            return Panel(title, depth.colored(plane.astype(np.float64)), note=shape)
        return Panel(title, labels.colored(plane.astype(np.int64)), note=shape, labels=True)
    if plane.ndim == 3:
        channels_last = plane if plane.shape[-1] in (3, 4) else None
        if channels_last is None and plane.shape[0] == 3:
            channels_last = plane.transpose(1, 2, 0)
        if channels_last is not None:
            return Panel(title, _in_colours(channels_last[..., :3]), note=shape)
        if max(plane.shape[1:]) <= 128:
            return Panel(title, features.colored(plane.astype(np.float64)), note=shape)
    return Panel(title, text=f"an array of {shape} has no picture")


def _in_colours(array: NDArray[Any]) -> Image.Image:
    """A picture `[H, W, 3]` in bytes, or in numbers from 0 or -1 to 1; others by their range."""
    if array.dtype == np.uint8:
        return Image.fromarray(np.ascontiguousarray(array))
    values = np.nan_to_num(np.asarray(array, dtype=np.float64))
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= 1:
        return images.picture(values)
    if low >= -1.01 and high <= 1.01:
        return images.picture((values + 1) / 2)
    return images.picture((values - low) / (high - low) if high > low else np.zeros_like(values))


def _is_square(plane: NDArray[Any]) -> bool:
    return plane.ndim == 2 and plane.shape[0] == plane.shape[1]


def text_of(path: Path) -> str:
    """A text to stand in a panel: what can be read of it."""
    try:
        return read_text(path, f"{printable(path)}:")[:LARGEST_TEXT]
    except InputError as error:
        return str(error)
