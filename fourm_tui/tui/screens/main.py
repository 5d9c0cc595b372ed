"""The main screen: four panes that tell the whole story, a title above and the keys below.

From 100 columns on the panes stand in two columns, from 180 on the preview has one of its own; below they are tabs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widget import Widget

from fourm_tui.tui.panes.conditions import ConditionsPane
from fourm_tui.tui.panes.pane import Pane
from fourm_tui.tui.panes.preview import PreviewPane
from fourm_tui.tui.panes.run import RunPane
from fourm_tui.tui.panes.schedule import SchedulePane
from fourm_tui.tui.widgets.key_line import KeyLine
from fourm_tui.tui.widgets.message import MessageLine
from fourm_tui.tui.widgets.title import TabLine, TitleLine

if TYPE_CHECKING:
    from fourm_tui.tui.app import FourmApp

NARROW, WIDE = 100, 180
_SHARE = {"left": 28, "upper": 50}
"""Percent of the window that the left column and the upper panes have."""
_STEP = 4


class MainScreen(Screen[None]):
    """See the module."""

    AUTO_FOCUS = ""  # `on_mount` does it; two at once mix up which pane is the one to show
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "next_pane", show=False),
        Binding("shift+tab", "previous_pane", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.share = dict(_SHARE)
        self.active = 2
        self.zoomed = False

    @property
    def fourm(self) -> FourmApp:
        return cast("FourmApp", self.app)

    def compose(self) -> ComposeResult:
        yield TitleLine()
        yield TabLine()
        with Horizontal(id="panes"):
            with Vertical(id="left"):
                yield ConditionsPane(id="conditions")
                yield RunPane(id="run")
            with Vertical(id="right"):
                yield SchedulePane(id="schedule")
                yield PreviewPane(id="preview")
        yield MessageLine()
        yield KeyLine()

    @property
    def panes(self) -> list[Pane]:
        """In the order of their numbers."""
        return sorted(self.query(Pane), key=lambda pane: pane.NUMBER)

    def on_mount(self) -> None:
        self._arrange()
        self.go_to(self.active)
        self.watch(self, "focused", self._lost, init=False)

    def on_resize(self, event: events.Resize) -> None:
        self._arrange()

    def _compositor_refresh(self) -> None:
        """Under a dialog, too, only what has changed is painted. Textual hands the changed regions on to the dialog but
        counts them as this screen's own as well, so that all that ever changed would be sent with every change."""
        super()._compositor_refresh()
        if self is not self.app.screen:
            self._exchange_repaint_regions()
            self._repaint_required = False

    # -- where the keys go ------------------------------------------------------------------------------------------

    def go_to(self, number: int) -> None:
        """Gives a pane the focus, and shows it where panes are tabs."""
        self.active = number
        pane = self.panes[number - 1]
        pane.remove_class("folded")
        self._arrange()
        self.set_focus(pane.focus_widget)  # at once: the next key is meant for it

    def _lost(self, focused: Widget | None) -> None:
        """No key comes to nothing: what takes the focus away (a click beside the panes, a widget that is out of sight
        for the moment of an arrangement) does not keep it."""
        if focused is None:
            self.call_later(self._find_again)

    def _find_again(self) -> None:
        if self.focused is None and self.app.app_focus and self.app.is_running:
            self.set_focus(self.panes[self.active - 1].focus_widget)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        pane = next((each for each in event.widget.ancestors_with_self if isinstance(each, Pane)), None)
        if pane is not None and self.active != pane.NUMBER and event.widget is self.focused:
            self.active = pane.NUMBER
            self._arrange()

    def action_next_pane(self) -> None:
        self.go_to(self.active % 4 + 1)

    def action_previous_pane(self) -> None:
        self.go_to((self.active - 2) % 4 + 1)

    # -- arrangement --------------------------------------------------------------------------------------------------

    @property
    def is_narrow(self) -> bool:
        return self.size.width < NARROW

    @property
    def is_wide(self) -> bool:
        return self.size.width >= WIDE

    def zoom(self) -> None:
        """The active pane alone, or all of them again."""
        self.zoomed = not self.zoomed
        self._arrange()

    def fold(self) -> None:
        """Folds the active pane to its title, or unfolds it."""
        if not self.is_narrow and not self.zoomed:
            self.panes[self.active - 1].toggle_class("folded")
            self._arrange()

    def grow(self, what: str, by: int) -> None:
        """Moves a border: `left` the column's, `upper` that under the upper panes."""
        self.share[what] = min(80, max(15, self.share[what] + by * _STEP))
        self._arrange()

    def _arrange(self) -> None:
        """Shows, hides and sizes the panes for the window as it is."""
        alone = self.is_narrow or self.zoomed
        self.set_class(self.is_narrow, "narrow")
        self.set_class(self.is_wide and not alone, "wide")
        self.set_class(alone, "alone")
        left, right = self.query_one("#left"), self.query_one("#right")
        for pane in self.panes:
            pane.display = not alone or self.active == pane.NUMBER
        for column in (left, right):
            column.display = any(pane.display for pane in column.query(Pane))
        left.styles.width = "1fr" if alone else f"{self.share['left'] if not self.is_wide else 22}%"
        for upper, lower in (("#conditions", "#run"), ("#schedule", "#preview")):
            self._share_heights(self.query_one(upper, Pane), self.query_one(lower, Pane), alone)
        self.query_one(TabLine).show(self.active)

    def _share_heights(self, upper: Pane, lower: Pane, alone: bool) -> None:
        sideways = self.is_wide and upper.id == "schedule" and not alone
        share = self.share["upper"]
        for pane, part in ((upper, share), (lower, 100 - share)):
            pane.styles.height = "1fr" if alone or sideways else f"{part}fr"
            pane.styles.width = f"{part}fr" if sideways else "1fr"
            if pane.has_class("folded") and not alone:
                if sideways:
                    pane.styles.width = 6
                else:
                    pane.styles.height = 3
