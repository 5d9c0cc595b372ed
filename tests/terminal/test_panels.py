"""Pictures beside each other with their titles, maps of tokens, and the preview of a run."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image
from rich.cells import cell_len
from rich.console import Console
from rich.live import Live

from fourm_tui.pictures.colormaps import VIRIDIS
from fourm_tui.terminal.cells import DEFAULT
from fourm_tui.terminal.choice import Choice
from fourm_tui.terminal.panels import Panel, beside, block, grid
from fourm_tui.terminal.preview import Previewer
from fourm_tui.terminal.sizes import fitted
from fourm_tui.terminal.token_map import room_for, token_cells, token_map, token_picture
from tests.terminal.scenes import scene

BLOCKS, PLAIN = Choice("blocks"), Choice("blocks", "none", ascii=True)
SIXEL, KITTY, NONE = Choice("sixel"), Choice("kitty"), Choice("none")
_GRAPHIC = re.compile(r"\x1b7\x1bP.*?\x1b\\\x1b8|\x1b_G.*?\x1b\\", re.S)


def bare(text: str) -> str:
    """Without escapes."""
    return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", _GRAPHIC.sub("", text))


@pytest.mark.parametrize(
    ("size", "room", "expected"),
    [
        ((224, 224), (28, 14), (28, 14)),
        ((224, 224), (40, 14), (28, 14)),
        ((448, 224), (28, 14), (28, 7)),
        ((224, 448), (28, 14), (14, 14)),
        ((5000, 1), (28, 14), (28, 1)),
        ((1, 5000), (28, 14), (1, 14)),
        ((0, 0), (0, 0), (1, 1)),
    ],
)
def test_pictures_keep_their_proportions(
    size: tuple[int, int], room: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert fitted(size, *room, (10, 20)) == expected


@pytest.mark.parametrize("choice", [BLOCKS, PLAIN, SIXEL, KITTY, NONE])
@pytest.mark.parametrize(("columns", "rows"), [(120, 40), (80, 24), (30, 10), (5, 4), (2, 3)])
def test_a_grid_stays_in_the_window(choice: Choice, columns: int, rows: int) -> None:
    panels = [Panel("a long title 狐狸", scene(64), "some text " * 20, "224 x 224"), Panel("words", text="word " * 50),
              Panel("", scene(20)), Panel("tokens", tokens=token_map(np.zeros((14, 14)), VIRIDIS))]  # fmt: skip
    for line in grid(panels, choice, columns, rows):
        shown = bare(line).split("\n")
        assert max(cell_len(part) for part in shown) <= columns
        assert len(shown) <= rows


def test_titles_stand_above_their_pictures() -> None:
    (line,) = grid([Panel("first", scene(20)), Panel("second", note="of two", text="words")], PLAIN, 80, 24)
    top = bare(line).split("\n")[0]
    assert top.startswith("first ")
    assert top.index("second of two") == 41  # half of the window and half of the gap


def test_graphics_stand_at_the_place_of_their_blanks() -> None:
    """Up to the first line of the picture, across, the graphic, and back below the last line."""
    first, second = block(Panel("one", scene(20)), SIXEL, 8, 20), block(Panel("two", scene(20)), SIXEL, 8, 20)
    text = beside([first, second], 10)
    lines, graphics = text.rsplit("\n", 1)
    assert bare(lines).split("\n")[0] == f"{'one':12}two"
    assert len(bare(lines).split("\n")) == 5
    assert re.fullmatch(
        r"\x1b\[4A\r\x1b7\x1bP[^\x1b]*\x1b\\\x1b8\r\x1b\[4B\x1b\[4A\r\x1b\[12C\x1b7\x1bP[^\x1b]*\x1b\\\x1b8\r\x1b\[4B",
        graphics,
    )


def test_control_characters_never_get_out() -> None:
    evil = "a\x1b]0;owned\x07b\x9b31m\u202egnp"
    for choice in (BLOCKS, PLAIN, NONE):
        text = "".join(grid([Panel(evil, None, evil, evil)], choice, 80, 24))
        assert not re.search("[\x00-\x09\x0b-\x1a\x7f-\x9f\u202e]|\x1b[^\\[]", text)
        assert r"\x1b]0;owned" in text


def test_without_colours_there_are_no_escapes_and_with_ascii_no_other_letters() -> None:
    text = "".join(grid([Panel("Füchse…", scene(20), "ein Füchslein", "n")], PLAIN, 80, 24))
    assert text.isascii()
    assert "\x1b" not in text


# -- maps of tokens ---------------------------------------------------------------------------------------------


def test_a_token_is_two_characters_and_an_open_one_a_faint_dot() -> None:
    cells = token_cells(token_map(np.array([[0.0, 1.0], [np.nan, 0.5]]), VIRIDIS), BLOCKS)
    assert ["".join(row) for row in cells.glyph] == ["    ", "·   "]
    dark, light, middle = (int.from_bytes(VIRIDIS[i].tobytes(), "big") for i in (0, 255, 128))
    assert cells.bg.tolist() == [[dark, dark, light, light], [DEFAULT, DEFAULT, middle, middle]]
    assert cells.fg[1, 0] != DEFAULT


def test_a_larger_map_has_larger_tokens() -> None:
    map_ = token_map(np.linspace(0, 1, 4).reshape(2, 2), VIRIDIS)
    assert room_for(map_, 12, 9) == 3
    cells = token_cells(map_, BLOCKS, 3)
    assert cells.bg.shape == (6, 12)
    assert len(np.unique(cells.bg[:3, :6])) == 1
    assert room_for(map_, 3, 9) == 0


def test_maps_without_colours_show_every_token() -> None:
    cells = token_cells(token_map(np.array([[0.0, 1.0, np.nan]]), VIRIDIS), PLAIN)
    assert ["".join(row) for row in cells.glyph] == ["::%%. "]


def test_the_picture_of_a_map_has_its_colours() -> None:
    picture = np.asarray(token_picture(token_map(np.array([[0.0, np.nan]]), VIRIDIS), 16))
    assert picture.shape == (16, 32, 3)
    assert (picture[:, :16] == VIRIDIS[0]).all()
    assert len(np.unique(picture[:, 16:].reshape(-1, 3), axis=0)) == 2  # the ground and the dot


def test_a_map_too_large_for_its_room_is_drawn_smaller() -> None:
    shown = block(Panel("t", tokens=token_map(np.zeros((28, 28)), VIRIDIS)), BLOCKS, 20, 24)
    assert shown.width <= 20


# -- the preview of a run ---------------------------------------------------------------------------------------


def previewed(choice: Choice, *, terminal: bool = True, width: int = 80) -> str:
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=width, height=24, color_system="truecolor")
    with Live("bars", console=console, transient=True, refresh_per_second=1):
        preview = Previewer(console, choice)
        preview.target("RGB", 1.25, scene(64), None)
        preview.target("Caption", 0.5, None, "a red fox in deep snow")
        preview.end([Panel("RGB", scene(64)), Panel("Caption", text="a red fox in deep snow")])
    return file.getvalue()


def test_a_preview_has_the_picture_beside_its_name_and_time() -> None:
    lines = [line for line in bare(previewed(BLOCKS)).split("\n") if "RGB" in line]
    assert re.search(r"^.{28}  RGB 1\.2 s", lines[0].replace("bars", "").lstrip("\r"))
    assert "a red fox in deep snow" in bare(previewed(BLOCKS))


@pytest.mark.parametrize("choice", [BLOCKS, SIXEL, KITTY])
@pytest.mark.parametrize("width", [80, 20])
def test_a_preview_leaves_the_bars_below(choice: Choice, width: int) -> None:
    text = previewed(choice, width=width)
    assert len(_GRAPHIC.findall(text)) >= (2 if choice.protocol != "blocks" else 0)
    assert bare(text).count("bars") >= 3


def test_without_pictures_there_is_no_preview() -> None:
    assert "RGB" not in previewed(NONE)


def test_a_preview_that_is_asked_for_reaches_a_file_too() -> None:
    assert "▄" in previewed(BLOCKS, terminal=False) or "▌" in previewed(BLOCKS, terminal=False)


def test_label_maps_in_a_preview_are_not_mixed() -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=80, height=24)
    picture = Image.fromarray(np.array([[[255, 0, 0]] * 30 + [[0, 0, 255]] * 31] * 61, dtype=np.uint8))
    Previewer(console, BLOCKS).target("Segmentation", 1, picture, None, labels=True)
    assert set(re.findall(r"[34]8;2;(\d+;\d+;\d+)", file.getvalue())) == {"255;0;0", "0;0;255"}
