"""What the terminal shows already is not sent again.

Textual paints the whole screen twice whenever a dialog opens or closes, and every row of a pane whose border changes;
over a slow line each time is a good part of a second. So pieces are compared with what was written there last, first as
a whole, then cell by cell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.control import Control
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

_GRAPHICS = ("\x1bP", "\x1b_G")
"""How pictures begin: they cover more than the cells that they are sent with."""

_Cells = list[tuple[str, str]]
"""Cells as character and escape sequence; the second cell of a wide character has no character."""


@dataclass(frozen=True)
class Part:
    """A piece of a row."""

    y: int
    x: int
    strip: Strip
    text: str
    """As it is written."""

    @property
    def end(self) -> int:
        return self.x + self.strip.cell_length


class Parts(CompositorUpdate):
    """Pieces of rows, each to be written where it belongs."""

    def __init__(self, parts: list[Part]) -> None:
        self.parts = parts

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        raise NotImplementedError("it is written as it stands")

    def render_segments(self, console: Console) -> str:
        return "".join(f"{Control.move_to(part.x, part.y).segment.text}{part.text}" for part in self.parts)


class Sent:
    """The pieces of rows that the terminal is known to show, as they were written."""

    def __init__(self) -> None:
        self._rows: dict[int, dict[int, Part]] = {}
        """By row and column."""

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
        if any(mark in part.text for part in parts for mark in _GRAPHICS):
            self.forget()
            return Parts(parts)
        new = []
        for part in parts:
            changed = self._changed(part, console)
            self._note(part)
            if changed is not None:
                new.append(changed)
        return Parts(new) if new else None

    def _changed(self, part: Part, console: Console) -> Part | None:
        """What of a part the terminal does not show: from the first cell that differs to the last."""
        row = self._rows.get(part.y, {})
        same = row.get(part.x)
        if same is not None and same.text == part.text and same.end == part.end:
            return None
        shown: dict[int, tuple[str, str]] = {}
        for known in row.values():
            if known.x < part.end and part.x < known.end:
                shown.update(enumerate(_cells(known.strip, console), known.x))
        cells = _cells(part.strip, console)
        different = [place for place, cell in enumerate(cells) if shown.get(part.x + place) != cell]
        if not different:
            return None
        first, last = different[0], different[-1] + 1
        while first and not cells[first][0]:
            first -= 1
        while last < len(cells) and not cells[last][0]:
            last += 1
        if (first, last) == (0, len(cells)):
            return part
        strip = part.strip.crop(first, last)
        return Part(part.y, part.x + first, strip, strip.render(console))

    def _note(self, part: Part) -> None:
        """The terminal shows this now."""
        row = self._rows.setdefault(part.y, {})
        for known in [known for known in row.values() if known.x < part.end and part.x < known.end]:
            del row[known.x]
            for start, end in ((known.x, part.x), (part.end, known.end)):
                if start < end:  # the rest of what is overwritten is still there
                    strip = known.strip.crop(start - known.x, end - known.x)
                    row[start] = Part(part.y, start, strip, "")
        row[part.x] = part


def _cells(strip: Strip, console: Console) -> _Cells:
    cells: _Cells = []
    for text, style, _ in strip:
        code = style.render("\0", color_system=console._color_system) if style else ""
        for character in text:
            cells.append((character, code))
            cells += [("", code)] * (cell_len(character) - 1)
    return cells


def _of_layout(update: LayoutUpdate, console: Console) -> Iterator[Part]:
    for y, row in enumerate(update.strips, update.region.y):
        x = update.region.x
        for strip in row:
            yield Part(y, x, strip, strip.render(console))
            x += strip.cell_length


def _of_chops(update: ChopsUpdate, console: Console) -> Iterator[Part]:
    for y, left, right in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is not None and x <= right and end > left:
                part = strip if end <= right else strip.crop(0, right - x)
                yield Part(y, x, part, part.render(console))
