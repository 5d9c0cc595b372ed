"""Contact sheets and the text on them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageColor

from fourm_tui.pictures.contact import Panel, Section, contact_sheet
from fourm_tui.pictures.lettering import BACKGROUND, fitting, font, line_height, shortened, text_card, wrapped

LONG = "a red ball on the grass under a blue sky, seen from afar by somebody who likes to talk " * 9
GROUND = ImageColor.getrgb(BACKGROUND)


def red(width: int = 224, height: int = 224) -> Image.Image:
    return Image.new("RGB", (width, height), (255, 0, 0))


def reds(sheet: Image.Image) -> int:
    return int((np.asarray(sheet) == (255, 0, 0)).all(axis=-1).sum())


@pytest.mark.parametrize("count", range(15))
def test_any_number_of_panels_is_shown_in_full_within_margins(count: int) -> None:
    sheet = contact_sheet([Panel(f"Panel {n}", picture=red()) for n in range(count)], "A chain")
    assert reds(sheet) == count * 224 * 224
    pixels = np.asarray(sheet)
    for border in (pixels[:20], pixels[-20:], pixels[:, :20], pixels[:, -20:]):
        assert (border == GROUND).all()


def test_panels_stand_in_the_order_of_the_chain() -> None:
    tones = [(200, 10 * n, 0) for n in range(8)]
    sheet = np.asarray(contact_sheet([Panel("x", picture=Image.new("RGB", (224, 224), tone)) for tone in tones]))
    places = []
    for tone in tones:
        rows, columns = np.nonzero((sheet == tone).all(axis=-1))
        places.append((rows.min(), columns.min()))
    assert places == sorted(places)
    assert len({row for row, _ in places}) == 2


def test_sections_begin_on_a_line_of_their_own() -> None:
    short, long = [Panel("x", picture=red())], [Panel("x", picture=red())] * 3
    sheet = contact_sheet([Section(short, "temperature 0.5"), Section(long, "temperature 1.0")], "Sweep")
    rows = (np.asarray(sheet) == (255, 0, 0)).all(axis=-1).sum(axis=1)
    assert {224, 3 * 224} <= set(rows.tolist())
    assert sheet.width == 2 * 24 + 3 * (224 + 24) + 2 * 16


def test_a_cell_that_failed_says_so_and_the_rest_is_there() -> None:
    good = contact_sheet([Panel("RGB", picture=red()), Panel("Depth", text="")])
    bad = contact_sheet([Panel("RGB", picture=red()), Panel("Depth", "failed", text="out of memory")])
    assert reds(bad) == reds(good) == 224 * 224
    assert bad.size == good.size and bad.tobytes() != good.tobytes()


@pytest.mark.parametrize("size", [(448, 100), (100, 448), (14, 14), (1, 1), (3000, 2)])
def test_pictures_of_any_shape_fit(size: tuple[int, int]) -> None:
    sheet = contact_sheet([Panel("x", picture=red(*size))])
    assert sheet.width == 2 * 24 + 224 + 24
    assert 0 < reds(sheet) <= 224 * 224


def test_long_captions_are_wrapped_and_titles_shortened() -> None:
    plain = contact_sheet([Panel("x", picture=red())])
    sheet = contact_sheet([Panel(LONG, picture=red(), text=LONG, note=LONG)], LONG)
    assert sheet.width == plain.width and sheet.height < 2.2 * plain.height
    assert reds(sheet) == 224 * 224
    assert (np.asarray(sheet)[:, -20:] == GROUND).all()


def test_columns_can_be_chosen() -> None:
    panels = [Panel("x", picture=red(), text="y")] * 4
    assert contact_sheet(panels, columns=2).width < contact_sheet(panels, columns=4).width
    assert contact_sheet(panels, columns=9).size == contact_sheet(panels, columns=4).size


@pytest.mark.parametrize("width", [40, 120, 300])
@pytest.mark.parametrize("text", [LONG, "x" * 300, "a", "supercalifragilistic expialidocious"])
def test_lines_hold_all_words_and_fit(text: str, width: int) -> None:
    lines = wrapped(text, font(14), width)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(font(14).getlength(line) <= width for line in lines)


def test_lines_that_are_too_many_end_in_an_ellipsis() -> None:
    lines = wrapped(LONG, font(14), 120, 3)
    assert len(lines) == 3 and lines[-1].endswith("…")
    assert all(font(14).getlength(line) <= 120 for line in lines)
    assert wrapped("a b", font(14), 120, 3) == ["a b"]


def test_a_short_text_is_not_shortened() -> None:
    assert shortened("Depth", font(14), 200) == "Depth"
    assert shortened(LONG, font(14), 100).endswith("…")
    assert font(14).getlength(shortened(LONG, font(14), 100)) <= 100


def test_a_text_is_as_large_as_fits_without_breaking_words() -> None:
    size, lines = fitting("a supercalifragilistic thing", 200, 200)
    assert "supercalifragilistic" in lines and 11 < size < 30
    size, lines = fitting(LONG * 5, 200, 200)
    assert size == 11 and len(lines) * line_height(11) <= 200


def test_a_card_shows_control_characters_as_text() -> None:
    assert text_card("a\x1b[31m", 200, 200).tobytes() == text_card("a\\x1b[31m", 200, 200).tobytes()
