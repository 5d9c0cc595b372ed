"""The colours, seen while one chooses."""

from __future__ import annotations

from collections.abc import Mapping

from textual import on
from textual.app import ComposeResult
from textual.theme import Theme

from fourm_tui.tui.found import Entry
from fourm_tui.tui.screens.dialog import Dialog
from fourm_tui.tui.widgets.filtered_list import FilteredList, Row


class Themes(Dialog[str]):
    """Answers the name of a theme; until then the one under the cursor is shown.

    Args:
        themes: by name.
        before: the one there is now.
    """

    TITLE, KEYS = "colours", "enter keeps   esc as before"
    DEFAULT_CSS = """
    Themes > .frame { width: 44; margin: 1 2; }
    """

    def __init__(self, themes: Mapping[str, Theme], before: str) -> None:
        super().__init__()
        self.themes, self.before = themes, before

    def content(self) -> ComposeResult:
        rows = [Row(Entry(name, name, _kind(theme))) for name, theme in self.themes.items()]
        yield FilteredList(rows, "a name", at=self.before)

    @on(FilteredList.Highlighted)
    def _look(self, event: FilteredList.Highlighted) -> None:
        event.stop()
        self.app.theme = event.id

    @on(FilteredList.Chosen)
    def _chosen(self, event: FilteredList.Chosen) -> None:
        event.stop()
        self.app.theme = event.id
        self.dismiss(event.id)

    def action_leave(self) -> None:
        self.app.theme = self.before
        self.dismiss(None)


def _kind(theme: Theme) -> str:
    if theme.ansi:
        return "the terminal's own"
    return "dark" if theme.dark else "light"
