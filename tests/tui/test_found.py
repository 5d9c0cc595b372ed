"""Finding by a few letters."""

from __future__ import annotations

import pytest

from fourm_tui.tui.found import Entry, found, match

ENTRIES = [
    Entry("save", "save", "Save the schedule"),
    Entry("save_as", "save as", "Save it elsewhere"),
    Entry("undo", "undo", "Take the last change back"),
    Entry("history", "history", "Earlier runs"),
]


def ids(text: str) -> list[str]:
    return [hit.entry.id for hit in found(ENTRIES, text)]


def test_without_letters_there_is_all_in_its_order() -> None:
    assert ids("") == ["save", "save_as", "undo", "history"]


def test_the_shortest_that_begins_so_comes_first() -> None:
    assert ids("sav")[0] == "save"


def test_letters_may_be_left_out() -> None:
    assert ids("hsty") == ["history"]


def test_what_is_said_of_it_counts_too() -> None:
    assert ids("earlier") == ["history"]


def test_what_is_said_of_it_is_found_by_beginnings_of_words_only() -> None:
    assert (ids("cha"), ids("hange"), ids("ru")) == (["undo"], [], [])


def test_nothing_fits_nonsense() -> None:
    assert ids("qzx") == []


@pytest.mark.parametrize(
    ("wanted", "text", "at"), [("sa", "save as", (0, 1)), ("sas", "save as", (0, 1, 6)), ("x", "save", None)]
)
def test_letters_are_found_together_or_at_beginnings_of_words(
    wanted: str, text: str, at: tuple[int, ...] | None
) -> None:
    assert match(wanted, text) == at
