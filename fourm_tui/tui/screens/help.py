"""All keys of what has the focus, and of everywhere."""

from __future__ import annotations

from typing import ClassVar

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from fourm_tui.tui.actions import ELSEWHERE
from fourm_tui.tui.keymap import Keymap, sections
from fourm_tui.tui.screens.dialog import Dialog

_MOVES = (("arrows  h j k l", "Move"), ("Tab  Shift+Tab", "The next pane, the one before"), ("Esc", "Back, or out"))


class Help(Dialog[None]):
    """Keys and what they do.

    Args:
        place: where the focus is, as in the table of actions.
        keymap: the user's.
    """

    TITLE, KEYS = "keys", "up down   esc back"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "leave", "back", show=False),
        Binding("j", "move('down')", show=False),
        Binding("k", "move('up')", show=False),
    ]
    DEFAULT_CSS = """
    Help > .frame { width: 92; }
    Help VerticalScroll { height: auto; max-height: 100%; }
    Help Static { height: auto; }
    """

    def __init__(self, place: str, keymap: Keymap) -> None:
        super().__init__()
        self.place, self.keymap = place, keymap

    def content(self) -> ComposeResult:
        with VerticalScroll(can_focus=True):
            yield Static(self._table())

    def _table(self) -> RenderableType:
        accent = f"bold {self.app.theme_variables.get('primary', '')}".strip()
        accent = "bold" if "ansi" in accent else accent
        parts: list[RenderableType] = []
        for title, rows in sections(self.place, self.keymap):
            table = Table.grid(padding=(0, 2, 0, 0))
            table.add_column(no_wrap=True, min_width=16)
            table.add_column(overflow="fold")
            if not parts and self.place not in ELSEWHERE:
                for keys, what in _MOVES:
                    table.add_row(Text(keys, "dim"), Text(what, "dim"))
            for keys, action in rows:
                table.add_row(Text(keys, accent), Text(action.help))
            parts += [Text(title, "bold"), table, Text()]
        return Group(*parts)

    def action_move(self, way: str) -> None:
        scroll = self.query_one(VerticalScroll)
        (scroll.scroll_down if way == "down" else scroll.scroll_up)()
