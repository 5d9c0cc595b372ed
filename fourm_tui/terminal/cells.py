"""Cells of a terminal as arrays, and what is made of them: an escape string, or rich's segments."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fourm_tui.terminal.choice import Colours

if TYPE_CHECKING:
    from rich.segment import Segment
    from rich.style import Style

DEFAULT = -1
"""Instead of a colour: that of the terminal."""
RESET = "\x1b[0m"


@dataclass(frozen=True, eq=False)
class Cells:
    """A picture in characters."""

    glyph: NDArray[np.str_]
    """One character each, `[rows, columns]`."""
    fg: NDArray[np.int32]
    """`[rows, columns]`: 0xRRGGBB, or the number of a colour, or `DEFAULT`."""
    bg: NDArray[np.int32]
    colours: Colours = "truecolor"

    @property
    def rows(self) -> int:
        return int(self.glyph.shape[0])

    @property
    def columns(self) -> int:
        return int(self.glyph.shape[1])


def packed(rgb: NDArray[np.floating]) -> NDArray[np.int32]:
    """Colours `[..., 3]` from 0 to 255 as 0xRRGGBB."""
    whole = np.clip(np.round(rgb), 0, 255).astype(np.int32)
    return (whole[..., 0] << 16) | (whole[..., 1] << 8) | whole[..., 2]


def ansi_lines(cells: Cells) -> list[str]:
    """One string a row, its colours reset at the end. A colour is named only where it changes."""
    lines = []
    name = {"truecolor": _name_rgb, "256": _name_256, "16": _name_16, "none": _no_name}[cells.colours]
    for glyphs, fgs, bgs in zip(cells.glyph.tolist(), cells.fg.tolist(), cells.bg.tolist(), strict=True):
        parts: list[str] = []
        fg_now = bg_now = DEFAULT
        for glyph, fg, bg in zip(glyphs, fgs, bgs, strict=True):
            codes = []
            if fg != fg_now and glyph != " ":
                codes.append(name(fg, 38))
                fg_now = fg
            if bg != bg_now:
                codes.append(name(bg, 48))
                bg_now = bg
            shown = ";".join(code for code in codes if code)
            parts.append(f"\x1b[{shown}m{glyph}" if shown else glyph)
        lines.append("".join(parts) + ("" if cells.colours == "none" else RESET))
    return lines


def segment_lines(cells: Cells) -> list[list[Segment]]:
    """The same for rich and Textual: segments of each row, neighbours of one style joined."""
    from rich.segment import Segment

    lines: list[list[Segment]] = []
    for glyphs, fgs, bgs in zip(cells.glyph.tolist(), cells.fg.tolist(), cells.bg.tolist(), strict=True):
        line: list[Segment] = []
        start = 0
        for place in range(1, len(glyphs) + 1):
            if place == len(glyphs) or fgs[place] != fgs[start] or bgs[place] != bgs[start]:
                line.append(Segment("".join(glyphs[start:place]), _style(fgs[start], bgs[start], cells.colours)))
                start = place
        lines.append(line)
    return lines


@lru_cache(maxsize=8192)
def _style(fg: int, bg: int, colours: Colours) -> Style | None:
    from rich.color import Color
    from rich.style import Style

    def color(value: int) -> Any:
        if value == DEFAULT:
            return None
        if colours == "truecolor":
            return Color.from_rgb(value >> 16, value >> 8 & 255, value & 255)
        return Color.from_ansi(value)

    return None if colours == "none" else Style(color=color(fg), bgcolor=color(bg))


def _name_rgb(value: int, ground: int) -> str:
    if value == DEFAULT:
        return str(ground + 1)
    return f"{ground};2;{value >> 16};{value >> 8 & 255};{value & 255}"


def _name_256(value: int, ground: int) -> str:
    return str(ground + 1) if value == DEFAULT else f"{ground};5;{value}"


def _name_16(value: int, ground: int) -> str:
    if value == DEFAULT:
        return str(ground + 1)
    return str(ground - 8 + value if value < 8 else ground + 52 + value - 8)


def _no_name(value: int, ground: int) -> str:
    return ""
