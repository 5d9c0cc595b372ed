"""What the four panes have in common: a frame with a title, one widget that takes the keys, zoom and fold."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding
from textual.containers import Container
from textual.widget import Widget

if TYPE_CHECKING:
    from fourm_tui.tui.app import FourmApp


class Pane(Container):
    """A pane. F1 to F4 and Tab go to its `focus_widget`, the only one that is focusable."""

    NUMBER: ClassVar[int] = 0
    TITLE: ClassVar[str] = ""
    WHERE: ClassVar[str] = ""
    """Where its actions are at home in the table of actions."""
    BINDINGS: ClassVar[list[Binding]] = []  # type: ignore[assignment]

    @property
    def fourm(self) -> FourmApp:
        return cast("FourmApp", self.app)

    def on_mount(self) -> None:
        self.retitle()

    def retitle(self, more: str = "") -> None:
        """Sets the title in the frame, with a few words behind it."""
        title = f"F{self.NUMBER} {self.TITLE}" + (f" · {more}" if more else "")
        if self.border_title != title:
            self.border_title = title

    def offers(self, name: str, title: str) -> str:
        """The title of an action as things stand; empty where there is nothing that it could be done to. The key does
        it all the same, which says why not."""
        return title

    @property
    def focus_widget(self) -> Widget:
        return self
