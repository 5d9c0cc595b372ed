"""Earlier runs: listed, narrowed, looked at, compared, taken up again, deleted after asking."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot

from fourm_tui.runs import Run, list_runs
from fourm_tui.tui.app import FourmApp
from fourm_tui.tui.earlier import Listed, differs_from, facts, last_picture, where_it_differs
from fourm_tui.tui.screens.compare_runs import CompareRuns
from fourm_tui.tui.screens.confirm import Confirm
from fourm_tui.tui.screens.history import HistoryScreen
from fourm_tui.tui.screens.main import MainScreen
from fourm_tui.tui.widgets.run_list import HIGH, RunList
from fourm_tui.tui.workspace import Workspace
from tests.tui.conftest import demo, screen, text
from tests.tui.kept_run import kept

Use = Callable[[FourmApp, HistoryScreen, Pilot[int]], Awaitable[None]]
CAPTIONS = ("a red sphere", "a blue box")
OUT = Path("runs")


def begun(caption: str, seed: int, temperature: float) -> Run:
    """A run of the demonstration that waits for its turn, with a caption and a seed of its own."""
    workspace = Workspace.open("demo/T2SDR", conditions=[f"caption={caption}"], options={"seed": seed})
    workspace.edit("temperature", lambda editor: editor.set_cell(1, "temps", temperature))
    return workspace.begin(OUT).run


@pytest.fixture
def runs(own_folders: Path) -> list[Run]:
    """Two runs, the newer one last."""
    made = [begun(caption, seed, 0.5 + seed / 10) for seed, caption in enumerate(CAPTIONS, 1)]
    now = datetime.now().astimezone()
    return [run.save(status="done", created=(now + timedelta(seconds=n)).isoformat()) for n, run in enumerate(made)]


def use(do: Use, size: tuple[int, int] = (120, 40)) -> None:
    async def run() -> None:
        async with screen(size=size) as (app, pilot):
            await pilot.press("H")
            history = app.screen
            assert isinstance(history, HistoryScreen)
            await app.workers.wait_for_complete()
            await pilot.pause()
            await do(app, history, pilot)

    asyncio.run(run())


def listed(history: HistoryScreen) -> list[str]:
    """Captions of the runs in the list."""
    return [str(item.run.record.conditions[0].text) for item in history.query_one(RunList).items]


def seen(app: FourmApp) -> str:
    return "\n".join(text(app))


# -- what is said -------------------------------------------------------------------------------------------------------


def test_the_last_picture_is_that_of_the_last_target_that_has_one(tmp_path: Path) -> None:
    picture = last_picture(kept(tmp_path))
    assert picture is not None
    assert picture.name == "02_tok_rgb@224.png"


def test_pictures_that_are_data_are_not_looked_at(tmp_path: Path) -> None:
    run = kept(tmp_path)
    run.path_for(3, "tok_depth@224", 0, "_16bit.png").write_bytes(b"")
    picture = last_picture(run)
    assert picture is not None
    assert "16bit" not in picture.name


def test_a_run_without_pictures_has_none(runs: list[Run]) -> None:
    assert last_picture(runs[0]) is None


def test_what_is_known_of_a_run(runs: list[Run]) -> None:
    said = dict(facts(runs[0]))
    assert (said["caption"], said["seed"], said["model"].split()[0]) == ("a red sphere", "1", "demo")


def test_cells_and_conditions_that_differ_from_what_is_edited(runs: list[Run]) -> None:
    workspace = demo()
    pairs = differs_from(runs[0], workspace.schedule, workspace.state.given)
    assert pairs is not None
    assert [where_it_differs(pair) for pair in pairs] == ["caption", "temps.1"]


def test_words_are_looked_for_in_targets_and_status_too(runs: list[Run]) -> None:
    item = Listed(runs[0])
    assert (item.fits(["red", "done", "semseg"]), item.fits(["red", "failed"])) == (True, False)


# -- the screen ---------------------------------------------------------------------------------------------------------


def test_the_newest_stands_first(runs: list[Run]) -> None:
    async def do(app: FourmApp, history: HistoryScreen, pilot: Pilot[int]) -> None:
        assert listed(history) == ["a blue box", "a red sphere"]

    use(do)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
def test_name_status_and_what_it_was_given_are_seen(runs: list[Run], size: tuple[int, int]) -> None:
    async def do(app: FourmApp, history: HistoryScreen, pilot: Pilot[int]) -> None:
        history.look()
        await pilot.pause()
        assert [word in seen(app) for word in ("T2SDR", "done", "a blue box", "reopen")] == [True] * 4

    use(do, size)


def test_without_runs_that_is_said() -> None:
    async def do(app: FourmApp, history: HistoryScreen, pilot: Pilot[int]) -> None:
        assert "There are no runs yet" in seen(app)

    use(do)


def test_a_damaged_folder_is_counted_and_the_others_are_listed(runs: list[Run]) -> None:
    (OUT / "2026-01-01_000000_x").mkdir()
    (OUT / "2026-01-01_000000_x" / "run.json").write_text("{")

    async def do(app: FourmApp, history: HistoryScreen, pilot: Pilot[int]) -> None:
        assert ("1 cannot be read" in seen(app), len(listed(history))) == (True, 2)

    use(do)


def test_typing_narrows_the_list_and_escape_widens_it(runs: list[Run]) -> None:
    async def do(app: FourmApp, history: HistoryScreen, pilot: Pilot[int]) -> None:
        await pilot.press("slash", *"red", "enter")
        narrow = listed(history)
        await pilot.press("escape")
        assert (narrow, len(listed(history)), app.screen is history) == (["a red sphere"], 2, True)

    use(do)


def test_only_what_is_seen_of_thousands_is_drawn(runs: list[Run]) -> None:
    async def do(app: FourmApp, history: HistoryScreen, pilot: Pilot[int]) -> None:
        some = history.query_one(RunList)
        some.put([Listed(runs[0])] * 5000)
        await pilot.press("end")
        await pilot.pause()
        assert (some.cursor, some.virtual_size.height) == (4999, 5000 * HIGH)

    use(do)


def test_reopening_restores_schedule_conditions_and_seed_in_one_step(runs: list[Run]) -> None:
    async def do(app: FourmApp, history: HistoryScreen, pilot: Pilot[int]) -> None:
        before = app.workspace.state
        await pilot.press("down", "enter")
        await pilot.pause()
        workspace = app.workspace
        assert workspace.schedule.base is not None
        found = (workspace.state.given["caption"].text, workspace.seed, workspace.schedule.base.rows[0].temp)
        await pilot.press("u")
        assert (found, app.workspace.state) == (("a red sphere", 1, 0.6), before)

    use(do)


def test_reopening_one_of_another_file_asks_about_what_is_not_saved(runs: list[Run]) -> None:
    async def do(app: FourmApp, history: HistoryScreen, pilot: Pilot[int]) -> None:
        await pilot.press("escape", "o", *"T2R_roar16", "enter")
        await pilot.pause()
        app.edit("temperature", lambda editor: editor.set_cell(1, "temps", 0.9))
        await pilot.press("H")
        await app.workers.wait_for_complete()
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        asked = isinstance(app.screen, Confirm)
        await pilot.press("d")
        await pilot.pause()
        assert (asked, app.workspace.title.partition("_")[0]) == (True, "T2SDR")

    use(do)


def newest(runs: list[Run]) -> Run:
    """The one that was not there before."""
    (found,) = (run for run in list_runs(OUT).runs if run.name not in {each.name for each in runs})
    return found


def test_a_rerun_has_another_seed_and_leaves_what_is_edited(runs: list[Run]) -> None:
    async def do(app: FourmApp, history: HistoryScreen, pilot: Pilot[int]) -> None:
        before = app.workspace.state
        await pilot.press("r")
        await app.workers.wait_for_complete()
        record = newest(runs).record
        assert (record.conditions[0].text, record.samples[0].seed == 2, app.workspace.state) == (
            "a blue box",
            False,
            before,
        )

    use(do)


def test_a_run_is_shown_in_the_preview(runs: list[Run]) -> None:
    async def do(app: FourmApp, history: HistoryScreen, pilot: Pilot[int]) -> None:
        await pilot.press("space")
        await pilot.pause()
        assert app.run_state is not None
        assert (app.run_state.folder.name, isinstance(app.screen, MainScreen)) == (runs[1].folder.name, True)

    use(do)


def test_two_are_compared_cell_by_cell(runs: list[Run]) -> None:
    async def do(app: FourmApp, history: HistoryScreen, pilot: Pilot[int]) -> None:
        await pilot.press("equals_sign", "down", "equals_sign")
        await pilot.pause()
        assert isinstance(app.screen, CompareRuns)
        shown = seen(app)
        assert [word in shown for word in ("temps", "0.6", "0.7", "a red sphere")] == [True] * 4

    use(do)


def test_the_mark_goes_where_the_same_run_is_compared_with_itself(runs: list[Run]) -> None:
    async def do(app: FourmApp, history: HistoryScreen, pilot: Pilot[int]) -> None:
        await pilot.press("equals_sign", "equals_sign")
        assert (app.screen, history.query_one(RunList).marked) == (history, None)

    use(do)


def test_deleting_asks_and_escape_keeps_it(runs: list[Run]) -> None:
    async def do(app: FourmApp, history: HistoryScreen, pilot: Pilot[int]) -> None:
        await pilot.press("x", "escape")
        await pilot.pause()
        assert len(list_runs(OUT).runs) == 2

    use(do)


def test_a_run_is_deleted_after_a_yes(runs: list[Run]) -> None:
    async def do(app: FourmApp, history: HistoryScreen, pilot: Pilot[int]) -> None:
        await pilot.press("x", "d")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert ([run.folder.name for run in list_runs(OUT).runs], listed(history)) == (
            [runs[0].folder.name],
            ["a red sphere"],
        )

    use(do)


def test_a_branch_takes_over_what_does_not_differ(runs: list[Run]) -> None:
    async def do(app: FourmApp, history: HistoryScreen, pilot: Pilot[int]) -> None:
        await pilot.press("b")
        await app.workers.wait_for_complete()
        parent = newest(runs).record.parent
        assert parent is not None
        assert parent.run == runs[1].name

    use(do)


def test_a_mark_says_that_another_run_is_to_be_chosen(runs: list[Run]) -> None:
    async def do(app: FourmApp, history: HistoryScreen, pilot: Pilot[int]) -> None:
        await pilot.press("equals_sign")
        await pilot.pause()
        assert "now go to another run" in seen(app)

    use(do)


def test_the_comparison_explains_itself(runs: list[Run]) -> None:
    async def do(app: FourmApp, history: HistoryScreen, pilot: Pilot[int]) -> None:
        await pilot.press("equals_sign", "down", "equals_sign")
        await pilot.pause()
        await pilot.press("question_mark")
        await pilot.pause()
        assert "At the left what is compared" in seen(app)

    use(do)


def test_a_run_of_a_sweep_says_its_value(runs: list[Run]) -> None:
    runs[-1].save(swept="temps.1=3.0")

    async def do(app: FourmApp, history: HistoryScreen, pilot: Pilot[int]) -> None:
        assert "temps.1 = 3.0" in seen(app)

    use(do)


def test_a_long_list_has_no_bar_below(runs: list[Run]) -> None:
    async def do(app: FourmApp, history: HistoryScreen, pilot: Pilot[int]) -> None:
        some = history.query_one(RunList)
        some.put([Listed(runs[0])] * 100)
        await pilot.pause()
        assert (some.show_vertical_scrollbar, some.show_horizontal_scrollbar) == (True, False)

    use(do)
