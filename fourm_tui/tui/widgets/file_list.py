"""A list of files of which only the lines that are seen are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from fourm_tui.tui.listing import FileEntry
from fourm_tui.tui.widgets.canvas import Canvas

if TYPE_CHECKING:
    from fourm_tui.tui.app import FourmApp


class FileList(Widget, can_focus=True):
    """See the module.

    Args:
        is_unfit: whether a file is drawn as one that does not fit; asked for lines that are seen only.
    """

    DEFAULT_CSS = """
    FileList { width: 1fr; height: 1fr; }
    FileList > .files--folder { color: $accent; }
    FileList > .files--cursor { background: $accent; color: $background; text-style: bold; }
    FileList > .files--resting { background: $panel-lighten-1; text-style: bold; }
    FileList > .files--unfit { color: $text-disabled; }
    FileList > .files--muted { color: $text-muted; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "files--folder", "files--cursor", "files--resting", "files--unfit", "files--muted",
    }  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "move(-1000000000)", show=False),
        Binding("end,G", "move(1000000000)", show=False),
    ]

    class Moved(Message):
        """Another entry has the cursor, or none."""

    class Clicked(Message):
        """The entry under the cursor was clicked once more."""

    def __init__(self, is_unfit: Callable[[FileEntry], bool]) -> None:
        super().__init__()
        self.is_unfit = is_unfit
        self.entries: Sequence[FileEntry] = ()
        self.at = 0
        self.none = "empty"
        self._top = 0

    def show(self, entries: Sequence[FileEntry], at: Path | None = None, none: str = "empty") -> None:
        """Shows entries, the cursor on a path if it is there."""
        self.entries, self.none = entries, none
        self.at = next((n for n, entry in enumerate(entries) if at is not None and entry.path == at), 0)
        self._top = 0
        self._moved()

    @property
    def current(self) -> FileEntry | None:
        return self.entries[self.at] if 0 <= self.at < len(self.entries) else None

    def action_move(self, by: int) -> None:
        to = max(0, min(self.at + by, len(self.entries) - 1))
        if to != self.at:
            self.at = to
            self._moved()

    def action_page(self, by: int) -> None:
        self.action_move(by * max(1, self.size.height - 1))

    def on_click(self, event: events.Click) -> None:
        to = self._top + event.y
        if to < len(self.entries):
            again, self.at = to == self.at, to
            self._moved()
            if again:
                self.post_message(self.Clicked())

    def on_mouse_scroll_down(self) -> None:
        self.action_move(3)

    def on_mouse_scroll_up(self) -> None:
        self.action_move(-3)

    def on_resize(self) -> None:
        self._keep_in()

    def _moved(self) -> None:
        self._keep_in()
        self.refresh()
        self.post_message(self.Moved())

    def _keep_in(self) -> None:
        height = max(1, self.size.height)
        margin = min(2, (height - 1) // 2)
        self._top = min(self._top, max(0, self.at - margin))
        self._top = max(self._top, min(self.at + margin, len(self.entries) - 1) - height + 1, 0)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        ascii = cast("FourmApp", self.app).choice.ascii
        at = self._top + y
        if at >= len(self.entries):
            canvas = Canvas(width, 1)
            if y == 0:
                canvas.text(1, 0, self.none, self._style("muted"), ascii=ascii)
            return canvas.strips()[0].apply_style(self.rich_style)
        entry = self.entries[at]
        canvas = Canvas(width, 1)
        style = Style()
        if entry.is_folder:
            style = self._style("folder")
        elif self.is_unfit(entry):
            style = self._style("unfit")
        if at == self.at:
            style = self._style("cursor" if self.has_focus else "resting")
            canvas.put(0, 0, [[Segment(" ", style)]])
        canvas.text(1, 0, entry.shown, style, width - 2, ascii)
        strip = canvas.strips()[0]
        return strip.apply_style(self.rich_style)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"files--{name}")
