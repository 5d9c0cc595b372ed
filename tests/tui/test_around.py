"""What stands around the panes: keys, palette, colours, settings, the title, the last line, a window that is too small."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from fourm_tui.errors import InputError
from fourm_tui.tui.app import FourmApp
from fourm_tui.tui.screens.confirm import Confirm
from fourm_tui.tui.screens.help import Help
from fourm_tui.tui.screens.main import MainScreen
from fourm_tui.tui.screens.palette import Palette
from fourm_tui.tui.screens.settings import SettingsScreen
from fourm_tui.tui.screens.themes import Themes
from fourm_tui.tui.screens.too_small import TooSmall
from fourm_tui.tui.settings import (
    Settings,
    explained,
    parse_setting,
    read_settings,
    save_setting,
    settings_file,
)
from fourm_tui.tui.widgets.key_line import Key, that_fit
from tests.tui.conftest import screen, text

Use = Callable[[FourmApp, Pilot[int]], Awaitable[None]]


def use(do: Use, size: tuple[int, int] = (120, 40), settings: Settings | None = None) -> None:
    async def run() -> None:
        async with screen(size=size, settings=settings) as (app, pilot):
            await do(app, pilot)

    asyncio.run(run())


def seen(app: FourmApp) -> str:
    return "\n".join(text(app))


# -- keys ---------------------------------------------------------------------------------------------------------------


def test_help_shows_the_keys_of_the_pane_with_the_focus() -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("f1", "question_mark")
        await pilot.pause()
        assert (isinstance(app.screen, Help), "Give it partly" in seen(app)) == (True, True)

    use(do)


def test_help_shows_the_users_keys() -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("f1", "question_mark")
        await pilot.pause()
        assert "ctrl+t" in seen(app)

    use(do, settings=Settings(keys={"conditions.mask": "ctrl+t"}))


def test_a_key_of_the_users_does_what_it_is_for() -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("ctrl+t")
        assert isinstance(app.screen, Themes)

    use(do, settings=Settings(keys={"app.theme": "ctrl+t"}))


def test_keys_that_clash_are_said_at_the_start() -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        assert "both app.start and app.save" in seen(app)

    use(do, settings=Settings(keys={"app.save": "r"}))


def test_the_last_line_begins_with_running_and_ends_with_leaving() -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        line = text(app)[-1].strip()
        assert (line.startswith("r run"), line.endswith("q quit")) == (True, True)

    use(do, (80, 24))


def test_what_does_not_fit_is_left_out_and_the_way_out_stays() -> None:
    keys = [Key(f"x.{n}", "a", "something long") for n in range(9)] + [Key("app.quit", "q", "quit")]
    assert [key.id for key in that_fit(keys, 40)] == ["x.0", "app.quit"]


# -- palette ------------------------------------------------------------------------------------------------------------


def test_any_action_is_found_by_its_name_and_done() -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("colon", *"zoom", "enter")
        await pilot.pause()
        assert app.main.zoomed

    use(do)


def test_an_action_of_another_pane_is_done_there() -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("f4", "colon", *"move down", "enter")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert app.workspace.schedule.base is not None
        assert (app.main.active, app.workspace.schedule.base.rows[0].target) == (2, "tok_depth@224")

    use(do)


def test_nothing_fits_and_nothing_happens() -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("colon", *"qqqq", "enter")
        await pilot.pause()
        assert (isinstance(app.screen, Palette), "no action fits" in seen(app)) == (True, True)

    use(do)


# -- colours ------------------------------------------------------------------------------------------------------------


def test_colours_are_seen_while_one_chooses_and_kept_with_enter() -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("T", *"paper")
        await pilot.pause()
        looked = app.theme
        await pilot.press("enter")
        await pilot.pause()
        assert (looked, app.theme, read_settings()[0].theme) == ("paper", "paper", "paper")

    use(do)


def test_escape_leaves_the_colours_as_they_were() -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("T", *"paper", "escape")
        await pilot.pause()
        assert (app.theme, settings_file().exists()) == ("night", False)

    use(do)


# -- settings -----------------------------------------------------------------------------------------------------------


def test_every_setting_is_listed_with_what_it_does() -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("comma")
        await pilot.pause()
        shown = seen(app)
        assert [name for name in explained() if name not in shown] == []

    use(do, (80, 24))


def test_every_setting_has_a_text() -> None:
    assert set(explained()) == set(Settings.__dataclass_fields__)


def test_a_switch_is_switched_and_written_with_comments_kept() -> None:
    settings_file().parent.mkdir(parents=True)
    settings_file().write_text("# mine\nascii: false  # why\n")

    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("comma", "down", "enter")
        await pilot.pause()
        assert (app.settings.ascii, settings_file().read_text()) == (True, "# mine\nascii: true  # why\n")

    use(do)


def test_a_number_is_typed_and_a_wrong_one_is_not_taken() -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("comma", *["down"] * list(explained()).index("recent"), "enter")
        await pilot.pause()
        app.screen.query_one(Input).value = "many"
        await pilot.press("enter")
        await pilot.pause()
        wrong = "whole number" in seen(app)
        app.screen.query_one(Input).value = "7"
        await pilot.press("enter")
        await pilot.pause()
        assert (wrong, app.settings.recent, read_settings()[0].recent) == (True, 7, 7)

    use(do)


def test_escape_closes_the_field_first_and_the_screen_then() -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("comma", *["down"] * list(explained()).index("editor"), "enter", "escape")
        await pilot.pause()
        first = isinstance(app.screen, SettingsScreen)
        await pilot.press("escape")
        await pilot.pause()
        assert (first, isinstance(app.screen, MainScreen)) == (True, True)

    use(do)


def test_a_default_comes_back_with_backspace() -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("comma", "down", "enter", "backspace")
        await pilot.pause()
        assert app.settings.ascii is False

    use(do)


def test_own_keys_hold_at_once() -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("comma", *["down"] * list(explained()).index("keys"), "enter")
        await pilot.pause()
        app.screen.query_one(Input).value = "app.theme: ctrl+t"
        await pilot.press("enter", "escape", "ctrl+t")
        await pilot.pause()
        assert isinstance(app.screen, Themes)

    use(do)


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("recent", "5", 5),
        ("notify_after", "2.5", 2.5),
        ("editor", " vi -u NONE ", "vi -u NONE"),
        ("keys", "app.start: ctrl+r, app.save: F5", {"app.start": "ctrl+r", "app.save": "F5"}),
        ("keys", "", {}),
    ],
)
def test_settings_are_read_as_typed(name: str, typed: str, value: object) -> None:
    assert parse_setting(name, typed) == value


@pytest.mark.parametrize(
    ("name", "typed"), [("recent", "x"), ("recent", "-1"), ("graphics", "braille"), ("keys", "{[")]
)
def test_what_is_no_value_is_said(name: str, typed: str) -> None:
    with pytest.raises(InputError):
        parse_setting(name, typed)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a: [", "the defaults hold"),
        ("- 1", "names with values"),
        ("colour: red", "is no setting"),
        ("ascii: maybe", "true or false"),
        ("graphics: braille", "none of auto"),
        ("recent: -3", "below 0"),
    ],
)
def test_a_broken_settings_file_is_said_once_and_the_defaults_hold(content: str, said: str) -> None:
    settings_file().parent.mkdir(parents=True)
    settings_file().write_text(content)
    settings, problems = read_settings()
    assert (settings, len(problems), said in problems[0]) == (Settings(), 1, True)


def test_a_broken_file_is_not_written_over() -> None:
    settings_file().parent.mkdir(parents=True)
    settings_file().write_text("a: [")
    with pytest.raises(InputError):
        save_setting("recent", 3)


# -- the first start, the window ------------------------------------------------------------------------------------------


def test_the_first_start_says_which_key_makes_a_picture() -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        assert "r makes the first picture" in seen(app)

    use(do)


def test_later_starts_do_not() -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        assert "first picture" not in seen(app)

    use(lambda app, pilot: pilot.pause())
    use(do)


@pytest.mark.parametrize("size", [(79, 24), (80, 23), (20, 5)])
def test_in_a_window_that_is_too_small_keys_do_nothing(size: tuple[int, int]) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("x", "q", "T")
        await pilot.pause()
        assert app.workspace.schedule.base is not None
        assert (type(app.screen), app.is_running, len(app.workspace.schedule.base.rows)) == (TooSmall, True, 3)

    use(do, size)


def test_with_room_again_everything_is_as_it_was_with_the_dialog_too() -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("f1", "colon", *"zo")
        await pilot.resize_terminal(60, 20)
        await pilot.pause()
        small = isinstance(app.screen, TooSmall)
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        assert isinstance(app.screen, Palette)
        assert (small, app.screen.query_one(Input).value, app.screen.query_one(Input).has_focus) == (True, "zo", True)

    use(do)


def test_the_notice_goes_after_a_question_that_came_meanwhile() -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.resize_terminal(60, 20)
        await pilot.pause()
        app.push_screen(Confirm("well?"))
        await pilot.pause()
        await pilot.resize_terminal(120, 40)
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, MainScreen)

    use(do)


@pytest.mark.parametrize("width", [80, 120, 200])
def test_the_title_is_one_line_with_schedule_model_and_state(width: int) -> None:
    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        line = text(app)[0]
        assert [word in line for word in ("fourm", "T2SDR", "demo", "fp32", "ready")] == [True] * 5

    use(do, (width, 24))


def test_a_question_is_answered_by_its_keys_and_by_moving() -> None:
    answers: list[str | None] = []

    async def do(app: FourmApp, pilot: Pilot[int]) -> None:
        for keys in (("n",), ("down", "enter"), ("j", "k", "enter"), ("escape",)):
            app.push_screen(Confirm("well?"), answers.append)
            await pilot.pause()
            await pilot.press(*keys)
            await pilot.pause()

    use(do)
    assert answers == ["n", "n", "y", None]
