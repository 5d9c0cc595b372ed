"""What a run is at is the same word wherever it is read, and nothing is said that is true no more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from fourm_tui.engine.jobs import JobStatus, QueuedJob
from fourm_tui.tui.app import FourmApp
from fourm_tui.tui.news import QueueNews, RunNews
from fourm_tui.tui.run_lines import View, queue_lines, state_word, status_lines
from fourm_tui.tui.run_state import RunState, RunStatus
from fourm_tui.tui.widgets.key_line import Key, KeyLine, that_fit
from fourm_tui.tui.words import run_word, status_word
from tests.tui.conftest import demo, screen, text
from tests.tui.kept_run import kept

Do = Callable[[FourmApp, Pilot[int]], Awaitable[None]]


def on_screen(do: Do, size: tuple[int, int] = (120, 40)) -> None:
    async def go() -> None:
        async with screen(size=size) as (app, pilot):
            await do(app, pilot)

    asyncio.run(go())


def job(status: JobStatus) -> QueuedJob:
    return QueuedJob("j1", "/runs/x", 1.0, status)


@pytest.mark.parametrize(
    ("state", "queued", "word"),
    [
        ("waiting", None, "waiting"),
        ("waiting", "waiting", "waiting"),
        ("waiting", "running", "starting"),
        ("running", "running", "running"),
        ("running", "paused", "paused"),
        ("running", "done", "done"),
        ("cancelled", "cancelled", "cancelled"),
        ("cancelled", "waiting", "waiting"),
        ("interrupted", "interrupted", "interrupted"),
    ],
)
def test_a_run_has_one_word(state: RunStatus, queued: JobStatus | None, word: str) -> None:
    made = RunState(Path("/runs/x"), status=state)
    assert run_word(made, job(queued) if queued else None) == word


def test_the_queue_and_the_line_above_it_say_the_same_of_the_run_that_is_shown() -> None:
    view = View(RunState(Path("/runs/x")), job("running"), (job("running"), replace(job("waiting"), id="j2")))
    said = ["".join(part for part, _ in line).split()[0] for line in queue_lines(view, 60, 5)]
    above = "".join(part for part, _ in status_lines(view, 60)[0])
    assert (said, above, state_word(view.state, view.job)) == (["starting", "waiting"], "starting", "starting")


def test_a_run_that_nobody_has_begun_waits_in_the_history_too() -> None:
    assert [status_word(each) for each in ("pending", "done")] == ["waiting", "done"]


@pytest.mark.parametrize(("focused", "said"), [(True, "cancelled  t goes"), (False, "cancelled  F3 t goes")])
def test_the_key_that_goes_on_is_told_where_it_works(focused: bool, said: str) -> None:
    view = View(RunState(Path("/runs/x"), status="cancelled"), focused=focused)
    assert "".join(part for part, _ in status_lines(view, 60)[0]).startswith(said)


def test_what_is_said_of_stopping_goes_when_it_has_stopped(tmp_path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        app.run_state = state = RunState(kept(tmp_path).folder, status="running")
        await pilot.press("c")
        await pilot.pause()
        before = "\n".join(text(app))
        app.conductor.hear(RunNews(state.folder, (), gone=True))
        await pilot.pause()
        after = "\n".join(text(app))
        assert ("stopping at the next step" in before, "stopping at the next step" in after) == (True, False)

    on_screen(do)


def test_a_run_of_which_nothing_is_finished_goes_on_from_its_first_target(tmp_path: Path) -> None:
    workspace = demo()
    run = workspace.begin(tmp_path / "runs").run

    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        app.run_state = RunState(run.folder, status="cancelled")
        await pilot.press("f3", "t")
        await pilot.pause()
        assert "going on from its first target" in "\n".join(text(app))

    on_screen(do)


def test_where_runs_are_kept_is_said_when_their_folder_is_made(own_folders: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("r")
        await app.workers.wait_for_complete()
        await pilot.pause()
        first = "runs are kept in" in "\n".join(text(app))
        await pilot.press("r")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert (first, "runs are kept in" in "\n".join(text(app))) == (True, False)

    on_screen(do)


def test_an_error_does_not_outlast_the_history() -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        app.say("the schedule cannot be saved there", error=True)
        await pilot.press("H", "escape")
        await pilot.pause()
        assert "cannot be saved" not in "\n".join(text(app))

    on_screen(do)


@pytest.mark.parametrize("key", ["f1", "f2", "f3", "f4"])
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_cancelling_is_offered_first_while_a_run_goes(tmp_path: Path, key: str, size: tuple[int, int]) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press(key)
        folder = kept(tmp_path).folder
        app.run_state = RunState(folder, status="running")
        app.conductor.hear(QueueNews((QueuedJob("j1", str(folder.resolve()), 1.0, "running"),), {"workers": []}))
        await pilot.pause()
        assert app.screen.query_one(KeyLine).keys[0].id == "app.cancel"

    on_screen(do, size)


def test_cancelling_is_not_offered_while_nothing_goes() -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        assert "app.cancel" not in {key.id for key in app.screen.query_one(KeyLine).keys}

    on_screen(do)


def test_the_full_screen_is_offered_when_there_is_an_output(tmp_path: Path) -> None:
    run = kept(tmp_path)

    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        before = {key.id for key in app.screen.query_one(KeyLine).keys}
        app.run_state = RunState.of_run(run)
        app.run_signal.publish(app.run_state)
        after = before
        while "app.full" not in after:  # it is said by other panes, too, in their time
            await pilot.pause(0.02)
            after = {key.id for key in app.screen.query_one(KeyLine).keys}
        assert ("app.full" in before, "app.full" in after) == (False, True)

    on_screen(do)


def test_where_room_is_short_the_most_wanted_keys_are_there() -> None:
    ids = ("run.a", "run.b", "run.c", "app.start", "app.save", "app.history", "app.help", "app.quit", "app.cancel")
    keys = [Key(id, "x", id.partition(".")[2]) for id in ids]
    width = sum(key.width + 2 for key in keys) - 1
    fit = [key.id for key in that_fit(keys, width)]
    assert fit == [
        "app.cancel", "app.start", "run.a", "run.b", "app.save", "app.history", "app.help", "app.quit",
    ]  # fmt: skip


def test_each_pane_is_titled_with_its_key() -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        assert [str(pane.border_title)[:3] for pane in app.main.panes] == ["F1 ", "F2 ", "F3 ", "F4 "]

    on_screen(do)
