"""Lines of segments put side by side in a room of cells, as the strips of a widget."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip


class Canvas:
    """A room of cells; what is put there must not overlap."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._rows: list[list[tuple[int, int, list[Segment]]]] = [[] for _ in range(height)]

    def put(self, x: int, y: int, lines: Sequence[Sequence[Segment]]) -> None:
        """Lines from a place on; what reaches beyond the room is left out."""
        for row, line in enumerate(lines, y):
            if not 0 <= row < self.height or x >= self.width:
                continue
            length = sum(segment.cell_length for segment in line)
            kept = list(line)
            if x + length > self.width:
                length = self.width - x
                kept = Segment.adjust_line_length(kept, length)
            self._rows[row].append((x, length, kept))

    def text(self, x: int, y: int, text: str, style: Style, width: int | None = None, ascii: bool = False) -> int:
        """One line of text, cut to a width; how many columns it took."""
        room = self.width - x if width is None else min(width, self.width - x)
        shown = cut(text, room, ascii)
        if shown:
            self.put(x, y, [[Segment(shown, style)]])
        return cell_len(shown)

    def strips(self) -> list[Strip]:
        """One strip a row, as wide as the room."""
        return [self._strip(row) for row in self._rows]

    def _strip(self, row: list[tuple[int, int, list[Segment]]]) -> Strip:
        segments: list[Segment] = []
        at = 0
        for x, length, line in sorted(row, key=lambda part: part[0]):
            if x > at:
                segments.append(Segment(" " * (x - at)))
            segments += line
            at = max(at, x) + length
        if at < self.width:
            segments.append(Segment(" " * (self.width - at)))
        return Strip(segments, max(self.width, at))


def cut(text: str, width: int, ascii: bool = False) -> str:
    """A text in at most so many columns, with a mark where it is cut."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return text
    mark = "..." if ascii else "…"
    if width <= len(mark):
        return mark[:width]
    return set_cell_size(text, width - len(mark)).rstrip() + mark
