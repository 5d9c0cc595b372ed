"""The pane of the preview."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Static

from fourm_tui.tui.actions import bindings
from fourm_tui.tui.panes.pane import Pane


class PreviewBody(Static, can_focus=True):
    """What takes the keys."""


class PreviewPane(Pane):
    """The preview."""

    NUMBER, TITLE, WHERE = 4, "preview", "preview"
    BINDINGS = bindings("preview")

    def compose(self) -> ComposeResult:
        yield PreviewBody("preview")

    @property
    def focus_widget(self) -> Widget:
        return self.query_one(PreviewBody)
