"""Captions, palettes and metadata as pictures and as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from fourm_tui.formats import metadata
from fourm_tui.formats.palette import MOST, Color, to_hex
from fourm_tui.formats.vocabulary import content_words
from fourm_tui.pictures.lettering import CARD, INK, MUTED, clean, font, shortened, text_card

SIZE = 448


def caption(text: str) -> str:
    """A generated caption without the tokens that only order it ([EOS], [PAD], sentinels)."""
    return " ".join(content_words(text))


def caption_picture(text: str, width: int = SIZE, height: int = SIZE) -> Image.Image:
    """A caption on a card."""
    return text_card(caption(text), width, height)


def stripes(colors: Sequence[Color], side: int = 25) -> Image.Image:
    """A palette as a square of stripes from left to right, each `side` pixels wide."""
    if not colors:
        return Image.new("RGB", (side, side), CARD)
    row = np.array(colors, dtype=np.uint8).repeat(side, axis=0)
    return Image.fromarray(np.ascontiguousarray(np.broadcast_to(row, (len(row), *row.shape))))


def palette_picture(colors: Sequence[Color], width: int = SIZE, height: int = SIZE) -> Image.Image:
    """A palette as bars below each other, each with its hexadecimal name; the first 14 if a text goes on and on."""
    colors = colors[: 2 * MOST]
    if not colors:
        return text_card("no colours", width, height, largest=20, color=MUTED)
    image = Image.new("RGB", (width, height), CARD)
    draw = ImageDraw.Draw(image)
    margin = round(min(width, height) * 0.05)
    each = (height - 2 * margin) / len(colors)
    size = round(min(22, each * 0.5))
    right = round(width - 1.3 * margin - size * 0.8 - font(size).getlength("#dddddd"))
    for index, color in enumerate(colors):
        top, bottom = margin + index * each, margin + (index + 1) * each - 4
        draw.rounded_rectangle((margin, round(top), right, round(bottom)), 6, fill=color, outline="#4a515d")
        place = (right + size * 0.8, (round(top) + round(bottom)) / 2)
        draw.text(place, to_hex(color), INK, font(size), anchor="lm")
    return image


def palette_data(colors: Sequence[Color]) -> list[str]:
    """A palette for JSON, as it can be given as a condition: `["#ff8000", ...]`."""
    return [to_hex(color) for color in colors]


def metadata_rows(text: str) -> list[tuple[str, str]]:
    """Names and values with their units, for people: `("original width", "1024 px")`."""
    values = metadata.decode(text)
    return [(name.replace("_", " "), metadata.describe(name, value)) for name, value in values.items()]


def metadata_picture(text: str, width: int = SIZE, height: int = SIZE) -> Image.Image:
    """Metadata as a table."""
    rows = metadata_rows(text)
    if not rows:
        return text_card("no metadata", width, height, largest=20, color=MUTED)
    image = Image.new("RGB", (width, height), CARD)
    draw = ImageDraw.Draw(image)
    margin = round(min(width, height) * 0.06)
    each = min((height - 2 * margin) / len(rows), 44)
    size = max(9, round(min(19, each * 0.62)))
    top = (height - each * len(rows)) / 2
    for index, (name, value) in enumerate(rows):
        y = top + (index + 0.5) * each
        if index:
            draw.line((margin, y - each / 2, width - margin, y - each / 2), "#313742")
        room = width - 2 * margin - font(size).getlength(value) - 12
        draw.text((margin, y), shortened(clean(name), font(size), room), MUTED, font(size), anchor="lm")
        draw.text((width - margin, y), value, INK, font(size), anchor="rm")
    return image


def metadata_data(text: str) -> dict[str, Any]:
    """Metadata for JSON: `{name: {value, unit, text}}`; `value` of a sorted score is the index of its bin."""
    return {
        name: {
            "value": round(value, 6),
            "unit": metadata.TYPES[name].unit or None,
            "text": metadata.describe(name, value),
        }
        for name, value in metadata.decode(text).items()
    }
