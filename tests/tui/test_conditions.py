"""The conditions pane: each of its actions by keyboard, what it shows, and what it says of files that do not fit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from fourm_tui.conditions.given import Given
from fourm_tui.terminal.choice import Choice
from fourm_tui.tui.app import FourmApp
from fourm_tui.tui.panes.conditions import ConditionsPane
from fourm_tui.tui.screens.browser import BrowserScreen
from fourm_tui.tui.screens.edit_text import EditText
from fourm_tui.tui.widgets.filtered_list import FilteredList
from fourm_tui.tui.workspace import Workspace
from tests.tui.conftest import CAPTION, DEMO, screen, text

Steps = Callable[[FourmApp, Pilot[int]], Awaitable[None]]


@pytest.fixture(autouse=True)
def files_are_opened_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fourm_tui.tui.screens.browser._REST", 0.001)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:, :30] = (250, 40, 40)
    path = tmp_path / "pictures" / "photo.png"
    path.parent.mkdir()
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def mask(photo: Path) -> Path:
    path = photo.with_name("mask.png")
    levels = np.zeros((40, 60), np.uint8)
    levels[:, 30:] = 255
    Image.fromarray(levels).save(path)
    return path


def given(*conditions: str) -> Workspace:
    return Workspace.open(DEMO, conditions=conditions)


def play(steps: Steps, workspace: Workspace | None = None, size: tuple[int, int] = (120, 40), **more: object) -> None:
    """Does something in the pane."""

    async def inner() -> None:
        async with screen(workspace or given(f"caption={CAPTION}"), size, **more) as (app, pilot):  # type: ignore[arg-type]
            await pilot.press("f1")
            await settled(app, pilot)
            await steps(app, pilot)

    asyncio.run(inner())


async def settled(app: FourmApp, pilot: Pilot[int]) -> None:
    """Waits until nothing is being opened or drawn."""

    def idle() -> bool:
        return pane(app).idle and bool(getattr(app.screen, "idle", True))

    for _ in range(2000):
        await pilot.pause()
        if idle():
            await pilot.pause()
            if idle():
                return
        await asyncio.sleep(0.001)
    raise AssertionError("it never comes to rest")


def pane(app: FourmApp) -> ConditionsPane:
    return app.main.query_one(ConditionsPane)


async def press(app: FourmApp, pilot: Pilot[int], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settled(app, pilot)


async def type_(app: FourmApp, pilot: Pilot[int], what: str) -> None:
    """Types into what has the focus."""
    focused = app.focused
    if isinstance(focused, TextArea):
        focused.insert(what)
    else:
        assert isinstance(focused, Input)
        focused.value = what
    await settled(app, pilot)


async def choose(app: FourmApp, pilot: Pilot[int], name: str) -> None:
    """Takes a line of a list by its name."""
    await type_(app, pilot, name)
    await press(app, pilot, "enter")


def shown(app: FourmApp) -> str:
    return "\n".join(text(app))


# -- what is shown ------------------------------------------------------------------------------------------------


def test_a_caption_stands_in_the_pane_as_it_is() -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        assert "Caption" in pane(app).cards.text
        assert "a large red sphere" in pane(app).cards.text

    play(steps)


def test_a_condition_that_the_chain_names_and_nobody_gave_is_an_open_place() -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        assert "enter to give one" in pane(app).cards.text
        await press(app, pilot, "enter")
        assert isinstance(app.screen, EditText)

    play(steps, given())


def test_a_picture_is_drawn_with_its_name(photo: Path) -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        drawn = pane(app).cards.render_line(pane(app).cards._places[1].y + 3)
        assert any(s.style and s.style.bgcolor and s.style.bgcolor.triplet == (250, 40, 40) for s in drawn)
        assert "photo.png" in pane(app).cards.text

    play(steps, given(f"caption={CAPTION}", f"rgb@224={photo}"))


def test_a_file_that_is_gone_is_said_beside_its_condition(photo: Path) -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        photo.unlink()
        await press(app, pilot, "f2", "f1")
        assert "cannot be read: No such file" in pane(app).cards.text.replace("\n  ", " ")

    play(steps, given(f"rgb@224={photo}"), (200, 60))


def test_a_file_that_changed_is_drawn_anew(photo: Path) -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        Image.new("RGB", (300, 300), (1, 200, 1)).save(photo)
        await press(app, pilot, "f2", "f1")
        assert pane(app).cards.looks["rgb@224"].facts == "300 x 300"

    play(steps, given(f"rgb@224={photo}"))


def test_names_with_escape_sequences_are_harmless(tmp_path: Path) -> None:
    odd = tmp_path / "a\x1b[31m\u202e[b]red.png"
    Image.new("RGB", (16, 16)).save(odd)

    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        assert "\x1b" not in shown(app) and "\u202e" not in shown(app)
        assert "a\\x1b[31m" in shown(app)

    play(steps, given(f"rgb@224={odd}"), (300, 60))


def test_letters_alone_are_used_where_the_terminal_has_no_others(photo: Path) -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        assert pane(app).cards.text.isascii()

    play(steps, given(f"caption={CAPTION}", f"rgb@224={photo}"), choice=Choice("blocks", ascii=True))


@pytest.mark.parametrize("size", [(80, 24), (100, 24), (200, 60), (300, 12)])
def test_it_shows_the_selected_one_at_any_size(size: tuple[int, int], photo: Path) -> None:
    many = (
        f"caption={CAPTION}",
        f"rgb@224={photo}",
        "det=red sphere .1 .1 .5 .5",
        "color_palette=#ff0000",
        "metadata=brightness: 3",
    )

    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "end")
        assert pane(app).cards.selected is not None
        if size[1] >= 24:
            assert pane(app).cards.selected.title in pane(app).cards.text

    play(steps, given(*many), size)


# -- adding, removing -------------------------------------------------------------------------------------------------


def test_x_takes_a_condition_away_and_u_brings_it_back() -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "x")
        assert not app.workspace.state.given
        await press(app, pilot, "u")
        assert app.workspace.state.given["caption"].text == CAPTION

    play(steps)


def test_a_lists_what_the_model_takes() -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "a")
        titles = {row.entry.id for row in app.screen.query_one(FilteredList).rows}
        assert {"caption", "det", "tok_rgb@224", "file"} <= titles
        assert "tok_clip@224" not in titles

    play(steps)


def test_a_picture_is_added_by_its_path(photo: Path) -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "a")
        await choose(app, pilot, "tok_rgb")
        await press(app, pilot, "g")
        await choose(app, pilot, str(photo))
        await press(app, pilot, "enter", "t")
        assert app.workspace.state.given["tok_rgb@224"].path == photo
        assert pane(app).cards.selected and pane(app).cards.selected.name == "tok_rgb@224"

    play(steps)


def test_a_file_can_come_before_what_it_is_for(photo: Path) -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "a")
        await choose(app, pilot, "any file")
        await press(app, pilot, "g")
        await choose(app, pilot, str(photo))
        await press(app, pilot, "enter", "enter", "t")
        assert app.workspace.state.given["tok_rgb@224"].path == photo

    play(steps)


def test_a_dropped_file_is_added(photo: Path) -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        from textual.events import Paste

        pane(app).cards.post_message(Paste(f"'{photo}' "))
        await settled(app, pilot)
        await press(app, pilot, "enter", "t")
        assert app.workspace.state.given["tok_rgb@224"].path == photo

    play(steps)


def test_dropping_what_is_no_file_is_said() -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        from textual.events import Paste

        pane(app).cards.post_message(Paste("x" * 100_000))
        await settled(app, pilot)
        assert "is no file here" in shown(app)

    play(steps)


# -- masks --------------------------------------------------------------------------------------------------------


def test_m_gives_a_target_partly_and_as_a_whole_again(photo: Path, mask: Path) -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "end", "m", "home")
        while app.screen.files.current.path != mask:  # type: ignore[attr-defined]
            await press(app, pilot, "down")
        await press(app, pilot, "enter")
        assert app.workspace.state.given["tok_rgb@224"].mask == mask
        assert pane(app).cards.looks["tok_rgb@224"].facts.startswith("50% given")
        await press(app, pilot, "m")
        assert app.workspace.state.given["tok_rgb@224"].mask is None

    play(steps, given(f"tok_rgb@224={photo}"))


def test_a_mask_for_text_is_refused_with_the_way_to_do_it() -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "m")
        assert "[S_1]" in shown(app)

    play(steps)


# -- writing --------------------------------------------------------------------------------------------------------


def test_enter_takes_a_caption() -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "enter")
        await type_(app, pilot, " under a clear sky")
        await press(app, pilot, "enter")
        assert app.workspace.state.given["caption"].text == CAPTION + " under a clear sky"

    play(steps)


def test_escape_asks_once_before_it_forgets_what_was_written() -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "enter")
        await type_(app, pilot, "x")
        await press(app, pilot, "escape")
        assert isinstance(app.screen, EditText)
        await press(app, pilot, "escape")
        assert not isinstance(app.screen, EditText)
        assert app.workspace.state.given["caption"].text == CAPTION

    play(steps)


def test_a_broken_sentinel_is_said_and_not_taken() -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "enter")
        await type_(app, pilot, " [s_1]")
        assert "is no sentinel" in shown(app)
        await press(app, pilot, "enter")
        assert isinstance(app.screen, EditText)

    play(steps)


def test_boxes_are_said_and_drawn_while_they_are_written() -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "end", "enter", "e")
        await type_(app, pilot, "\nblue box 0.5 0.5 0.9 0.9")
        assert isinstance(app.screen, EditText)
        assert [box.label for box in app.screen.seen.boxes] == ["red sphere", "blue box"]
        await type_(app, pilot, "\nblue bix 0 0 1 1")
        assert "line 3" in shown(app) and "did you mean" in shown(app)
        assert len(app.screen.seen.boxes) == 2
        await press(app, pilot, "f2")
        assert isinstance(app.screen, EditText)

    play(steps, given("det=red sphere .1 .1 .4 .4"))


@pytest.mark.parametrize(
    ("name", "written", "more"),
    [("det", "red sphere .1 .1 .4 .4", "\nblue box .5 .5 .9 .9"), ("metadata", "brightness: 100", "\ncontrast: 20"), ("color_palette", "#ff0000", " #00ff00")],
)  # fmt: skip
def test_f2_takes_lines(name: str, written: str, more: str) -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "end", "enter", "e")
        await type_(app, pilot, more)
        await press(app, pilot, "f2")
        assert app.workspace.state.given[name].text == written + more

    play(steps, given(f"{name}={written}"))


def test_a_text_that_came_from_a_file_is_edited_as_a_text(tmp_path: Path) -> None:
    (tmp_path / "c.txt").write_text("a blue box")

    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "enter")
        await type_(app, pilot, " on grey ground")
        await press(app, pilot, "enter")
        assert app.workspace.state.given["caption"] == Given("caption", text="a blue box on grey ground")

    play(steps, given(f"caption=@{tmp_path / 'c.txt'}"))


def test_f3_takes_the_text_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "c.txt").write_text("a blue box")

    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "enter", "f3")
        assert isinstance(app.screen, BrowserScreen)
        await press(app, pilot, "slash")
        await type_(app, pilot, "c.txt")
        await press(app, pilot, "enter")
        assert app.workspace.state.given["caption"].text == "a blue box"

    play(steps)


def test_a_huge_paste_into_a_text_is_survived() -> None:
    async def steps(app: FourmApp, pilot: Pilot[int]) -> None:
        await press(app, pilot, "enter")
        await type_(app, pilot, "word " * 20_000)
        assert "words" in shown(app)

    play(steps)
