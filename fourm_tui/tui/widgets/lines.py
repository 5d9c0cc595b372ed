"""Lines that are drawn elsewhere, of which only those that changed are sent to the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from rich.text import Text
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

_STYLE_BYTES = 24  # of a change of colours, roughly


def weight(strip: Strip) -> int:
    """About how many bytes a strip is on the wire."""
    return sum(len(text.encode()) + (_STYLE_BYTES if style else 0) for text, style, _ in strip)


class Lines(Widget):
    """Shows strips, one a line."""

    def __init__(self) -> None:
        super().__init__()
        self._strips: list[Strip] = []

    def show_strips(self, strips: Sequence[Strip]) -> list[Strip]:
        """Shows these in place of what was there; those that changed."""
        old, self._strips = self._strips, list(strips)
        changed = [y for y, (was, now) in enumerate(zip_longest(old, self._strips)) if was != now]
        if changed:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))
        return [self._strips[y] for y in changed if y < len(self._strips)]

    def strips_of(self, texts: Sequence[Text]) -> list[Strip]:
        """Texts as strips as wide as the widget."""
        width, style, console = self.size.width, self.rich_style, self.app.console
        return [
            # Text that is of one style throughout is rendered without it.
            Strip(list(text.render(console)))
            .apply_style(style + console.get_style(text.style or "none", default="none"))
            .adjust_cell_length(width, style)
            for text in texts
        ]

    def render_line(self, y: int) -> Strip:
        style = self.rich_style
        return self._strips[y].apply_style(style) if y < len(self._strips) else Strip.blank(self.size.width, style)

    @property
    def text(self) -> str:
        """What is to be read."""
        return "\n".join(strip.text.rstrip() for strip in self._strips)
