"""Text in pictures: the font, the colours, and breaking text into lines.

The font is Pillow's own, which every installation has; it knows Latin letters, others appear as boxes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from fourm_tui.errors import printable

BACKGROUND = "#15181e"
CARD = "#20242c"
INK = "#eceef2"
MUTED = "#98a1b0"
GIVEN = "#e3a857"
GENERATED = "#5cc0c7"
FAILED = "#e06c6c"

LONGEST = 4000
"""Characters of a text that are shown at most."""

Font = Any


@lru_cache(maxsize=64)
def font(size: float) -> Font:
    """Pillow's font, `size` pixels high."""
    return ImageFont.load_default(size)


def clean(text: str) -> str:
    """A text on one line with single blanks, safe to show."""
    return printable(" ".join(text.split()), LONGEST)


def shortened(text: str, font: Font, width: float) -> str:
    """The text, or as much of its beginning as `width` pixels hold, with an ellipsis."""
    if font.getlength(text) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if font.getlength(text[:middle].rstrip() + "…") <= width:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + "…"


def wrapped(text: str, font: Font, width: float, most: int | None = None) -> list[str]:
    """The text in lines of at most `width` pixels, broken between words, and in words that are longer than a line.

    `most` is the largest number of lines; the last one then ends in an ellipsis.
    """
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if font.getlength(longer) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        line = word
        while font.getlength(line) > width and len(line) > 1:
            fit = next((n for n in range(len(line) - 1, 1, -1) if font.getlength(line[:n]) <= width), 1)
            lines.append(line[:fit])
            line = line[fit:]
    if line:
        lines.append(line)
    if most is not None and len(lines) > most:
        rest = " ".join(lines[most - 1 :])
        lines = [*lines[: most - 1], shortened(f"{rest} ", font, width)]
        if not lines[-1].endswith("…"):
            lines[-1] = f"{lines[-1].rstrip()}…"
    return lines


def line_height(size: float) -> int:
    """From one line to the next, in pixels."""
    return round(size * 1.36)


def fitting(text: str, width: int, height: int, largest: int = 30, smallest: int = 11) -> tuple[int, list[str]]:
    """The largest font size at which the text fits, and its lines; at the smallest one it is cut."""
    for size in range(largest, smallest, -1):
        if any(font(size).getlength(word) > width for word in text.split()):
            continue  # rather smaller than a word broken
        lines = wrapped(text, font(size), width)
        if len(lines) * line_height(size) <= height:
            return size, lines
    most = max(1, height // line_height(smallest))
    return smallest, wrapped(text, font(smallest), width, most)


def text_card(text: str, width: int, height: int, *, largest: int = 30, color: str = INK) -> Image.Image:
    """A text in the middle of a card, as large as fits; a dash if there is none."""
    text = clean(text)
    image = Image.new("RGB", (width, height), CARD)
    draw = ImageDraw.Draw(image)
    margin = round(min(width, height) * 0.09)
    size, lines = fitting(text or "—", width - 2 * margin, height - 2 * margin, largest)
    step = line_height(size)
    y = (height - step * len(lines)) / 2 + step / 2
    for line in lines:
        draw.text((width / 2, y), line, color if text else MUTED, font(size), anchor="mm")
        y += step
    return image
