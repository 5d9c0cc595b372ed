"""Outputs in the terminal while a run goes on: each target as it is decoded, and the chain at the end."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import ControlType, Segment

from fourm_tui.terminal.choice import Choice
from fourm_tui.terminal.panels import GAP, Panel, beside, block, grid

COLUMNS = 28
"""Of a picture; 14 rows of cells twice as high as wide."""
_LEAST_BESIDE = 12  # columns for the name of a target


class Previewer:
    """Prints pictures to a console, above whatever it keeps alive at the bottom.

    Args:
        console: where to; a `rich.live.Live` on it stays below what is printed.
        choice: how pictures are shown; with `none` nothing is printed.
        columns: of a picture.
    """

    def __init__(self, console: Console, choice: Choice, columns: int = COLUMNS) -> None:
        self._console, self._choice, self._columns = console, choice, columns

    def target(
        self, title: str, seconds: float, picture: Image.Image | None, text: str | None, *, labels: bool = False
    ) -> None:
        """Shows a finished target: its picture with name and time beside it, and its text.

        Args:
            title: for people.
            seconds: how long it took.
            picture: None for a target that is text, or has no picture.
            text: None for a target without.
            labels: the colours stand for classes and are not mixed.
        """
        if self._choice.protocol == "none":
            return
        width, height = self._console.size
        shown = block(
            Panel(picture=picture, labels=labels), self._choice, min(self._columns, width), self._rows(height)
        )
        words = Panel(title, text=text or "", note=f"{seconds:.1f} s")
        room = width - (shown.width + GAP if picture else 0)
        if picture is None or room < _LEAST_BESIDE:
            above = block(words, self._choice, width, height)
            self._print(beside([above]) + (beside([shown]) if picture else ""))
            return
        self._print(beside([shown, block(words, self._choice, room, max(len(shown.lines) + 1, 3))]))

    def end(self, panels: Sequence[Panel]) -> None:
        """Shows the whole chain side by side, as many in a line as the window holds.

        Args:
            panels: conditions and targets in their order.
        """
        if self._choice.protocol == "none" or not panels:
            return
        width, height = self._console.size
        self._print("\n")
        for line in grid(panels, self._choice, width, self._rows(height), min(self._columns, width)):
            self._print(line)

    def _rows(self, height: int) -> int:
        return min(self._columns // 2 + 3, max(height - 1, 2))

    def _print(self, drawn: str) -> None:
        if self._console.is_terminal:
            self._console.print(_Drawn(drawn), end="")
        else:  # rich leaves out what it takes for a control sequence
            self._console.file.write(drawn)


class _Drawn:
    """What is written as it is: to rich a control sequence, which has no width."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Segment(self._text, None, [(ControlType.CURSOR_FORWARD, 0)])
