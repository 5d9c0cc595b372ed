"""Values for a cell: a run for each of them."""

from __future__ import annotations

from collections.abc import Callable

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.widgets import Input, Static

from fourm_tui.chain.times import lasting
from fourm_tui.errors import FourmError
from fourm_tui.schedule.columns import COLUMNS
from fourm_tui.schedule.values import format_value
from fourm_tui.tui.screens.dialog import Dialog
from fourm_tui.tui.sweeps import checked
from fourm_tui.tui.workspace import Workspace

_COLUMN = "temps"
"""Of which values are asked for where no cell is selected."""


class SweepDialog(Dialog[str]):
    """Asks for a cell and its values; answers `temps.2=0.5,1,2`.

    Args:
        workspace: what is edited.
        cell: row, from 1, and key of the column; the cell can be changed in the dialog.
        seconds: that one run of these rows takes, from a row on; None: not known.
    """

    TITLE, KEYS = "sweep", "tab next   enter runs them   esc back"
    DEFAULT_CSS = """
    SweepDialog Input { border: none; height: 1; padding: 0; background: $panel; margin: 0 0 1 0; }
    SweepDialog Static { height: auto; }
    SweepDialog .facts { color: $text-muted; margin: 0 0 1 0; }
    SweepDialog .problem { color: $error; }
    """

    def __init__(
        self, workspace: Workspace, cell: tuple[int, str] | None, seconds: Callable[[int], float | None] | None = None
    ) -> None:  # fmt: skip
        super().__init__()
        self.workspace = workspace
        self.row, self.column = cell if cell and cell[1] in COLUMNS and cell[1] != "target_domains" else (
            cell[0] if cell else 1, _COLUMN,
        )  # fmt: skip
        self.seconds = seconds

    def content(self) -> ComposeResult:
        yield Static(Text("\nThe cell, as COLUMN.ROW:"))
        yield Input(f"{self.column}.{self.row}", id="cell", compact=True, select_on_focus=False)
        yield Static(Text("Its values, with commas between them:"))
        yield Input(f"{self._now}, ", id="values", compact=True, select_on_focus=False)
        yield Static(classes="facts")
        yield Static(classes="problem")

    def on_mount(self) -> None:
        super().on_mount()
        self.set_focus(self.query_one("#values", Input))
        self._check()

    @property
    def _now(self) -> str:
        """The value of the cell."""
        row = next((row for number, _, row in self.workspace.schedule.rows() if number == self.row), None)
        return format_value(COLUMNS[self.column], getattr(row, COLUMNS[self.column].attribute)) if row else ""

    @property
    def asked(self) -> str:
        cell, values = self.query_one("#cell", Input).value.strip(), self.query_one("#values", Input).value
        return f"{cell}={values}"

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._check()

    def _check(self) -> bool:
        """Says what would be done, or what is wrong."""
        try:
            key, row, values = checked(self.asked, self.workspace)
        except FourmError as error:
            self._say("", str(error).removeprefix("--sweep ").removeprefix("--set "))
            return False
        if len(values) < 2:
            self._say("", "a sweep is of two values or more: write another behind the comma")
            return False
        shares = f"; all but the first begin at row {row}" if row > 1 else ""
        self._say(f"{len(values)} runs of {key}{shares}{self._cost(row, len(values))}", "")
        return True

    def _cost(self, row: int, count: int) -> str:
        whole, rest = (self.seconds(1), self.seconds(row)) if self.seconds else (None, None)
        if whole is None or rest is None:
            return ""
        return f"; about {lasting(whole + (count - 1) * rest)}"

    def _say(self, facts: str, problem: str) -> None:
        self.query_one(".facts", Static).update(Text(facts))
        self.query_one(".problem", Static).update(Text(problem))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self._check():
            self.dismiss(self.asked)
