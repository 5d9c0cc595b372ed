"""Keys: one table, the user's own in its place, clashes said, the README's list made from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fourm_tui.tui.actions import ACTIONS, PLACES, action
from fourm_tui.tui.key_docs import markdown
from fourm_tui.tui.keymap import problems_of, sections, shown_keys

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_lists_the_keys_as_they_are() -> None:
    listed = README.read_text(encoding="utf-8").partition("<!-- keys -->")[2].partition("<!-- /keys -->")[0]
    assert listed.strip() == markdown()


def test_every_action_has_a_place_with_a_title() -> None:
    assert {each.where for each in ACTIONS} <= set(PLACES)


def test_no_id_stands_twice() -> None:
    assert len({each.id for each in ACTIONS}) == len(ACTIONS)


@pytest.mark.parametrize("place", PLACES)
def test_no_key_means_two_things_in_one_place(place: str) -> None:
    keys = [key.strip() for each in ACTIONS if each.where == place for key in each.keys.split(",")]
    assert len(set(keys)) == len(keys)


def test_no_key_is_one_that_terminals_and_multiplexers_eat() -> None:
    eaten = {f"ctrl+{letter}" for letter in "abjmosqz"} | {"ctrl+left_square_bracket"}
    assert not eaten & {key.strip() for each in ACTIONS for key in each.keys.split(",")}


def test_own_keys_are_shown_in_place_of_those_of_the_table() -> None:
    assert shown_keys(action("app.start"), {"app.start": "ctrl+r"}) == "ctrl+r"


def test_help_tells_of_the_place_first_and_of_everywhere_then() -> None:
    assert [title for title, _ in sections("schedule", {})] == ["Schedule", "Everywhere"]


def test_a_key_for_an_action_that_there_is_not_is_said() -> None:
    (problem,) = problems_of({"app.begin": "r"})
    assert "no action app.begin" in problem


def test_a_key_that_means_two_things_is_said() -> None:
    (problem,) = problems_of({"app.save": "r"})
    assert "r is both app.start and app.save" in problem


def test_a_key_of_a_pane_that_hides_one_of_everywhere_is_said() -> None:
    (problem,) = problems_of({"schedule.fill": "s"})
    assert "hides app.save" in problem


def test_the_table_itself_has_no_problem() -> None:
    assert problems_of({}) == ()
