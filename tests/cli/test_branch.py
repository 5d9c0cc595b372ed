"""Runs that begin where another one is: branches and sweeps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from fourm_tui.chain.sweep import parse
from fourm_tui.cli import main
from fourm_tui.errors import InputError
from fourm_tui.events import RowStarted, read_events
from fourm_tui.paths import schedules_dir
from fourm_tui.runs import Run, list_runs, read_tokens
from tests.tiny import tiny_checkpoint

SETTINGS = schedules_dir() / "settings_base" / "T2CR_roar49-25_cfg3_t6-0.5.yaml"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture
def parent(checkpoint: Path, tmp_path: Path, capsys: Any) -> Run:
    words = ["-c", checkpoint, "-i", "caption=a red fox", "--seed", 7, "--set", "decoding_steps=3-2"]
    assert main(["run", str(SETTINGS), *map(str, words), "--out", str(tmp_path)]) == 0
    capsys.readouterr()
    return list_runs(tmp_path).runs[0]


def branch(parent: Run, *words: str) -> Run:
    before = {run.name for run in list_runs(parent.folder.parent).runs}
    assert main(["run", "--from", parent.name, "--out", str(parent.folder.parent), *words]) == 0
    (made,) = [run for run in list_runs(parent.folder.parent).runs if run.name not in before]
    return made


def made_rows(run: Run) -> list[int]:
    return [event.row for event in read_events(run.events) if isinstance(event, RowStarted)]


def tokens(run: Run, row: int, name: str) -> list[int]:
    return read_tokens(run.path_for(row, name, 0, ".safetensors")).tokens.tolist()


def test_a_branch_takes_rows_over_and_makes_the_others(parent: Run) -> None:
    made = branch(parent, "--row", "2", "--set", "temps.2=5.0")
    assert made_rows(made) == [2]
    assert made.record.parent is not None
    assert (made.record.parent.run, made.record.parent.row) == (parent.name, 2)
    assert made.record.overrides == ("decoding_steps=3-2", "temps.2=5.0")
    assert [sample.seed for sample in made.record.samples] == [7]
    assert tokens(made, 1, "tok_clip@224") == tokens(parent, 1, "tok_clip@224")
    assert tokens(made, 2, "tok_rgb@224") != tokens(parent, 2, "tok_rgb@224")


def test_a_branch_with_nothing_changed_is_the_same_again(parent: Run) -> None:
    made = branch(parent, "--row", "2")
    assert tokens(made, 2, "tok_rgb@224") == tokens(parent, 2, "tok_rgb@224")


def test_a_sample_that_the_parent_skipped_stays_out_where_its_rows_are_lacking(parent: Run) -> None:
    whole = branch(parent, "--seed", "7", "--num-variations", "3", "--row", "1")
    whole.save(samples=tuple(replace(each, skipped=n == 1) for n, each in enumerate(whole.record.samples)))
    made = branch(whole, "--row", "2")
    assert not any(sample.skipped for sample in made.record.samples)  # nothing is lacking yet
    whole.path_for(1, "tok_clip@224", 1, ".safetensors").unlink()
    made = branch(whole, "--row", "2")
    assert [sample.skipped for sample in made.record.samples] == [False, True, False]
    assert made_rows(made) == [2]
    assert {number for _, number in made.finished()} == {0, 2}
    assert made_rows(branch(whole, "--row", "1")) == [1, 2]


def test_without_a_row_it_begins_at_the_first_that_differs(parent: Run) -> None:
    assert made_rows(branch(parent, "--set", "temps.2=5.0")) == [2]
    assert made_rows(branch(parent, "--set", "temps.1=5.0")) == [1, 2]


def test_an_edited_earlier_row_or_condition_moves_the_branch_up(parent: Run, capsys: Any) -> None:
    assert made_rows(branch(parent, "--row", "2", "--set", "temps.1=5.0")) == [1, 2]
    assert "row 1 instead of 2" in capsys.readouterr().err
    assert made_rows(branch(parent, "--row", "2", "-i", "caption=the sun")) == [1, 2]
    assert "because its conditions, models or seeds differ" in capsys.readouterr().err
    assert made_rows(branch(parent, "--row", "2", "--seed", "8")) == [1, 2]


@pytest.mark.parametrize(
    ("words", "said"),
    [([], "nothing differs"), (["--row", "3"], "has the rows 1 to 2"), (["--row", "0"], "has the rows 1 to 2")],
)
def test_a_branch_that_cannot_be_is_refused(words: list[str], said: str, parent: Run, capsys: Any) -> None:
    assert main(["run", "--from", parent.name, "--out", str(parent.folder.parent), *words]) == 2
    assert said in capsys.readouterr().err
    assert len(list_runs(parent.folder.parent).runs) == 1


def test_a_sweep_shares_the_rows_before_and_leaves_a_sheet(checkpoint: Path, tmp_path: Path, capsys: Any) -> None:
    words = ["-c", checkpoint, "-i", "caption=a red fox", "--set", "decoding_steps=3-2", "--out", tmp_path]
    assert main(["run", str(SETTINGS), *map(str, words), "--sweep", "temps.2=0.5,1.0,oops,4.0"]) == 1
    said = capsys.readouterr().out
    assert "'oops' is no number" in said
    runs = sorted(list_runs(tmp_path).runs, key=lambda run: run.record.created)
    assert [made_rows(run) for run in runs] == [[1, 2], [2], [2]]
    assert len({str(tokens(run, 1, "tok_clip@224")) for run in runs}) == 1
    (sheet,) = tmp_path.glob("sweep_*.png")
    assert Image.open(sheet).width > 4 * 224


@pytest.mark.parametrize("text", ["temps", "temps.2=", "temps.x=1", "nothing.2=1", "temps.2=1,1", "temps.0=1"])
def test_what_is_no_sweep_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="--sweep"):
        parse(text)


def test_a_sweep_of_the_whole_chain_begins_at_its_first_row() -> None:
    assert parse("top_p=0.5, 0.9") == ("top_p", 1, ["0.5", "0.9"])
    assert parse("temps.2=0.5,1") == ("temps.2", 2, ["0.5", "1"])
