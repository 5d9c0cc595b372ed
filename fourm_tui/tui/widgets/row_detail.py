"""Below the table: curves, guidance, cost and problems of what is selected, or the sentence about a wrong value."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rich.text import Text

from fourm_tui.tui.detail import WRONG, Piece, Seconds, fitting, pieces
from fourm_tui.tui.widgets.lines import Lines
from fourm_tui.tui.workspace import Workspace

if TYPE_CHECKING:
    from fourm_tui.tui.app import FourmApp


class RowDetail(Lines):
    """See the module."""

    DEFAULT_CSS = "RowDetail { height: 1fr; width: 1fr; margin-top: 1; overflow: hidden; }"

    def __init__(self) -> None:
        super().__init__()
        self._said: tuple[Workspace, int, Seconds | None, str, float | None] | None = None

    def on_resize(self) -> None:
        if self._said is not None:
            self.show(*self._said)

    def show(
        self, workspace: Workspace, row: int, seconds: Seconds | None, wrong: str = "", loading: float | None = None
    ) -> None:  # fmt: skip
        """Shows a row of a workspace; `wrong` says what is wrong with what is being typed, `loading` how many seconds
        the model takes that is not there yet (0: not known)."""
        self._said = (workspace, row, seconds, wrong, loading)
        theme = self.app.theme_variables
        styles = {
            "dim": _color(theme.get("text-disabled", ""), "dim"), "error": _color(theme.get("error", ""), "red"),
            "warning": _color(theme.get("warning", ""), "yellow"), "accent": _color(theme.get("primary", ""), "blue"),
        }  # fmt: skip
        ascii = cast("FourmApp", self.app).choice.ascii
        width = max(self.size.width, 20)
        found = pieces(workspace, row, width, seconds, styles, ascii, loading)
        if wrong:
            found.insert(0, Piece(Text(wrong, styles["error"]), WRONG))
        wrapped = [each.text.wrap(self.app.console, width) for each in found]
        shown = fitting([len(each) for each in wrapped], found, self.size.height)
        lines = [line for each, count in zip(wrapped, shown, strict=True) for line in each[:count]]
        self.show_strips(self.strips_of(lines))


def _color(value: str, default: str) -> str:
    """A colour of the theme for rich, which knows no `auto` and no shares of a colour."""
    if value.startswith("#") and len(value) == 7:
        return value
    if value.startswith("ansi_") and " " not in value:
        return value.removeprefix("ansi_")
    return default
