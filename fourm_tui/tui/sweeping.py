"""The sweeps under way in the application: begun, taken up again, and their sheets shown in the end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fourm_tui.errors import printable
from fourm_tui.runs import open_run

if TYPE_CHECKING:
    from fourm_tui.tui.app import FourmApp
    from fourm_tui.tui.conductor import Conductor
    from fourm_tui.tui.sweeps import Sweep


class Sweeping:
    """See the module.

    Args:
        app: where sheets are shown.
        conductor: gives the runs to the engine.
    """

    def __init__(self, app: FourmApp, conductor: Conductor) -> None:
        self._app, self._conductor = app, conductor
        self.under_way: list[Sweep] = []

    def begin(self, text: str) -> None:
        """Begins a sweep, `temps.2=0.5,1,2`."""
        from fourm_tui.tui.sweeps import Sweep

        workspace, out = self._app.workspace.trial(), self._app.out

        def begin() -> Sweep:
            sweep = Sweep.begin(text, workspace, out)
            self._conductor.unsubmitted.update(dict.fromkeys(sweep.runs))
            return sweep

        self._conductor.beside(begin, self._begun)

    def _begun(self, sweep: Sweep) -> None:
        self.under_way.append(sweep)
        for folder in sweep.runs:
            self._app.attempt(lambda folder=folder: self._conductor.submit(open_run(folder)))  # type: ignore[misc]
        self._app.say(f"{len(sweep.runs)} runs, one for each value; a sheet of them all comes in the end")

    def take_up(self) -> None:
        """Goes on with those that were under way when the screens were left."""
        from fourm_tui.tui.sweeps import kept_sweeps

        out = self._app.out
        if out.is_dir():
            self._conductor.beside(lambda: kept_sweeps(out), self._taken)

    def _taken(self, found: list[Sweep]) -> None:
        mine = {sweep.runs[0] for sweep in self.under_way}
        self.under_way += [sweep for sweep in found if sweep.runs[0] not in mine]
        self.draw_sheets()

    def draw_sheets(self) -> None:
        """Draws the sheets of those that are over."""
        over = [sweep for sweep in self.under_way if sweep.is_over(self._app.jobs)]
        self.under_way = [sweep for sweep in self.under_way if sweep not in over]
        for sweep in over:
            self._conductor.beside(sweep.sheets, self._show_sheets)

    def _show_sheets(self, sheets: dict[str, Path]) -> None:
        self._app.sheets = sheets
        self._app.sheet_signal.publish(sheets)
        more = ", n shows the next target" if len(sheets) > 1 else ""
        name = printable(next(iter(sheets.values())).name)
        self._app.say(f"the sheet of the sweep is in the preview (F4{more}): {name}")
