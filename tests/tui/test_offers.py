"""What the last line, the help and the palette offer: what can be done at the place, as things stand, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from fourm_tui.engine.jobs import JobStatus, QueuedJob
from fourm_tui.tui.app import FourmApp
from fourm_tui.tui.keymap import sections
from fourm_tui.tui.news import QueueNews
from fourm_tui.tui.panes.preview import PreviewPane
from fourm_tui.tui.panes.run import RunPane
from fourm_tui.tui.run_offers import offered
from fourm_tui.tui.screens.compare import CompareScreen
from fourm_tui.tui.screens.full import FullScreen
from fourm_tui.tui.screens.palette import Palette
from fourm_tui.tui.widgets.key_line import KeyLine
from tests.tui.conftest import screen, text
from tests.tui.kept_run import kept

Do = Callable[[FourmApp, Pilot[int]], Awaitable[None]]


def on_screen(do: Do) -> None:
    async def go() -> None:
        async with screen() as (app, pilot):
            await do(app, pilot)

    asyncio.run(go())


def line(app: FourmApp) -> list[str]:
    """The titles in the last line of the screen on top."""
    return [key.title for key in app.screen.query_one(KeyLine).keys]


def queue(app: FourmApp, folder: Path, status: JobStatus) -> None:
    app.conductor.hear(QueueNews((QueuedJob("j1", str(folder.resolve()), 1.0, status),), {"workers": []}))
    app.main.query_one(RunPane).redraw()


# -- dialogs ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["question_mark", "colon", "T", "O", "w"])
def test_no_key_of_the_panes_is_offered_under_a_dialog(key: str) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press(key)
        await pilot.pause()
        assert app.main.query_one(KeyLine).keys == []

    on_screen(do)


def test_the_keys_of_the_panes_are_offered_again_after_a_dialog() -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        before = line(app)
        await pilot.press("T", "escape")
        await pilot.pause()
        assert line(app) == before

    on_screen(do)


# -- runs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "pause"),
    [("running", "pause"), ("waiting", "pause"), ("paused", "go on"), ("failed", None), ("done", None)],
)
def test_pausing_is_offered_as_the_run_stands(tmp_path: Path, status: JobStatus, pause: str | None) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("f3")
        queue(app, kept(tmp_path).folder, status)
        await pilot.pause()
        assert [each for each in line(app) if each in ("pause", "go on")] == [pause] * (pause is not None)

    on_screen(do)


def test_nothing_is_offered_for_a_run_where_there_is_none() -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("f3")
        await pilot.pause()
        assert not {"pause", "follow"} & set(line(app))

    on_screen(do)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("retry", "failed"),
        ("first", "waiting"),
        ("skip", "running"),
        ("remove", "paused"),
        ("cancel_others", "waiting"),
    ],
)
def test_what_a_run_can_be_told_is_offered_for_it_alone(name: str, status: JobStatus) -> None:
    job, over = QueuedJob("a", "/a", 1.0, status), QueuedJob("a", "/a", 1.0, "done")
    assert (offered(name, "x", job, (job,)), offered(name, "x", over, (over,))) == ("x", "")


# -- screens over the panes ---------------------------------------------------------------------------------------


async def over(app: FourmApp, pilot: Pilot[int], folder: Path, kind: type[FullScreen | CompareScreen]) -> None:
    """Puts a screen over the panes."""
    app.show_run(kept(folder))
    await app.workers.wait_for_complete()
    await app.push_screen(kind(app.main.query_one(PreviewPane)))
    while not isinstance(app.screen, kind):  # comparing with nothing asks with what
        await pilot.press("escape")
    await pilot.pause()


@pytest.mark.parametrize("kind", [FullScreen, CompareScreen])
def test_a_screen_over_the_panes_offers_nothing_that_is_done_to_them(
    tmp_path: Path, kind: type[FullScreen | CompareScreen]
) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await over(app, pilot, tmp_path, kind)
        assert (not {"run", "save", "undo", "history"} & set(line(app)), "close" in line(app)) == (True, True)

    on_screen(do)


def test_nothing_is_undone_out_of_sight(tmp_path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        app.edit("steps", lambda editor: editor.set_cell(2, "temps", 0.7))
        await over(app, pilot, tmp_path, FullScreen)
        await pilot.press("u")
        await pilot.press("p")
        assert [row.temp for _, _, row in app.workspace.schedule.rows()][1] == 0.7

    on_screen(do)


def test_the_palette_over_the_panes_offers_what_can_be_done_there(tmp_path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await over(app, pilot, tmp_path, FullScreen)
        await pilot.press("colon")
        assert isinstance(app.screen, Palette)
        places = {each.where for each in app.screen.actions}
        named = {each.id for each in app.screen.actions if each.where == "app"}
        assert (places, "app.undo" in named, "app.theme" in named) == ({"full", "app"}, False, True)

    on_screen(do)


def test_the_palette_does_not_offer_to_pause_a_run_that_is_over(tmp_path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        queue(app, kept(tmp_path).folder, "done")
        await pilot.press("colon")
        assert isinstance(app.screen, Palette)
        assert not {"run.pause", "run.retry"} & {each.id for each in app.screen.actions}

    on_screen(do)


@pytest.mark.parametrize("place", ["full", "compare"])
def test_the_help_over_the_panes_tells_of_what_can_be_done_there(place: str) -> None:
    told = {action.id for _, rows in sections(place, {}) for _, action in rows if action.where == "app"}
    assert told & {"app.save", "app.quit", "app.help"} == {"app.help"}


def test_what_is_said_is_seen_over_the_panes(tmp_path: Path) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await over(app, pilot, tmp_path, FullScreen)
        await pilot.press("y")
        await pilot.pause()
        assert any("copied: " in each for each in text(app))

    on_screen(do)


def test_an_open_cell_tells_its_own_keys_and_no_others() -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("f2", *["right"] * 5)
        before = line(app)
        assert "run" in before
        for leave in ("escape", "enter"):
            await pilot.press("enter")
            assert line(app) == ["take", "next cell", "next row", "leave as it was"]
            await pilot.press(leave)
            assert line(app) == before

    on_screen(do)
