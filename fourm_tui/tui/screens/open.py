"""Which schedule to open: those of late, those of the folder, the ready-made ones, or any by its path."""

from __future__ import annotations

from pathlib import Path

from textual import on
from textual.app import ComposeResult

from fourm_tui.errors import FourmError, printable
from fourm_tui.schedule.shipped import find_file
from fourm_tui.tui.files import recent_schedules, schedules
from fourm_tui.tui.found import Entry
from fourm_tui.tui.screens.dialog import Dialog
from fourm_tui.tui.widgets.filtered_list import FilteredList, Row

_BROWSE = "browse"


def _accept(path: Path) -> str | None:
    return None if path.suffix in (".yaml", ".yml") else "schedules are YAML files"


class Open(Dialog[Path]):
    """Answers the path of a settings file.

    Args:
        recent: how many of late are offered.
    """

    TITLE, KEYS = "open a schedule", "type to find, or a path   up down enter   esc back"
    DEFAULT_CSS = "Open > .frame { width: 110; }"

    def __init__(self, recent: int) -> None:
        super().__init__()
        self.recent = recent

    def content(self) -> ComposeResult:
        found = schedules(Path.cwd(), recent_schedules(self.recent))
        rows = [
            Row(Entry(str(each.path), printable(each.path.stem, 80), printable(each.about, 120), each.group))
            for each in found
        ]
        rows.append(Row(Entry(_BROWSE, "another file", "look through the folders", "elsewhere")))
        yield FilteredList(rows, "a name, or the path of any file", "no schedule fits; enter opens it as a path")

    @on(FilteredList.Chosen)
    def _chosen(self, event: FilteredList.Chosen) -> None:
        event.stop()
        if event.id != _BROWSE:
            self.dismiss(Path(event.id))
            return
        from fourm_tui.tui.screens.browser import BrowserScreen

        def answer(path: Path | None) -> None:
            if path is not None:
                self.dismiss(path)

        self.app.push_screen(BrowserScreen("a schedule", _accept, Path.cwd()), answer)

    @on(FilteredList.Typed)
    def _typed(self, event: FilteredList.Typed) -> None:
        event.stop()
        try:
            path = find_file(event.text.strip())
        except (FourmError, RuntimeError) as error:
            self.retitle(printable(error, 80), self.KEYS)
            return
        if path.is_file():
            self.dismiss(path)
        else:
            self.retitle(f"{printable(event.text, 50)}: there is no such file", self.KEYS)
