"""Saves: asks for a name, and once more before a file is written over; stays until it is written."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.widgets import Input, Static

from fourm_tui.errors import FourmError, InputError, printable
from fourm_tui.tui.file_actions import runs_in_ml4m
from fourm_tui.tui.files import save_paths
from fourm_tui.tui.screens.dialog import Dialog
from fourm_tui.tui.workspace import Workspace


class SaveAs(Dialog[tuple[Path, ...]]):
    """Saves, and answers the path of each file, one for each document of the workspace."""

    TITLE, KEYS = "save as", "enter saves   esc back"
    DEFAULT_CSS = """
    SaveAs Input { border: none; height: 1; padding: 0; background: $panel; }
    SaveAs Static { height: auto; }
    SaveAs .problem { color: $error; }
    SaveAs .facts { color: $text-muted; margin: 1 0; }
    """
    over: ClassVar[str] = "is there already; enter again writes over it"

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.agreed: tuple[Path, ...] | None = None

    def content(self) -> ComposeResult:
        yield Static(Text("\nThe name of the file:\n"))
        yield Input(f"./{self.workspace.title}.yaml", compact=True, select_on_focus=False)
        yield Static(classes="facts")
        yield Static(classes="problem")

    def on_mount(self) -> None:
        field = self.query_one(Input)
        self.set_focus(field)
        field.cursor_position = len(field.value) - len(".yaml")

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.agreed = None
        self.say("")
        facts = runs_in_ml4m(self.workspace)
        if len(self.workspace.state.documents) > 1:
            try:
                beside = save_paths(event.value, 2)[1].name
            except InputError:
                beside = "..."
            facts = f"super-resolution beside it: {printable(beside)}\n{facts}"
        self.query_one(".facts", Static).update(Text(facts))

    def say(self, problem: str) -> None:
        self.query_one(".problem", Static).update(Text(problem))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        try:
            paths = save_paths(event.value, len(self.workspace.state.documents))
        except InputError as error:
            self.say(str(error))
            return
        there = [path for path in paths if path.exists() and path not in _own(self.workspace)]
        if there and self.agreed != paths:
            self.agreed = paths
            self.say(f"{printable(there[0].name)} {self.over}")
            return
        try:  # here, where another name can be given
            self.workspace.save_as(*paths)
        except FourmError as error:
            self.say(str(error))
            return
        self.dismiss(paths)


def _own(workspace: Workspace) -> list[Path]:
    return [each.path.absolute() for each in workspace.state.documents if each.path]
