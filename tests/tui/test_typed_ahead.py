"""Text that comes as keys is text; nothing that is typed makes the keyboard dead."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from fourm_tui.tui.app import FourmApp
from fourm_tui.tui.blocks import GAP, LEAST, block
from fourm_tui.tui.screens.main import MainScreen
from fourm_tui.tui.screens.palette import Palette
from tests.tui.conftest import screen, text

PROSE = "run the chain again, colder, to see what quits: a quick brown fox. " * 20


def key(name: str, time: float = 0.0) -> events.Key:
    made = events.Key({" ": "space", "\n": "enter"}.get(name, name), name if len(name) == 1 else None)
    made.time = time
    return made


def flood(app: FourmApp, keys: Iterable[str]) -> None:
    for each in keys:
        app.post_message(events.Key({" ": "space", ":": "colon", ",": "comma", ".": "full_stop"}.get(each, each), each))


async def quiet(app: FourmApp, pilot: Pilot[int]) -> None:
    """Until all keys are taken."""
    for _ in range(200):
        await pilot.pause(GAP)
        turn = app._in_turn
        if not (turn._waiting or turn._busy or turn._text):
            return
    raise AssertionError("\n".join(text(app)))


def test_a_text_is_no_command_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr(FourmApp, "start", lambda *_: started.append(1))

    async def run() -> None:
        async with screen() as (app, pilot):
            await pilot.press("f3")
            flood(app, PROSE)
            await quiet(app, pilot)
            assert (started, app.return_code, type(app.screen)) == ([], None, MainScreen)
            assert f"{len(PROSE)} characters came in one go: taken as a paste" in "\n".join(text(app))

    asyncio.run(run())


def test_a_text_is_pasted_where_text_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    from fourm_tui.tui.widgets.condition_cards import ConditionCards

    pasted: list[str] = []
    monkeypatch.setattr(ConditionCards, "on_paste", lambda _, event: pasted.append(event.text))

    async def run() -> None:
        async with screen() as (app, pilot):
            await pilot.press("f1")
            flood(app, PROSE)
            await quiet(app, pilot)
            assert pasted == [PROSE]

    asyncio.run(run())


def test_thousands_of_letters_where_text_is_asked_for_are_written() -> None:
    async def run() -> None:
        async with screen() as (app, pilot):
            await pilot.press("colon")
            flood(app, PROSE * 2)
            await quiet(app, pilot)
            assert app.screen.query_one(Input).value == PROSE * 2

    asyncio.run(run())


def test_hundreds_of_commands_are_all_done() -> None:
    async def run() -> None:
        async with screen() as (app, pilot):
            await pilot.press("right", "right")
            for _ in range(30):
                for name in ("plus", "minus"):
                    app.post_message(events.Key(name, {"plus": "+", "minus": "-"}[name]))
            app.post_message(events.Key("plus", "+"))
            await quiet(app, pilot)
            assert app.workspace.schedule.base.rows[0].steps == 17

    asyncio.run(run())


@pytest.mark.parametrize(
    ("keys", "is_text"),
    [
        ([key(each) for each in PROSE], True),
        ([key(each) for each in "j" * 200], False),
        ([key(each) for each in PROSE[: LEAST - 1]], False),
        ([key(each, 10 * GAP * at) for at, each in enumerate(PROSE)], False),
        ([key("f1"), *(key(each) for each in PROSE)], False),
    ],
    ids=["prose", "a key held down", "a few", "typed by hand", "behind a command"],
)
def test_a_block_is_text_that_came_at_once(keys: list[events.Key], is_text: bool) -> None:
    assert bool(block(keys)) is is_text


def test_what_is_typed_before_the_editor_has_the_terminal_is_forgotten() -> None:
    async def run() -> None:
        async with screen() as (app, pilot):
            before = key("colon", 1.0)
            app._in_turn.forget()
            app.post_message(before)
            await quiet(app, pilot)
            assert isinstance(app.screen, MainScreen)
            await pilot.press("colon")
            assert isinstance(app.screen, Palette)

    asyncio.run(run())


def test_escape_and_a_letter_that_come_together_are_two_keys() -> None:
    async def run() -> None:
        async with screen() as (app, pilot):
            await pilot.press("colon", "x")
            app.post_message(events.Key("alt+shift+h", "H"))
            await quiet(app, pilot)
            assert type(app.screen).__name__ == "HistoryScreen"

    asyncio.run(run())


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
def test_the_schedule_takes_keys_from_the_start(size: tuple[int, int]) -> None:
    async def run() -> None:
        async with screen(size=size) as (app, pilot):
            await pilot.press("right", "right", "9", "9", "enter")
            assert app.workspace.schedule.base.rows[0].steps == 99

    asyncio.run(run())


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_another_size_takes_the_focus_from_no_pane(size: tuple[int, int]) -> None:
    async def run() -> None:
        async with screen(size=(200 - size[0], 40)) as (app, pilot):
            await pilot.press("f4")
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert app.focused is app.main.panes[3].focus_widget

    asyncio.run(run())
