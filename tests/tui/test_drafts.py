"""Drafts: what was not saved comes back, and only that."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from fourm_tui.conditions.given import Given
from fourm_tui.schedule.document import Document
from fourm_tui.tui.drafts import Drafts, draft_file, find_draft, throw_away
from fourm_tui.tui.workspace import State

GIVEN = Given("tok_rgb@224", path=Path("/photo.png"), mask=Path("/mask.png"), fit="pad", crop=(1, 2, 3, 4), index=2)


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State((Document.parse("temps: 0.5  # warm\n", tmp_path / "mine.yaml"),), {}, "demo", {"seed": 3})


@pytest.fixture
def edited(state: State) -> State:
    (document,) = state.documents
    return replace(state, documents=(document.replace("temps", "0.7"),), given={GIVEN.name: GIVEN})


def test_what_was_edited_comes_back_whole(state: State, edited: State) -> None:
    Drafts().write(edited)
    found = find_draft(state)
    assert found is not None
    assert found.state == edited


def test_what_is_as_the_file_says_is_no_draft(state: State) -> None:
    Drafts().write(state)
    assert find_draft(state) is None


def test_a_draft_of_another_file_is_not_offered(state: State, edited: State, tmp_path: Path) -> None:
    Drafts().write(edited)
    other = replace(state, documents=(replace(state.documents[0], path=tmp_path / "other.yaml"),))
    assert find_draft(other) is None


def test_once_saved_there_is_none(state: State, edited: State) -> None:
    drafts = Drafts()
    drafts.write(edited)
    drafts.remove(edited.documents)
    assert find_draft(state) is None


def test_nothing_is_written_after_the_end(state: State, edited: State) -> None:
    drafts = Drafts()
    drafts.close()
    drafts.write(edited)
    assert find_draft(state) is None


def test_one_who_goes_over_to_another_file_leaves_no_draft_of_the_first(
    state: State, edited: State, tmp_path: Path
) -> None:
    drafts = Drafts()
    drafts.write(edited)
    drafts.write(replace(edited, documents=(replace(edited.documents[0], path=tmp_path / "other.yaml"),)))
    assert find_draft(state) is None


def test_one_that_is_being_edited_elsewhere_is_not_offered(state: State, edited: State) -> None:
    Drafts().write(edited)
    path = draft_file(state.documents)
    path.write_text(json.dumps({**json.loads(path.read_text()), "pid": os.getppid()}))
    assert find_draft(state) is None


@pytest.mark.parametrize("content", ["", "[]", "{", '{"schema": 99}', '{"schema": 1, "files": 3}'])
def test_a_damaged_one_is_none(state: State, content: str) -> None:
    path = draft_file(state.documents)
    path.parent.mkdir(parents=True)
    path.write_text(content)
    assert find_draft(state) is None


def test_a_draft_that_is_not_wanted_is_gone(state: State, edited: State) -> None:
    Drafts().write(edited)
    throw_away(state)
    assert find_draft(state) is None
