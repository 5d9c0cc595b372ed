"""What is shown where there is too little room for anything else."""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen
from textual.widgets import Static

LEAST = (80, 24)
"""Columns and rows that the screens need."""


def is_too_small(width: int, height: int) -> bool:
    return width < LEAST[0] or height < LEAST[1]


class TooSmall(ModalScreen[None]):
    """Takes all keys and does nothing with them. It goes when there is room again."""

    DEFAULT_CSS = """
    TooSmall Static { width: 1fr; height: auto; text-align: center; color: $text-muted; }
    """

    def compose(self) -> ComposeResult:
        yield Static()

    def on_mount(self) -> None:
        self.tell()

    def on_resize(self, event: events.Resize) -> None:
        self.tell()

    def tell(self) -> None:
        """Says how much room there is, or goes."""
        width, height = self.app.size
        if not is_too_small(width, height):
            if self.app.screen is self:
                self.dismiss()
            return
        columns, rows = LEAST
        self.query_one(Static).update(
            Text.assemble(
                ("fourm needs a little more room\n", "bold"), f"{columns} x {rows}, it has {width} x {height}"
            )
        )

    def on_screen_resume(self) -> None:
        self.tell()

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
