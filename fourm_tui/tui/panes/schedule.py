"""The pane of the schedule."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Static

from fourm_tui.tui.actions import bindings
from fourm_tui.tui.panes.pane import Pane


class ScheduleBody(Static, can_focus=True):
    """What takes the keys."""


class SchedulePane(Pane):
    """The schedule."""

    NUMBER, TITLE, WHERE = 2, "schedule", "schedule"
    BINDINGS = bindings("schedule")

    def compose(self) -> ComposeResult:
        yield ScheduleBody("schedule")

    @property
    def focus_widget(self) -> Widget:
        return self.query_one(ScheduleBody)
