"""The pane of the conditions."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Static

from fourm_tui.tui.actions import bindings
from fourm_tui.tui.panes.pane import Pane


class ConditionsBody(Static, can_focus=True):
    """What takes the keys."""


class ConditionsPane(Pane):
    """The conditions."""

    NUMBER, TITLE, WHERE = 1, "conditions", "conditions"
    BINDINGS = bindings("conditions")

    def compose(self) -> ComposeResult:
        yield ConditionsBody("conditions")

    @property
    def focus_widget(self) -> Widget:
        return self.query_one(ConditionsBody)
