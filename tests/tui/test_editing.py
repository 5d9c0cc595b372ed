"""An open cell: what the keys make of it."""

from __future__ import annotations

import pytest

from fourm_tui.tui.cells import Cell
from fourm_tui.tui.editing import LONGEST, Editing, opened

TEMPERATURES = Cell("temp_schedules", "", 1)


def pressed(editing: Editing, *keys: str) -> list[str]:
    """What each key comes to; keys of one character write it."""
    characters = {"plus": "+", "minus": "-", "colon": ":", "space": " "}
    return [editing.press(key, characters.get(key, key if len(key) == 1 else None)) for key in keys]


def test_onex_opens_as_two_numbers_the_first_of_which_is_replaced() -> None:
    editing = opened(TEMPERATURES, "onex:0.5:2.0")
    assert editing.fields == [".5", "2"]
    assert editing.window(10) == ("onex .5 2 ", 5, 7)
    assert pressed(editing, "1") == ["typed"]
    assert editing.text == "onex:1:2"
    assert editing.window(10) == ("onex 1 2  ", 6, 7)


@pytest.mark.parametrize("key", ["tab", "right", "colon", "space"])
def test_the_second_number_is_gone_to(key: str) -> None:
    editing = opened(TEMPERATURES, "onex:0.5:2.0")
    assert pressed(editing, key, "3") == ["moved", "typed"]
    assert editing.text == "onex:0.5:3"


@pytest.mark.parametrize("key", ["shift+tab", "left"])
def test_the_first_number_is_gone_back_to(key: str) -> None:
    editing = opened(TEMPERATURES, "onex:0.5:2.0")
    pressed(editing, "right", key, "3")
    assert editing.text == "onex:3:2"


def test_within_a_number_that_was_typed_the_arrows_go_from_digit_to_digit() -> None:
    editing = opened(TEMPERATURES, "onex:0.5:2.0")
    pressed(editing, "1", "5", "left", ".")
    assert editing.text == "onex:1.5:2"
    pressed(editing, "end", "right", "7")
    assert editing.text == "onex:1.5:7"


def test_numbers_step_and_stop_at_none() -> None:
    editing = opened(TEMPERATURES, "onex:0.1:2.0")
    assert pressed(editing, "minus", "minus", "right", "plus") == ["typed", "typed", "moved", "typed"]
    assert editing.text == "onex:0:2.1"


def test_tab_leaves_behind_the_second_number_and_shift_tab_before_the_first() -> None:
    editing = opened(TEMPERATURES, "onex:0.1:2.0")
    assert pressed(editing, "shift+tab") == ["before"]
    assert pressed(editing, "tab", "tab") == ["moved", "next"]


def test_who_types_a_word_writes_the_whole_value() -> None:
    editing = opened(TEMPERATURES, "onex:0.1:2.0")
    pressed(editing, *"onex", "colon", *"0.5", "colon", "3")
    assert (editing.fields, editing.text) == (["onex:0.5:3"], "onex:0.5:3")


def test_a_value_that_is_pasted_takes_the_place_of_both_numbers() -> None:
    editing = opened(TEMPERATURES, "onex:0.1:2.0")
    editing.insert("onex:1:4")
    assert editing.text == "onex:1:4"


def test_backspace_empties_what_was_just_come_to() -> None:
    editing = opened(TEMPERATURES, "onex:0.1:2.0")
    pressed(editing, "backspace")
    assert editing.text == "onex::2"


def test_a_text_longer_than_its_column_shows_where_one_writes() -> None:
    editing = opened(Cell("cfg_scales", ""), "{caption: 2.0}")
    assert editing.window(6) == (" 2.0} ", 5, 6)


def test_no_text_is_longer_than_a_cell_takes() -> None:
    editing = opened(Cell("temps", ""), "")
    editing.insert("7" * 1000)
    assert len(editing.text) == LONGEST
