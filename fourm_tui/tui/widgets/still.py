"""One large picture, drawn once with the best that the terminal has, and taken away again."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from rich.segment import ControlType, Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from fourm_tui.terminal.choice import Choice
from fourm_tui.tui.widgets.canvas import Canvas
from fourm_tui.tui.widgets.drawings import Drawings, Drawn, Wish

_MARGIN = 1  # columns at the right that stay free: what is written there comes after the picture


class Still(Widget):
    """A picture, or lines of segments, in the middle of its room.

    Graphics travel in the strip of the last row that they cover, after its blanks: so they are sent when that row is,
    and never again until then.
    """

    DEFAULT_CSS = "Still { width: 1fr; height: 1fr; }"

    class Ready(Message):
        """The picture is there, or why it is not."""

        def __init__(self, still: Still, drawn: Drawn) -> None:
            super().__init__()
            self.still, self.drawn = still, drawn

    class Resized(Message):
        """There is other room."""

    def __init__(self, choice: Choice, id: str | None = None) -> None:
        super().__init__(id=id)
        self.choice = choice
        self._drawings = Drawings(choice, self._tell)
        self._asked: tuple[Path, bool, Path | None, int] | None = None
        self._wish: Wish | None = None
        self._shown: Wish | None = None
        self._strips: list[Strip] = []
        self._number = 0
        """Of the picture that kitty shows."""

    @property
    def text(self) -> str:
        return "\n".join(strip.text.rstrip() for strip in self._strips)

    # -- what is shown ----------------------------------------------------------------------------------------------

    def picture(self, path: Path, labels: bool = False, against: Path | None = None, version: int = 0) -> None:
        """Shows a picture, or how it differs from another."""
        self._asked = path, labels, against, version
        self._ask()

    def lines(self, lines: Sequence[Sequence[Segment]], width: int) -> None:
        """Shows lines that are that wide."""
        self._asked = self._wish = self._shown = None
        canvas = Canvas(*self.size)
        canvas.put(max((self.size.width - width) // 2, 0), max((self.size.height - len(lines)) // 2, 0), lines)
        self._set(canvas.strips(), 0)

    def _ask(self) -> None:
        width, height = self.size
        if self._asked is None or width <= _MARGIN or height < 1:
            return
        path, labels, against, version = self._asked
        graphic = self.choice.protocol in ("sixel", "kitty")
        self._wish = Wish(path, width - _MARGIN, height, labels, version, against, graphic)
        self._draw()
        self._drawings.want([self._wish])

    def _tell(self) -> None:
        with contextlib.suppress(RuntimeError):
            self.app.call_from_thread(self._draw)

    def _draw(self) -> None:
        wish = self._wish
        drawn = self._drawings.get(wish) if wish else None
        if drawn is None or wish == self._shown:
            return
        self._shown = wish
        canvas = Canvas(*self.size)
        x = max((self.size.width - _MARGIN - drawn.columns) // 2, 0)
        y = max((self.size.height - drawn.rows) // 2, 0)
        if drawn.problem:
            canvas.text(0, 0, drawn.problem, self.rich_style)
        elif drawn.graphic:
            canvas.put(x, y + drawn.rows - 1, [[Segment(" " * drawn.columns), self._control(drawn)]])
        else:
            canvas.put(x, y, drawn.lines)
        self._set(canvas.strips(), drawn.number)
        self.post_message(self.Ready(self, drawn))

    def _control(self, drawn: Drawn) -> Segment:
        """A picture as something without width, to be written behind the last row that it covers."""
        from fourm_tui.terminal.graphics import delete_kitty

        up = f"\x1b[{drawn.rows - 1}A" if drawn.rows > 1 else ""
        down = f"\x1b[{drawn.rows - 1}B" if drawn.rows > 1 else ""
        gone = delete_kitty(self._number) if self._number and self._number != drawn.number else ""
        text = f"\x1b[{drawn.columns}D{up}{gone}{drawn.graphic}{down}\x1b[{drawn.columns}C"
        return Segment(text, None, [(ControlType.CURSOR_FORWARD, 0)])

    def _set(self, strips: list[Strip], number: int) -> None:
        if number == 0:
            self.forget()
        self._strips, self._number = strips, number
        self.refresh()

    def forget(self) -> None:
        """Takes a picture of kitty's away; the others go with what is written over them."""
        if self._number:
            from fourm_tui.terminal.graphics import delete_kitty

            driver = self.app._driver
            if driver is not None:
                driver.write(delete_kitty(self._number))
                driver.flush()
            self._number = 0

    def hide(self) -> None:
        """Takes graphics away while something else is on top."""
        if self._asked is not None and self.choice.protocol in ("sixel", "kitty"):
            self._shown = None
            self._set([], 0)

    def again(self) -> None:
        """Shows what was hidden."""
        if self._asked is not None and self._shown is None:
            self._ask()

    def render_line(self, y: int) -> Strip:
        strip = self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width)
        return strip.apply_style(self.rich_style)

    def on_resize(self, event: events.Resize) -> None:
        self._shown = None
        if self._asked is not None:
            self._ask()
        else:
            self.post_message(self.Resized())

    def on_unmount(self) -> None:
        self.forget()
        self._drawings.close()
