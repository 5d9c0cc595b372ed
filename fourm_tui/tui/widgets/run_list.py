"""The list of earlier runs: four lines each, with the last picture; thousands of them cost what is seen."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from fourm_tui.chain.times import lasting
from fourm_tui.errors import printable
from fourm_tui.terminal.choice import Choice
from fourm_tui.tui.earlier import STATUS_COLOURS, Listed, in_one_line, is_label_map, model, when
from fourm_tui.tui.widgets.drawings import Drawings, Wish
from fourm_tui.tui.words import status_word

HIGH = 4
"""Lines of a run, the blank one below it included."""
_PICTURE = (7, 3)  # columns and rows
_TEXT_AT = 11


class RunList(ScrollView, can_focus=True):
    """See the module."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "runs--muted", "runs--name", "runs--cursor", "runs--mark", "runs--swept",
    }  # fmt: skip
    DEFAULT_CSS = """
    RunList { height: 1fr; width: 1fr; background: $background; overflow-x: hidden; scrollbar-size-vertical: 1; }
    RunList > .runs--muted { color: $text-muted; }
    RunList > .runs--swept { color: $foreground; }
    RunList > .runs--name { text-style: bold; color: $foreground; }
    RunList > .runs--cursor { color: $accent; text-style: bold; }
    RunList > .runs--mark { color: $primary; text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home,g", "end(-1)", show=False),
        Binding("end,G", "end(1)", show=False),
    ]

    class Moved(Message):
        """Another run is under the cursor, or none."""

    def __init__(self, choice: Choice, id: str | None = None) -> None:
        super().__init__(id=id)
        self.choice = choice
        self.items: tuple[Listed, ...] = ()
        self.cursor = 0
        self.marked: Path | None = None
        """The folder of the run that is to be compared."""
        self._drawings = Drawings(choice, self._tell)

    @property
    def current(self) -> Listed | None:
        return self.items[self.cursor] if self.cursor < len(self.items) else None

    def put(self, items: Sequence[Listed]) -> None:
        """Shows these; the cursor stays on its run if that is among them."""
        before = self.current
        self.items = tuple(items)
        folder = before.run.folder if before else None
        at = next((n for n, each in enumerate(self.items) if each.run.folder == folder), None)
        self.cursor = min(self.cursor, max(len(self.items) - 1, 0)) if at is None else at
        self.virtual_size = Size(0, len(self.items) * HIGH)
        self._ask()
        self.refresh()
        if self.current != before:
            self.post_message(self.Moved())

    # -- moving -------------------------------------------------------------------------------------------------------

    def go_to(self, at: int) -> None:
        at = min(max(at, 0), len(self.items) - 1)
        if at < 0 or at == self.cursor:
            return
        self.cursor = at
        top, height = self.scroll_offset.y, self.size.height
        if at * HIGH < top:
            self.scroll_to(y=at * HIGH, animate=False)
        elif (at + 1) * HIGH > top + height:
            self.scroll_to(y=(at + 1) * HIGH - height, animate=False)
        self.refresh()
        self.post_message(self.Moved())

    def action_move(self, by: int) -> None:
        self.go_to(self.cursor + by)

    def action_page(self, by: int) -> None:
        self.go_to(self.cursor + by * max(self.size.height // HIGH, 1))

    def action_end(self, way: int) -> None:
        self.go_to(0 if way < 0 else len(self.items) - 1)

    def on_click(self, event: events.Click) -> None:
        self.go_to((event.y + self.scroll_offset.y) // HIGH)

    # -- drawing ------------------------------------------------------------------------------------------------------

    def watch_scroll_y(self, old: float, new: float) -> None:
        super().watch_scroll_y(old, new)
        self._ask()

    def on_resize(self) -> None:
        self._ask()

    def _wish(self, item: Listed) -> Wish | None:
        return Wish(item.picture, *_PICTURE, is_label_map(item.picture)) if item.picture else None

    def _ask(self) -> None:
        """The pictures of the runs that are seen."""
        first = self.scroll_offset.y // HIGH
        seen = self.items[first : first + self.size.height // HIGH + 2]
        self._drawings.want([wish for item in seen if (wish := self._wish(item))])

    def _tell(self) -> None:
        with contextlib.suppress(RuntimeError):
            self.app.call_from_thread(self.refresh)

    def on_unmount(self) -> None:
        self._drawings.close()

    def render_line(self, y: int) -> Strip:
        at, line = divmod(y + self.scroll_offset.y, HIGH)
        width = self.scrollable_content_region.width
        if at >= len(self.items):
            return Strip.blank(width, self.rich_style)
        item, chosen = self.items[at], at == self.cursor
        ground = self.rich_style
        bar = (">" if self.choice.ascii else "▌") if chosen else " "
        segments = [Segment(f"{bar} ", self._style("runs--cursor"))]
        segments += self._picture(item, line)
        text = self._text(item, line, max(width - _TEXT_AT - 1, 4), chosen)
        segments += list(text.render(self.app.console))
        return Strip(segments).adjust_cell_length(width, ground).apply_style(ground)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(name)

    def _picture(self, item: Listed, line: int) -> list[Segment]:
        wide = _TEXT_AT - 2
        drawn = self._drawings.get(wish) if (wish := self._wish(item)) else None
        if drawn is None or line >= len(drawn.lines) or line >= _PICTURE[1]:
            return [Segment(" " * wide)]
        return [*drawn.lines[line], Segment(" " * (wide - drawn.columns))]

    def _text(self, item: Listed, line: int, room: int, chosen: bool) -> Text:
        run, muted = item.run, self._style("runs--muted")
        record = run.record
        if line == 0:
            name = Text(printable(record.chain, 80), self._style("runs--cursor" if chosen else "runs--name"))
            if item.swept:  # first: it is what tells them apart, and names are long
                name = Text.assemble((f"{item.swept}  ", self._style("runs--swept")), name)
            if run.folder == self.marked:
                name = Text.assemble(("= ", self._style("runs--mark")), name)
            return _at_both_ends(name, Text(when(run, datetime.now().astimezone()), muted), room)
        if line == 1:
            colour = self.app.theme_variables.get(STATUS_COLOURS[record.status], "")
            style = "" if not colour or colour.startswith(("ansi", "auto")) else colour
            status = Text(status_word(record.status), style)
            left = Text.assemble(status, (f"  {lasting(record.seconds)}  {model(run)}", muted))
            return _at_both_ends(left, Text(f"x{len(record.samples)}" if len(record.samples) > 1 else "", muted), room)
        arrow = " > " if self.choice.ascii else " → "
        said = f"{arrow.join(item.targets)}   {in_one_line(run)}" if line == 2 else ""
        text = Text.assemble((said, muted), no_wrap=True, end="")
        text.truncate(room, overflow="ellipsis")
        return text


def _at_both_ends(left: Text, right: Text, room: int) -> Text:
    """Two texts in one line, the left one cut where there is too little room."""
    left.truncate(max(room - right.cell_len - 2, 3), overflow="ellipsis")
    gap = max(room - left.cell_len - right.cell_len, 1)
    return Text.assemble(left, " " * gap, right, no_wrap=True, end="")
