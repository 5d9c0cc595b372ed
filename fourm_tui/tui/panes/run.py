"""The pane of the run."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Static

from fourm_tui.tui.actions import bindings
from fourm_tui.tui.panes.pane import Pane


class RunBody(Static, can_focus=True):
    """What takes the keys."""


class RunPane(Pane):
    """The run."""

    NUMBER, TITLE, WHERE = 3, "run", "run"
    BINDINGS = bindings("run")

    def compose(self) -> ComposeResult:
        yield RunBody("run")

    @property
    def focus_widget(self) -> Widget:
        return self.query_one(RunBody)
