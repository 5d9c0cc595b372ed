"""What the terminal shows already is not sent again.

Textual paints the whole screen twice whenever a dialog opens or closes, and every row of a pane whose border changes;
over a slow line each time is a good part of a second.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.control import Control
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate

_GRAPHICS = ("\x1bP", "\x1b_G")
"""How pictures begin: they cover more than the cells that they are sent with."""

_Part = tuple[int, int, int, str]
"""A piece of a row: its row, its column, its width in cells, and what is written."""


class Parts(CompositorUpdate):
    """Pieces of rows, each to be written where it belongs."""

    def __init__(self, parts: list[_Part]) -> None:
        self.parts = parts

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        raise NotImplementedError("it is written as it stands")

    def render_segments(self, console: Console) -> str:
        return "".join(f"{Control.move_to(x, y).segment.text}{text}" for y, x, _, text in self.parts)


class Sent:
    """The pieces of rows that the terminal is known to show, as they were written."""

    def __init__(self) -> None:
        self._rows: dict[int, dict[int, tuple[int, str]]] = {}

    def forget(self) -> None:
        """Nothing is known any more: the size is another, or another program has used the terminal."""
        self._rows.clear()

    def new_of(self, update: RenderableType | None, console: Console) -> RenderableType | None:
        """The part of an update that the terminal does not show yet."""
        if update is None:
            return None
        if isinstance(update, LayoutUpdate):
            parts = list(_of_layout(update, console))
        elif isinstance(update, ChopsUpdate):
            parts = list(_of_chops(update, console))
        else:
            self.forget()
            return update
        if any(mark in text for *_, text in parts for mark in _GRAPHICS):
            self.forget()
            return Parts(parts)
        new = [part for part in parts if not self._shows(part)]
        for part in new:
            self._note(part)
        return Parts(new) if new else None

    def _shows(self, part: _Part) -> bool:
        y, x, width, text = part
        return self._rows.get(y, {}).get(x) == (width, text)

    def _note(self, part: _Part) -> None:
        y, x, width, text = part
        row = self._rows.setdefault(y, {})
        for start in [start for start, (its, _) in row.items() if start < x + width and x < start + its]:
            del row[start]
        row[x] = width, text


def _of_layout(update: LayoutUpdate, console: Console) -> Iterator[_Part]:
    for y, row in enumerate(update.strips, update.region.y):
        x = update.region.x
        for strip in row:
            yield y, x, strip.cell_length, strip.render(console)
            x += strip.cell_length


def _of_chops(update: ChopsUpdate, console: Console) -> Iterator[_Part]:
    for y, left, right in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is not None and x <= right and end > left:
                width = min(end, right) - x
                yield y, x, width, (strip if end <= right else strip.crop(0, width)).render(console)
