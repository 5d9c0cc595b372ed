"""Any action by its name."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult

from fourm_tui.tui.actions import ACTIONS, PLACES
from fourm_tui.tui.found import Entry
from fourm_tui.tui.keymap import Keymap, shown_keys
from fourm_tui.tui.screens.dialog import Dialog
from fourm_tui.tui.widgets.filtered_list import FilteredList, Row

_PANES = ("conditions", "schedule", "run", "preview")


class Palette(Dialog[str]):
    """Answers the id of an action.

    Args:
        place: where the focus is; its actions come first.
        keymap: the user's.
    """

    TITLE, KEYS = "actions", "type to find   up down enter   esc back"
    DEFAULT_CSS = "Palette > .frame { width: 84; }"

    def __init__(self, place: str, keymap: Keymap) -> None:
        super().__init__()
        self.place, self.keymap = place, keymap

    def content(self) -> ComposeResult:
        places = list(dict.fromkeys(each for each in (self.place, "app", *_PANES) if each in PLACES))
        rows = [
            Row(Entry(action.id, action.title, action.help, PLACES[place]), shown_keys(action, self.keymap))
            for place in places
            for action in ACTIONS
            if action.where == place and action.id != "app.palette"
        ]
        yield FilteredList(rows, "what to do", "no action fits")

    @on(FilteredList.Chosen)
    def _chosen(self, event: FilteredList.Chosen) -> None:
        event.stop()
        self.dismiss(event.id)
