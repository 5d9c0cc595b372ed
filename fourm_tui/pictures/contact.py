"""A contact sheet: conditions and targets in the order of the chain, each with its title and a caption.

It brings its own dark ground, so that it looks the same in dark and light terminals.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PIL import Image, ImageDraw

from fourm_tui.pictures.lettering import (
    BACKGROUND,
    CARD,
    FAILED,
    GENERATED,
    GIVEN,
    INK,
    MUTED,
    clean,
    font,
    line_height,
    shortened,
    text_card,
    wrapped,
)

Role = Literal["given", "generated", "failed"]
"""`failed`: a target that was not made; its text says why."""

_COLORS = {"given": GIVEN, "generated": GENERATED, "failed": FAILED}
_MARGIN, _GAP, _PAD = 24, 16, 12
_TITLE, _SMALL, _HEADING = 16, 13, 22
_MOST_LINES = 4


@dataclass(frozen=True, eq=False)
class Panel:
    """One condition or target."""

    title: str
    role: Role = "generated"
    picture: Image.Image | None = None
    text: str = ""
    """Shown under the picture, or in its place if there is none."""
    note: str = ""
    """A few words beside the title, such as `25 steps`."""


@dataclass(frozen=True)
class Section:
    """Panels that begin on a line of their own: one chain of several."""

    panels: Sequence[Panel]
    title: str = ""


def contact_sheet(
    panels: Sequence[Panel] | Sequence[Section], title: str = "", *, side: int = 224, columns: int | None = None
) -> Image.Image:  # fmt: skip
    """Panels side by side, from left to right and on in the next line.

    Args:
        panels: in the order of the chain; or sections, below each other.
        title: at the top.
        side: width and height in pixels of a picture.
        columns: panels in a line; None chooses.
    """
    sections = [item if isinstance(item, Section) else None for item in panels]
    parts = [section for section in sections if section] or [Section([p for p in panels if isinstance(p, Panel)])]
    columns = max(1, columns or _columns(max((len(part.panels) for part in parts), default=1)))
    columns = min(columns, max(1, *(len(part.panels) for part in parts)))
    cell = side + 2 * _PAD
    width = 2 * _MARGIN + columns * cell + (columns - 1) * _GAP
    blocks: list[Image.Image] = []
    if title:
        blocks.append(_heading(title, width - 2 * _MARGIN, _HEADING, INK))
    for part in parts:
        if part.title:
            blocks.append(_heading(part.title, width - 2 * _MARGIN, _TITLE, MUTED))
        drawn = [_panel(panel, side) for panel in part.panels]
        for start in range(0, len(drawn), columns):
            blocks.append(_line(drawn[start : start + columns], width - 2 * _MARGIN))
    height = 2 * _MARGIN + sum(block.height for block in blocks) + _GAP * max(0, len(blocks) - 1)
    sheet = Image.new("RGB", (width, height), BACKGROUND)
    y = _MARGIN
    for block in blocks:
        sheet.paste(block, (_MARGIN, y))
        y += block.height + _GAP
    return sheet


def _columns(count: int) -> int:
    """Up to five stay on one line; more make lines of nearly equal length, wider than high."""
    if count <= 5:
        return max(1, count)
    lines = max(2, math.floor(math.sqrt(count / 2)))
    return math.ceil(count / lines)


def _heading(text: str, width: int, size: int, color: str) -> Image.Image:
    lines = wrapped(clean(text), font(size), width, 3)
    image = Image.new("RGB", (width, max(1, len(lines)) * line_height(size)), BACKGROUND)
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        draw.text((0, (number + 0.5) * line_height(size)), line, color, font(size), anchor="lm")
    return image


def _line(panels: Sequence[Image.Image], width: int) -> Image.Image:
    height = max(panel.height for panel in panels)
    image = Image.new("RGB", (width, height), BACKGROUND)
    draw = ImageDraw.Draw(image)
    x = 0
    for panel in panels:
        draw.rounded_rectangle((x, 0, x + panel.width - 1, height - 1), 10, fill=CARD)
        image.paste(panel, (x, 0), _rounded(panel.size))
        x += panel.width + _GAP
    return image


def _rounded(size: tuple[int, int]) -> Image.Image:
    mask = Image.new("L", (size[0] * 2, size[1] * 2), 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, size[0] * 2 - 1, size[1] * 2 - 1), 20, fill=255)
    return mask.resize(size, Image.Resampling.BOX)


def _panel(panel: Panel, side: int) -> Image.Image:
    color = _COLORS[panel.role]
    under = wrapped(clean(panel.text), font(_SMALL), side, _MOST_LINES) if panel.picture and panel.text.strip() else []
    top = _PAD + line_height(_TITLE) + 6
    height = top + side + _PAD + (len(under) * line_height(_SMALL) + 6 if under else 0)
    image = Image.new("RGB", (side + 2 * _PAD, height), CARD)
    draw = ImageDraw.Draw(image)
    middle = _PAD + line_height(_TITLE) / 2
    draw.rounded_rectangle((_PAD, middle - 7, _PAD + 3, middle + 7), 2, fill=color)
    note = clean(panel.note)
    room = side - 11
    if note:
        note = shortened(note, font(_SMALL), side * 0.5)
        draw.text((_PAD + side, middle), note, MUTED, font(_SMALL), anchor="rm")
        room -= round(font(_SMALL).getlength(note)) + 8
    draw.text((_PAD + 11, middle), shortened(clean(panel.title), font(_TITLE), room), INK, font(_TITLE), anchor="lm")
    shown = _held(panel.picture, side) if panel.picture else _words(panel, side)
    image.paste(shown, (_PAD, top))
    y = top + side + 6 + line_height(_SMALL) / 2
    for line in under:
        draw.text((_PAD, y), line, MUTED, font(_SMALL), anchor="lm")
        y += line_height(_SMALL)
    return image


def _words(panel: Panel, side: int) -> Image.Image:
    inner = text_card(panel.text, side, side, largest=22, color=FAILED if panel.role == "failed" else INK)
    ImageDraw.Draw(inner).rounded_rectangle((0, 0, side - 1, side - 1), 6, outline="#343b47")
    return inner


def _held(picture: Image.Image, side: int) -> Image.Image:
    """The whole picture in a square of the card's colour, small ones enlarged."""
    shown = picture.convert("RGB")
    scale = side / max(shown.size)
    size = max(1, round(shown.width * scale)), max(1, round(shown.height * scale))
    # Few cells are a map of features or tokens: it stays crisp.
    how = Image.Resampling.NEAREST if max(shown.size) <= 32 else Image.Resampling.LANCZOS
    shown = shown.resize(size, how) if size != shown.size else shown
    square = Image.new("RGB", (side, side), CARD)
    square.paste(shown, ((side - size[0]) // 2, (side - size[1]) // 2))
    return square
