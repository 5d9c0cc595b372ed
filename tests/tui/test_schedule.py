"""The schedule pane, with the keyboard alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from fourm_tui.terminal.choice import Choice
from fourm_tui.tui.app import FourmApp
from fourm_tui.tui.panes.schedule import SchedulePane
from fourm_tui.tui.widgets.schedule_table import ScheduleTable
from fourm_tui.tui.workspace import Workspace
from tests.tui.conftest import demo, screen, text
from tests.tui.test_workspace import CAPTION, TEXT


def run(body: Callable[[FourmApp, Any], Awaitable[None]], workspace: Workspace | None = None, **more: Any) -> None:
    async def go() -> None:
        async with screen(workspace, **more) as (app, pilot):
            await pilot.press("f2")
            await pilot.pause()
            await body(app, pilot)

    asyncio.run(go())


def rows(app: FourmApp, attribute: str) -> list[Any]:
    return [getattr(row, attribute) for _, _, row in app.workspace.schedule.rows()]


def at(app: FourmApp) -> tuple[int, str]:
    cell = app.main.query_one(SchedulePane).selected
    assert cell is not None
    return cell.place


def test_typing_a_digit_replaces_and_enter_takes() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press("right", "right", "1", "2")
        assert rows(app, "steps") == [16, 4, 8]  # not taken yet
        assert any("12 steps" in line for line in text(app))  # but costed
        await pilot.press("enter")
        assert rows(app, "steps") == [12, 4, 8]
        await pilot.press("u")
        assert rows(app, "steps") == [16, 4, 8]

    run(body)


def test_escape_restores() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press("right", "right", "9", "9", "escape")
        assert rows(app, "steps") == [16, 4, 8]
        assert not app.workspace.changed

    run(body)


def test_a_wrong_value_is_said_and_not_taken() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press("right", "right", "enter", "ctrl+u", "x", "enter")
        await pilot.pause()
        table = app.main.query_one(ScheduleTable)
        assert table.editing is not None
        assert any("decoding_steps" in line for line in text(app))
        assert rows(app, "steps") == [16, 4, 8]

    run(body)


def test_tab_goes_to_the_next_cell_while_editing_and_to_the_next_pane_otherwise() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press("right", "right", "5", "tab")
        await pilot.pause()
        assert rows(app, "steps")[0] == 5
        assert at(app) == (1, "tokens_per_target")
        await pilot.press("escape", "tab")
        await pilot.pause()
        assert app.main.active == 3

    run(body)


def test_plus_and_minus_step_numbers_and_choices() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press("right", "plus")
        assert rows(app, "scheme")[0] == "maskgit"
        await pilot.press("minus", "right", "plus", "plus")
        assert (rows(app, "scheme")[0], rows(app, "steps")[0]) == ("roar", 18)

    run(body)


def test_a_choice_opens_a_list() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press(*"rgb", "enter")
        await pilot.pause()
        assert "tok_rgb@224" not in (rows(app, "target")[1],)
        assert rows(app, "target")[0] in ("tok_rgb@224", "tok_semseg@224")

    run(body)


def test_rows_are_added_duplicated_moved_and_deleted() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press("a")
        await pilot.pause()
        await pilot.press(*"caption", "enter")
        await pilot.pause()
        assert rows(app, "target")[:2] == ["tok_semseg@224", "caption"]
        assert rows(app, "scheme")[1] == "autoregressive"
        assert at(app) == (2, "target_domains")
        await pilot.press("J")
        assert rows(app, "target")[:3] == ["tok_semseg@224", "tok_depth@224", "caption"]
        assert at(app)[0] == 3
        await pilot.press("K", "x")
        assert rows(app, "target") == ["tok_semseg@224", "tok_depth@224", "tok_rgb@224"]
        await pilot.press("d")
        await pilot.pause()
        await pilot.press(*"det", "enter")
        await pilot.pause()
        assert len(rows(app, "target")) == 4
        for _ in range(5):
            await pilot.press("u")
        assert rows(app, "target") == ["tok_semseg@224", "tok_depth@224", "tok_rgb@224"]
        assert not app.workspace.changed

    run(body)


def test_the_only_row_stays(tmp_path: Path) -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press("x", "x")
        assert rows(app, "target") == ["tok_rgb@224"]
        assert any("only one" in line for line in text(app))

    (tmp_path / "mine.yaml").write_text(TEXT)
    run(body, Workspace.open("mine.yaml", conditions=[f"caption={CAPTION}"]))


def test_a_value_is_filled_down() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press("right", "right", "v")
        assert rows(app, "steps") == [16, 16, 16]

    run(body)


def test_guidance_opens_into_weights() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press("down", "g")
        await pilot.pause()
        await pilot.press("down", "2", "down", *"-0.5", "enter")
        await pilot.pause()
        assert rows(app, "cfg_scale")[1] == {"caption": 2.0, "tok_semseg@224": -0.5}
        assert any("runs in ml-4m: no" in line for line in text(app))
        await pilot.press("g")
        await pilot.pause()
        await pilot.press("3", "enter")
        await pilot.pause()
        assert rows(app, "cfg_scale")[1] == 3.0

    run(body)


def test_the_next_problem_is_gone_to() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press("down", "down", "right", "right", "right", "4", "enter")  # fewer tokens than steps
        await pilot.press("f2", "up", "up", "n")
        assert at(app) == (3, "decoding_steps")
        await pilot.press("n")
        assert at(app) == (1, "temps")  # a hint

    run(body)


def test_seed_and_filters_are_cells_too() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press("pagedown", "home", *"0.5", "enter")
        assert rows(app, "top_p") == [0.5, 0.5, 0.5]
        await pilot.press("end", "4", "enter")
        assert app.workspace.variations == 4
        await pilot.press("left", "7", "enter")
        assert app.workspace.seed == 7
        await pilot.press("left", "plus")
        assert {*rows(app, "cfg_schedule")} == {"linear"}
        await pilot.press("left", "plus")
        assert app.workspace.schedule.base is not None
        assert not app.workspace.schedule.base.cfg_grow_conditioning

    run(body)


def test_a_long_paste_becomes_one_short_line() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        from textual import events

        await pilot.press("right", "right")
        table = app.main.query_one(ScheduleTable)
        table.post_message(events.Paste("7" * 100_000 + "\n\x1b[31m"))
        await pilot.pause()
        assert table.editing is not None
        assert table.editing.text == "7" * 200
        await pilot.press("escape")

    run(body)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60), (100, 24)])
def test_every_row_and_the_chain_are_seen(size: tuple[int, int]) -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        seen = "\n".join(text(app))
        for word in ("tok_semseg@224", "tok_depth@224", "tok_rgb@224", "cfg", "top_p", "variations"):
            assert word in seen

    run(body, demo(), size=size)


def test_ascii_is_ascii() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        pane = app.main.query_one(SchedulePane)
        from fourm_tui.tui.detail import pieces

        styles = dict.fromkeys(("dim", "error", "warning", "accent"), "")
        for piece in pieces(app.workspace, 1, 80, None, styles, ascii=True):
            assert piece.text.plain.replace("→", "").isascii()
        assert pane.table.ascii

    run(body, choice=Choice("blocks", ascii=True))


def test_a_number_that_the_chain_could_not_run_with_is_not_taken() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press("right", "right", "3", "0", "0", "enter")
        assert rows(app, "steps") == [16, 4, 8]
        assert any("300 steps for 196 tokens" in line for line in text(app))

    run(body)


def test_a_value_for_the_whole_chain_is_checked_too() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press("down", "down", "down", "home", "1", ".", "2", "enter")
        assert rows(app, "top_p") == [0.9, 0.9, 0.9]

    run(body)


def test_the_colours_are_those_of_the_theme_at_once() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        app.theme = "day"
        await pilot.pause()
        await pilot.pause()
        table = app.main.query_one(ScheduleTable)
        ground = table.rich_style.bgcolor
        assert ground is not None
        style = next(segment.style for segment in table.render_line(2) if segment.text.strip())
        assert style is not None
        assert style.bgcolor == ground

    run(body)
