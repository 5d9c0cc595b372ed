"""Branches that wait in the queue behind the run that they branch off: they take its rows over when they begin."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fourm_tui.chain.begin import begin
from fourm_tui.chain.inputs import read_inputs
from fourm_tui.engine.execute import execute
from fourm_tui.engine.store import ModelStore
from fourm_tui.events import RowStarted
from fourm_tui.paths import schedules_dir
from fourm_tui.runs import Run, open_run, read_tokens

SETTINGS = schedules_dir() / "settings_base" / "T2CR_roar49-25_cfg3_t6-0.5.yaml"


@pytest.fixture(scope="module")
def store() -> ModelStore:
    return ModelStore()


def asked_for(checkpoint: Path, out: Path, temp: float, parent: Run | None = None) -> Run:
    """A run that has not begun; with a parent it is to differ from it in its second row."""
    inputs = read_inputs(
        str(SETTINGS), models=str(checkpoint), conditions=["caption=a red fox"],
        overrides=["decoding_steps=3-2", f"temps.2={temp}"],
    )  # fmt: skip
    return begin(inputs, out, {"seed": 7}, parent, 2 if parent else None).run


def made_rows(run: Run, store: ModelStore) -> list[int]:
    """Does a run; the rows that it made itself."""
    return [event.row for event in execute(open_run(run.folder), store) if isinstance(event, RowStarted)]


def first_row(run: Run) -> list[int]:
    return read_tokens(run.path_for(1, "tok_clip@224", 0, ".safetensors")).tokens.tolist()


def test_it_takes_over_what_the_parent_has_made_meanwhile(checkpoint: Path, tmp_path: Path, store: ModelStore) -> None:
    parent = asked_for(checkpoint, tmp_path, 0.5)
    branch = asked_for(checkpoint, tmp_path, 1.5, parent)
    made_rows(parent, store)
    assert made_rows(branch, store) == [2]
    assert first_row(branch) == first_row(parent)


def test_it_says_which_rows_are_its_own(checkpoint: Path, tmp_path: Path, store: ModelStore) -> None:
    parent = asked_for(checkpoint, tmp_path, 0.5)
    taking, alone = (asked_for(checkpoint, tmp_path, temp, parent) for temp in (1.5, 2.5))
    made_rows(alone, store)  # before there is anything to be taken over
    made_rows(parent, store)
    made_rows(taking, store)
    parents = [open_run(run.folder).record.parent for run in (taking, alone)]
    assert [parent and parent.row for parent in parents] == [2, 1]


@pytest.mark.parametrize("is_gone", [False, True])
def test_it_makes_the_same_rows_itself_where_the_parent_has_none(
    checkpoint: Path, tmp_path: Path, store: ModelStore, is_gone: bool
) -> None:
    parent = asked_for(checkpoint, tmp_path, 0.5)
    branch = asked_for(checkpoint, tmp_path, 1.5, parent)
    if is_gone:
        shutil.rmtree(parent.folder)
    assert made_rows(branch, store) == [1, 2]
    other = asked_for(checkpoint, tmp_path, 0.5)
    made_rows(other, store)
    assert first_row(branch) == first_row(other)


def test_it_goes_on_after_an_interruption_with_what_it_took_over(
    checkpoint: Path, tmp_path: Path, store: ModelStore
) -> None:
    parent = asked_for(checkpoint, tmp_path, 0.5)
    branch = asked_for(checkpoint, tmp_path, 1.5, parent)
    made_rows(parent, store)
    for event in execute(open_run(branch.folder), store):
        if isinstance(event, RowStarted):
            break
    assert made_rows(branch, store) == [2]
