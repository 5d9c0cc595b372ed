"""Items of lists and pieces of hyphenated strings are edited where they stand."""

from __future__ import annotations

import pytest

from fourm_tui.errors import InputError
from fourm_tui.schedule.document import Document


def parse(text: str) -> Document:
    return Document.parse(text)


BLOCK = "a:\n  # head\n  - 1.0  # one\n\n  # mid\n  - 2.0 # two\n  # tail\nb: 1\n"
FLOW_LINES = "a: [ # head\n  1.0,  # one\n  # mid\n  2.0   # two\n] # tail\n"


@pytest.mark.parametrize(
    ("before", "index", "value", "after"),
    [
        ("a: 6.0-0.5 # c\n", 1, "0.8", "a: 6.0-0.8 # c\n"),
        ("a: '6.0-0.5'\n", 0, "1", "a: '1-0.5'\n"),
        ('a: "6.0-0.5"\n', 0, "1", 'a: "1-0.5"\n'),
        ("a: 6.0 -  0.5\n", 1, "0.8", "a: 6.0 -  0.8\n"),
        ("a: 6.0-\n   0.5 # c\n", 1, "0.8", "a: 6.0-\n   0.8 # c\n"),
        ("a: &x !!str 6.0-0.5\n", 0, "1", "a: &x !!str 1-0.5\n"),
        ('a: "1\\x2d2"\n', 0, "3", "a: 3-2\n"),
        ("a: >-\n  1-2\n", 0, "3", "a: 3-2\n"),
        ("a: 1024-160-16\n", 1, "16", "a: '1024-16-16'\n"),
        ("a: 3.0 # c\n", 0, "[1]", "a: [1] # c\n"),
        ("a: -3.0\n", 0, "-2.0", "a: -2.0\n"),
        ("a: {x: 1}\n", 0, "2", "a: 2\n"),
        ("a:\n", 0, "2", "a: 2\n"),
        ("a: [1.0,2.0 ] # c\n", 1, "-3", "a: [1.0,-3 ] # c\n"),
        ("a: [1.0, x]\n", 1, "y, z", "a: [1.0, 'y, z']\n"),
        ("a: [[1, 2], {x: 1}]\n", 0, "3", "a: [3, {x: 1}]\n"),
        ("a: [x: 1, 2]\n", 0, "3", "a: [3, 2]\n"),
        (FLOW_LINES, 1, "3", FLOW_LINES.replace("2.0", "3")),
        (BLOCK, 1, "{x: 1}", BLOCK.replace("2.0", "{x: 1}")),
        ("a:\n- 1\n-   # c\n- 2", 1, "3", "a:\n- 1\n- 3   # c\n- 2"),
        ("a:\n-\n  x: 1\n  y: 2\n- 2", 0, "3", "a:\n-\n  3\n- 2"),
        ("a: &x [1, 2]\nb: *x\n", 0, "3", "a: [3, 2]\nb: [1, 2]\n"),
        ("a: &x 1-2\nb: *x\n", 0, "3", "a: 3-2\nb: 1-2\n"),
        ("a: [&x 1, *x]\nb: *x\n", 0, "3", "a: [3, &x 1]\nb: *x\n"),
        ("b: &x [1, 2]\na: *x\n", 0, "3", "b: &x [1, 2]\na: [3, 2]\n"),
        ("b: &x\n  - 1\n  - 2\na: *x\n", 0, "3", "b: &x\n  - 1\n  - 2\na: [3, 2]\n"),
        ("<<: {a: 1-2}\n", 0, "3", "<<: {a: 1-2}\na: 3-2\n"),
    ],
)
def test_one_item_is_replaced(before: str, index: int, value: str, after: str) -> None:
    assert parse(before).replace_item("a", index, value).text == after


@pytest.mark.parametrize(
    ("before", "index", "value", "after"),
    [
        ("a: 6.0-0.5 # c\n", 2, "7", "a: 6.0-0.5-7 # c\n"),
        ("a: '6.0-0.5'\n", 0, "7", "a: '7-6.0-0.5'\n"),
        ("a: 6.0 # c\n", 1, "7", "a: 6.0-7 # c\n"),
        ("a: null\n", 0, "7", "a: 7-null\n"),
        ("a:\n", 1, "7", "a: null-7\n"),
        ("a: ''\n", 0, "7", "a: 7\n"),
        ("a: -6.0\n", 1, "7", "a: [-6.0, 7]\n"),
        ("a: {x: 1}\n", 0, "7", "a: [7, {x: 1}]\n"),
        ("a: 1024-16\n", 2, "16", "a: '1024-16-16'\n"),
        ("a: []\n", 0, "7", "a: [7]\n"),
        ("a: [1,2]\n", 2, "7", "a: [1,2,7]\n"),
        ("a: [ 1 ]\n", 0, "7", "a: [ 7, 1 ]\n"),
        ("a: [1, 2, # c\n  3,]\n", 3, "7", "a: [1, 2, # c\n  3, 7,]\n"),
        (FLOW_LINES, 0, "7", FLOW_LINES.replace("  1.0", "  7,\n  1.0")),
        (FLOW_LINES, 1, "7", FLOW_LINES.replace("# one\n", "# one\n  7,\n")),
        (FLOW_LINES, 2, "7", FLOW_LINES.replace("2.0   # two\n", "2.0,   # two\n  7\n")),
        (BLOCK, 0, "7", BLOCK.replace("  - 1.0", "  - 7\n  - 1.0")),
        (BLOCK, 1, "7", BLOCK.replace("# one\n", "# one\n  - 7\n")),
        (BLOCK, 2, "x, y", BLOCK.replace("# two\n", "# two\n  - 'x, y'\n")),
        ("a:\r\n-  1\r\n-  2", 2, "7", "a:\r\n-  1\r\n-  2\r\n-  7"),
        ("? a\n: - 1\n  - 2\n", 1, "7", "? a\n: [1, 7, 2]\n"),
        ("a: &x\n  - 1\nb: *x\n", 1, "7", "a:\n  - 1\n  - 7\nb: [1]\n"),
    ],
)
def test_an_item_is_inserted(before: str, index: int, value: str, after: str) -> None:
    assert parse(before).insert_item("a", index, value).text == after


@pytest.mark.parametrize(
    ("before", "index", "after"),
    [
        ("a: 6.0-0.5-1 # c\n", 0, "a: 0.5-1 # c\n"),
        ("a: 6.0-0.5-1 # c\n", 2, "a: 6.0-0.5 # c\n"),
        ("a: '6.0-0.5'\n", 1, "a: '6.0'\n"),
        ("a: [1,2,3]\n", 0, "a: [2,3]\n"),
        ("a: [1,2,3]\n", 1, "a: [1,3]\n"),
        ("a: [1,2,3]\n", 2, "a: [1,2]\n"),
        ("a: [1]\n", 0, "a: []\n"),
        ("a: [1, 2, # c\n  3, 4,]\n", 1, "a: [1, # c\n  3, 4,]\n"),
        ("a: [1, 2, # c\n  3, 4,]\n", 2, "a: [1, 2, # c\n  4,]\n"),
        (FLOW_LINES, 0, "a: [ # head\n  # mid\n  2.0   # two\n] # tail\n"),
        (FLOW_LINES, 1, "a: [ # head\n  1.0,  # one\n  # mid\n] # tail\n"),
        (BLOCK, 0, "a:\n  # head\n\n  # mid\n  - 2.0 # two\n  # tail\nb: 1\n"),
        (BLOCK, 1, "a:\n  # head\n  - 1.0  # one\n\n  # mid\n  # tail\nb: 1\n"),
        ("a:\n  - 1\nb: 1\n", 0, "a: []\nb: 1\n"),
        ("a: [&x 1, 2]\nb: *x\n", 0, "a: [2]\nb: 1\n"),
    ],
)
def test_an_item_is_removed(before: str, index: int, after: str) -> None:
    assert parse(before).remove_item("a", index).text == after


@pytest.mark.parametrize(
    ("before", "index", "to", "after"),
    [
        ("a: 6.0-0.5-1 # c\n", 0, 2, "a: 0.5-1-6.0 # c\n"),
        ("a: [1,  2, 3]\n", 2, 0, "a: [3,  1, 2]\n"),
        ("a: [1, 2]\n", 1, 1, "a: [1, 2]\n"),
        (FLOW_LINES, 0, 1, "a: [ # head\n  2.0,   # two\n  # mid\n  1.0  # one\n] # tail\n"),
        (BLOCK, 0, 1, "a:\n  # head\n  - 2.0 # two\n\n  # mid\n  - 1.0  # one\n  # tail\nb: 1\n"),
        ("a:\n-\n- x: 1\n  y: 2\n", 0, 1, "a:\n- x: 1\n  y: 2\n- \n"),
        ("a: [&x 1, *x]\nb: *x\n", 0, 1, "a: [1, 1]\nb: 1\n"),
    ],
)
def test_an_item_is_moved_and_the_comment_behind_it_too(before: str, index: int, to: int, after: str) -> None:
    assert parse(before).move_item("a", index, to).text == after


def test_items_that_are_not_there_are_refused_with_the_place() -> None:
    document = parse("a: 1-2\nb: [1]\nc: 3\n")
    for edit in (
        lambda: document.replace_item("a", 2, "1"),
        lambda: document.replace_item("a", -1, "1"),
        lambda: document.insert_item("a", 3, "1"),
        lambda: document.move_item("a", 0, 2),
    ):
        with pytest.raises(InputError, match=r"^settings:1:4: a has 2 values"):
            edit()
    with pytest.raises(InputError, match="b has 1 value "):
        document.remove_item("b", 1)
    with pytest.raises(InputError, match="c has a single value"):
        document.remove_item("c", 0)
    with pytest.raises(InputError, match="no key d"):
        document.replace_item("d", 0, "1")


@pytest.mark.parametrize("piece", ["-1", "a-b", "", "'x'", "[1]", "{a: 1}", "*x", "#c"])
def test_what_a_hyphenated_string_cannot_hold_is_refused(piece: str) -> None:
    with pytest.raises(InputError, match="hyphenated string"):
        parse("a: 1-2\n").replace_item("a", 0, piece)
