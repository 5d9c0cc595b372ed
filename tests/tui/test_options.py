"""The form of what is chosen for a run beside its schedule, with the keyboard alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fourm_tui.errors import InputError
from fourm_tui.tui.app import FourmApp
from fourm_tui.tui.run_options import OFF, RUN_OPTIONS, put_option, read_option, shown, sr_schedules
from fourm_tui.tui.screens.options import Options
from fourm_tui.tui.settings import Settings, read_settings
from fourm_tui.tui.workspace import Workspace
from tests.tui.conftest import demo, screen, text
from tests.tui.test_workspace import TEXT

NAMES = [each.name for each in RUN_OPTIONS]


def run(body: Callable[[FourmApp, Any], Awaitable[None]], size: tuple[int, int] = (120, 40)) -> None:
    async def go() -> None:
        async with screen(size=size) as (app, pilot):
            await pilot.press("O")
            await pilot.pause()
            await body(app, pilot)

    asyncio.run(go())


async def to(pilot: Any, name: str) -> None:
    await pilot.press(*["down"] * NAMES.index(name))


def test_a_number_is_typed_and_taken() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press("enter", "4", "2", "enter")
        assert app.workspace.seed == 42

    run(body)


def test_what_is_no_number_is_said_and_not_taken() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press("enter", "x", "enter")
        assert app.workspace.seed == 0
        assert any("is no whole number from 0 on" in line for line in text(app))

    run(body)


def test_escape_closes_the_field_first_and_then_the_form() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await pilot.press("enter", "9", "escape")
        assert isinstance(app.screen, Options)
        await pilot.press("escape")
        assert not isinstance(app.screen, Options)
        assert app.workspace.seed == 0

    run(body)


def test_variations_step_and_never_fall_below_one() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await to(pilot, "num_variations")
        await pilot.press("right", "right", "left", "left", "left")
        assert app.workspace.variations == 1
        await pilot.press("right")
        assert app.workspace.variations == 2

    run(body)


def test_the_number_type_cycles() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await to(pilot, "dtype")
        await pilot.press("enter")
        assert app.workspace.check.dtype == "bf16"

    run(body)


def test_whose_tokens_become_pictures_is_chosen_and_all_is_as_if_nothing_were() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await to(pilot, "decode")
        assert shown(app.workspace, app.settings, "decode") == "all"
        await pilot.press("enter")
        assert app.workspace.state.options["decode"] == "last"
        await pilot.press("right")
        assert any("decode" in line and "none" in line for line in text(app))
        await pilot.press("right")
        assert "decode" not in app.workspace.state.options

    run(body)


def test_a_run_of_the_screens_keeps_whose_tokens_become_pictures(tmp_path: Any) -> None:
    workspace = demo()
    put_option(workspace, "decode", "last")
    made = workspace.begin(tmp_path).run
    assert made.record.options["decode"] == "last"
    assert shown(Workspace.of_run(made), Settings(), "decode") == "last"


def test_previews_are_a_setting_and_are_written() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await to(pilot, "preview_every")
        await pilot.press("right", "right")
        assert app.settings.preview_every == 2
        assert read_settings()[0].preview_every == 2

    run(body)


def test_super_resolution_is_chosen_from_a_list_and_taken_away() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        await to(pilot, "sr")
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("down", "enter")
        await pilot.pause()
        assert app.workspace.schedule.super_resolution is not None
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("up", "enter")
        await pilot.pause()
        assert app.workspace.schedule.super_resolution is None

    run(body)


def test_all_of_it_is_seen_in_a_small_window() -> None:
    async def body(app: FourmApp, pilot: Any) -> None:
        shown_lines = "\n".join(text(app))
        assert all(each.title in shown_lines for each in RUN_OPTIONS)

    run(body, (80, 24))


def test_a_change_is_one_step_of_undo() -> None:
    workspace = demo()
    put_option(workspace, "sr", str(sr_schedules()[0]))
    workspace.undo()
    assert workspace.schedule.super_resolution is None


def test_decoding_steps_are_written_into_the_settings_file() -> None:
    workspace = demo()
    put_option(workspace, "detokenizer_steps", 7)
    assert workspace.inputs.models.detokenizer_steps == 7


def test_another_super_resolution_takes_the_place_of_the_first() -> None:
    workspace = demo()
    for path in sr_schedules()[:2]:
        put_option(workspace, "sr", str(path))
    assert len(workspace.state.documents) == 2
    assert shown(workspace, Settings(), "sr") == sr_schedules()[1].stem


def test_a_file_without_such_a_chain_is_refused(tmp_path: Any) -> None:
    path = tmp_path / "base.yaml"
    path.write_text(TEXT)
    with pytest.raises(InputError, match="no super-resolution chain"):
        put_option(demo(), "sr", str(path))


def test_a_chain_in_the_settings_file_itself_is_left_alone(tmp_path: Any) -> None:
    path = tmp_path / "both.yaml"
    path.write_text(TEXT + "sr_target_domains: tok_rgb@448\n")
    workspace = Workspace.open(str(path), models="4M-7_B_CC12M")
    with pytest.raises(InputError, match="settings file itself"):
        put_option(workspace, "sr", OFF)


@pytest.mark.parametrize("device", ["gpu", "cuda:x", ""])
def test_a_device_that_is_none_is_refused(device: str) -> None:
    with pytest.raises(InputError, match="cuda:1"):
        read_option("device", device)
