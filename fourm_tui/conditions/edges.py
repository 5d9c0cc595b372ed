"""Pictures of edges, or edges of pictures, as the edge tokenizer takes them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from fourm_tui.conditions.canny import HIGH, LOW, canny
from fourm_tui.conditions.given import Reading
from fourm_tui.conditions.pictures import BICUBIC, BILINEAR, Picture, centred, square
from fourm_tui.conditions.views import View

SMOOTHING = 2.0
"""Deviation in pixels of the blur before edges of things, not of textures, are looked for. Edges of SAM's masks cannot
be had from the picture alone; this is the nearest that needs no network."""
SMOOTH_THRESHOLDS = (25, 50)
"""A quarter of Canny's: so much weaker gradients are after the blur."""

LARGEST_LOOK = 2048
"""Side in pixels of the square by which it is found out what a picture is."""


def looks_like_edges(image: Image.Image) -> bool:
    """Whether a picture is a map of edges already: without colour, and nine of ten pixels nearly black or white.

    Photos fail that, also grey ones; `as=` decides where the rule is wrong.
    """
    small = np.asarray(image).astype(np.int16)  # [H, W, 3]
    if (np.ptp(small, axis=2) > 8).any():
        return False
    return bool(np.mean((small[..., 0] < 24) | (small[..., 0] > 231)) >= 0.9)


def edge_values(
    picture: Picture, view: View, size: int, where: str, reading: Reading | None = None, of_things: bool = False
) -> NDArray[Any]:
    """A map of edges as its tokenizer takes it, `[1, size, size]` float32: 1 on an edge, -1 elsewhere.

    Args:
        picture: edges in white, a photo, or a drawing.
        reading: which of them it is; None: found out from its own pixels.
        of_things: edges as of SAM's masks instead of Canny's.
    """
    if reading is None:
        # Resizing makes thin lines grey: what a picture is shows in its own pixels.
        side = min(*picture.image.size, LARGEST_LOOK)
        own = square(picture, View.cropped(picture.width, picture.height), side, where)
        reading = "edges" if looks_like_edges(own) else "photo"
    image = square(picture, view, size, where, BICUBIC if reading == "photo" else BILINEAR)
    grey = image.convert("L")
    if reading == "edges":
        return centred(grey)
    if reading == "drawing":
        left, top, right, bottom = view.content(size, size)
        lines = np.zeros((size, size), np.uint8)
        lines[top:bottom, left:right] = 255 - np.asarray(grey)[top:bottom, left:right]
        return centred(Image.fromarray(lines))
    if of_things:
        grey = grey.filter(ImageFilter.GaussianBlur(SMOOTHING))
    found = canny(np.asarray(grey), *(SMOOTH_THRESHOLDS if of_things else (LOW, HIGH)))
    left, top, right, bottom = view.content(size, size)
    if view.has_padding:  # the border of the padding is no edge of the picture
        inner = np.zeros_like(found)
        inner[top : bottom - 2, left : right - 2] = found[top : bottom - 2, left : right - 2]
        found = inner
    return centred(Image.fromarray(found))
