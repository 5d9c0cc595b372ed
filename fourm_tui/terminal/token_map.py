"""A grid of tokens with a colour each: two characters a token, faint dots where one is still open."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm_tui.terminal.blocks import ASCII_RAMP
from fourm_tui.terminal.cells import DEFAULT, Cells, packed
from fourm_tui.terminal.choice import Choice
from fourm_tui.terminal.palettes import nearest_16, nearest_256

ACROSS = 2
"""Columns of one token in one row."""
_FAINT = (110, 116, 128)
_GROUND = (24, 27, 33)  # of open positions in pictures
_DOT, _ASCII_DOT = "·", "."


@dataclass(frozen=True, eq=False)
class TokenMap:
    """Colours of the tokens of a grid."""

    colours: NDArray[np.uint8]
    """`[h, w, 3]`."""
    open: NDArray[np.bool_]
    """`[h, w]`: no token there yet."""

    @property
    def shape(self) -> tuple[int, int]:
        height, width = self.open.shape
        return height, width


def token_map(values: NDArray[np.floating], table: NDArray[np.uint8]) -> TokenMap:
    """The map of values.

    Args:
        values: `[h, w]`, 0 to 1; NaN is open.
        table: colours from 0 to 1, `[n, 3]`.
    """
    open_ = np.isnan(values)
    index = np.clip(np.where(open_, 0, values) * len(table), 0, len(table) - 1).astype(np.intp)
    return TokenMap(table[index], open_)


def room_for(map_: TokenMap, columns: int, rows: int) -> int:
    """How many times as large as two columns by one row each token can be; 0 if the room is too small."""
    height, width = map_.shape
    return min(columns // (width * ACROSS), rows // height)


def token_cells(map_: TokenMap, choice: Choice, scale: int = 1) -> Cells:
    """The map in cells, `[h * scale, w * 2 * scale]`; without colours light ones are dense."""
    tall = (scale, scale * ACROSS)
    open_ = np.kron(map_.open, np.ones(tall, dtype=bool))
    colours = map_.colours.repeat(tall[0], axis=0).repeat(tall[1], axis=1).astype(np.float32)
    glyph = np.where(open_, _ASCII_DOT if choice.ascii else _DOT, " ")
    glyph[:, 1::ACROSS] = np.where(open_[:, 1::ACROSS], " ", glyph[:, 1::ACROSS])  # one dot a token and row
    default = np.full(open_.shape, DEFAULT, dtype=np.int32)
    if choice.colours == "none":
        ramp = ASCII_RAMP if choice.ascii else " ░▒▓█"
        light = (colours @ np.array([0.299, 0.587, 0.114], dtype=np.float32)).astype(np.intp)
        # the darkest of the ramp is a blank, which would look like no token
        shown = np.array(list(ramp[1:]))[np.clip(light * (len(ramp) - 1) // 256, 0, len(ramp) - 2)]
        return Cells(np.where(open_, glyph, shown), default, default, "none")
    faint = np.array(_FAINT, dtype=np.float32)
    if choice.colours == "truecolor":
        numbers, dot = packed(colours), packed(faint)
    else:
        nearest = nearest_256 if choice.colours == "256" else nearest_16
        numbers, dot = nearest(colours)[0], nearest(faint)[0]
    return Cells(glyph, np.where(open_, dot, default), np.where(open_, default, numbers), choice.colours)


def token_picture(map_: TokenMap, side: int = 16) -> Image.Image:
    """The map as a picture, `side` pixels a token."""
    height, width = map_.shape
    ground = np.where(map_.open[..., None], np.array(_GROUND, dtype=np.uint8), map_.colours).astype(np.uint8)
    pixels = ground.repeat(side, axis=0).repeat(side, axis=1).reshape(height, side, width, side, 3)
    middle = slice(side // 2 - side // 8, side // 2 + side // 8 + 1)
    dots = pixels[:, middle, :, middle]  # [h, dot, w, dot, 3]
    pixels[:, middle, :, middle] = np.where(map_.open[:, None, :, None, None], np.array(_FAINT, dtype=np.uint8), dots)
    return Image.fromarray(pixels.reshape(height * side, width * side, 3))
