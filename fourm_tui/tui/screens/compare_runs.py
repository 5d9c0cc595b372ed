"""Two runs cell by cell, with their last pictures."""

from __future__ import annotations

from itertools import groupby
from typing import ClassVar

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Static

from fourm_tui.chain.compare import compared
from fourm_tui.errors import printable
from fourm_tui.tui.earlier import Listed, is_label_map
from fourm_tui.tui.screens.dialog import Dialog
from fourm_tui.tui.widgets.thumbnail import Thumbnail

_LEAST = 34  # rows from which there is room for pictures


_HELP = """\
At the left what is compared: the run itself, its conditions, its models, then each row of the schedule with its
columns. In the middle what the run A has, at the right what the run B has.

a         all that was compared, what is the same dimmed; again: the differences alone
up down   through the list, so do j and k
?         this, and back to the list
esc q     back to the history
"""


class CompareRuns(Dialog[None]):
    """Shows in what two runs differ; `a` shows all that was compared."""

    TITLE, KEYS = "compare", "a all or differences   up down   ? help   esc back"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "all", show=False),
        Binding("escape,q", "leave", show=False),
        Binding("question_mark", "explain", show=False),
        Binding("j", "move('down')", show=False),
        Binding("k", "move('up')", show=False),
    ]
    DEFAULT_CSS = """
    CompareRuns > .frame { width: 110; height: 96%; }
    CompareRuns Horizontal { height: 13; margin-bottom: 1; }
    CompareRuns VerticalScroll { height: 1fr; }
    CompareRuns Static { height: auto; }
    """

    def __init__(self, a: Listed, b: Listed) -> None:
        super().__init__()
        self.a, self.b = a, b
        self.everything = False
        self._is_explained = False
        self.pairs = list(compared(a.run, b.run))

    def content(self) -> ComposeResult:
        if self.app.size.height >= _LEAST:
            with Horizontal():
                for item in (self.a, self.b):
                    picture = Thumbnail(self.fourm.choice)
                    if item.picture:
                        picture.show(item.picture, is_label_map(item.picture))
                    yield picture
        yield Static(
            Text.assemble(
                ("A ", "bold"), printable(self.a.run.name), ("\nB ", "bold"), printable(self.b.run.name), "\n"
            )
        )
        with VerticalScroll(can_focus=True):
            yield Static(id="pairs")

    def on_mount(self) -> None:
        self.redraw()

    def redraw(self) -> None:
        self.query_one("#pairs", Static).update(self._table())

    def _table(self) -> RenderableType:
        if self._is_explained:
            return Text(_HELP)
        pairs = [pair for pair in self.pairs if self.everything or not pair.same]
        if not pairs:
            return Text("No difference; a shows what was compared.")
        parts: list[RenderableType] = []
        for group, inside in groupby(pairs, lambda pair: pair.group):
            table = Table.grid(padding=(0, 2, 0, 0), expand=True)
            table.add_column(width=26, no_wrap=True)
            table.add_column(ratio=1, overflow="fold")
            table.add_column(ratio=1, overflow="fold")
            for pair in inside:
                style = "dim" if pair.same else ""
                table.add_row(Text(f"  {printable(pair.what, 24)}", style), _cell(pair.a, style), _cell(pair.b, style))
            parts += [Text(printable(group), "bold"), table]
        return Group(*parts)

    def action_all(self) -> None:
        self.everything = not self.everything
        self.redraw()

    def action_explain(self) -> None:
        """The dialog is its own help: what stands where, and its keys."""
        self._is_explained = not self._is_explained
        self.redraw()

    def action_move(self, way: str) -> None:
        scroll = self.query_one(VerticalScroll)
        (scroll.scroll_down if way == "down" else scroll.scroll_up)()


def _cell(value: str | None, style: str) -> Text:
    return Text("none", "dim") if value is None else Text(printable(value, 1000) or "''", style)
