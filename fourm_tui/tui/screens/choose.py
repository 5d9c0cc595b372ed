"""One of several, found by typing."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult

from fourm_tui.tui.screens.dialog import Dialog
from fourm_tui.tui.widgets.filtered_list import FilteredList, Row


class Choose(Dialog[str]):
    """Answers the id of what was chosen; None for Escape.

    Args:
        title: of the frame.
        rows: what there is to choose from.
        at: the one that the cursor begins at.
    """

    KEYS = "enter takes it   esc back"

    def __init__(self, title: str, rows: Sequence[Row], at: str = "") -> None:
        super().__init__()
        self.heading, self.rows, self.at = title, rows, at

    def content(self) -> ComposeResult:
        yield FilteredList(self.rows, at=self.at)

    def on_mount(self) -> None:
        self.retitle(self.heading, self.KEYS)

    def on_filtered_list_chosen(self, event: FilteredList.Chosen) -> None:
        self.dismiss(event.id)
