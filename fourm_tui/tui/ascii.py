"""The whole screen in ASCII, for terminals and fonts that have nothing else."""

from __future__ import annotations

from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_LIKENESSES = {
    "╭╮╰╯┌┐└┘├┤┬┴┼": "+", "─━▔": "-", "│┃▏▕▎": "|", "▁▂": "_", "▸▶›»→": ">", "←": "<", "↑": "^", "↓": "v",
    "•": "*", "·": ".",
    "–—": "-", "…": "~", "✓": "+", "✗×": "x", "●◆█▇▆▓": "#", "▅▄▒": "=", "▃░▀": ":", "⏎": "~",
}  # fmt: skip
_ASCII = str.maketrans({each: like for several, like in _LIKENESSES.items() for each in several})


class AsciiFilter(LineFilter):
    """Replaces every character that is not ASCII by one that is, as wide as it."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment if segment.text.isascii() else Segment(as_ascii(segment.text), segment.style, segment.control)
            for segment in segments
        ]


@lru_cache(maxsize=4096)
def as_ascii(text: str) -> str:
    """A text in ASCII that takes the same room; what has no likeness becomes question marks."""
    shown = text.translate(_ASCII)
    return "".join(each if each.isascii() else "?" * cell_len(each) for each in shown)
