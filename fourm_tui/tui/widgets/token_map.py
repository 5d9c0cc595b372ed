"""The token map in lines of segments: two characters a token where there is room, half blocks where there is less."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from fourm_tui.pictures.colormaps import VIRIDIS
from fourm_tui.terminal.choice import Choice, Colours
from fourm_tui.terminal.palettes import nearest_16, nearest_256
from fourm_tui.tui.outputs import MapView

ACROSS = 2
"""Columns of a token in a row of its own."""
Lines = list[list[Segment]]
_OPEN, _FRESH = -1, -2
_RAMPS = {False: "░▒▓█", True: ":+*#"}


@dataclass(frozen=True)
class Paint:
    """Styles of the theme that a map needs."""

    faint: Style
    """Of dots where no token is yet."""
    accent: Style
    """Of the newest step, as foreground."""
    ground: Style
    """Of the pane."""
    text: Style


@lru_cache(maxsize=4)
def scale(colours: Colours) -> tuple[Color, ...]:
    """The colour scale from 0 to 1 in 256 steps, as the terminal has it."""
    if colours == "256":
        return tuple(Color.from_ansi(int(number)) for number in nearest_256(VIRIDIS.astype(np.float32))[0])
    if colours == "16":
        return tuple(Color.from_ansi(int(number)) for number in nearest_16(VIRIDIS.astype(np.float32))[0])
    return tuple(Color.from_rgb(*map(int, colour)) for colour in VIRIDIS)


def map_size(shape: tuple[int, int], columns: int, rows: int, ascii: bool = False) -> tuple[int, int, int]:
    """Columns and rows that a map takes in a room, and how: its scale, from 1; 0: half blocks (one character a token
    with ASCII); below 0: half blocks of every so many-th token.
    """
    height, width = shape
    times = min(columns // (width * ACROSS), rows // height)
    if times > 0:
        return width * ACROSS * times, height * times, times
    every = 1
    while columns > 0 and rows > 0:
        across, down = -(-width // every), -(-height // every)
        tall = down if ascii else -(-down // 2)
        if across <= columns and tall <= rows:
            return across, tall, 0 if every == 1 else -every
        every += 1
    return 0, 0, 0


def map_lines(view: MapView, columns: int, rows: int, choice: Choice, paint: Paint) -> Lines:
    """The map in at most `columns` x `rows` cells; no line if there is no room at all."""
    _, down, times = map_size(view.shape, columns, rows, choice.ascii)
    if not down:
        return []
    numbers = _numbers(view)
    if times > 0:
        return _large(numbers, view.cursor, times, choice, paint)
    every = max(-times, 1)
    cursor = None if view.cursor is None else (view.cursor[0] // every, view.cursor[1] // every)
    small = numbers[::every, ::every]
    return _single(small, cursor, choice, paint) if choice.ascii else _halves(small, cursor, choice, paint)


def _numbers(view: MapView) -> NDArray[np.int32]:
    """Where on the scale each token is, `[h, w]`, or `_OPEN`, or `_FRESH`."""
    open_ = np.isnan(view.values)
    index = np.clip(np.where(open_, 0, view.values) * 255, 0, 255).astype(np.int32)
    return np.where(open_, _OPEN, np.where(view.fresh, _FRESH, index)).astype(np.int32)


def _large(
    numbers: NDArray[np.int32], cursor: tuple[int, int] | None, times: int, choice: Choice, paint: Paint
) -> Lines:
    lines: Lines = []
    wide = ACROSS * times
    for row, line in enumerate(numbers.tolist()):
        at = cursor[1] if cursor and cursor[0] == row else None
        for part in range(times):
            dots = part == times // 2
            lines.append(
                _joined([_token(number, wide, column == at, dots, choice, paint) for column, number in enumerate(line)])
            )
    return lines


def _token(number: int, wide: int, marked: bool, dots: bool, choice: Choice, paint: Paint) -> tuple[str, Style]:
    """One token in one line."""
    if number == _OPEN:
        glyph = ("." if choice.ascii else "·") if dots else " "
        text, style = glyph.ljust(wide), paint.faint
    elif choice.colours == "none":
        ramp = _RAMPS[choice.ascii]
        glyph = "@" if number == _FRESH and choice.ascii else ramp[min(max(number, 0) * len(ramp) // 256, 3)]
        text, style = glyph * wide, paint.text
    else:
        text, style = " " * wide, on(_colour(number, choice, paint))
    if marked:
        return "[" + text[1:-1].replace("·", " ") + "]", style + contrast(style)
    return text, style


def _halves(numbers: NDArray[np.int32], cursor: tuple[int, int] | None, choice: Choice, paint: Paint) -> Lines:
    """Two rows of tokens in one of characters."""
    lines: Lines = []
    rows = numbers.tolist()
    for upper in range(0, len(rows), 2):
        line = []
        lower = rows[upper + 1] if upper + 1 < len(rows) else [_OPEN] * len(rows[upper])
        for column, (above, below) in enumerate(zip(rows[upper], lower, strict=True)):
            marked = None if cursor is None or cursor[1] != column else cursor[0] - upper
            line.append(_half(above, below, marked, choice, paint))
        lines.append(_joined(line))
    return lines


def _half(above: int, below: int, marked: int | None, choice: Choice, paint: Paint) -> tuple[str, Style]:
    if marked in (0, 1):
        number = above if marked == 0 else below
        style = paint.faint if number == _OPEN else on(_colour(number, choice, paint))
        return "+", style + contrast(style)
    if choice.colours == "none":
        return (
            "·" if above == below == _OPEN else "▀" if below == _OPEN else "▄" if above == _OPEN else "█"
        ), paint.text
    if above == below == _OPEN:
        return "·", paint.faint
    if below == _OPEN:
        return "▀", Style(color=_colour(above, choice, paint))
    if above == _OPEN:
        return "▄", Style(color=_colour(below, choice, paint))
    return "▀", _pair(_colour(above, choice, paint), _colour(below, choice, paint))


def _single(numbers: NDArray[np.int32], cursor: tuple[int, int] | None, choice: Choice, paint: Paint) -> Lines:
    lines: Lines = []
    for row, line in enumerate(numbers.tolist()):
        cells = []
        for column, number in enumerate(line):
            text, style = _token(number, 1, False, True, choice, paint)
            cells.append(("+", style + contrast(style)) if cursor == (row, column) else (text, style))
        lines.append(_joined(cells))
    return lines


def _colour(number: int, choice: Choice, paint: Paint) -> Color:
    if number == _FRESH:
        return paint.accent.color or Color.default()
    return scale(choice.colours)[number]


@lru_cache(maxsize=1024)
def on(colour: Color) -> Style:
    return Style(bgcolor=colour)


@lru_cache(maxsize=4096)
def _pair(over: Color, under: Color) -> Style:
    return Style(color=over, bgcolor=under)


@lru_cache(maxsize=1024)
def contrast(style: Style) -> Style:
    """Black or white, whichever is read on the ground of a style."""
    if style.bgcolor is None or style.bgcolor.is_default:
        return Style(bold=True, reverse=True)
    red, green, blue = style.bgcolor.get_truecolor()
    dark = red * 299 + green * 587 + blue * 114 < 128_000
    return Style(color=Color.from_rgb(*([255] * 3 if dark else [0] * 3)), bold=True)


def _joined(cells: Sequence[tuple[str, Style]]) -> list[Segment]:
    """Neighbours of one style as one segment."""
    return [
        Segment("".join(text for text, _ in group), style)
        for style, group in groupby(cells, key=lambda cell: cell[1])
    ]  # fmt: skip
