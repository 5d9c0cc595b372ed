"""The inside of the pane of the run: lines of words with roles, in the styles of the theme."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from fourm_tui.tui.run_lines import Line
from fourm_tui.tui.widgets.lines import Lines, weight


class RunBody(Lines, can_focus=True):
    """What takes the keys of the pane, and shows its lines."""

    DEFAULT_CSS = """
    RunBody { height: 1fr; width: 1fr; }
    RunBody > .run--muted { color: $text-muted; }
    RunBody > .run--faint { color: $text-disabled; }
    RunBody > .run--accent { color: $accent; }
    RunBody > .run--selected { color: $accent; text-style: bold; }
    RunBody > .run--error { color: $error; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "run--muted", "run--faint", "run--accent", "run--selected", "run--error",
    }  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("home,g", "move(-1000)", show=False),
        Binding("end,G", "move(1000)", show=False),
    ]

    class Moved(Message):
        """Another job is to be selected, so many places on."""

        def __init__(self, places: int) -> None:
            super().__init__()
            self.places = places

    class Changed(Message):
        """The room, the focus or the theme is another."""

    def show(self, lines: list[Line]) -> int:
        """Shows these; roughly how many bytes change on the screen."""
        return sum(map(weight, self.show_strips([self._strip(line) for line in lines])))

    def _strip(self, line: Line) -> Strip:
        strip = Strip([Segment(text, self._style(role)) for text, role in line if text])
        return strip.adjust_cell_length(self.size.width, self.rich_style)

    def _style(self, role: str) -> Style:
        return self.rich_style if role == "plain" else self.get_component_rich_style(f"run--{role}")

    def action_move(self, places: int) -> None:
        self.post_message(self.Moved(places))

    def on_resize(self, event: events.Resize) -> None:
        self.post_message(self.Changed())

    def on_show(self, event: events.Show) -> None:
        self.post_message(self.Changed())

    def on_focus(self, event: events.Focus) -> None:
        self.post_message(self.Changed())

    def on_blur(self, event: events.Blur) -> None:
        self.post_message(self.Changed())

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self.post_message(self.Changed())
