"""The file browser: folders of any size and names of any kind, what fits and why not, options of files."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from textual.pilot import Pilot
from textual.widgets import Input

from fourm_tui.modalities import MODALITIES
from fourm_tui.tui import fits
from fourm_tui.tui.app import FourmApp
from fourm_tui.tui.file_looks import file_look
from fourm_tui.tui.listing import completed, list_folder, narrowed, parent_of
from fourm_tui.tui.recent import recent, remember
from fourm_tui.tui.screens.browser import BrowserScreen
from fourm_tui.tui.screens.browser_conditions import ConditionBrowser
from tests.tui.conftest import screen, text

Steps = Callable[[FourmApp, BrowserScreen, Pilot[int], list[Path | None]], Awaitable[None]]


@pytest.fixture(autouse=True)
def files_are_opened_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fourm_tui.tui.screens.browser._REST", 0.001)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """`inner/` with a file, `a10.png`, `a9.png`, `note.txt` and a hidden file."""
    found = tmp_path / "files"
    (found / "inner").mkdir(parents=True)
    (found / "inner" / "deep.txt").write_text("deep")
    for name in ("a10.png", "a9.png"):
        Image.new("RGB", (48, 32), (200, 30, 30)).save(found / name)
    (found / "note.txt").write_text("first line\nsecond line\n")
    (found / ".secret").write_text("x")
    return found


def browse(browser: BrowserScreen, steps: Steps, size: tuple[int, int] = (80, 24)) -> None:
    async def inner() -> None:
        async with screen(size=size) as (app, pilot):
            answers: list[Path | None] = []
            app.push_screen(browser, answers.append)
            await settled(browser, pilot)
            await steps(app, browser, pilot, answers)

    asyncio.run(inner())


async def settled(browser: BrowserScreen, pilot: Pilot[int]) -> None:
    for _ in range(2000):
        await pilot.pause()
        if not browser.is_mounted or not browser.is_current:
            return
        if browser.idle:
            await pilot.pause()
            if browser.idle:
                return
        await asyncio.sleep(0.001)
    raise AssertionError("it never comes to rest")


async def press(browser: BrowserScreen, pilot: Pilot[int], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settled(browser, pilot)


async def type_(browser: BrowserScreen, pilot: Pilot[int], what: str) -> None:
    browser.query_one(Input).value = what
    await settled(browser, pilot)


def anything(path: Path) -> str | None:
    return None


def names(browser: BrowserScreen) -> list[str]:
    return [entry.shown for entry in browser.files.entries]


# -- moving ---------------------------------------------------------------------------------------------------------


def test_folders_stand_first_and_numbers_in_their_order(folder: Path) -> None:
    assert [entry.shown for entry in list_folder(folder).entries] == ["inner/", "a9.png", "a10.png", "note.txt"]


def test_keys_lead_into_folders_and_out_again(folder: Path) -> None:
    async def steps(app: FourmApp, browser: BrowserScreen, pilot: Pilot[int], answers: list[Path | None]) -> None:
        await press(browser, pilot, "enter")
        assert names(browser) == ["deep.txt"]
        await press(browser, pilot, "backspace")
        assert browser.files.current and browser.files.current.shown == "inner/"
        await press(browser, pilot, "l", "h", "down", "enter")
        assert answers == [folder / "a9.png"]

    browse(BrowserScreen("a file", anything, folder), steps)


def test_a_filter_narrows_and_escape_opens_it_again(folder: Path) -> None:
    async def steps(app: FourmApp, browser: BrowserScreen, pilot: Pilot[int], answers: list[Path | None]) -> None:
        await press(browser, pilot, "slash")
        await type_(browser, pilot, "png 10")
        assert names(browser) == ["a10.png"]
        await press(browser, pilot, "escape")
        assert len(names(browser)) == 4
        await press(browser, pilot, "escape")
        assert answers == [None]

    browse(BrowserScreen("a file", anything, folder), steps)


def test_a_typed_path_is_gone_to(folder: Path) -> None:
    async def steps(app: FourmApp, browser: BrowserScreen, pilot: Pilot[int], answers: list[Path | None]) -> None:
        await press(browser, pilot, "g")
        await type_(browser, pilot, "inner/deep.txt")
        await press(browser, pilot, "enter")
        assert browser.files.current and browser.files.current.path == folder / "inner" / "deep.txt"
        await press(browser, pilot, "slash")
        await type_(browser, pilot, "/nowhere")
        await press(browser, pilot, "enter")
        assert "there is no such file" in "\n".join(text(app))

    browse(BrowserScreen("a file", anything, folder), steps)


def test_tab_completes_a_path(folder: Path) -> None:
    async def steps(app: FourmApp, browser: BrowserScreen, pilot: Pilot[int], answers: list[Path | None]) -> None:
        line = browser.query_one(Input)
        await press(browser, pilot, "g")
        await type_(browser, pilot, "i")
        await press(browser, pilot, "tab")
        assert line.value == "inner/"
        await press(browser, pilot, "tab")
        assert line.value == "inner/deep.txt"
        await press(browser, pilot, "enter")
        assert browser.files.current and browser.files.current.path == folder / "inner" / "deep.txt"
        await press(browser, pilot, "g")
        await type_(browser, pilot, "q")
        await press(browser, pilot, "tab")
        assert line.value == "q"
        assert "nothing there begins so" in "\n".join(text(app))

    browse(BrowserScreen("a file", anything, folder), steps)


def test_what_is_typed_goes_on_as_far_as_there_is_one_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("photo1.png", "photo12.png", ".hidden", "bad\x1bname", "a b.png"):
        (tmp_path / name).touch()
    (tmp_path / "photos").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert completed("ph", tmp_path) == ("photo", ("photo1.png", "photo12.png", "photos/"))
    assert completed("photos", tmp_path) == ("photos/", ("photos/",))
    assert completed("photo1.", Path("/")) == ("photo1.", ())
    assert completed(f"{tmp_path}/photo12", Path("/")) == (f"{tmp_path}/photo12.png", ("photo12.png",))
    assert completed("~", Path("/")) == ("~/", ())
    assert completed("~/a", Path("/")) == ("~/a b.png", ("a b.png",))
    assert completed(".h", tmp_path) == (".hidden", (".hidden",))
    assert completed("l", tmp_path) == ("loop", ("loop",))
    assert completed("", tmp_path)[1] == ("a b.png", "loop", "photo1.png", "photo12.png", "photos/")
    for nowhere in ("bad", "none/x", "photo1.png/x", "~nobody-here/x", "a\0b"):
        assert completed(nowhere, tmp_path) == (nowhere, ())


def test_hidden_files_come_with_a_point(folder: Path) -> None:
    async def steps(app: FourmApp, browser: BrowserScreen, pilot: Pilot[int], answers: list[Path | None]) -> None:
        assert ".secret" not in names(browser)
        await press(browser, pilot, "full_stop")
        assert ".secret" in names(browser)

    browse(BrowserScreen("a file", anything, folder), steps)


def test_recent_files_are_a_key_away(folder: Path) -> None:
    remember("conditions", folder / "note.txt", 20)

    async def steps(app: FourmApp, browser: BrowserScreen, pilot: Pilot[int], answers: list[Path | None]) -> None:
        assert browser.folder == folder  # where the newest of them lies
        await press(browser, pilot, "tab")
        assert [entry.path for entry in browser.files.entries] == [folder / "note.txt"]
        await press(browser, pilot, "enter")
        assert answers == [folder / "note.txt"]

    browse(BrowserScreen("a file", anything, recent=recent("conditions", 20)), steps)


def test_a_path_that_is_pasted_is_gone_to(folder: Path) -> None:
    async def steps(app: FourmApp, browser: BrowserScreen, pilot: Pilot[int], answers: list[Path | None]) -> None:
        from textual.events import Paste

        browser.files.post_message(Paste(f'"{folder / "inner" / "deep.txt"}"'))
        await settled(browser, pilot)
        assert names(browser) == ["deep.txt"]

    browse(BrowserScreen("a file", anything, folder), steps)


# -- hostile folders ---------------------------------------------------------------------------------------------


def test_ten_thousand_entries_are_listed_and_few_are_drawn(tmp_path: Path) -> None:
    crowd = tmp_path / "crowd"
    crowd.mkdir()
    for n in range(10_000):
        os.close(os.open(crowd / f"{n}.png", os.O_CREAT))

    async def steps(app: FourmApp, browser: BrowserScreen, pilot: Pilot[int], answers: list[Path | None]) -> None:
        assert len(browser.files.entries) == 10_000
        await press(browser, pilot, "end")
        assert "9999.png" in "\n".join(text(app))

    browse(BrowserScreen("a file", anything, crowd), steps)


def test_odd_names_loops_and_pipes_break_nothing(tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    odd.mkdir()
    for name in ("\x1b[31mred", "a\nb", "\u202egnp.x", "漢字" * 20, "[bold]x[b]", "\udce9"):
        (odd / name).write_text("x")
    (odd / "loop").symlink_to(odd / "loop")
    (odd / "gone").symlink_to(odd / "nothing")
    os.mkfifo(odd / "pipe.png")

    async def steps(app: FourmApp, browser: BrowserScreen, pilot: Pilot[int], answers: list[Path | None]) -> None:
        for _ in range(len(browser.files.entries)):
            await press(browser, pilot, "down")
        seen = "\n".join(text(app))
        assert "\x1b" not in seen and "\u202e" not in seen
        assert "[bold]x[b]" in seen
        browser.files.show(browser.files.entries, odd / "pipe.png")
        await settled(browser, pilot)
        assert "is a pipe, not a file" in "\n".join(text(app))
        await press(browser, pilot, "enter")
        assert not answers

    browse(ConditionBrowser(MODALITIES["rgb@224"], MODALITIES, fits.Options(), odd, ()), steps)


def test_a_folder_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    assert list_folder(tmp_path / "nowhere").problem == "cannot be read: No such file or directory"


def test_the_way_out_of_a_link_is_the_way_it_was_entered(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "a" / "b")
    assert parent_of(tmp_path / "link") == tmp_path
    assert parent_of(Path("/")) is None


def test_words_of_a_filter_are_found_in_any_order(folder: Path) -> None:
    assert [entry.shown for entry in narrowed(list_folder(folder).entries, "PNG a9")] == ["a9.png"]


# -- what fits ----------------------------------------------------------------------------------------------------


def test_why_a_file_does_not_fit_is_said_and_it_is_not_taken(folder: Path) -> None:
    async def steps(app: FourmApp, browser: BrowserScreen, pilot: Pilot[int], answers: list[Path | None]) -> None:
        await press(browser, pilot, "end")
        assert "no text" in "\n".join(text(app))
        assert "second line" in "\n".join(text(app))
        await press(browser, pilot, "enter")
        assert not answers

    browse(ConditionBrowser(MODALITIES["rgb@224"], MODALITIES, fits.Options(), folder, ()), steps)


def test_what_only_its_content_tells_is_said_too(folder: Path) -> None:
    async def steps(app: FourmApp, browser: BrowserScreen, pilot: Pilot[int], answers: list[Path | None]) -> None:
        await press(browser, pilot, "down")
        assert "picture in colours" in "\n".join(text(app))

    browse(ConditionBrowser(MODALITIES["tok_depth@224"], MODALITIES, fits.Options(), folder, ()), steps)


def test_how_a_picture_is_taken_is_chosen_with_keys(folder: Path) -> None:
    browser = ConditionBrowser(MODALITIES["tok_canny_edge@224"], MODALITIES, fits.Options(), folder, ())

    async def steps(app: FourmApp, _: BrowserScreen, pilot: Pilot[int], answers: list[Path | None]) -> None:
        await press(browser, pilot, "down", "f")
        assert "all of it, padded" in "\n".join(text(app))
        await press(browser, pilot, "w")
        assert "as a photo" in "\n".join(text(app))
        await press(browser, pilot, "enter")
        assert browser.options == fits.Options("pad", "photo")
        assert answers == [folder / "a9.png"]

    browse(browser, steps)


@pytest.mark.parametrize(
    ("name", "of", "fit"),
    [
        ("a.png", "tok_rgb@224", True), ("a.JPG", "rgb@224", True), ("a.npy", "tok_clip@224", True),
        ("a.png", "tok_clip@224", False), ("a.txt", "tok_rgb@224", False), ("a.png", "caption", False),
        ("a.txt", "caption", True), ("a.json", "det", True), ("a.npz", "t5_caption", True),
        ("a.yaml", "metadata", True), ("a.yaml", "caption", False), ("a.safetensors", "rgb@224", False),
    ],
)  # fmt: skip
def test_names_tell_what_cannot_be(name: str, of: str, fit: bool) -> None:
    assert (fits.unfit(Path(name), MODALITIES[of]) is None) is fit


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("x.png", "rgb@224"), ("my_depth.png", "tok_depth@224"), ("x.txt", "caption"), ("boxes.json", "det"),
        ("palette.txt", "color_palette"), ("clip.npy", "tok_clip@224"), ("t5.npz", "t5_caption"),
    ],
)  # fmt: skip
def test_names_suggest_what_a_file_is_for(name: str, first: str) -> None:
    assert fits.suggestions(Path(name), MODALITIES)[0] == first


def test_every_modality_says_what_it_accepts() -> None:
    assert all(fits.accepts(modality) and fits.accepts_files(modality) for modality in MODALITIES.values())


@pytest.mark.parametrize("form", ["{}", "'{}'", '"{}" ', "file://{}", " {}\n"])
def test_dropped_paths_are_understood(form: str, folder: Path) -> None:
    assert fits.pasted_path(form.format(folder / "a9.png")) == folder / "a9.png"


def test_a_path_with_escaped_blanks_is_understood(tmp_path: Path) -> None:
    (tmp_path / "a b.png").write_text("x")
    assert fits.pasted_path(str(tmp_path / "a b.png").replace(" ", "\\ ")) == tmp_path / "a b.png"


# -- what is in files ---------------------------------------------------------------------------------------------


def test_files_are_seen_as_what_they_are(folder: Path) -> None:
    np.save(folder / "x.npy", np.arange(6, dtype=np.float32).reshape(2, 3))
    assert file_look(folder / "a9.png").facts.startswith("48 x 32  RGB PNG")
    assert file_look(folder / "note.txt").lines == ("first line", "second line")
    assert file_look(folder / "x.npy").lines == ("tokens  float32  [2, 3]", "from 0 to 5")
    assert "cannot be read" in file_look(folder / "gone.png").problem


# -- files of late ------------------------------------------------------------------------------------------------


def test_the_newest_of_a_limited_number_of_files_stay(tmp_path: Path) -> None:
    for name in ("a", "b", "a", "c\udce9", "d\n"):
        remember("masks", tmp_path / name, 3)
    assert [path.name for path in recent("masks", 3)] == ["d\n", "c\udce9", "a"]
    assert recent("conditions", 3) == []


def test_a_broken_list_is_an_empty_one(own_folders: Path) -> None:
    remember("masks", own_folders / "a", 3)
    (file,) = (own_folders / ".state").rglob("recent_masks.json")
    file.write_text("[1, {")
    assert recent("masks", 3) == []
