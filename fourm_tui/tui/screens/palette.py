"""Any action by its name."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult

from fourm_tui.tui.actions import PLACES, Action
from fourm_tui.tui.found import Entry
from fourm_tui.tui.keymap import Keymap, shown_keys
from fourm_tui.tui.screens.dialog import Dialog
from fourm_tui.tui.widgets.filtered_list import FilteredList, Row


class Palette(Dialog[str]):
    """Answers the id of an action.

    Args:
        actions: what can be done, in their order.
        keymap: the user's.
    """

    TITLE, KEYS = "actions", "type to find   up down enter   esc back"
    DEFAULT_CSS = "Palette > .frame { width: 84; }"

    def __init__(self, actions: Sequence[Action], keymap: Keymap) -> None:
        super().__init__()
        self.actions, self.keymap = actions, keymap

    def content(self) -> ComposeResult:
        rows = [
            Row(Entry(action.id, action.title, action.help, PLACES[action.where]), shown_keys(action, self.keymap))
            for action in self.actions
        ]
        yield FilteredList(rows, "what to do", "no action fits")

    @on(FilteredList.Chosen)
    def _chosen(self, event: FilteredList.Chosen) -> None:
        event.stop()
        self.dismiss(event.id)
