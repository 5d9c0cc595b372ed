"""Which things a picture of the demo world shows, found by classical means: it judges generated pictures.

The camera stands still, so there are only as many empty scenes as skies times grounds. Where a picture has other
colours than the nearest of them there is a thing (shadows darken, but keep their colour); each patch of one colour is
a thing, and its outline tells its shape, by comparison with rendered ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm_tui.demo.scenes import COLORS, GROUNDS, SIZE, SKIES, Floats, Scene, render, scenes

LEAST_AREA = 220
"""Pixels of the smallest thing; a small one that is partly hidden has about 500."""

_TINTED = 0.055
"""Difference in chromaticity from which a pixel belongs to a thing."""
_OUTLINE = 14
"""Side of the grid on which outlines are compared."""
_EXAMPLES = 20_000_000
"""First seed of the scenes whose outlines are compared with; neither trained on nor evaluated."""


@dataclass(frozen=True)
class Found:
    """A thing in a picture."""

    color: str
    shape: str
    area: int
    """In pixels."""

    @property
    def name(self) -> str:
        return f"{self.color} {self.shape}"


def things(picture: NDArray[np.uint8]) -> list[Found]:
    """The things in a picture `[SIZE, SIZE, 3]`."""
    found = []
    for color, mask in _patches(picture):
        outlines, shapes = _examples()
        nearest = np.abs(outlines - _outline(mask)).mean(1).argsort()[:5]
        shape = Counter(shapes[i] for i in nearest).most_common(1)[0][0]
        found.append(Found(color, shape, int(mask.sum())))
    return found


@dataclass(frozen=True)
class Score:
    """How a picture fits what was asked for."""

    named: int
    present: int
    """Things asked for that are there, each as often as it was asked for."""
    spurious: int
    """Things that are there beyond them."""


def score(picture: NDArray[np.uint8], names: Iterable[str]) -> Score:
    """Compares a picture with the names of the things it is to show (`red sphere`)."""
    asked, seen = Counter(names), Counter(thing.name for thing in things(picture))
    present = (asked & seen).total()
    return Score(asked.total(), present, seen.total() - present)


def _patches(picture: NDArray[np.uint8]) -> Iterable[tuple[str, NDArray[np.bool_]]]:
    """Patches of one colour that belong to no empty scene."""
    values = picture.astype(np.float32)
    empty = _empty_scenes()
    border = np.r_[0:4, SIZE - 24 : SIZE]  # the top and the ground in front show sky and ground
    distance = np.abs(empty[:, border] - values[border]).mean((1, 2, 3)) + np.median(
        np.abs(empty - values).mean(3), axis=(1, 2)
    )
    background = empty[distance.argmin()]
    tint = np.abs(_chromaticity(values) - _chromaticity(background)).sum(2)
    foreground = tint > _TINTED
    names, hues = _hues()
    hue = np.asarray(Image.fromarray(picture).convert("HSV"), dtype=np.float32)[..., 0]
    off = np.abs(hue[..., None] - hues)
    nearest = np.minimum(off, 256 - off).argmin(2)
    for index, name in enumerate(names):
        for mask in _connected(foreground & (nearest == index)):
            yield name, mask


def _chromaticity(values: Floats) -> Floats:
    return (values + 12) / (values + 12).sum(2, keepdims=True)


@cache
def _empty_scenes() -> Floats:
    return np.stack([render(Scene(sky, ground, ())).rgb for sky in SKIES for ground in GROUNDS]).astype(np.float32)


@cache
def _hues() -> tuple[list[str], Floats]:
    table = np.array([COLORS[name] for name in COLORS], np.float32) ** np.float32(1 / 2.2)
    hsv = Image.fromarray((table[None] * 255).astype(np.uint8)).convert("HSV")
    return list(COLORS), np.asarray(hsv, dtype=np.float32)[0, :, 0]


@cache
def _examples() -> tuple[Floats, list[str]]:
    outlines, shapes = [], []
    for described in scenes(_EXAMPLES, 120):
        rendered = render(described)
        for number, thing in enumerate(described.things, start=2):
            outlines.append(_outline(rendered.things == number))
            shapes.append(thing.shape)
    return np.stack(outlines), list(shapes)


def _outline(mask: NDArray[np.bool_]) -> Floats:
    """The mask within its own box, on a small grid."""
    rows, columns = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
    part = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    image = Image.fromarray(part.astype(np.uint8) * 255).resize((_OUTLINE, _OUTLINE), Image.Resampling.BOX)
    return np.asarray(image, dtype=np.float32).ravel() / np.float32(255)


def _connected(mask: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """Connected parts that are large enough to be a thing, specks and thin rims taken off."""
    core = mask.copy()
    for axis in (0, 1):  # one pixel less at each side: rims and bridges go
        core &= np.roll(mask, 1, axis) & np.roll(mask, -1, axis)
    labels = np.where(core, np.arange(1, mask.size + 1).reshape(mask.shape), 0)
    while True:
        grown = labels
        for axis in (0, 1):
            grown = np.maximum(np.maximum(grown, np.roll(grown, 1, axis)), np.roll(grown, -1, axis))
        grown = np.where(core, grown, 0)
        if (grown == labels).all():
            break
        labels = grown
    found = []
    for label, count in zip(*np.unique(labels[labels > 0], return_counts=True), strict=True):
        if count >= LEAST_AREA:
            found.append(labels == label)
    return found
