"""Where the cards of conditions lie: in any room, without overlap, the selected one seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourm_tui.tui.cards import Need, arranged, columns_of, scrolled

needs = st.lists(st.builds(Need, st.integers(0, 30), st.booleans()), max_size=12)


@given(needs, st.integers(4, 250), st.integers(1, 70))
def test_cards_neither_overlap_nor_leave_the_width(wanted: list[Need], width: int, height: int) -> None:
    places = arranged(wanted, width, height)
    cells = [(x, y) for p in places for y in range(p.y, p.y + p.height) for x in range(p.x, p.x + p.width)]
    assert len(cells) == len(set(cells))
    assert all(p.x + p.width <= width for p in places)


@given(needs, st.integers(4, 250), st.integers(1, 70), st.data())
def test_the_head_of_the_selected_one_is_seen(wanted: list[Need], width: int, height: int, data: st.DataObject) -> None:
    places = arranged(wanted, width, height)
    if places:
        at = data.draw(st.integers(0, len(places) - 1))
        top = scrolled(places, at, data.draw(st.integers(0, 40)), height)
        assert top <= places[at].y < top + height


@given(needs, st.integers(4, 250), st.integers(14, 70))
def test_what_can_be_in_the_room_is_in_it(wanted: list[Need], width: int, height: int) -> None:
    places = arranged(wanted, width, height)
    assert all(p.y + p.height <= height for p in places)


def test_pictures_share_what_texts_leave() -> None:
    one, two = arranged([Need(2, True), Need(1, True)], 40, 20)
    assert (one.text, two.text) == (2, 1)
    assert one.picture == two.picture == 7


@pytest.mark.parametrize(("width", "across"), [(30, 1), (76, 1), (86, 2), (190, 4)])
def test_wide_rooms_have_more_columns(width: int, across: int) -> None:
    assert columns_of(4, width) == across
