"""The pane of the run in the application: each of its actions by its key, and what the application makes of news."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from textual.pilot import Pilot

from fourm_tui.engine.client import Engine
from fourm_tui.engine.jobs import JobStatus, QueuedJob
from fourm_tui.events import Decoding, RunCancelled, RunDone, RunStarted, TargetDone
from fourm_tui.events.records import to_json
from fourm_tui.runs import Run, TargetTokens, list_runs, write_tokens
from fourm_tui.runs.record import ModelRecord
from fourm_tui.tui.app import FourmApp
from fourm_tui.tui.news import Answer, QueueNews, RunNews, RunOpened, Trouble
from fourm_tui.tui.panes.preview import PreviewPane
from fourm_tui.tui.panes.run import RunPane
from fourm_tui.tui.reopened import load_finished
from fourm_tui.tui.sweeps import Sweep
from fourm_tui.tui.widgets.message import MessageLine
from tests.tui.conftest import screen, text
from tests.tui.kept_run import ROWS, kept, steps

TEMPERATURE_OF_ROW_2 = ("f2", "down", *["right"] * 5)
"""Keys to that cell of the schedule."""

Do = Callable[[FourmApp, Pilot[int], "Recorder"], Awaitable[None]]


class Recorder:
    """In the place of the link: keeps what is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.followed: Path | None = None

    def ask(self, do: str, **more: Any) -> None:
        self.asked.append((do, more))

    def submit(self, folder: Path) -> None:
        self.ask("submit", run=str(folder.resolve()))

    def follow(self, folder: Path) -> None:
        self.followed = folder

    def close(self) -> None:
        pass


def on_screen(do: Do, size: tuple[int, int] = (120, 40)) -> None:
    async def go() -> None:
        async with screen(size=size) as (app, pilot):
            recorder = Recorder()
            app.link = recorder  # type: ignore[assignment]
            await pilot.press("f3")
            await do(app, pilot, recorder)

    asyncio.run(go())


def job(run: Run, status: JobStatus, order: float = 1.0) -> QueuedJob:
    return QueuedJob(f"j{order:.0f}", str(run.folder.resolve()), order, status)


def queue(app: FourmApp, *jobs: QueuedJob) -> None:
    app.conductor.hear(QueueNews(jobs, {"workers": []}))


def begun(app: FourmApp, run: Run) -> None:
    """Shows a run that is under way."""
    app.show_run(run)
    happened = [RunStarted(run.name, ROWS, (0, 1)), *steps(1)]
    app.conductor.hear(RunNews(run.folder, tuple(happened)))


def said(app: FourmApp) -> str:
    return str(app.main.query_one(MessageLine).render())


async def settled(app: FourmApp, pilot: Pilot[int]) -> None:
    await app.workers.wait_for_complete()
    await pilot.pause()


# -- one key each -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "status", "asked"),
    [
        ("space", "running", ("pause", {"job": "j1"})),
        ("space", "paused", ("resume", {"job": "j1"})),
        ("n", "running", ("skip", {"job": "j1", "sample": 0})),
        ("J", "waiting", ("move", {"job": "j1", "places": 1})),
        ("K", "waiting", ("move", {"job": "j1", "places": -1})),
        ("x", "waiting", ("cancel", {"job": "j1"})),
        ("X", "running", ("cancel_others", {})),
    ],
)
def test_keys_steer_the_selected_job(tmp_path: Path, key: str, status: JobStatus, asked: tuple[str, Any]) -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        queue(app, job(kept(tmp_path), status))
        await pilot.press(key)
        assert recorder.asked == [asked]

    on_screen(do)


@pytest.mark.parametrize("key", ["down", "j"])
def test_arrows_and_letters_go_through_the_queue(tmp_path: Path, key: str) -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        queue(app, job(kept(tmp_path), "running", 1), job(kept(tmp_path), "waiting", 2))
        await pilot.press(key, "x")
        assert recorder.asked == [("cancel", {"job": "j2"})]

    on_screen(do)


def test_a_run_that_was_started_elsewhere_is_followed(tmp_path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        run = kept(tmp_path)
        queue(app, job(run, "running"))
        await pilot.press("enter")
        assert recorder.followed == run.folder.resolve()

    on_screen(do)


def test_a_run_whose_folder_is_gone_is_said(tmp_path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        queue(app, QueuedJob("j1", str(tmp_path / "gone"), 1.0, "done"))
        await pilot.press("enter")
        assert "no run folder" in said(app)

    on_screen(do)


def test_a_run_that_failed_goes_on(tmp_path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        run = kept(tmp_path).save(status="failed")
        asked = "submit", {"run": str(run.folder.resolve())}
        queue(app, job(run, "failed"))
        await pilot.press("t")
        assert recorder.asked == [asked]
        queue(app, replace(job(run, "done"), decode=(1,)))  # one of its pictures was made meanwhile
        await pilot.press("t")
        assert recorder.asked == [asked, asked]

    on_screen(do)


def test_pictures_that_could_not_be_made_are_told(tmp_path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        run = kept(tmp_path)
        queue(app, replace(job(run, "running"), decode=(1,)))
        queue(app, replace(job(run, "failed"), decode=(1,), error="no tokenizer is there"))
        await settled(app, pilot)
        assert said(app) == "its picture was not made: no tokenizer is there"

    on_screen(do)


def test_a_run_that_is_done_is_not_begun_again(tmp_path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        queue(app, job(kept(tmp_path), "done"))
        await pilot.press("t")
        assert recorder.asked == []

    on_screen(do)


def test_the_log_is_shown_and_left(tmp_path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        app.show_run(kept(tmp_path))
        assert app.run_state is not None
        app.run_state.notes.append("a note of the engine")
        await pilot.press("l")
        assert any("a note of the engine" in line for line in text(app))
        await pilot.press("escape")
        assert app.screen is app.main

    on_screen(do)


def test_cancelling_is_acknowledged_at_once_and_the_second_time_ends_it(tmp_path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        run = kept(tmp_path)
        begun(app, run)
        await pilot.press("c")
        assert app.state_word == "stopping"
        await pilot.press("c")
        assert said(app) == "ending it at once"
        assert recorder.asked == [("cancel", {"job": str(run.folder.resolve())})] * 2

    on_screen(do)


def test_nothing_is_cancelled_where_nothing_runs() -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        await pilot.press("c")
        assert recorder.asked == []

    on_screen(do)


# -- starting ---------------------------------------------------------------------------------------------------


def test_start_makes_a_run_submits_and_follows_it() -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        await pilot.press("r")
        await settled(app, pilot)
        (run,) = list_runs(app.out).runs
        assert recorder.asked == [("submit", {"run": str(run.folder.resolve())})]
        assert recorder.followed == run.folder

    on_screen(do)


def test_a_run_started_while_another_runs_is_queued_and_that_is_said(tmp_path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        other = kept(tmp_path)
        begun(app, other)
        queue(app, job(other, "running"))
        await pilot.press("r")
        await settled(app, pilot)
        assert "queued: it begins after 1 other run" in said(app)
        assert recorder.followed == other.folder

    on_screen(do)


def test_a_branch_says_its_parent(tmp_path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        await pilot.press("r")
        await settled(app, pilot)
        (parent,) = list_runs(app.out).runs
        app.select_row(2)
        await pilot.press("b")
        await settled(app, pilot)
        (branch,) = [run for run in list_runs(app.out).runs if run.name != parent.name]
        assert branch.record.parent is not None and branch.record.parent.run == parent.name

    on_screen(do)


def test_a_branch_of_nothing_is_said() -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        await pilot.press("b")
        assert "no run to branch off" in said(app)

    on_screen(do)


def test_a_sweep_gives_all_its_runs_to_the_engine_at_once() -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        await pilot.press(*TEMPERATURE_OF_ROW_2, "w", *"0.9")
        assert any("2 runs of temps.2; all but the first begin at row 2" in line for line in text(app))
        await pilot.press("enter")
        await settled(app, pilot)
        (sweep,) = app.conductor.sweeping.under_way
        assert sweep.values == ["0.3", "0.9"]
        assert recorder.asked == [("submit", {"run": str(run.resolve())}) for run in sweep.runs]

    on_screen(do)


def test_a_sweep_of_a_value_that_does_not_fit_is_not_begun() -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        await pilot.press(*TEMPERATURE_OF_ROW_2, "w", *"hot", "enter")
        await settled(app, pilot)
        assert app.screen is not app.main
        assert list_runs(app.out).runs == ()

    on_screen(do)


def test_a_schedule_that_cannot_run_is_said_from_what_is_wrong_on() -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        app.edit("given twice", lambda editor: editor.set_cell(3, "target_domains", "caption"))
        await pilot.press("r")
        await settled(app, pilot)
        assert said(app).startswith("cond_domains: caption is a complete condition and also a target")

    on_screen(do)


class KeptEngine:
    """In the place of a connection to the engine: keeps what is submitted."""

    def __init__(self) -> None:
        self.submitted: list[Path] = []

    def ask(self, do: str, **more: Any) -> Any:
        if do == "submit":
            self.submitted.append(Path(more["run"]))
        return {"jobs": [to_json(QueuedJob(run.name, str(run), 1.0)) for run in self.submitted]}

    def __enter__(self) -> KeptEngine:
        return self

    def __exit__(self, *error: object) -> None:
        pass


def test_runs_that_the_engine_has_not_taken_yet_are_handed_over_on_leaving(monkeypatch: pytest.MonkeyPatch) -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        await pilot.press(*TEMPERATURE_OF_ROW_2, "w", *"0.9", "enter")
        await settled(app, pilot)
        first, second = app.conductor.sweeping.under_way[0].runs
        app.conductor.hear(Answer("submit", {}, {"run": str(first.resolve())}))
        engine = KeptEngine()
        monkeypatch.setattr(Engine, "start", lambda: engine)
        app.with_engine = True
        app.conductor.hand_over()
        assert engine.submitted == [second.resolve()]
        assert "the sheet of the sweep is drawn when" in app.conductor.parting_words()

    on_screen(do)


def test_the_sheet_of_a_sweep_that_was_left_is_drawn_later() -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        Sweep.begin("temps.2=0.3,0.9", app.workspace, app.out)
        queue(app)
        await settled(app, pilot)
        await settled(app, pilot)
        assert all(path.is_file() for path in app.sheets.values()) and app.sheets

    on_screen(do)


async def two_runs(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> list[Run]:
    """Starts two; the one that is followed first."""
    for _ in range(2):
        await pilot.press("r")
        await settled(app, pilot)
    return sorted(list_runs(app.out).runs, key=lambda run: run.folder != recorder.followed)


# -- news -------------------------------------------------------------------------------------------------------


def test_the_next_run_is_shown_when_the_one_before_has_ended(tmp_path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        first, second = await two_runs(app, pilot, recorder)
        queue(app, job(first, "running", 1), job(second, "waiting", 2))
        app.conductor.hear(RunNews(first.folder, (RunStarted("r", ROWS, (0,)), RunDone(1.0))))
        queue(app, job(first, "done", 1), job(second, "running", 2))
        assert recorder.followed == second.folder

    on_screen(do)


def test_a_run_that_was_chosen_stays_when_another_begins(tmp_path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        await pilot.press("r")
        await settled(app, pilot)
        (mine,) = list_runs(app.out).runs
        chosen = kept(tmp_path)
        app.show_run(chosen)
        app.conductor.hear(RunNews(chosen.folder, (RunDone(1.0),)))
        queue(app, job(mine, "running"))
        assert recorder.followed == chosen.folder

    on_screen(do)


def test_a_cancelled_run_stays_so_that_a_second_key_hits_no_other(tmp_path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        first, second = await two_runs(app, pilot, recorder)
        await pilot.press("c")
        app.conductor.hear(RunNews(first.folder, (RunStarted("r", ROWS, (0,)), RunCancelled())))
        queue(app, job(first, "cancelled", 1), job(second, "running", 2))
        assert recorder.followed == first.folder

    on_screen(do)


def test_what_runs_already_is_shown_when_the_screens_are_opened(tmp_path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        first, second = kept(tmp_path), kept(tmp_path)
        queue(app, job(first, "done", 1), job(second, "running", 2))
        assert recorder.followed == second.folder.resolve()

    on_screen(do)


def test_a_run_that_begins_elsewhere_later_is_not_shown_by_itself(tmp_path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        queue(app)
        queue(app, job(kept(tmp_path), "running"))
        assert recorder.followed is None

    on_screen(do)


def test_news_of_another_run_changes_nothing(tmp_path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        begun(app, kept(tmp_path))
        app.conductor.hear(RunNews(tmp_path / "other", (RunDone(1.0),)))
        assert app.run_state is not None and app.run_state.status == "running"

    on_screen(do)


def test_a_run_that_nobody_is_at_any_more_is_interrupted(tmp_path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        run = kept(tmp_path)
        begun(app, run)
        app.conductor.hear(RunNews(run.folder, (), gone=True))
        assert app.state_word == "interrupted"

    on_screen(do)


def test_trouble_is_shown() -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        app.conductor.hear(Trouble("the engine is gone"))
        await pilot.pause()
        assert said(app) == "the engine is gone"

    on_screen(do)


def test_what_was_edited_since_is_marked() -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        run = app.workspace.begin(app.out).run
        app.show_run(run)
        app.conductor.hear(RunOpened(run.folder, run.record, load_finished(run)))
        app.edit("temperature", lambda editor: editor.set_cell(2, "temps", 0.7))
        app.main.query_one(RunPane).redraw()
        await pilot.pause()
        assert any("temps.2 0.3 → 0.7" in line for line in text(app))

    on_screen(do)


def test_many_news_draw_once(tmp_path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        run = kept(tmp_path)
        begun(app, run)
        pane, drawn = app.main.query_one(RunPane), []
        pane.redraw = lambda: drawn.append(1)  # type: ignore[method-assign]
        pane._pace.drew(time.monotonic() + 1000, 0)
        for event in steps(2):
            app.conductor.hear(RunNews(run.folder, (event,)))
        await pilot.pause()
        assert drawn == []
        assert pane._pending is not None

    on_screen(do)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
def test_the_pane_fits_the_window(tmp_path: Path, size: tuple[int, int]) -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        begun(app, kept(tmp_path))
        app.main.query_one(RunPane).redraw()
        await pilot.pause()
        assert any("semseg" in line and "4/4" in line for line in text(app))

    on_screen(do, size)


# -- pictures of what stayed tokens -----------------------------------------------------------------------------------


def undecoded(out: Path, with_picture: bool = False) -> Run:
    """A run of which one target is said to be tokens alone."""
    run, facts = kept(out, samples=1), ROWS[0]
    numbers = np.arange(facts.tokens)
    tokens = TargetTokens(facts.target, 1, 0, numbers, numbers % 4, np.ones(len(numbers)))
    write_tokens(run.path_for(1, facts.target, 0, ".safetensors"), tokens)
    if not with_picture:
        run.path_for(1, facts.target, 0, ".png").unlink()
    return run.save(models={"semseg_tok_id": ModelRecord("tokenizer")})


def ended(app: FourmApp, run: Run) -> None:
    """Shows a run whose first target is tokens alone."""
    app.show_run(run)
    tokens = run.relative(run.path_for(1, ROWS[0].target, 0, ".safetensors"))
    done = TargetDone(1, ROWS[0].target, 0, (tokens,), 1.0)
    events = (RunStarted(run.name, ROWS[:1], (0,)), *steps(1, samples=1), done, RunDone(2.0))
    app.conductor.hear(RunNews(run.folder, events))


def test_the_picture_of_a_target_is_made_at_a_key_and_can_be_stopped(tmp_path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        run = undecoded(tmp_path)
        ended(app, run)
        await pilot.press("f4")
        await settled(app, pilot)
        preview = app.main.query_one(PreviewPane)
        assert "tokens only  d makes its picture" in preview.body.text
        await pilot.press("d")
        await settled(app, pilot)
        asked = "submit", {"run": str(run.folder.resolve()), "decode": [1]}
        assert recorder.asked == [asked]
        queue(app, replace(job(run, "running"), decode=(1,)))
        app.conductor.hear(RunNews(run.folder, (Decoding(1, ROWS[0].target, (0,), 2, 5),)))
        await settled(app, pilot)
        preview.redraw()
        assert "decoding the picture  2 of 5" in preview.body.text
        assert "decoding" in app.main.query_one(RunPane).body.text
        await pilot.press("c")
        assert recorder.asked[1:] == [("cancel", {"job": str(run.folder.resolve())})]
        queue(app, replace(job(run, "cancelled"), decode=(1,)))
        await pilot.press("f3", "t")
        assert recorder.asked[2:] == [asked]

    on_screen(do)


def test_a_picture_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int], recorder: Recorder) -> None:
        ended(app, undecoded(tmp_path, with_picture=True))
        await pilot.press("f4", "d")
        await settled(app, pilot)
        assert recorder.asked == []
        assert "there already" in said(app)

    on_screen(do)
