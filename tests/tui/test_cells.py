"""The schedule as cells: what is shown, what may be typed, what a step makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fourm_tui.errors import InputError
from fourm_tui.tui import cells
from fourm_tui.tui.cells import Cell, Line
from fourm_tui.tui.workspace import Workspace
from tests.tui.test_workspace import CAPTION, TEXT


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    path = tmp_path / "mine.yaml"
    path.write_text(TEXT)
    return Workspace.open(str(path), conditions=[f"caption={CAPTION}"])


def cell(workspace: Workspace, row: int, key: str) -> Cell:
    return next(each for line in cells.grid(workspace) for each in line.cells if (each.row, each.key) == (row, key))


def shown(lines: tuple[Line, ...], row: int) -> dict[str, str]:
    return {each.key: each.text for line in lines if line.row == row and row for each in line.cells}


def test_each_row_has_a_line_and_the_chain_one(workspace: Workspace) -> None:
    lines = cells.grid(workspace)
    assert [line.row for line in lines] == [1, 2, 0]
    assert shown(lines, 1)["decoding_steps"] == "4"
    assert [each.title for each in lines[2].cells] == ["top_p", "top_k", "grow", "cfg schedule", "seed", "variations"]
    assert [each.text for each in lines[2].cells] == [".9", "off", "yes", "constant", "0", "1"]


def test_guidance_that_goes_its_own_way_in_a_row_gets_a_column(workspace: Workspace) -> None:
    cells.put(workspace, cell(workspace, 0, "cfg_schedules"), "linear")
    assert {row.cfg_schedule for _, _, row in workspace.schedule.rows()} == {"linear"}
    workspace.edit("one row", lambda editor: editor.set_cell(2, "cfg_schedules", "cosine"))
    assert shown(cells.grid(workspace), 2)["cfg_schedules"] == "cosine"
    assert "cfg schedule" not in [each.title for each in cells.grid(workspace)[2].cells]


def test_a_value_given_once_is_shared_by_the_other_rows(workspace: Workspace) -> None:
    assert cell(workspace, 1, "temps").look == "own"
    assert cell(workspace, 2, "temps").look == "shared"
    cells.put(workspace, cell(workspace, 2, "temps"), 0.7)
    assert cell(workspace, 2, "temps").look == "own"
    assert shown(cells.grid(workspace), 1)["temps"] == "0.5"


def test_what_means_nothing_to_a_scheme_is_not_there(workspace: Workspace) -> None:
    assert cell(workspace, 1, "token_decoding_schedules").look == "none"  # ROAR is always linear
    cells.put(workspace, cell(workspace, 1, "autoregression_schemes"), "maskgit")
    assert cell(workspace, 1, "token_decoding_schedules").text == "linear"


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("temp_schedules", "onex:0.5:0.25", "onex .5 .25"),
        ("cfg_scales", {"caption": 2.0, "tok_depth@224": -0.5}, "caption 2 depth -0.5"),
        ("top_k", 0, "off"),
        ("top_k", 0.1, "0.1"),
        ("temps", None, "?"),
    ],
)
def test_values_are_shown_short(key: str, value: object, text: str) -> None:
    assert cells.shown(key, value) == text


@pytest.mark.parametrize(
    ("key", "typed", "value"),
    [
        ("temps", "3", 3.0),
        ("decoding_steps", "12", 12),
        ("cfg_scales", "{caption: 2.0}", {"caption": 2.0}),
        ("top_p", "off", 0.0),
        ("seed", "7", 7),
        ("cfg_grow_conditioning", "no", False),
        ("temp_schedules", "onex:0.5:2", "onex:0.5:2"),
    ],
)
def test_what_is_typed_becomes_a_value(key: str, typed: str, value: object) -> None:
    found = cells.read(Cell(key, ""), typed)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("key", "typed"),
    [
        ("temps", "warm"), ("temps", ""), ("decoding_steps", "1.5"), ("seed", "-1"), ("num_variations", "0"), ("num_variations", "10001"),
        ("cfg_grow_conditioning", "maybe"), ("temp_schedules", "onex:x"), ("top_p", "x"), ("cfg_scales", "{caption"),
    ],
)  # fmt: skip
def test_what_is_no_value_is_refused_with_a_sentence(key: str, typed: str) -> None:
    with pytest.raises(InputError, match=r"\w"):
        cells.read(Cell(key, ""), typed)


def test_steps_go_up_and_down_and_stop_at_what_is_possible(workspace: Workspace) -> None:
    assert cells.stepped(workspace, cell(workspace, 1, "temps"), 1) == 0.6
    assert cells.stepped(workspace, cell(workspace, 1, "cfg_scales"), -1) == 1.5
    assert cells.stepped(workspace, cell(workspace, 1, "decoding_steps"), 1) == 5
    assert cells.stepped(workspace, cell(workspace, 1, "tokens_per_target"), 1) == 196
    assert cells.stepped(workspace, cell(workspace, 0, "num_variations"), -1) == 1
    assert cells.stepped(workspace, cell(workspace, 0, "top_p"), 1) == 0.95
    cells.put(workspace, cell(workspace, 1, "temps"), 0.0)
    assert cells.stepped(workspace, cell(workspace, 1, "temps"), -1) == 0.0


def test_choices_go_round(workspace: Workspace) -> None:
    assert cells.stepped(workspace, cell(workspace, 1, "autoregression_schemes"), 1) == "maskgit"
    assert cells.stepped(workspace, cell(workspace, 1, "temp_schedules"), 1) == "linear"
    assert cells.stepped(workspace, cell(workspace, 1, "temp_schedules"), -1) == "onex:0.5:0.5"
    assert cells.stepped(workspace, cell(workspace, 0, "cfg_grow_conditioning"), 1) is False


def test_weights_have_no_steps(workspace: Workspace) -> None:
    cells.put(workspace, cell(workspace, 1, "cfg_scales"), {"caption": 2.0})
    with pytest.raises(InputError, match="one by one"):
        cells.stepped(workspace, cell(workspace, 1, "cfg_scales"), 1)


def test_targets_are_those_of_the_model(workspace: Workspace) -> None:
    every = cells.targets(workspace)
    assert "tok_depth@224" in every
    assert "tok_clip@224" not in every  # the model in the box has none


def test_another_target_takes_what_it_needs_along(workspace: Workspace) -> None:
    cells.put(workspace, cell(workspace, 1, "target_domains"), "caption")
    row = next(workspace.schedule.rows())[2]
    assert (row.target, row.scheme) == ("caption", "autoregressive")
    assert workspace.undo() == "target of row 1"
    assert next(workspace.schedule.rows())[2].scheme == "roar"
