"""What the screens begin with, and what comes along when another schedule is opened."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from textual.pilot import Pilot

from fourm_tui.conditions.given import Given
from fourm_tui.errors import InputError
from fourm_tui.schedule.shipped import find_file
from fourm_tui.tui import kept
from fourm_tui.tui.app import FourmApp
from fourm_tui.tui.beginning import CAPTION, DEMONSTRATION, begun, opened
from fourm_tui.tui.kept import Kept, keep
from fourm_tui.tui.workspace import Workspace
from tests.tui.conftest import screen, text
from tests.tui.kept_run import kept as kept_run

FOX = Given("caption", text="a red fox")
PHOTO = Given("tok_normal@224", path=Path("/photo.png"), fit="pad")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(find_file(DEMONSTRATION).read_text())
    return path


def titled(workspace: Workspace) -> tuple[str, dict[str, Given]]:
    return workspace.title, dict(workspace.state.given)


async def quit_(app: FourmApp, pilot: Pilot[int]) -> None:
    await pilot.press("q")
    await pilot.pause()
    assert app.return_code == 0


def edited(path: Path, *given: Given, **more: object) -> None:
    """Somebody had it open."""
    keep(Kept((path.absolute(),), {each.name: each for each in given}, **more))  # type: ignore[arg-type]


# -- without arguments ------------------------------------------------------------------------------------------------


def test_the_first_time_it_is_the_demonstration() -> None:
    workspace, said = begun(None)
    assert (workspace.path, dict(workspace.state.given), said) == (find_file(DEMONSTRATION), {"caption": CAPTION}, "")


def test_what_was_edited_last_comes_back_with_its_conditions(mine: Path) -> None:
    edited(find_file(DEMONSTRATION), CAPTION)
    edited(mine, FOX, PHOTO, models="demo", options={"seed": 7})
    workspace, said = begun(None)
    assert titled(workspace) == ("mine", {"caption": FOX, PHOTO.name: PHOTO})
    assert (workspace.state.models, workspace.seed) == ("demo", 7)
    assert said == "mine, as you left it; o opens another, or the demonstration (T2SDR)"


def test_the_demonstration_as_it_is_needs_no_words() -> None:
    edited(find_file(DEMONSTRATION), CAPTION)
    assert begun(None)[1] == ""


def test_options_of_the_command_line_win(mine: Path) -> None:
    edited(mine, FOX, options={"seed": 7, "num_variations": 2})
    workspace, _ = begun(None, options={"seed": 3, "num_variations": None})
    assert (workspace.seed, workspace.variations) == (3, 2)


def test_one_that_is_gone_is_said_and_the_demonstration_comes(mine: Path) -> None:
    edited(mine, FOX)
    mine.unlink()
    workspace, said = begun(None)
    assert (workspace.path, said) == (
        find_file(DEMONSTRATION),
        "mine.yaml, edited last, is gone; this is the demonstration",
    )


def test_models_that_are_none_are_said_at_once(mine: Path) -> None:
    edited(mine, FOX)
    with pytest.raises(InputError):
        begun(None, models="./nowhere")


@pytest.mark.parametrize("content", ["", "[]", "{", '{"schema": 99}', '{"schema": 1, "files": 3, "given": 4}'])
def test_what_is_damaged_is_as_if_it_were_not_there(mine: Path, content: str) -> None:
    edited(mine, FOX)
    (path,) = kept._folder().iterdir()
    path.write_text(content)
    assert begun(None)[0].path == find_file(DEMONSTRATION)


def test_no_more_is_kept_than_some_hundred_schedules(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_MOST", 3)
    for number in range(5):
        edited(mine.with_name(f"{number}.yaml"), FOX)
    assert len(list(kept._folder().iterdir())) == 3


def test_files_are_kept_so_that_they_are_found_from_anywhere(mine: Path) -> None:
    workspace = Workspace.open(str(mine))
    workspace.give(Given("tok_rgb@224", path=Path("photo.png")))
    keep(Kept.of(workspace.state))
    found = json.loads(next(kept._folder().iterdir()).read_text())
    assert found["given"][0]["path"] == str(Path.cwd() / "photo.png")


# -- with a schedule --------------------------------------------------------------------------------------------------


def test_a_schedule_comes_with_the_conditions_that_it_had_last(mine: Path) -> None:
    edited(mine, FOX)
    edited(find_file(DEMONSTRATION), CAPTION)
    workspace, said = begun(str(mine))
    assert (titled(workspace), said) == (("mine", {"caption": FOX}), "with the conditions that it had last")


def test_conditions_of_the_command_line_win(mine: Path) -> None:
    edited(mine, FOX, PHOTO)
    workspace, _ = begun(str(mine), conditions=["caption=a blue box"])
    assert dict(workspace.state.given) == {"caption": Given("caption", "a blue box"), PHOTO.name: PHOTO}


def test_one_that_was_never_open_has_none(mine: Path) -> None:
    edited(find_file(DEMONSTRATION), CAPTION)
    assert begun(str(mine))[0].state.given == {}


# -- opening another --------------------------------------------------------------------------------------------------


def state_with(*given: Given) -> Workspace:
    return Workspace.of_files([find_file(DEMONSTRATION)], {each.name: each for each in given}, None, {})


def test_the_caption_of_the_demonstration_goes_where_nothing_takes_it() -> None:
    assert opened([find_file("demo/RGB2all")], state_with(CAPTION).state).state.given == {}


def test_it_stays_where_the_chain_takes_one() -> None:
    assert opened([find_file("demo/TB2SR")], state_with(CAPTION).state).state.given == {"caption": CAPTION}


def test_a_caption_of_ones_own_stays_and_blocks_nothing() -> None:
    workspace = opened([find_file("demo/RGB2all")], state_with(FOX).state)
    assert workspace.state.given == {"caption": FOX}
    assert all("no value" in problem.message for problem in workspace.check.findings.problems)


def test_the_caption_of_the_demonstration_never_takes_the_place_of_ones_own(mine: Path) -> None:
    edited(mine, FOX)
    assert opened([mine], state_with(CAPTION).state).state.given == {"caption": FOX}
    edited(find_file(DEMONSTRATION), CAPTION)
    assert opened([find_file(DEMONSTRATION)], state_with(FOX).state).state.given == {"caption": FOX}


def test_the_demonstration_brings_its_caption_where_there_is_none() -> None:
    assert opened([find_file(DEMONSTRATION)], state_with().state).state.given == {"caption": CAPTION}


def test_ready_made_rgb2all_lacks_only_its_picture() -> None:
    async def run() -> None:
        async with screen(begun(None)[0]) as (app, pilot):
            await pilot.press("o", *"RGB2all", "enter")
            await pilot.pause()
            assert [each.message for each in app.workspace.check.findings.problems] == [
                "there is no value for the condition tok_rgb@224"
            ]

    asyncio.run(run())


# -- as it is used ----------------------------------------------------------------------------------------------------


def test_what_is_saved_and_left_is_there_again(tmp_path: Path) -> None:
    async def first() -> None:
        async with screen(begun(None)[0]) as (app, pilot):
            await pilot.press("f1", "enter", *"a red fox", "enter")
            await pilot.press("S", "ctrl+a", "ctrl+k", *"mine", "enter")
            await pilot.pause()
            assert "saved mine.yaml; conditions are kept beside it, not in it" in "\n".join(text(app))
            await quit_(app, pilot)

    asyncio.run(first())
    workspace, _ = begun(None)
    assert titled(workspace) == ("mine", {"caption": FOX})
    assert workspace.path == tmp_path / "mine.yaml"


def test_a_condition_that_was_given_after_saving_comes_back_too(mine: Path) -> None:
    async def first() -> None:
        async with screen(begun(str(mine))[0]) as (app, pilot):
            await pilot.press("f1", "enter", *"a red fox", "enter")
            await quit_(app, pilot)

    asyncio.run(first())
    assert titled(begun(None)[0]) == ("mine", {"caption": FOX})


def test_a_program_that_is_ended_leaves_its_conditions(mine: Path) -> None:
    async def first() -> None:
        async with screen(begun(str(mine))[0]) as (app, _):
            app.change(lambda: app.workspace.give(FOX))
            app.files.rescue()

    asyncio.run(first())
    assert titled(begun(None)[0]) == ("mine", {"caption": FOX})


def test_the_greeting_is_said(mine: Path) -> None:
    async def run() -> None:
        for _ in range(2):  # the first one is welcomed
            workspace, said = begun(None)
            app = FourmApp(workspace, with_engine=False, greeting=said)
            async with app.run_test(size=(120, 40)) as pilot:
                await pilot.pause()
                seen = "\n".join(text(app))
        assert "mine, as you left it" in seen

    edited(mine, FOX)
    asyncio.run(run())


def test_the_latest_run_is_shown_from_the_start(tmp_path: Path) -> None:
    run = kept_run(tmp_path / "runs")

    async def do() -> None:
        async with screen(begun(None)[0]) as (app, pilot):
            await app.workers.wait_for_complete()
            seen = ""
            for _ in range(500):
                await pilot.pause()
                seen = "\n".join(text(app))
                is_known = app.run_state is not None and app.run_state.status == "done"
                if is_known and "Nothing has run yet" not in seen:  # panes draw a little later
                    break
                await asyncio.sleep(0.01)
            assert app.run_state is not None
            assert app.run_state.folder.resolve() == run.folder.resolve()
            assert "Nothing has run yet" not in seen

    asyncio.run(do())
