"""One of several, found by typing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.geometry import Region
from textual.widgets import OptionList

from fourm_tui.tui.screens.dialog import Dialog
from fourm_tui.tui.widgets.filtered_list import FilteredList, Row

_AROUND = 4
"""Lines of the dialog that are not the list's."""
_LEAST, _MOST = 30, 72


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


class ChooseSeen(Choose):
    """The same for what can be seen beside the list before it is taken.

    Args:
        title, rows, at: as above.
        show: shows what would be if an id were chosen, and says what is wrong with it; empty: nothing.
        over: what the list may cover.
        is_free: what is typed may be taken too, where it fits no row.
    """

    def __init__(
        self, title: str, rows: Sequence[Row], at: str, show: Callable[[str], str], over: Region, is_free: bool = False
    ) -> None:
        super().__init__(title, rows, at)
        self.show, self.over, self.is_free = show, over, is_free

    def content(self) -> ComposeResult:
        if self.is_free:
            yield FilteredList(self.rows, "type to find, or a value", "enter takes what is typed", self.at)
        else:
            yield from super().content()

    def on_mount(self) -> None:
        super().on_mount()
        self._place(self.over)

    def _place(self, over: Region) -> None:
        """Goes over a part of the screen, and above it only for want of room."""
        self.styles.align = ("left", "top")
        self.styles.background = "transparent"
        wanted = len(self.rows) + _AROUND
        top = max(0, min(over.y, over.bottom - wanted))
        high = max(over.bottom - top, 3 + _AROUND)
        width = min(max(over.width, _LEAST), _MOST)
        self.frame.styles.margin = (top, 0, 0, max(0, over.x))
        self.frame.styles.width = width
        self.frame.styles.max_height = high
        self.query_one(OptionList).styles.max_height = high - _AROUND

    def on_filtered_list_highlighted(self, event: FilteredList.Highlighted) -> None:
        self._show(event.id)

    def on_filtered_list_unfound(self, event: FilteredList.Unfound) -> None:
        if self.is_free:
            self._show(event.text)

    def on_filtered_list_typed(self, event: FilteredList.Typed) -> None:
        if self.is_free and not self._show(event.text):
            self.dismiss(event.text)

    def _show(self, id: str) -> str:
        wrong = self.show(id)
        # A layout of the dialog in the same instant would swallow what the screen below draws anew.
        self.call_after_refresh(self.refresh)
        return wrong
