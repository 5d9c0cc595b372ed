"""Pictures from block characters: the best two-colour fit of a few shapes for each cell.

A cell is looked at as 8 x 8 samples. Of 19 shapes (lower and left eighths, quadrants; their opposites are the same with
the colours swapped) the one is taken whose two parts, each in its mean colour, leave the least squared error:

    error = sum |x|^2 - |S|^2 / n - |T - S|^2 / (64 - n)

with S the sum of the n samples in the shape and T that of all, so only the last two terms are computed. Label maps are
sampled, never averaged: each part has the colour that most of its samples have.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm_tui.terminal.cells import DEFAULT, Cells, packed
from fourm_tui.terminal.choice import Colours
from fourm_tui.terminal.palettes import first_16, nearest_16, nearest_256

SAMPLES = 8
"""Samples across and down a cell."""
GLYPHS = "▄▌▁▂▃▅▆▇▏▎▍▋▊▉▖▗▘▝▚"
"""The shapes; the first of equals is taken."""
ASCII_RAMP = " .:-=+*#%@"
SHADE_RAMP = " ░▒▓█"
_UNSEEN = 3.0
"""Difference of two colours (root of the mean square over channels, of 255) below which a cell is drawn in one."""
_SMALL = 32  # pixels: fewer is a map of features or tokens, whose cells stay crisp
_WHOLE = SAMPLES * SAMPLES


@lru_cache(maxsize=1)
def shapes() -> NDArray[np.float32]:
    """The shapes as masks, `[19, 64]`, samples row by row."""
    down, across = np.mgrid[:SAMPLES, :SAMPLES]
    lower, left = down >= 4, across < 4
    masks = {
        "▖": lower & left, "▗": lower & ~left, "▘": ~lower & left, "▝": ~lower & ~left, "▚": lower ^ left,
    }  # fmt: skip
    for eighths, (from_below, from_left) in enumerate(zip("▁▂▃▄▅▆▇", "▏▎▍▌▋▊▉", strict=True), 1):
        masks[from_below] = down >= SAMPLES - eighths
        masks[from_left] = across < eighths
    return np.stack([masks[glyph].reshape(-1) for glyph in GLYPHS]).astype(np.float32)


def render(
    picture: Image.Image,
    columns: int,
    rows: int,
    colours: Colours = "truecolor",
    *,
    ascii: bool = False,
    labels: bool = False,
) -> Cells:
    """A picture in `rows` x `columns` cells, stretched to fill them.

    Without colours, and there with `ascii` too, brightness becomes the density of a character: light ones are dense, as
    on a dark ground. With colours `ascii` leaves one colour a cell.

    Args:
        picture: of any mode; what is transparent is seen on black.
        columns: at least 1.
        rows: at least 1.
        colours: what the terminal has; 16 are mixed from shades.
        ascii: ASCII characters only.
        labels: its colours stand for classes and must not be mixed.
    """
    if colours == "none":
        return _ramp(picture, columns, rows, ASCII_RAMP if ascii else SHADE_RAMP)
    samples = _samples(picture, columns, rows, labels)  # [cells, 64, 3]
    if ascii:
        means = _majority(samples) if labels else samples.mean(axis=1)
        return _cells(np.full(len(samples), " "), means, means, columns, rows, colours)
    if labels:
        return _cells(*_fit_labels(samples), columns, rows, colours)
    if colours == "16":
        return _fit_16(samples, columns, rows)
    return _cells(*_fit(samples), columns, rows, colours)


def seen(cells: Cells) -> NDArray[np.uint8]:
    """What cells in truecolor look like, `[rows * 8, columns * 8, 3]`: for measuring, not for showing."""
    masks = dict(zip(GLYPHS, shapes(), strict=True)) | {" ": np.zeros(_WHOLE, np.float32)}
    masks |= {"▀": 1 - masks["▄"], "█": np.ones(_WHOLE, np.float32)}
    shape = np.stack([masks[glyph] for glyph in cells.glyph.reshape(-1).tolist()])[..., None]
    shifts = np.array([16, 8, 0])
    fg, bg = ((ground.reshape(-1, 1, 1) >> shifts & 255) for ground in (cells.fg, cells.bg))
    pixels = shape * fg + (1 - shape) * bg
    pixels = pixels.reshape(cells.rows, cells.columns, SAMPLES, SAMPLES, 3).transpose(0, 2, 1, 3, 4)
    return pixels.reshape(cells.rows * SAMPLES, cells.columns * SAMPLES, 3).astype(np.uint8)


def _samples(picture: Image.Image, columns: int, rows: int, labels: bool) -> NDArray[np.float32]:
    size = columns * SAMPLES, rows * SAMPLES
    crisp = labels or max(picture.size) <= _SMALL
    how = Image.Resampling.NEAREST if crisp else Image.Resampling.BOX
    if picture.width < size[0] and not crisp:
        how = Image.Resampling.BICUBIC
    shown = opaque(picture).resize(size, how)
    pixels = np.asarray(shown, dtype=np.float32).reshape(rows, SAMPLES, columns, SAMPLES, 3)
    return np.ascontiguousarray(pixels.transpose(0, 2, 1, 3, 4)).reshape(rows * columns, _WHOLE, 3)


def opaque(picture: Image.Image) -> Image.Image:
    """A picture in RGB, what is transparent on black."""
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        ground = Image.new("RGBA", picture.size, "black")
        return Image.alpha_composite(ground, picture.convert("RGBA")).convert("RGB")
    return picture.convert("RGB")


_Fit = tuple[NDArray[np.str_], NDArray[np.float32], NDArray[np.float32]]


def _parts(samples: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean colours in and beside each shape, `[cells, 19, 3]` each."""
    masks = shapes()
    counts = masks.sum(axis=1)[:, None]
    inside = np.matmul(masks, samples)
    beside = samples.sum(axis=1)[:, None] - inside
    return inside / counts, beside / (_WHOLE - counts)


def _fit(samples: NDArray[np.float32]) -> _Fit:
    counts = shapes().sum(axis=1)
    inside, beside = _parts(samples)
    score = (inside**2).sum(-1) * counts + (beside**2).sum(-1) * (_WHOLE - counts)
    best = score.argmax(axis=1)
    one = np.arange(len(samples))
    fg, bg = inside[one, best], beside[one, best]
    glyph = np.array(list(GLYPHS))[best]
    even = ((fg - bg) ** 2).mean(-1) < _UNSEEN**2
    glyph[even] = " "
    bg = np.where(even[:, None], samples.mean(axis=1), bg)
    return glyph, np.where(even[:, None], bg, fg), bg


def _mixed(numbers: NDArray[np.int32]) -> NDArray[np.intp]:
    """Which cells `[cells, 64]` hold more than one number."""
    return np.flatnonzero((numbers != numbers[:, :1]).any(axis=1))


def _majority(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The most frequent colour of each cell, `[cells, 3]`."""
    numbers, colours = packed(samples), samples[:, 0].copy()
    for cell in _mixed(numbers):
        _, first, count = np.unique(numbers[cell], return_index=True, return_counts=True)
        colours[cell] = samples[cell, first[count.argmax()]]
    return colours


def _fit_labels(samples: NDArray[np.float32]) -> _Fit:
    """Where labels meet, the shape whose parts agree most with the majority in each."""
    numbers = packed(samples)
    fg, bg = samples[:, 0].copy(), samples[:, 0].copy()
    glyph = np.full(len(samples), " ")
    masks = shapes()
    for cell in _mixed(numbers):
        _, first, label = np.unique(numbers[cell], return_index=True, return_inverse=True)
        colours = samples[cell, first]
        votes = np.eye(len(colours), dtype=np.float32)[label.reshape(-1)]  # [64, labels]
        inside, beside = masks @ votes, (1 - masks) @ votes
        best = int((inside.max(-1) + beside.max(-1)).argmax())
        fg[cell], bg[cell] = colours[inside[best].argmax()], colours[beside[best].argmax()]
        glyph[cell] = GLYPHS[best]
    one = (fg == bg).all(-1)
    glyph[one] = " "
    return glyph, fg, bg


def _cells(
    glyph: NDArray[np.str_], fg: NDArray[np.float32], bg: NDArray[np.float32], columns: int, rows: int, colours: Colours
) -> Cells:  # fmt: skip
    shape = rows, columns
    if colours == "truecolor":
        numbers = packed(fg), packed(bg)
    else:
        nearest = nearest_256 if colours == "256" else nearest_16
        numbers = nearest(fg)[0], nearest(bg)[0]
        glyph = np.where(numbers[0] == numbers[1], " ", glyph)
    return Cells(glyph.reshape(shape), numbers[0].reshape(shape), numbers[1].reshape(shape), colours)


def _fit_16(samples: NDArray[np.float32], columns: int, rows: int) -> Cells:
    """A shape in two of the 16 colours, or a shade that mixes two to the mean of the cell: the smaller error.

    Only colours that are near each other are mixed: others flicker.
    """
    inside, beside = _parts(samples)
    counts = shapes().sum(axis=1)
    (fg, fg_seen), (bg, bg_seen) = nearest_16(inside), nearest_16(beside)
    # error of a part in another colour: its own spread, and its number times the squared distance from its mean
    spread = (samples**2).sum((1, 2))[:, None] - (inside**2).sum(-1) * counts - (beside**2).sum(-1) * (_WHOLE - counts)
    error = spread + ((inside - fg_seen) ** 2).sum(-1) * counts + ((beside - bg_seen) ** 2).sum(-1) * (_WHOLE - counts)
    best = error.argmin(axis=1)
    one = np.arange(len(samples))

    mixes, shade, over, under = _mixes()
    means = samples.mean(axis=1)
    away = (mixes**2).sum(-1) - 2 * means @ mixes.T + (means**2).sum(-1)[:, None]  # [cells, mixes]
    mix = (away + _roughness()).argmin(axis=1)
    mixed = ((samples - means[:, None]) ** 2).sum((1, 2)) + away[one, mix] * _WHOLE
    shaded = mixed < error[one, best]
    glyph = np.where(shaded, shade[mix], np.array(list(GLYPHS))[best])
    fg_best, bg_best = np.where(shaded, over[mix], fg[one, best]), np.where(shaded, under[mix], bg[one, best])
    glyph = np.where(fg_best == bg_best, " ", glyph)
    shape = rows, columns
    return Cells(glyph.reshape(shape), fg_best.reshape(shape), bg_best.reshape(shape), "16")


@lru_cache(maxsize=1)
def _mixes() -> tuple[NDArray[np.float32], NDArray[np.str_], NDArray[np.int32], NDArray[np.int32]]:
    """Colours that shades of two of the 16 mix to, the shade, and the numbers of the two."""
    table = first_16()
    over, under = (pair.reshape(-1) for pair in np.meshgrid(np.arange(16), np.arange(16), indexing="ij"))
    colours = [table[over] * part + table[under] * (1 - part) for part in (0.25, 0.5)]
    shades = np.repeat(np.array(["░", "▒"]), len(over))
    return np.concatenate(colours), shades, np.tile(over, 2).astype(np.int32), np.tile(under, 2).astype(np.int32)


@lru_cache(maxsize=1)
def _roughness() -> NDArray[np.float32]:
    """What a mix of two far colours costs beside its distance."""
    table = first_16()
    _, _, over, under = _mixes()
    return ((table[over] - table[under]) ** 2).sum(-1) * np.float32(0.03)


def _ramp(picture: Image.Image, columns: int, rows: int, ramp: str) -> Cells:
    shown = opaque(picture).convert("L")
    crisp = max(shown.size) <= _SMALL
    shown = shown.resize((columns, rows), Image.Resampling.NEAREST if crisp else Image.Resampling.BOX)
    index = np.asarray(shown, dtype=np.intp) * len(ramp) // 256
    default = np.full((rows, columns), DEFAULT, dtype=np.int32)
    return Cells(np.array(list(ramp))[index], default, default, "none")
