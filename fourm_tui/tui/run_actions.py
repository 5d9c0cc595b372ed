"""Start, cancel, branch, sweep: the actions of the application that are about runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from fourm_tui.errors import FourmError
from fourm_tui.runs import open_run
from fourm_tui.tui.words import is_decoding

if TYPE_CHECKING:
    from fourm_tui.tui.app import FourmApp


class RunActions:
    """Mixed into the application."""

    @property
    def offered_now(self) -> tuple[str, ...]:
        """What the last line offers beside the rest, as things stand: ids of actions."""
        from fourm_tui.tui.panes.preview import PreviewPane

        app = cast("FourmApp", self)
        item = app.main.query_one(PreviewPane).selected
        found = {"app.cancel": self.can_cancel, "app.full": item is not None}
        found["app.compare"] = item is not None and item.kind == "picture"
        return tuple(id for id, can_be in found.items() if can_be)

    @property
    def can_cancel(self) -> bool:
        """Whether the run that is shown, or what makes pictures of it, goes on or is to."""
        app = cast("FourmApp", self)
        state, job = app.run_state, app.conductor.job
        if state is None:
            return False
        return state.active or (job is not None and (job.status in ("waiting", "paused") or is_decoding(job)))

    def action_start(self) -> None:
        cast("FourmApp", self).start()

    def action_cancel(self) -> None:
        app = cast("FourmApp", self)
        if app.run_state is None or not self.can_cancel:
            app.say("nothing is running")
            return
        app.conductor.cancel(app.run_state.folder)

    def action_branch(self) -> None:
        app = cast("FourmApp", self)
        if app.run_state is None:
            app.say("there is no run to branch off yet; r makes one", error=True)
            return
        folder = app.run_state.folder
        app.attempt(lambda: app.start(open_run(folder), app.selected_row))

    def action_sweep(self) -> None:
        from fourm_tui.tui.screens.sweep import SweepDialog

        app = cast("FourmApp", self)

        def begin(text: str | None) -> None:
            if text is not None:
                app.conductor.sweeping.begin(text)

        app.push_screen(SweepDialog(app.workspace, _cell(app), lambda row: _seconds(app, row)), begin)


def _cell(app: FourmApp) -> tuple[int, str]:
    """Row and column that are selected."""
    from fourm_tui.tui.panes.schedule import SchedulePane

    cell = app.main.query_one(SchedulePane).selected
    return (cell.row, cell.key) if cell is not None and cell.row else (app.selected_row, "")


def _seconds(app: FourmApp, row: int) -> float | None:
    """That the rows of the chain take from one on; None where that is not known."""
    from fourm_tui.tui.panes.schedule import SchedulePane

    try:
        costs = app.workspace.check.costs[row - 1 :]
    except FourmError:
        return None
    known = [cost for cost in costs if cost is not None]
    if not known or len(known) < len(costs):
        return None
    estimate = app.main.query_one(SchedulePane).seconds
    return sum(estimate(cost)[0] for cost in known)
