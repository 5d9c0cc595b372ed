"""Pictures in block characters: golden cells, sizes, and how near they come to the picture."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from fourm_tui.terminal.blocks import GLYPHS, SAMPLES, render, seen, shapes
from fourm_tui.terminal.cells import DEFAULT, Cells, ansi_lines, segment_lines
from fourm_tui.terminal.choice import Colours
from tests.terminal.scenes import class_map, noise, scene

RED, BLUE, GREEN = (255, 0, 0), (0, 0, 255), (0, 255, 0)


def two_colours(mask: np.ndarray) -> Image.Image:
    """Red where the mask is, blue elsewhere."""
    return Image.fromarray(np.where(mask[..., None], RED, BLUE).astype(np.uint8))


def cell(glyph: str) -> np.ndarray:
    return shapes()[GLYPHS.index(glyph)].reshape(SAMPLES, SAMPLES) > 0


@pytest.mark.parametrize("glyph", GLYPHS)
def test_each_shape_is_found_with_its_colours(glyph: str) -> None:
    cells = render(two_colours(np.kron(cell(glyph), np.ones((5, 5), dtype=bool))), 1, 1)
    assert (cells.glyph[0, 0], cells.fg[0, 0], cells.bg[0, 0]) == (glyph, 0xFF0000, 0x0000FF)


def test_golden_cells_of_a_small_scene() -> None:
    """The upper left an even red, the upper right its right half blue, below a line of one eighth and a corner."""
    mask = np.zeros((80, 80), dtype=bool)
    mask[:40, :60] = True
    mask[75:, :40] = True
    mask[40:60, 60:] = True
    cells = render(two_colours(mask), 2, 2)
    assert cells.glyph.tolist() == [[" ", "▌"], ["▁", "▝"]]
    assert cells.bg.tolist() == [[0xFF0000, 0x0000FF], [0x0000FF, 0x0000FF]]
    assert cells.fg.tolist() == [[0xFF0000, 0xFF0000], [0xFF0000, 0xFF0000]]


def test_the_opposite_of_a_shape_is_the_shape_with_its_colours_swapped() -> None:
    cells = render(two_colours(np.kron(~cell("▗"), np.ones((5, 5), dtype=bool))), 1, 1)
    assert (cells.glyph[0, 0], cells.fg[0, 0], cells.bg[0, 0]) == ("▗", 0x0000FF, 0xFF0000)


@pytest.mark.parametrize(("colours", "fg", "bg"), [("256", 196, 21), ("16", 9, 4)])
def test_fewer_colours_are_numbers(colours: Colours, fg: int, bg: int) -> None:
    cells = render(two_colours(np.kron(cell("▌"), np.ones((5, 5), dtype=bool))), 1, 1, colours)
    assert (cells.glyph[0, 0], cells.fg[0, 0], cells.bg[0, 0]) == ("▌", fg, bg)


def test_sixteen_colours_mix_shades_for_a_colour_between_them() -> None:
    cells = render(Image.new("RGB", (40, 40), (60, 0, 0)), 2, 1, "16")
    assert set(cells.glyph.reshape(-1)) <= set("░▒")
    assert {*cells.fg.reshape(-1).tolist(), *cells.bg.reshape(-1).tolist()} == {0, 1}


def test_labels_are_never_mixed() -> None:
    picture = class_map()
    own = {colour for _, colour in picture.getcolors()}
    cells = render(picture, 20, 10, labels=True)
    used = {(int(v) >> 16, int(v) >> 8 & 255, int(v) & 255) for v in np.unique([cells.fg, cells.bg])}
    assert used == own
    smooth = render(picture, 20, 10)
    assert len(np.unique([smooth.fg, smooth.bg])) > len(own)


def test_where_three_labels_meet_the_most_frequent_ones_stand() -> None:
    pixels = np.zeros((SAMPLES, SAMPLES, 3), dtype=np.uint8)
    pixels[:, :4], pixels[:, 4:], pixels[:1, 4:] = RED, BLUE, GREEN
    cells = render(Image.fromarray(pixels), 1, 1, labels=True)
    assert (cells.glyph[0, 0], cells.fg[0, 0], cells.bg[0, 0]) == ("▌", 0xFF0000, 0x0000FF)


def test_a_map_of_few_cells_stays_crisp() -> None:
    pixels = np.array([[RED, BLUE], [BLUE, RED]], dtype=np.uint8)
    cells = render(Image.fromarray(pixels), 2, 2)
    assert set(cells.glyph.reshape(-1)) == {" "}
    assert cells.bg.tolist() == [[0xFF0000, 0x0000FF], [0x0000FF, 0xFF0000]]


@pytest.mark.parametrize("colours", ["truecolor", "256", "16", "none"])
@pytest.mark.parametrize("labels", [False, True])
def test_ascii_is_ascii(colours: Colours, labels: bool) -> None:
    text = "\n".join(ansi_lines(render(scene(64), 20, 10, colours, ascii=True, labels=labels)))
    assert text.isascii()
    assert ("\x1b" in text) == (colours != "none")


def test_without_colours_light_is_dense() -> None:
    ramp = Image.fromarray(np.tile(np.arange(0, 256, dtype=np.uint8), (20, 1)))
    assert "".join(render(ramp, 10, 1, "none", ascii=True).glyph[0]) == " .:-=+*#%@"
    cells = render(ramp, 5, 1, "none")
    assert "".join(cells.glyph[0]) == " ░▒▓█"
    assert (cells.fg == DEFAULT).all()
    assert ansi_lines(cells) == [" ░▒▓█"]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "F"])
def test_any_mode_of_a_picture_can_be_shown(mode: str) -> None:
    picture = Image.new("I;16", (40, 40)) if mode == "I;16" else scene(40).convert("L" if mode == "F" else mode)
    assert render(picture.convert(mode) if mode == "F" else picture, 3, 2).glyph.shape == (2, 3)


def test_transparent_parts_are_seen_on_black() -> None:
    assert render(Image.new("RGBA", (40, 40), (255, 255, 255, 0)), 1, 1).bg[0, 0] == 0


@pytest.mark.parametrize(("columns", "rows"), [(1, 1), (1, 30), (200, 1), (7, 3)])
def test_any_size_of_cells(columns: int, rows: int) -> None:
    cells = render(scene(30), columns, rows)
    assert (cells.rows, cells.columns) == (rows, columns)
    assert len(ansi_lines(cells)) == len(segment_lines(cells)) == rows


def test_escapes_name_a_colour_only_where_it_changes() -> None:
    cells = Cells(np.array([[" ", "▌", "▌"]]), np.array([[1, 0xFF, 0xFF]]), np.array([[0x10203, 0x10203, 7]]))
    assert ansi_lines(cells) == ["\x1b[48;2;1;2;3m \x1b[38;2;0;0;255m▌\x1b[48;2;0;0;7m▌\x1b[0m"]
    numbers = Cells(np.array([["▌", "▌"]]), np.array([[3, 12]]), np.array([[DEFAULT, 9]]), "16")
    assert ansi_lines(numbers) == ["\x1b[33m▌\x1b[94;101m▌\x1b[0m"]
    numbers = Cells(np.array([["▌", "▌"]]), np.array([[3, 120]]), np.array([[16, DEFAULT]]), "256")
    assert ansi_lines(numbers) == ["\x1b[38;5;3;48;5;16m▌\x1b[38;5;120;49m▌\x1b[0m"]


def test_segments_say_the_same_as_escapes() -> None:
    cells = render(scene(), 20, 10)
    for line, glyphs, fgs in zip(segment_lines(cells), cells.glyph, cells.fg, strict=True):
        assert "".join(segment.text for segment in line) == "".join(glyphs)
        colours = [segment.style.color.triplet for segment in line for _ in segment.text]  # type: ignore[union-attr]
        assert [(c.red << 16) + (c.green << 8) + c.blue for c in colours] == fgs.tolist()  # type: ignore[union-attr]


@pytest.mark.parametrize("picture", [scene(), noise()], ids=["scene", "noise"])
@pytest.mark.parametrize("colours", ["truecolor", "256", "16"])
def test_a_picture_of_40_by_20_cells_is_short(picture: Image.Image, colours: Colours) -> None:
    assert len("\n".join(ansi_lines(render(picture, 40, 20, colours))).encode()) <= 32 * 1024


def test_a_label_map_of_40_by_20_cells_is_short() -> None:
    assert len("\n".join(ansi_lines(render(class_map(), 40, 20, labels=True))).encode()) <= 32 * 1024


def error(shown: np.ndarray, picture: Image.Image) -> float:
    """Root of the mean squared difference, of 255, at eight samples a cell."""
    size = shown.shape[1], shown.shape[0]
    want = np.asarray(
        picture.resize(size, Image.Resampling.BOX if picture.width > size[0] else Image.Resampling.BICUBIC)
    )
    return float(np.sqrt(((shown.astype(float) - want) ** 2).mean()))


def half_cells(picture: Image.Image, columns: int, rows: int) -> np.ndarray:
    """What upper and lower halves alone look like."""
    halves = np.asarray(picture.resize((columns, 2 * rows), Image.Resampling.BOX))
    return halves.repeat(SAMPLES, axis=1).repeat(SAMPLES // 2, axis=0)


@pytest.mark.parametrize(("picture", "better"), [(scene(), 0.85), (class_map(), 0.9)], ids=["scene", "classes"])
def test_shapes_come_nearer_to_the_picture_than_half_cells(picture: Image.Image, better: float) -> None:
    ours = error(seen(render(picture, 28, 14)), picture)
    theirs = error(half_cells(picture, 28, 14), picture)
    assert ours < better * theirs
