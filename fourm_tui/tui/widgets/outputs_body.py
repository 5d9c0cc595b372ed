"""The inside of the preview pane: strips that are drawn elsewhere, of which only those that changed are sent."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from fourm_tui.terminal.choice import Choice
from fourm_tui.tui.widgets.lines import Lines, weight
from fourm_tui.tui.widgets.output_strip import Look
from fourm_tui.tui.widgets.token_map import Paint


class PreviewBody(Lines, can_focus=True):
    """What takes the keys of the pane, and shows its strips."""

    DEFAULT_CSS = """
    PreviewBody { height: 1fr; width: 1fr; }
    PreviewBody > .preview--muted { color: $text-muted; }
    PreviewBody > .preview--faint { color: $text-disabled; }
    PreviewBody > .preview--accent { color: $accent; text-style: bold; }
    PreviewBody > .preview--error { color: $error; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "preview--muted", "preview--faint", "preview--accent", "preview--error",
    }  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1, 0)", show=False),
        Binding("down,j", "move(1, 0)", show=False),
        Binding("left,h", "move(0, -1)", show=False),
        Binding("right,l", "move(0, 1)", show=False),
        Binding("escape", "leave", show=False),
    ]

    class Moved(Message):
        """The cursor is to go so many rows and columns on."""

        def __init__(self, rows: int, columns: int) -> None:
            super().__init__()
            self.rows, self.columns = rows, columns

    class Left(Message):
        """Cursor and replay are to go."""

    class Changed(Message):
        """The room, the focus or the theme is another."""

    def show(self, strips: list[Strip]) -> int:
        """Shows these; roughly how many bytes change on the screen."""
        return sum(map(weight, self.show_strips(strips)))

    def look(self, choice: Choice) -> Look:
        """The styles of the theme as it is now."""
        return look_of(self, "preview", choice)

    def action_move(self, rows: int, columns: int) -> None:
        self.post_message(self.Moved(rows, columns))

    def action_leave(self) -> None:
        self.post_message(self.Left())

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


def look_of(widget: Widget, name: str, choice: Choice) -> Look:
    """The styles of the theme, from the component classes `NAME--muted`, `--faint`, `--accent` and `--error`."""
    muted, faint, accent, error = (
        widget.get_component_rich_style(f"{name}--{each}") for each in ("muted", "faint", "accent", "error")
    )
    plain = widget.rich_style
    selected = Style(bold=True, reverse=True) if choice.colours == "none" else accent
    return Look(choice, Paint(faint, accent, Style(bgcolor=plain.bgcolor), plain), plain, muted, selected, error)
