"""Segmentations: ids, colours, names, legends."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from fourm_tui.pictures import coco
from fourm_tui.pictures.lettering import CARD, INK, MUTED, font, shortened

NOTHING = ("none", "nothing", "void", "unlabeled", "unlabelled", "background", "")
"""Names of the class 0 of a model's own that means none."""


@dataclass(frozen=True)
class Share:
    """How much of a picture a class takes."""

    id: int
    name: str
    color: tuple[int, int, int]
    part: float
    """Of its pixels, 0 to 1."""


def class_ids(array: NDArray[Any]) -> NDArray[np.int64]:
    """Ids `[H, W]`: those given, or the class with the highest of the logits `[classes, H, W]`, the first of equals."""
    if array.ndim == 3 and not (len(array) == 1 and np.issubdtype(array.dtype, np.integer)):
        return np.asarray(array).argmax(axis=0).astype(np.int64)
    return np.asarray(array).reshape(array.shape[-2:]).astype(np.int64)


def name_of(index: int, classes: Sequence[str] = ()) -> str:
    """The name of a class: of a model's own `classes` by their place, otherwise of COCO."""
    names = classes or coco.NAMES
    return names[index] if 0 <= index < len(names) else f"class {index}"


def color_of(index: int, classes: Sequence[str] = ()) -> tuple[int, int, int]:
    """Its colour: COCO's, or for a model's own classes one that differs from those of the ids around it."""
    if not classes and 0 <= index < len(coco.COLORS):
        return coco.COLORS[index]
    if classes and index == 0 and classes[0].strip("()").lower() in NOTHING:
        return 0, 0, 0
    # The golden ratio spreads hues evenly for any number of classes; three lightnesses tell near hues apart.
    hue = (0.58 + index * 0.618034) % 1
    red, green, blue = colorsys.hls_to_rgb(hue, (0.55, 0.68, 0.42)[index % 3], 0.62)
    return round(red * 255), round(green * 255), round(blue * 255)


def brightened(color: Sequence[int]) -> tuple[int, int, int]:
    """A colour of the same hue that stands out from a dark picture."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*(int(channel) / 255 for channel in color))
    red, green, blue = colorsys.hls_to_rgb(hue, min(max(lightness, 0.58), 0.8), max(saturation, 0.55))
    return round(red * 255), round(green * 255), round(blue * 255)


def colored(ids: NDArray[np.integer], classes: Sequence[str] = ()) -> Image.Image:
    """Ids `[H, W]` in the colours of their classes."""
    present, index = np.unique(ids, return_inverse=True)
    table = np.array([color_of(int(i), classes) for i in present], dtype=np.uint8)
    return Image.fromarray(table[index.reshape(ids.shape)])


def colored_by(ids: NDArray[np.integer], table: NDArray[np.uint8]) -> Image.Image:
    """Ids `[H, W]` in the colours of a table, an id beyond it in the last one."""
    return Image.fromarray(table[np.clip(ids, 0, len(table) - 1)])


def index_picture(ids: NDArray[np.integer]) -> Image.Image:
    """Ids as grey levels: 8 bits, or 16 if an id needs them."""
    held = np.clip(ids, 0, 65_535)
    return Image.fromarray(held.astype(np.uint8 if held.max(initial=0) < 256 else np.uint16))


def shares(ids: NDArray[np.integer], classes: Sequence[str] = ()) -> tuple[Share, ...]:
    """The classes in a picture, the largest first."""
    present, counts = np.unique(ids, return_counts=True)
    found = [
        Share(int(i), name_of(int(i), classes), color_of(int(i), classes), count / ids.size)
        for i, count in zip(present, counts, strict=True)
    ]
    return tuple(sorted(found, key=lambda share: (-share.part, share.id)))


def legend(entries: Sequence[Share], height: int, width: int = 190) -> Image.Image:
    """Colours, names and shares below each other; what does not fit is counted in the last line."""
    size = 13
    line = size + 9
    fit = max(1, (height - 12) // line)
    shown = list(entries if len(entries) <= fit else entries[: fit - 1])
    image = Image.new("RGB", (width, height), CARD)
    draw = ImageDraw.Draw(image)
    y = 8
    for entry in shown:
        draw.rounded_rectangle((12, y + 1, 12 + size, y + 1 + size), 3, fill=entry.color, outline="#555c68")
        percent = f"{entry.part:.0%}" if entry.part >= 0.01 else "<1%"
        room = width - 12 - size - 9 - 12 - 38
        draw.text((12 + size + 9, y + 8), shortened(entry.name, font(size), room), INK, font(size), anchor="lm")
        draw.text((width - 12, y + 8), percent, MUTED, font(size), anchor="rm")
        y += line
    if len(shown) < len(entries):
        draw.text((12 + size + 9, y + 8), f"and {len(entries) - len(shown)} more", MUTED, font(size), anchor="lm")
    return image


def with_legend(ids: NDArray[np.integer], classes: Sequence[str] = ()) -> Image.Image:
    """A coloured segmentation, at least 336 pixels high, with its legend at the right."""
    map_ = colored(ids, classes)
    factor = max(1, -(-336 // map_.height))
    map_ = map_.resize((map_.width * factor, map_.height * factor), Image.Resampling.NEAREST)
    image = Image.new("RGB", (map_.width + 190, map_.height), CARD)
    image.paste(map_)
    image.paste(legend(shares(ids, classes), map_.height), (map_.width, 0))
    return image
