"""The pane of the run: how far it is, what the engine holds, and the queue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textual.app import ComposeResult
from textual.widget import Widget

from fourm_tui.engine.jobs import OPEN, QueuedJob
from fourm_tui.runs import open_run
from fourm_tui.tui.actions import actions_of, bindings
from fourm_tui.tui.changed import in_words
from fourm_tui.tui.notices import memory_line
from fourm_tui.tui.panes.drawn import DrawnPane
from fourm_tui.tui.run_layout import lay_out
from fourm_tui.tui.run_lines import View, in_queue, state_word
from fourm_tui.tui.run_offers import offered
from fourm_tui.tui.widgets.run_body import RunBody


class RunPane(DrawnPane):
    """The run."""

    NUMBER, TITLE, WHERE = 3, "run", "run"
    BINDINGS = bindings("run")

    def compose(self) -> ComposeResult:
        yield RunBody()

    def on_mount(self) -> None:
        super().on_mount()
        self._selected: str | None = None
        self._is_moved = False
        self._offers: tuple[str, ...] = ()
        for signal in (self.fourm.run_signal, self.fourm.queue_signal, self.fourm.workspace_signal):
            signal.subscribe(self, lambda _: self.redraw_soon())
        self.call_after_refresh(self.redraw)

    @property
    def focus_widget(self) -> Widget:
        return self.body

    @property
    def body(self) -> RunBody:
        return self.query_one(RunBody)

    # -- drawing ----------------------------------------------------------------------------------------------------

    def on_run_body_changed(self) -> None:
        self.redraw()

    def draw(self, width: int, height: int) -> int:
        view = self.view
        sent = self.body.show(lay_out(view, width, height))
        word = state_word(view.state, view.job, view.stopping)
        if view.state is not None and word == "ready":
            word = "done"
        waiting = sum(job.status == "waiting" for job in view.jobs)
        self.retitle(", ".join([word, *([f"{waiting} waiting"] if waiting else [])]) if view.state else "")
        offers = tuple(self.offers(each.name, each.title) for each in actions_of(self.WHERE))
        if offers != self._offers:
            self._offers = offers
            self.screen.refresh_bindings()
        return sent

    @property
    def view(self) -> View:
        """What there is to be shown."""
        app, jobs = self.fourm, self._look_at_queue()
        changed = in_words(app.changed_since_run, app.choice.ascii)
        return View(
            app.run_state, app.conductor.job, jobs, self._selected, self.body.has_focus, app.conductor.is_stopping,
            memory_line(app.engine_status, app.conductor.resident), changed, app.choice.ascii,
            {job.id: swept for job in jobs if (swept := app.conductor.swept_by(job))},
        )  # fmt: skip

    def offers(self, name: str, title: str) -> str:
        return offered(name, title, self.selected, self.fourm.jobs)

    # -- the queue --------------------------------------------------------------------------------------------------

    def _look_at_queue(self) -> tuple[QueuedJob, ...]:
        """The queue; what is selected there is the run that is shown, until another is chosen."""
        jobs, job = in_queue(self.fourm.jobs), self.fourm.conductor.job
        if not self._is_moved or all(each.id != self._selected for each in jobs):
            self._selected = job.id if job else jobs[0].id if jobs else None
            self._is_moved = False
        return jobs

    @property
    def selected(self) -> QueuedJob | None:
        """The job that is selected."""
        return next((job for job in self._look_at_queue() if job.id == self._selected), None)

    def on_run_body_moved(self, event: RunBody.Moved) -> None:
        jobs = self._look_at_queue()
        if jobs:
            at = next((place for place, job in enumerate(jobs) if job.id == self._selected), 0)
            self._selected = jobs[min(max(at + event.places, 0), len(jobs) - 1)].id
            self._is_moved = True
            self.redraw()

    def _ask(self, do: str, **more: Any) -> QueuedJob | None:
        """Asks the engine something about the selected job, which is returned."""
        job = self.selected
        if job is None:
            self.fourm.say("there is no run in the queue", error=True)
            return None
        self.fourm.link.ask(do, job=job.id, **more)
        return job

    # -- actions ----------------------------------------------------------------------------------------------------

    def action_pause(self) -> None:
        job = self.selected
        goes_on = job is not None and job.status == "paused"
        if self._ask("resume" if goes_on else "pause") is not None:
            self.fourm.say("going on" if goes_on else "pausing before the next step; space goes on")

    def action_skip(self) -> None:
        from fourm_tui.tui.panes.preview import PreviewPane

        state, job = self.fourm.run_state, self.selected
        sample = 0
        if state is not None and job is not None and job == self.fourm.conductor.job:
            looked_at = self.fourm.main.query_one(PreviewPane).looking.sample
            there = [each for each in range(max(len(state.seeds), 1)) if each not in state.skipped]
            sample = looked_at if looked_at in there else there[0] if there else 0
        if self._ask("skip", sample=sample) is not None:
            self.fourm.say(f"leaving sample {sample + 1} out from the next step on")

    def action_attach(self) -> None:
        job = self.selected
        if job is None:
            self.fourm.say("there is no run in the queue", error=True)
        else:
            self.fourm.attempt(lambda: self.fourm.show_run(open_run(Path(job.run))))

    def action_retry(self) -> None:
        job, state = self.selected, self.fourm.run_state
        if job is not None and job.status in OPEN:
            self.fourm.say("this run has not ended", error=True)
        elif job is not None:
            self.fourm.conductor.retry(Path(job.run))
        elif state is not None and not state.active and state.status != "done":
            self.fourm.conductor.retry(state.folder)
        else:
            self.fourm.say("there is nothing to go on with", error=True)

    def action_first(self) -> None:
        self._move(-1)

    def action_later(self) -> None:
        self._move(1)

    def _move(self, places: int) -> None:
        self._is_moved = True  # the selection goes with the job
        self._ask("move", places=places)

    def action_remove(self) -> None:
        job = self.selected
        if job is None or job.status not in OPEN:
            self.fourm.say("this run has ended" if job else "there is no run in the queue", error=True)
        elif job.status == "waiting":
            self._ask("cancel")
            self.fourm.say("taken out of the queue")
        else:
            self.fourm.conductor.cancel(Path(job.run))

    def action_cancel_others(self) -> None:
        waiting = sum(job.status in ("waiting", "paused") for job in self.fourm.jobs)
        self.fourm.link.ask("cancel_others")
        self.fourm.say(f"cancelled what waits: {waiting}" if waiting else "nothing waits")

    def action_log(self) -> None:
        from fourm_tui.tui.screens.log import LogScreen

        self.app.push_screen(LogScreen(self.fourm.run_state))
