"""The first line: what is edited, with which model, what the engine is at; and the tabs of a narrow window."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.widgets import Static

from fourm_tui.errors import printable

if TYPE_CHECKING:
    from fourm_tui.tui.app import FourmApp

_ROOMY = 100
"""Columns from which memory is shown, too."""
_TABS = ("conditions", "schedule", "run", "preview")


class TitleLine(Static):
    """Program, schedule, model, device and state."""

    _shown: Text | None = None

    def on_resize(self) -> None:
        self.redraw()

    def on_mount(self) -> None:
        app = cast("FourmApp", self.app)
        for signal in (app.workspace_signal, app.run_signal, app.queue_signal):
            signal.subscribe(self, lambda _: self.redraw())
        self.redraw()

    def redraw(self) -> None:
        app = cast("FourmApp", self.app)
        workspace = app.workspace
        left = Text(" fourm  ", "bold")
        left.append(printable(workspace.title, 60), "bold")
        left.append(" •" if workspace.changed else "", "bold")
        facts = [app.model_facts, app.memory_fact if self.size.width >= _ROOMY else "", app.state_word]
        right = f"  {'  '.join(filter(None, facts))} "
        room = max(self.size.width - cell_len(right), 8)
        left.truncate(room, overflow="ellipsis", pad=True)
        line = left + Text(right)
        if line != self._shown:
            self._shown = line
            self.update(line, layout=False)


class TabLine(Static):
    """Names of the panes where only one of them is seen; a click goes there."""

    def show(self, active: int) -> None:
        line = Text()
        for number, name in enumerate(_TABS, 1):
            line.append(f" F{number} {name} ", "reverse bold" if number == active else "")
            line.append(" ")
        self.update(line)

    async def on_click(self, event: events.Click) -> None:
        at = 0
        for number, name in enumerate(_TABS, 1):
            at += len(f" F{number} {name}  ")
            if event.x < at:
                await self.app.run_action(f"app.pane_{number}")
                return
