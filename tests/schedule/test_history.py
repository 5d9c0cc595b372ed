"""Undo and redo go through all states that there were, and forget only what a new one replaces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fourm_tui.schedule.history import History


def test_undo_and_redo_walk_through_the_states() -> None:
    history = History.start("a").push("b", "to b").push("c", "to c")
    assert (history.state, history.can_undo, history.can_redo) == ("c", True, False)
    history = history.undo().undo()
    assert (history.state, history.can_undo, history.can_redo) == ("a", False, True)
    assert history.redo().redo().state == "c"


def test_there_is_nothing_before_the_first_and_behind_the_last_state() -> None:
    history = History.start(1).push(2, "two")
    assert history.undo().undo() == history.undo()
    assert history.redo() == history


def test_a_new_state_replaces_what_was_undone() -> None:
    history = History.start("a").push("b", "to b").undo().push("c", "to c")
    assert not history.can_redo
    assert history.undo().state == "a"
    assert [label for label in history.labels if label] == ["to c"]


def test_an_equal_state_is_no_step() -> None:
    history = History.start((1,)).push((2,), "two").undo()
    assert history.push((1,), "again") == history


def test_a_history_is_not_changed_by_what_comes_after() -> None:
    first = History.start("a")
    second = first.push("b", "to b")
    second.push("c", "to c").undo().undo()
    assert first.state == "a"
    assert not first.can_redo
    assert second.state == "b"


@given(st.lists(st.integers(0, 3) | st.sampled_from(["undo", "redo"])))
def test_any_walk_is_that_of_a_list_with_a_cursor(steps: list[int | str]) -> None:
    history, states, at = History.start(0), [0], 0
    for step in steps:
        if step == "undo":
            history, at = history.undo(), max(0, at - 1)
        elif step == "redo":
            history, at = history.redo(), min(len(states) - 1, at + 1)
        else:
            history = history.push(int(step), f"to {step}")
            if step != states[at]:
                states, at = [*states[: at + 1], int(step)], at + 1
        assert history.state == states[at]
        assert (history.can_undo, history.can_redo) == (at > 0, at < len(states) - 1)
