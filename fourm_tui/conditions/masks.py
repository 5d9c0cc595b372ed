"""Masks: which part of a target is given (black) and which is to be generated (white)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm_tui.conditions.maps import framed
from fourm_tui.conditions.pictures import LARGEST_MAP, NEAREST, Picture, opened, rgb
from fourm_tui.conditions.views import View
from fourm_tui.errors import InputError, printable
from fourm_tui.modalities import Modality


def known_tokens(path: Path, modality: Modality, view: View | None) -> NDArray[np.bool_]:
    """Which positions `[N]` a mask leaves as given: those of whose cell at least half is black.

    Args:
        path: a picture, white where something is to be generated.
        modality: of image tokens.
        view: of the picture that is masked; None for tokens.

    Raises:
        InputError: it cannot be read, does not go with the picture, or is all black or all white.
    """
    assert modality.grid is not None and modality.input_size is not None
    where = f"-i {modality.name}: the mask {printable(path)}"
    rows, columns = modality.grid
    size = rows * max(1, modality.input_size // rows)
    with opened(path, where, size, LARGEST_MAP) as picture:
        white = white_pixels(picture, _view_of(picture, view, where), size, where)
    cells = white.reshape(rows, size // rows, columns, size // columns)
    known: NDArray[np.bool_] = (cells.mean(axis=(1, 3)) <= 0.5).reshape(-1)
    if known.all() or not known.any():
        what = "black, so that nothing is left to generate" if known.all() else "white, so that nothing is given"
        raise InputError(f"{where} is all {what}")
    return known


def white_pixels(picture: Picture, view: View, size: int, where: str) -> NDArray[np.bool_]:
    """Where a mask is white (or transparent), `[size, size]`, by the nearest pixel; padding is white."""
    levels = np.asarray(rgb(picture.image, where).convert("L"))
    white = np.asarray(framed(Image.fromarray(levels), view, size, NEAREST)) >= 128
    left, top, right, bottom = view.content(size, size)
    inside = np.zeros((size, size), bool)
    inside[top:bottom, left:right] = True
    return white | ~inside


def _view_of(mask: Picture, view: View | None, where: str) -> View:
    if view is None:
        return mask.view()
    # A mask in another size is one of the same picture, or of the square that the model sees.
    if abs(mask.width * view.height - mask.height * view.width) <= max(
        view.width, view.height, mask.width, mask.height
    ):
        return view.scaled(mask.width, mask.height)
    if mask.width == mask.height:
        return mask.view()
    raise InputError(
        f"{where} has {mask.width} x {mask.height} pixels, its picture {view.width} x {view.height}; expected is the "
        "same shape, or a square"
    )
