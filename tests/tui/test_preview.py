"""The preview pane, the full screen and the comparison, by keyboard."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from fourm_tui.terminal.choice import Choice
from fourm_tui.tui.app import FourmApp
from fourm_tui.tui.panes.preview import PreviewPane
from fourm_tui.tui.run_state import RunState
from fourm_tui.tui.screens.compare import ChooseSide, CompareScreen
from fourm_tui.tui.screens.full import FullScreen
from fourm_tui.tui.widgets.still import Still
from tests.tui import kept_run
from tests.tui.conftest import screen, text

Check = Callable[[FourmApp, Pilot[int], PreviewPane], Awaitable[None]]
SIZES = [(80, 24), (120, 40), (200, 60)]


@asynccontextmanager
async def shown(
    state: RunState, size: tuple[int, int] = (120, 40), choice: Choice | None = None
) -> AsyncIterator[tuple[FourmApp, Pilot[int], PreviewPane]]:
    """The application with a run shown and the focus in the preview."""
    async with screen(size=size, choice=choice) as (app, pilot):
        await pilot.press("f4")
        app.run_state = state
        app.run_signal.publish(state)
        pane = app.main.query_one(PreviewPane)
        await settled(pilot, pane)
        yield app, pilot, pane


async def settled(pilot: Pilot[int], pane: PreviewPane) -> None:
    """Until threads have found and drawn what there is to be, and it is shown."""
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()
    pane.redraw()
    while not pane._drawings.idle:
        await pilot.pause()
    await pilot.pause()
    pane.redraw()
    await pilot.pause()


def with_run(check: Check, state: RunState, size: tuple[int, int] = (120, 40), choice: Choice | None = None) -> None:
    async def go() -> None:
        async with shown(state, size, choice) as (app, pilot, pane):
            await check(app, pilot, pane)

    asyncio.run(go())


@pytest.fixture
def run(own_folders: Path) -> kept_run.Run:
    kept_run.kept(own_folders / "runs", temperature=0.5, shade=200)
    return kept_run.kept(own_folders / "runs", temperature=0.7)


@pytest.fixture
def finished(run: kept_run.Run) -> RunState:
    return kept_run.finished(run)


def half(run: kept_run.Run) -> RunState:
    return kept_run.state(run, kept_run.steps(1, count=2))


@pytest.mark.parametrize("size", SIZES)
def test_the_map_fills_while_a_run_goes_on(run: kept_run.Run, size: tuple[int, int]) -> None:
    async def check(app: FourmApp, pilot: Pilot[int], pane: PreviewPane) -> None:
        assert "step 2 of 4  98 of 196  confidence .61" in pane.body.text
        assert "·" in pane.body.text

    with_run(check, half(run), size)


@pytest.mark.parametrize("size", SIZES)
def test_all_targets_are_titled(finished: RunState, size: tuple[int, int]) -> None:
    async def check(app: FourmApp, pilot: Pilot[int], pane: PreviewPane) -> None:
        assert all(title in pane.body.text for title in ("Segmentation", "RGB", "Caption", "a red fox"))

    with_run(check, finished, size)


def test_only_lines_that_changed_are_drawn_again(run: kept_run.Run) -> None:
    async def check(app: FourmApp, pilot: Pilot[int], pane: PreviewPane) -> None:
        assert pane.body.show(list(pane.body._strips)) == 0

    with_run(check, half(run))


def test_n_and_shift_n_go_through_the_targets(finished: RunState) -> None:
    async def check(app: FourmApp, pilot: Pilot[int], pane: PreviewPane) -> None:
        seen = []
        for key in ("n", "n", "N"):
            await pilot.press(key)
            seen.append(pane.selected.key[0] if pane.selected else 0)
        assert seen == [1, 2, 1]

    with_run(check, finished)


def test_v_goes_through_variations_then_shows_all(finished: RunState) -> None:
    async def check(app: FourmApp, pilot: Pilot[int], pane: PreviewPane) -> None:
        titles = []
        for _ in range(2):
            await pilot.press("v")
            titles.append(str(pane.border_title))
        assert titles == ["F4 preview · variation 2 of 2", "F4 preview · all 2 variations"]

    with_run(check, finished)


def test_m_changes_what_colours_say(run: kept_run.Run) -> None:
    async def check(app: FourmApp, pilot: Pilot[int], pane: PreviewPane) -> None:
        await pilot.press("m")
        assert "unsure" in pane.body.text

    with_run(check, half(run))


def test_the_new_picture_stands_beside_the_one_before(finished: RunState) -> None:
    async def check(app: FourmApp, pilot: Pilot[int], pane: PreviewPane) -> None:
        await pilot.press("N")
        await settled(pilot, pane)
        assert "before  temps.1 0.5 → 0.7" in pane.body.text

    with_run(check, finished)


def test_arrows_move_a_cursor_that_names_positions(run: kept_run.Run) -> None:
    async def check(app: FourmApp, pilot: Pilot[int], pane: PreviewPane) -> None:
        await pilot.press("up", "k", "left", "h", "right")
        assert "row 7 column 7  token 97  step 2" in pane.body.text

    with_run(check, half(run))


def test_escape_takes_the_cursor_away(run: kept_run.Run) -> None:
    async def check(app: FourmApp, pilot: Pilot[int], pane: PreviewPane) -> None:
        await pilot.press("up", "escape")
        assert "step 2 of 4" in pane.body.text

    with_run(check, half(run))


def test_brackets_replay_the_order(finished: RunState) -> None:
    async def check(app: FourmApp, pilot: Pilot[int], pane: PreviewPane) -> None:
        await pilot.press("N", "left_square_bracket", "left_square_bracket", "right_square_bracket")
        assert "step 3 of 4  147 of 196" in pane.body.text

    with_run(check, finished)


def test_space_plays_the_order_from_its_beginning(finished: RunState) -> None:
    async def check(app: FourmApp, pilot: Pilot[int], pane: PreviewPane) -> None:
        await pilot.press("N", "space")
        assert "step 1 of 4  49 of 196" in pane.body.text

    with_run(check, finished)


def test_a_deleted_run_leaves_a_message(finished: RunState, run: kept_run.Run) -> None:
    shutil.rmtree(run.folder)

    async def check(app: FourmApp, pilot: Pilot[int], pane: PreviewPane) -> None:
        await pilot.press("N")
        await settled(pilot, pane)
        assert "the file is gone" in pane.body.text

    with_run(check, finished)


def test_ascii_draws_nothing_else(run: kept_run.Run) -> None:
    async def check(app: FourmApp, pilot: Pilot[int], pane: PreviewPane) -> None:
        assert pane.body.text.isascii()

    with_run(check, half(run), choice=Choice("blocks", ascii=True))


# -- full screen ------------------------------------------------------------------------------------------------


async def opened(app: FourmApp, pilot: Pilot[int], key: str) -> None:
    await pilot.press("N", key)
    await pilot.pause()
    await app.workers.wait_for_complete()
    await pilot.pause()


def test_p_shows_the_output_in_full_with_its_facts(finished: RunState) -> None:
    async def check(app: FourmApp, pilot: Pilot[int], pane: PreviewPane) -> None:
        await opened(app, pilot, "p")
        assert isinstance(app.screen, FullScreen)
        while not app.screen._facts:
            await pilot.pause()
        assert app.screen._facts.startswith("02_tok_rgb@224.png  64 x 64")

    with_run(check, finished)


def test_full_screen_goes_on_to_the_next_and_back(finished: RunState) -> None:
    async def check(app: FourmApp, pilot: Pilot[int], pane: PreviewPane) -> None:
        await opened(app, pilot, "p")
        seen = []
        for key in ("left", "right", "N", "n"):
            await pilot.press(key)
            seen.append(pane.selected.key[0] if pane.selected else 0)
        assert seen == [1, 2, 1, 2]

    with_run(check, finished)


def test_t_shows_the_token_map_in_full(finished: RunState) -> None:
    async def check(app: FourmApp, pilot: Pilot[int], pane: PreviewPane) -> None:
        await opened(app, pilot, "p")
        await pilot.press("t", "m", "left_square_bracket")
        assert any("step 3 of 4  147 of 196  confidence .61  by confidence" in line for line in text(app))

    with_run(check, finished)


@pytest.mark.parametrize("key", ["escape", "p", "q"])
def test_full_screen_is_left(finished: RunState, key: str) -> None:
    async def check(app: FourmApp, pilot: Pilot[int], pane: PreviewPane) -> None:
        await opened(app, pilot, "p")
        await pilot.press(key)
        assert app.screen is app.main

    with_run(check, finished)


def test_full_screen_without_anything_is_said(own_folders: Path) -> None:
    async def go() -> None:
        async with screen() as (app, pilot):
            await pilot.press("p")
            assert app.screen is app.main

    asyncio.run(go())


# -- comparing and copying --------------------------------------------------------------------------------------


def test_equals_compares_with_the_run_before(finished: RunState) -> None:
    async def check(app: FourmApp, pilot: Pilot[int], pane: PreviewPane) -> None:
        await opened(app, pilot, "equals_sign")
        assert isinstance(app.screen, CompareScreen)
        assert [(pair.what, pair.a, pair.b) for pair in app.screen.pairs] == [("temps", "0.5", "0.7")]

    with_run(check, finished)


def test_space_swaps_and_b_puts_side_by_side(finished: RunState) -> None:
    async def check(app: FourmApp, pilot: Pilot[int], pane: PreviewPane) -> None:
        await opened(app, pilot, "equals_sign")
        seen = []
        for key in ("space", "space", "b"):
            await pilot.press(key)
            seen.append([app.screen.query_one(f"#{side}-side").display for side in ("other", "this")])
        assert seen == [[False, True], [True, False], [True, True]]

    with_run(check, finished)


def test_d_shows_how_pictures_differ(finished: RunState) -> None:
    async def check(app: FourmApp, pilot: Pilot[int], pane: PreviewPane) -> None:
        await opened(app, pilot, "equals_sign")
        await pilot.press("d")
        assert any("how they differ" in line for line in text(app))

    with_run(check, finished)


def test_o_chooses_another_variation(finished: RunState) -> None:
    async def check(app: FourmApp, pilot: Pilot[int], pane: PreviewPane) -> None:
        await opened(app, pilot, "equals_sign")
        compare = app.screen
        assert isinstance(compare, CompareScreen)
        await pilot.press("o")
        assert isinstance(app.screen, ChooseSide)
        await pilot.press("j", "k", "enter")
        assert compare.side is not None
        assert compare.side.title == "this run, variation 2"

    with_run(check, finished)


def test_the_comparison_goes_through_targets_and_is_left(finished: RunState) -> None:
    async def check(app: FourmApp, pilot: Pilot[int], pane: PreviewPane) -> None:
        await opened(app, pilot, "equals_sign")
        await pilot.press("N")
        assert pane.selected is not None
        assert pane.selected.key[0] == 1
        await pilot.press("n", "escape")
        assert app.screen is app.main

    with_run(check, finished)


def test_y_copies_the_text_of_a_caption(finished: RunState) -> None:
    async def check(app: FourmApp, pilot: Pilot[int], pane: PreviewPane) -> None:
        await pilot.press("y")
        assert app.clipboard == "a red fox"

    with_run(check, finished)


def test_y_copies_the_path_of_a_picture(finished: RunState, run: kept_run.Run) -> None:
    async def check(app: FourmApp, pilot: Pilot[int], pane: PreviewPane) -> None:
        await pilot.press("N", "y")
        assert app.clipboard == str(run.path_for(2, "tok_rgb@224", 0, ".png"))

    with_run(check, finished)


def test_a_contact_sheet_is_shown_until_the_next_target(finished: RunState, tmp_path: Path) -> None:
    async def check(app: FourmApp, pilot: Pilot[int], pane: PreviewPane) -> None:
        sheet = tmp_path / "sheet.png"
        pane._sheet_changed({"Depth by temps.1": sheet})
        await settled(pilot, pane)
        assert "Depth by temps.1" in pane.body.text
        await pilot.press("n")
        assert "Depth by temps.1" not in pane.body.text

    with_run(check, finished)


@pytest.mark.parametrize("protocol", ["sixel", "kitty"])
def test_graphics_make_way_for_a_dialog_and_come_back(finished: RunState, protocol: str) -> None:
    async def check(app: FourmApp, pilot: Pilot[int], pane: PreviewPane) -> None:
        await opened(app, pilot, "equals_sign")
        still = app.screen.query_one("#this", Still)
        while still._shown is None:
            await pilot.pause()
        await pilot.press("o")
        assert still._shown is None
        await pilot.press("escape")
        assert still._shown is not None

    with_run(check, finished, choice=Choice(protocol))  # type: ignore[arg-type]
