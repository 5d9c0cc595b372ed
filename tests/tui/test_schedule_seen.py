"""What the schedule pane shows while a value is edited or chosen, and the list of problems."""

from __future__ import annotations

from typing import Any

import pytest

from fourm_tui.tui.app import FourmApp
from fourm_tui.tui.detail import CHAIN, CURVES, HINTS, NO_PROBLEMS, OTHER_ROWS, WRONG, Piece, Text, fitting
from fourm_tui.tui.panes.schedule import SchedulePane
from fourm_tui.tui.screens.choose import ChooseSeen
from fourm_tui.tui.themes import read_themes
from fourm_tui.tui.widgets.row_detail import RowDetail
from fourm_tui.tui.widgets.schedule_table import ScheduleTable
from fourm_tui.tui.workspace import Workspace
from tests.tui.conftest import DEMO, demo, text
from tests.tui.test_schedule import at, rows, run

TO_TEMPERATURES = ("right",) * 6
WITH_SR = ("settings_base/T2CR_roar49-25_cfg3_t6-0.5", "settings_sr/x2CR_mg8_cfg3_t1const", "4M-7_B_CC12M")


def detail(app: FourmApp) -> str:
    return app.main.query_one(RowDetail).text


def curve(app: FourmApp) -> str:
    """The temperature of the selected row."""
    return next(line for line in detail(app).splitlines() if "temp " in line).partition("temp ")[2].strip()


def with_sr(*conditions: str) -> Workspace:
    settings, sr, models = WITH_SR
    return Workspace.open(settings, sr=sr, models=models, conditions=conditions)


def onex(row: int = 1) -> Workspace:
    workspace = demo()
    workspace.edit("onex", lambda editor: editor.set_cell(row, "temp_schedules", "onex:0.25:1.0"))
    return workspace


def test_the_two_numbers_of_onex_are_edited_in_place_and_the_curve_follows() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press(*TO_TEMPERATURES, "enter")
        before = curve(app)
        await pilot.press("tab", "9")
        assert curve(app) != before
        assert rows(app, "temp_schedule")[0] == "onex:0.25:1.0"
        await pilot.press("left", "left", "+", "enter")
        assert rows(app, "temp_schedule")[0] == "onex:0.35:9"
        await pilot.press("u")
        assert rows(app, "temp_schedule")[0] == "onex:0.25:1.0"

    run(body, onex())


def test_a_digit_opens_the_first_number_of_onex_and_a_wrong_one_is_not_taken() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press(*TO_TEMPERATURES, "0", "x", "enter")
        assert "is not of the form" in detail(app)
        await pilot.press("backspace", "enter")
        assert rows(app, "temp_schedule")[0] == "onex:0:1"

    run(body, onex())


def test_tab_goes_through_both_numbers_and_on() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press(*TO_TEMPERATURES, "left", "enter", "tab")
        await pilot.pause()
        await pilot.press("1", "tab", "2", "tab")
        await pilot.pause()
        assert rows(app, "temp_schedule")[0] == "onex:1:2"
        assert at(app) == (1, "cfg_scales")

    run(body, onex())


def test_onex_is_typed_as_text_over_its_numbers() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press(*TO_TEMPERATURES, "enter", *"onex:0.5:2", "enter")
        assert rows(app, "temp_schedule")[0] == "onex:0.5:2"

    run(body, onex())


def test_onex_is_typed_as_text_in_the_list_too() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press(*TO_TEMPERATURES, "enter", *"onex:0.1:", "enter")
        await pilot.pause()
        assert isinstance(app.screen, ChooseSeen)
        assert "is not of the form" in detail(app)
        await pilot.press("2", "enter")
        await pilot.pause()
        assert rows(app, "temp_schedule")[0] == "onex:0.1:2"
        assert app.screen is app.main

    run(body)


def test_choosing_onex_opens_its_numbers() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press(*TO_TEMPERATURES, "enter", "down", "down", "enter")
        await pilot.pause()
        table = app.main.query_one(ScheduleTable)
        assert table.editing is not None
        await pilot.press("1", "tab", "3", "enter")
        assert rows(app, "temp_schedule")[0] == "onex:1:3"

    run(body)


@pytest.mark.parametrize(
    ("to", "said"),
    [(("right",), "196 steps"), (TO_TEMPERATURES, "0.0306")],
    ids=["scheme", "temperature"],
)
def test_what_is_chosen_is_seen_before_it_is_taken(to: tuple[str, ...], said: str) -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        before = detail(app)
        await pilot.press(*to, "enter")
        await pilot.pause()
        await pilot.press("down")
        await pilot.pause()
        seen = detail(app)
        assert seen != before
        assert not app.workspace.changed
        shown = "\n".join(text(app))
        assert all(line in shown for line in seen.splitlines()[:2])  # the list does not cover it
        await pilot.press("escape")
        await pilot.pause()
        assert detail(app) == before

    run(body, size=(80, 24))


def test_the_highlighted_choice_is_what_enter_takes() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press(*TO_TEMPERATURES, "enter", "down")
        await pilot.pause()
        seen = curve(app)
        await pilot.press("enter")
        await pilot.pause()
        assert rows(app, "temp_schedule")[0] == "linear"
        assert curve(app) == seen

    run(body)


def test_after_problems_and_hints_come_the_cells_that_ml4m_cannot_read() -> None:
    def before_them(app: FourmApp) -> int:
        findings = app.workspace.check.findings
        return len(findings.problems) + len(findings.hints)

    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press("down", "g")
        await pilot.pause()
        await pilot.press("down", "2", "enter")
        await pilot.pause()
        await pilot.press("home", *["n"] * before_them(app))
        assert at(app) != (2, "cfg_scales")
        await pilot.press("n")
        assert any("a YAML list crashes ml-4m" in line for line in text(app)[-3:])
        await pilot.press("n")
        assert at(app) == (2, "cfg_scales")
        assert any("runs here, not in ml-4m" in line for line in text(app))

    run(body)


def test_conditions_without_a_value_are_a_problem_that_hides_nothing() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        assert "there is no value for the condition caption: press F1, then enter" in detail(app)
        assert "runs in ml-4m" in detail(app)
        for key in ("n", "r"):
            await pilot.press(key)
            await pilot.pause()
            assert any("no value for the condition caption" in line for line in text(app)[-3:])
            assert not any("-i" in line for line in text(app)[-3:])

    run(body, Workspace.open(DEMO))


def test_cost_and_ml4m_are_seen_below_a_long_chain_in_a_small_window() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press("down")
        seen = "\n".join(text(app))
        for words in ("runs in ml-4m: yes", "180 passes", "row 2", "temp ", "▸ 2 tok_rgb@224"):
            assert words in seen

    run(body, with_sr("caption=a fox"), size=(80, 24))


def pieces(*matters: int) -> list[Piece]:
    return [Piece(Text(""), each) for each in matters]


@pytest.mark.parametrize(
    ("room", "shown"),
    [(9, [1, 1, 1, 2, 1]), (4, [1, 0, 1, 2, 0]), (3, [1, 0, 0, 2, 0]), (1, [0, 0, 0, 1, 0]), (0, [0] * 5)],
)
def test_what_matters_least_is_left_out_first(room: int, shown: list[int]) -> None:
    order = pieces(CHAIN, OTHER_ROWS, CURVES, WRONG, NO_PROBLEMS)
    assert fitting([1, 1, 1, 2, 1], order, room) == shown


def test_a_group_is_seen_as_a_whole_or_not() -> None:
    order = [Piece(Text(""), HINTS, "one"), Piece(Text(""), OTHER_ROWS), Piece(Text(""), HINTS, "one")]
    assert fitting([1, 1, 1], order, 1) == [0, 1, 0]


@pytest.mark.parametrize("theme", [*sorted(read_themes()[0]), "textual-light", "ansi-dark"])
def test_dim_cells_are_dimmer_than_others(theme: str) -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        app.theme = theme
        await pilot.pause()
        await pilot.pause()
        table = app.main.query_one(SchedulePane).table
        lines = [list(table.render_line(y)) for y in (1, 2)]
        (dim, own) = (
            next(part.style for part in line if word in part.text)
            for line, word in zip(lines, ("–", "tok_depth@224"), strict=True)
        )
        assert dim is not None
        assert own is not None
        assert dim.bgcolor == own.bgcolor
        assert (dim.color, dim.dim) != (own.color, own.dim)

    run(body, demo())


def test_what_is_wrong_is_said_in_red() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press("right", "right", "9", "9", "9")
        said = next(iter(app.main.query_one(RowDetail).render_line(0)))
        assert "999 steps" in said.text
        assert said.style is not None
        assert said.style.color is not None
        assert said.style.color.name.casefold() == app.theme_variables["error"].casefold()

    run(body)


def test_curve_and_cost_are_seen_below_a_long_chain_in_a_low_pane() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        seen = "\n".join(text(app))
        for words in ("temp ", "180 passes", "variations 1"):
            assert words in seen

    run(body, with_sr("caption=a fox"), size=(100, 30))
