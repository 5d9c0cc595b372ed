"""What the screens that show the selected output in full have in common: they step through those of the preview."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.screen import Screen

from fourm_tui.tui.outputs import Item
from fourm_tui.tui.panes.preview import PreviewPane
from fourm_tui.tui.widgets.still import Still

if TYPE_CHECKING:
    from fourm_tui.tui.app import FourmApp


class OutputScreen(Screen[None]):
    """The selected output of the preview pane. What is chosen here is chosen there.

    Args:
        pane: of the preview.
    """

    WHERE: ClassVar[str] = ""
    """Where its actions are at home in the table of actions."""

    def __init__(self, pane: PreviewPane) -> None:
        super().__init__()
        self.pane = pane

    @property
    def fourm(self) -> FourmApp:
        return cast("FourmApp", self.app)

    @property
    def item(self) -> Item | None:
        return self.pane.selected

    def look(self) -> None:
        """Shows what is selected now."""
        raise NotImplementedError

    def hear(self, message: str) -> None:
        """Shows what the application says, whose own line is out of sight here."""
        raise NotImplementedError

    def on_screen_suspend(self) -> None:
        for still in self.query(Still):
            still.hide()

    def on_screen_resume(self) -> None:
        for still in self.query(Still):
            still.again()

    def action_next(self) -> None:
        self.pane.action_next()
        self.look()

    def action_previous(self) -> None:
        self.pane.action_previous()
        self.look()

    def action_close(self) -> None:
        self.dismiss()
