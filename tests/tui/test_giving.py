"""What is given and what the chain makes of it: never silently nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from textual.pilot import Pilot
from textual.widgets import OptionList

from fourm_tui.conditions.given import Given
from fourm_tui.tui.app import FourmApp
from fourm_tui.tui.cards import shortened
from fourm_tui.tui.conditions_list import unused_words
from fourm_tui.tui.screens.confirm import Confirm
from fourm_tui.tui.screens.edit_text import EditText
from fourm_tui.tui.widgets.filtered_list import FilteredList
from fourm_tui.tui.workspace import Workspace
from fourm_tui.tui.written import writing_of
from tests.tui.conftest import CAPTION, DEMO
from tests.tui.test_conditions import choose, given, pane, play, press, shown, type_

TARGETS = ("tok_semseg@224", "tok_depth@224", "tok_rgb@224")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(np.full((40, 60, 3), 90, np.uint8)).save(path)
    return path


@pytest.fixture
def broken(photo: Path) -> Path:
    path = photo.with_name("broken.png")
    path.write_bytes(photo.read_bytes()[:60])
    return path


def targets(app: FourmApp) -> tuple[str, ...]:
    return tuple(row.target for _, _, row in app.workspace.schedule.rows())


def at(app: FourmApp) -> str | None:
    """Where the cursor of a list is."""
    options = app.screen.query_one(FilteredList).query_one(OptionList)
    return options.highlighted_option.id if options.highlighted_option else None


def conditions(app: FourmApp) -> tuple[str, ...]:
    assert app.workspace.schedule.base is not None
    return app.workspace.schedule.base.conditions


async def choose_file(app: FourmApp, pilot: Pilot[int], name: str, path: Path) -> None:
    """`a`, a modality, a file."""
    await press(app, pilot, "a")
    await choose(app, pilot, name)
    await press(app, pilot, "g")
    await choose(app, pilot, str(path))
    await press(app, pilot, "enter")


# -- what the chain generates -----------------------------------------------------------------------------------------


def test_a_target_that_is_given_is_taken_out_of_the_targets_when_that_is_said(photo: Path) -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await choose_file(app, pilot, "tok_rgb", photo)
        assert isinstance(app.screen, Confirm)
        await press(app, pilot, "t")
        assert (targets(app), conditions(app)) == (TARGETS[:2], ("caption", "tok_rgb@224"))
        assert "row 3 is gone; u takes that back" in shown(app)

    play(steps)


def test_one_step_back_undoes_all_of_it(photo: Path) -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await choose_file(app, pilot, "tok_rgb", photo)
        await press(app, pilot, "t", "u")
        assert (targets(app), conditions(app), set(app.workspace.state.given)) == (TARGETS, ("caption",), {"caption"})

    play(steps)


def test_a_target_can_be_given_partly_instead(photo: Path) -> None:
    mask = photo.with_name("mask.png")
    Image.fromarray(np.repeat([[0, 255]], 40, 0).repeat(30, 1).astype(np.uint8)).save(mask)

    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await choose_file(app, pilot, "tok_rgb", photo)
        await press(app, pilot, "m", "g")
        await choose(app, pilot, str(mask))
        await press(app, pilot, "enter")
        assert (targets(app), app.workspace.state.given["tok_rgb@224"].mask) == (TARGETS, mask)

    play(steps)


@pytest.mark.parametrize("key", ["c", "escape"])
def test_nothing_is_given_where_that_is_called_off(photo: Path, key: str) -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await choose_file(app, pilot, "tok_rgb", photo)
        await press(app, pilot, key)
        assert set(app.workspace.state.given) == {"caption"}

    play(steps)


def test_what_no_row_generates_joins_the_chain_and_that_is_said(photo: Path) -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await choose_file(app, pilot, "tok_normal", photo)
        assert conditions(app) == ("caption", "tok_normal@224")
        assert "tok_normal@224 is a condition of the chain now; u takes that back" in shown(app)

    play(steps)


def test_deleting_the_row_of_what_is_given_makes_it_a_condition(photo: Path) -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "f2", "down", "down", "x")
        assert (targets(app), conditions(app)) == (TARGETS[:2], ("caption", "tok_rgb@224"))
        assert "is a condition of the chain now" in shown(app)
        await press(app, pilot, "u")
        assert (targets(app), conditions(app)) == (TARGETS, ("caption",))

    play(steps, given(f"caption={CAPTION}", f"tok_rgb@224={photo}"))


def test_the_only_target_stays(photo: Path) -> None:
    workspace = given(f"tok_rgb@224={photo}")
    for _ in range(2):
        workspace.edit("delete", lambda editor: editor.delete_row(1))

    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "end", "enter")
        assert "take row" not in shown(app)
        assert "choose a mask" in shown(app)

    play(steps, workspace)


# -- what is not used ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
def test_what_is_not_used_is_flagged_first(photo: Path, size: tuple[int, int]) -> None:
    long = photo.rename(photo.with_name("a_picture_with_a_very_long_name_of_its_own_0001.png"))

    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        assert "RGB photo  not used" in pane(app).cards.text
        assert "0001.png" in pane(app).cards.text

    play(steps, given(f"caption={CAPTION}", f"rgb@224={long}"), size)


def test_what_is_not_used_blocks_nothing(photo: Path) -> None:
    workspace = given(f"caption={CAPTION}", f"tok_rgb@224={photo}", "rgb@224=/nowhere.png")
    assert workspace.check.ok
    assert set(workspace.inputs.given) == {"caption"}


def test_enter_uses_what_is_not_used(photo: Path) -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "end", "enter", "t")
        assert conditions(app) == ("caption", "tok_rgb@224")
        assert "not used" not in pane(app).cards.text

    play(steps, given(f"caption={CAPTION}", f"tok_rgb@224={photo}"))


def test_enter_uses_what_no_row_generates() -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "end", "enter", "u")
        assert conditions(app) == ("caption", "det")

    play(steps, given(f"caption={CAPTION}", "det=red sphere .1 .1 .4 .4"))


def test_what_the_model_does_not_take_can_only_be_changed_or_taken_away(photo: Path) -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "end", "enter")
        assert "the model does not take it" in shown(app)
        await press(app, pilot, "x")
        assert set(app.workspace.state.given) == {"caption"}

    play(steps, given(f"caption={CAPTION}", f"tok_clip@224={photo}"))


def test_a_run_says_what_it_does_not_use(photo: Path) -> None:
    assert unused_words(given(f"caption={CAPTION}", f"rgb@224={photo}")).startswith("not used")
    assert not unused_words(given(f"caption={CAPTION}"))


def test_r_says_what_it_does_not_use(photo: Path) -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await pilot.press("r")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert "not used, as the chain does not take it: RGB photo" in shown(app)

    play(steps, given(f"caption={CAPTION}", f"rgb@224={photo}"))


# -- what cannot be read ------------------------------------------------------------------------------------------


def test_a_broken_file_is_not_taken_however_fast_enter_comes(broken: Path) -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "a")
        await choose(app, pilot, "tok_normal")
        await press(app, pilot, "home")
        await pilot.press("down", "up", "enter")
        await asyncio.wait_for(_settled(app, pilot), 20)
        assert "damaged" in shown(app)
        assert set(app.workspace.state.given) == {"caption"}

    play(steps)


async def _settled(app: FourmApp, pilot: Pilot[int]) -> None:
    from tests.tui.test_conditions import settled

    await settled(app, pilot)


def test_a_file_that_is_whole_is_taken_however_fast_enter_comes(photo: Path) -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "a")
        await choose(app, pilot, "tok_normal")
        await press(app, pilot, "slash")
        await type_(app, pilot, "photo")
        await pilot.press("enter")
        await _settled(app, pilot)
        assert app.workspace.state.given["tok_normal@224"].path == photo

    play(steps)


def test_a_broken_file_that_is_dropped_is_said_and_not_taken(broken: Path) -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        from textual.events import Paste

        pane(app).cards.post_message(Paste(str(broken)))
        await _settled(app, pilot)
        await press(app, pilot, "enter")
        assert "RGB broken.png: is no picture" in shown(app)
        assert set(app.workspace.state.given) == {"caption"}

    play(steps)


def test_a_condition_that_cannot_be_read_is_counted_in_the_title(broken: Path) -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        assert "1 problem" in str(pane(app).border_title)

    workspace = given(f"caption={CAPTION}")
    workspace.give(Given("tok_normal@224", path=broken))
    play(steps, workspace)


# -- the list -----------------------------------------------------------------------------------------------------


def test_the_list_begins_at_what_the_chain_lacks() -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "a")
        assert at(app) == "det"

    play(steps, Workspace.open("demo/TB2SR", conditions=[f"caption={CAPTION}"]))


def test_where_nothing_lacks_the_list_begins_at_a_picture() -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "a")
        assert at(app) == "tok_rgb@224"

    play(steps)


# -- captions -----------------------------------------------------------------------------------------------------


def test_typing_writes_a_caption_anew_and_an_arrow_goes_on_with_it() -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "enter", *"fox", "enter")
        assert app.workspace.state.given["caption"].text == "fox"
        await press(app, pilot, "enter", "right", *"es", "f2")
        assert app.workspace.state.given["caption"].text == "foxes"

    play(steps)


def test_ctrl_u_clears_a_caption_of_many_lines_of_the_screen() -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "enter", "right", "ctrl+u")
        assert isinstance(app.screen, EditText)
        assert app.screen.area.text == ""

    play(steps, given("caption=" + "a red fox in deep snow " * 20))


def test_a_caption_says_how_many_tokens_it_has() -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "enter")
        assert "7 words, 7 of 512 tokens" in shown(app)

    play(steps)


def test_a_caption_that_is_too_long_is_not_taken() -> None:
    seen = writing_of("caption", {}, count=lambda text: len(text.split())).read("fox " * 513)
    assert seen.problem == "513 words, 513 tokens; a model sees 512 at the most"


# -- names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "width", "shown"),
    [("photo.png", 9, "photo.png"), ("a_long_photo_01.png", 11, "a_lon…1.png"), ("a_long_photo.png", 3, "")],
)
def test_long_names_lose_their_middle(name: str, width: int, shown: str) -> None:
    assert shortened(name, width) == shown


def test_names_are_shortened_without_other_characters_too() -> None:
    assert shortened("a_long_photo_01.png", 11, ascii=True) == "a_lo....png"


def test_the_demo_is_what_these_tests_take_it_for() -> None:
    assert tuple(row.target for _, _, row in Workspace.open(DEMO).schedule.rows()) == TARGETS
