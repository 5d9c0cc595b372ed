"""What the application does about runs: makes them, shows one, hears of it, and of the queue."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from fourm_tui.chain.said import swept_words
from fourm_tui.engine.jobs import OPEN, QueuedJob
from fourm_tui.errors import FourmError, printable
from fourm_tui.events.records import from_json
from fourm_tui.runs import Run, RunRecord, list_runs, open_run
from fourm_tui.terminal.choice import in_tmux
from fourm_tui.tui.changed import Change, changed_cells
from fourm_tui.tui.conditions_list import unused_words
from fourm_tui.tui.news import Answer, News, QueueNews, RunNews, RunOpened, Trouble
from fourm_tui.tui.notices import Stopwatch, notice, parting_words
from fourm_tui.tui.run_state import RunState
from fourm_tui.tui.sweeping import Sweeping
from fourm_tui.tui.troubles import in_words, plain
from fourm_tui.tui.workspace import Workspace

if TYPE_CHECKING:
    from fourm_tui.chain.begin import Begun
    from fourm_tui.schedule.rows import Schedule
    from fourm_tui.tui.app import FourmApp

R = TypeVar("R")
_STOPPING, _ENDING = "stopping at the next step; again to end it at once", "ending it at once"
_ON_THE_WAY = "its picture is on the way"


class Conductor:
    """See the module.

    Args:
        app: whose runs they are.
    """

    def __init__(self, app: FourmApp) -> None:
        self.app = app
        self.record: RunRecord | None = None
        """Of the run that is shown, as it was when it was opened."""
        self.resident = 0
        """Bytes of main memory that the engine's workers have to themselves."""
        self._schedule: Schedule | None = None
        self._mine: list[Path] = []
        """Folders of the runs that were started here and have not been shown, in their order."""
        self._is_chosen = False
        """Whether the run that is shown was chosen, so that the next one does not take its place."""
        self._has_looked = False
        self._cancelled: set[Path] = set()
        self.unsubmitted: dict[Path, None] = {}
        """Folders of runs of which the engine has not said yet that it has them, in their order; any thread adds."""
        self._swept: dict[str, str] = {}
        self._stopwatch = Stopwatch()
        self.sweeping = Sweeping(app, self)

    # -- showing ----------------------------------------------------------------------------------------------------

    def show(self, run: Run, chosen: bool = True) -> None:
        """Shows a run in the panes and follows it."""
        app = self.app
        app.run_state, self.record, self._schedule = RunState(run.folder, run.name), None, None
        self._is_chosen = chosen
        app.link.follow(run.folder)
        app.run_signal.publish(app.run_state)

    def show_latest(self) -> None:
        """Shows the newest run there is, unless one is shown already."""
        out = self.app.out

        def find() -> Run | None:
            with contextlib.suppress(FourmError):  # the history says what is wrong there
                return next(iter(list_runs(out, 1).runs), None)
            return None

        def show(run: Run | None) -> None:
            if run is not None and self.app.run_state is None:
                self.show(run, chosen=False)

        self.beside(find, show)

    @property
    def job(self) -> QueuedJob | None:
        """The job of the run that is shown."""
        return self.job_of(self.app.run_state.folder) if self.app.run_state is not None else None

    def job_of(self, folder: Path) -> QueuedJob | None:
        path = str(folder.resolve())
        return next((job for job in self.app.jobs if job.run == path), None)

    @property
    def is_paused(self) -> bool:
        """Whether the run that is shown is."""
        return self.job is not None and self.job.status == "paused"

    @property
    def is_stopping(self) -> bool:
        """Whether the run that is shown was told to end."""
        state = self.app.run_state
        return state is not None and state.active and state.folder in self._cancelled

    @property
    def changes(self) -> tuple[Change, ...]:
        """In what the schedule that is edited differs from that of the run that is shown."""
        if self._schedule is None:
            return ()
        try:
            found = changed_cells(self._schedule, self.app.workspace.schedule)
        except FourmError:
            return ()
        # The cell of a sweep has another value than what is edited without anybody having edited it.
        swept = self.record.swept.partition("=")[0] if self.record else ""
        return tuple(each for each in found if swept not in (f"{each.column}.{each.row}", each.column))

    def swept_by(self, job: QueuedJob) -> str:
        """Of a run of a sweep the cell and its value, `temps.2 = 0.5`."""
        if job.run not in self._swept:
            try:
                self._swept[job.run] = swept_words(open_run(Path(job.run)).record)
            except FourmError:
                self._swept[job.run] = ""
        return self._swept[job.run]

    # -- making -----------------------------------------------------------------------------------------------------

    def start(self, parent: Run | None = None, row: int | None = None, workspace: Workspace | None = None) -> None:
        """Makes a run of what is edited, or of another workspace, and gives it to the engine."""
        workspace, out = workspace or self.app.workspace.trial(), self.app.out
        every, is_new = self.app.settings.preview_every, not out.exists()

        def begin() -> Begun:
            begun = workspace.begin(out, parent, row, every)
            self.unsubmitted[begun.run.folder] = None
            return begun

        if self.app.attempt(lambda: workspace.inputs):
            self.beside(begin, lambda begun: self._begun(begun, unused_words(workspace), is_new))

    def _begun(self, begun: Begun, unused: str, is_new: bool) -> None:
        self.submit(begun.run)
        notes = [printable(note, 300) for note in begun.notes]
        if self.app.run_state is None or self.app.run_state.folder != begun.run.folder:
            before = sum(job.status in OPEN for job in self.app.jobs) or 1
            notes.append(f"queued: it begins after {before} other {'run' if before == 1 else 'runs'}")
        if unused:
            notes.append(unused)
        if is_new:  # a folder that nobody has made
            notes.append(f"runs are kept in {printable(self.app.out.absolute(), 200)}")
        if notes:
            self.app.say("\n".join(notes))

    def submit(self, run: Run) -> None:
        """Gives a run to the engine; it is shown if nothing else goes on."""
        self._cancelled.discard(run.folder)
        self.unsubmitted[run.folder] = None
        self.app.link.submit(run.folder)
        state = self.app.run_state
        if state is None or not state.active:
            self.show(run, chosen=False)
        else:
            self._mine.append(run.folder)
            self._is_chosen = self._is_chosen and state.folder not in self._mine

    def decode(self, folder: Path, row: int) -> None:
        """Has the pictures made of a row that stayed tokens."""

        def find() -> tuple[int, ...]:
            from fourm_tui.chain.tokens_only import tokens_only  # it takes 50 ms to import

            return tokens_only(open_run(folder), [str(row)])

        def go(rows: tuple[int, ...]) -> None:
            if rows:
                self._decode(folder, rows)
            else:
                self.app.say("its picture is there already")

        self.beside(find, go)

    def _decode(self, folder: Path, rows: tuple[int, ...]) -> None:
        self._cancelled.discard(folder)
        if self.app.run_state is not None and self.app.run_state.folder == folder:
            self.app.run_state.decoding = None  # of an earlier try
        self.app.link.ask("submit", run=str(folder.resolve()), decode=list(rows))
        self.app.say(_ON_THE_WAY)

    def beside(self, do: Callable[[], R], then: Callable[[R], None]) -> None:
        """Does something on a thread, then something with what came of it here; what fails is said."""
        app = self.app

        def work() -> None:
            try:
                found = do()
            except FourmError as error:
                app.call_from_thread(app.say, in_words(error, app.workspace.state), True)
            else:
                app.call_from_thread(then, found)

        app.run_worker(work, thread=True, group="runs")

    def cancel(self, folder: Path) -> None:
        """Ends a run at its next step; asked again, at once."""
        self.app.link.ask("cancel", job=str(folder.resolve()))
        again = folder in self._cancelled
        self._cancelled.add(folder)
        if self.app.run_state is not None and self.app.run_state.folder == folder:
            self._is_chosen = True  # another in its place would get a second key that was meant for this one
        self.app.say(_ENDING if again else _STOPPING)
        self.app.queue_signal.publish(self.app.jobs)

    def retry(self, folder: Path) -> None:
        """Goes on with a run that ended early, or with its pictures."""
        job = self.job_of(folder)
        if job is not None and job.decode and job.status != "done":
            self._decode(folder, job.decode)
            return
        try:
            run = open_run(folder)
        except FourmError as error:
            self.app.say(in_words(error, self.app.workspace.state), error=True)
            return
        if run.record.status == "done":
            self.app.say("this run is done; r makes another", error=True)
            return
        state, done = self.app.run_state, run.finished()
        self.submit(run)
        if state is not None and state.folder == folder:
            self.show(run)
        self.app.say("going on after its last finished target" if done else "going on from its first target")

    # -- hearing ----------------------------------------------------------------------------------------------------

    def hear(self, news: News) -> None:
        """Takes what a thread of the link tells."""
        match news:
            case RunOpened() | RunNews():
                self._hear_run(news)
            case QueueNews():
                self._hear_queue(news)
            case Trouble(message=message):
                self.app.say(plain(message, self.app.workspace.state), error=True)
            case Answer(do="submit", asked={"run": folder}):
                for each in list(self.unsubmitted):
                    if str(each.resolve()) == folder:
                        self.unsubmitted.pop(each)
            case Answer(do="skip", found=job):
                left = job.get("skip") if isinstance(job, dict) else None
                self.app.say("goes on without that sample" if left else "no sample is left, so it ends")

    def _hear_run(self, news: RunOpened | RunNews) -> None:
        state = self.app.run_state
        if state is None or state.folder != news.folder:
            return
        if isinstance(news, RunOpened):
            self.record = news.record
            self._schedule = _schedule(news.record)
            state.take(news.state)
        else:
            for event in news.events:
                state.apply(event)
            if news.gone:
                state.interrupt()
            if news.more:
                return
        self.app.run_signal.publish(state)
        if not state.active:
            self.app.unsay(_STOPPING, _ENDING, _ON_THE_WAY)
            self._show_next()

    def _hear_queue(self, news: QueueNews) -> None:
        app = self.app
        app.jobs, app.engine_status, self.resident = news.jobs, news.status, news.resident
        app.queue_signal.publish(news.jobs)
        for job, seconds in self._stopwatch.ended(news.jobs, time.monotonic()):
            if job.decode and job.status in ("failed", "interrupted"):  # which its run does not tell
                app.say(f"its picture was not made: {printable(job.error or job.status, 500)}", error=True)
            if seconds >= app.settings.notify_after and news.status is not None:
                self._notify(job)
        if news.status is not None and not self._has_looked:
            self._has_looked = True
            self._show_running()
            self.sweeping.take_up()
        self._show_next()
        self.sweeping.draw_sheets()

    def _show_running(self) -> None:
        """Shows what was running already when the screens were opened."""
        running = [job for job in self.app.jobs if job.status in ("running", "paused")]
        state = self.app.run_state
        if running and not self._is_chosen and (state is None or not state.active):
            self.app.attempt(lambda: self.show(open_run(Path(running[0].run)), chosen=False))

    def _notify(self, job: QueuedJob) -> None:
        said = notice(self.app.settings.notify, job.status, in_tmux(os.environ), bool(job.decode))
        driver = self.app._driver
        if said and driver is not None and not self.app.is_headless:
            driver.write(said)

    def _show_next(self) -> None:
        """Shows the next run that was started here, once the one before has ended."""
        state = self.app.run_state
        if self._is_chosen or state is None or state.active:
            return
        for folder in self._mine:
            job = self.job_of(folder)
            if job is not None and job.status in ("running", "paused", "done"):
                self._mine = self._mine[self._mine.index(folder) + 1 :]
                self.app.attempt(lambda folder=folder: self.show(open_run(folder), chosen=False))  # type: ignore[misc]
                return

    def hand_over(self) -> None:
        """Gives the engine what it does not have yet, after the screens are gone and with them the link.

        Raises:
            FourmError: there is no engine, or it does not take it.
        """
        if not self.unsubmitted or not self.app.with_engine:
            return
        from fourm_tui.engine.client import Engine

        with Engine.start() as engine:
            for folder in self.unsubmitted:
                engine.ask("submit", run=str(folder.resolve()))
            self.app.jobs = tuple(from_json(QueuedJob, job, "the queue") for job in engine.ask("status")["jobs"])
        self.unsubmitted = {}

    def parting_words(self) -> str:
        """What is to be said after the screens are gone."""
        if not self.app.with_engine:
            return ""
        return parting_words(self.app.jobs, self.app.engine_status, len(self.sweeping.under_way))


def _schedule(record: RunRecord) -> Schedule | None:
    from fourm_tui.chain.recorded import schedule_of

    return schedule_of(record)
