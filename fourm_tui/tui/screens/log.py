"""What was noted while a run went on, in full."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import Static

from fourm_tui.tui.run_state import RunState
from fourm_tui.tui.screens.dialog import Dialog


class LogScreen(Dialog[None]):
    """The log of a run for people; it grows while it is looked at.

    Args:
        state: of the run; None: there is none.
    """

    TITLE, KEYS = "log", "↑ ↓ scroll   esc back"
    BINDINGS = [  # noqa: RUF012
        Binding("j", "by(1)", show=False),
        Binding("k", "by(-1)", show=False),
        Binding("l,q", "leave", show=False),
    ]
    DEFAULT_CSS = """
    LogScreen > .frame { width: 100; height: 80%; }
    LogScreen VerticalScroll { height: 1fr; }
    LogScreen Static { height: auto; }
    """

    def __init__(self, state: RunState | None) -> None:
        super().__init__()
        self.state = state

    def content(self) -> ComposeResult:
        with VerticalScroll():
            yield Static(id="lines")

    def on_mount(self) -> None:
        keys = "up down scroll   esc back" if self.fourm.choice.ascii else self.KEYS
        self.retitle(f"log · {self.state.name}" if self.state else "log", keys)
        self.set_focus(self.query_one(VerticalScroll))
        self.fourm.run_signal.subscribe(self, self._changed)
        self._changed(self.state)

    def _changed(self, state: RunState | None) -> None:
        if state is self.state:
            self.query_one("#lines", Static).update(log_text(state))

    def action_by(self, lines: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


def log_text(state: RunState | None) -> Text:
    """All notes, oldest first, and how it ended."""
    if state is None:
        return Text("nothing has run yet")
    lines = [Text(note, "bold" if note.startswith("! ") else "") for note in state.notes]
    if state.error:
        lines.append(Text(f"{state.status}: {state.error}", "bold"))
    return Text("\n").join(lines) if lines else Text("nothing was noted")
