"""Sweeps: a run for each value, all of them at once; the sheet in the end, whoever is there to see it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fourm_tui.engine.jobs import JobStatus, QueuedJob
from fourm_tui.errors import InputError
from fourm_tui.pictures.png import read_facts
from fourm_tui.runs import RowRecord, open_run
from fourm_tui.tui.sweeps import Sweep, kept_sweeps
from tests.tui.conftest import demo

TEXT = "temps.2=0.5,1.0,2.0"


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    return Sweep.begin(TEXT, demo(), tmp_path / "runs")


def queue(sweep: Sweep, *stands: JobStatus) -> list[QueuedJob]:
    runs = enumerate(zip(sweep.runs, stands, strict=False))
    return [QueuedJob(f"j{at}", str(run.resolve()), at, status) for at, (run, status) in runs]


def test_each_value_has_a_run_from_the_beginning(sweep: Sweep) -> None:
    texts = ["".join(each.text for each in open_run(run).record.settings) for run in sweep.runs]
    assert ["2.0" in text.partition("temps")[2].partition("\n")[0] for text in texts] == [False, False, True]


def test_all_but_the_first_take_the_rows_before_the_cell_over_from_it(sweep: Sweep) -> None:
    parents = [open_run(run).record.parent for run in sweep.runs]
    first = sweep.runs[0].name
    assert [parent and (parent.run, parent.row) for parent in parents] == [None, (first, 2), (first, 2)]


def test_it_is_not_over_while_a_run_is_open(sweep: Sweep) -> None:
    assert not sweep.is_over(queue(sweep, "done", "failed", "paused"))


def test_it_is_over_when_all_runs_have_ended_however(sweep: Sweep) -> None:
    assert sweep.is_over(queue(sweep, "done", "failed", "cancelled"))


def test_runs_that_are_not_in_the_queue_yet_are_waited_for(sweep: Sweep) -> None:
    assert not sweep.is_over(queue(sweep, "done"))


def test_the_sheet_is_drawn_although_cells_failed(sweep: Sweep) -> None:
    (sheet,) = sweep.sheets().values()
    assert read_facts(sheet)["sweep"] == TEXT


def test_what_is_under_way_is_found_again(sweep: Sweep) -> None:
    (found,) = kept_sweeps(sweep.out)
    assert (found.text, found.runs) == (TEXT, sweep.runs)


def test_runs_that_have_left_the_queue_are_over_for_who_comes_later(sweep: Sweep) -> None:
    (found,) = kept_sweeps(sweep.out)
    assert found.is_over(queue(sweep, "done"))


def test_nothing_is_found_again_once_the_sheet_is_drawn(sweep: Sweep) -> None:
    sweep.sheets()
    assert kept_sweeps(sweep.out) == []


def test_nothing_is_found_again_once_the_runs_are_deleted(sweep: Sweep) -> None:
    for folder in sweep.runs:
        folder.rename(sweep.out.parent / folder.name)
    assert kept_sweeps(sweep.out) == []


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{", '{"sweep": 1}', '{"sweep": "temps.2=1,2", "runs": {"1": "../x"}, "errors": {}}',
        '{"sweep": "temps", "runs": {"1": "x"}, "errors": {}}', '{"sweep": "temps.2=1", "runs": [], "errors": []}',
    ],
)  # fmt: skip
def test_files_that_make_no_sense_are_passed_over(tmp_path: Path, text: str) -> None:
    (tmp_path / "sweep_x.json").write_text(text)
    assert kept_sweeps(tmp_path) == []


def test_a_newer_file_is_left_alone(sweep: Sweep) -> None:
    (file,) = sweep.out.glob("sweep_*.json")
    file.write_text(json.dumps({**json.loads(file.read_text()), "schema": 99}))
    assert (kept_sweeps(sweep.out), file.exists()) == ([], True)


@pytest.mark.parametrize("text", ["temps.2=hot", "temps.2=", "temps.9=1.0,2.0", "nothing", "temps.2=1.0,1.0"])
def test_what_is_no_sweep_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError):
        Sweep.begin(text, demo(), tmp_path)


def test_the_runs_say_the_cell_and_their_value(sweep: Sweep) -> None:
    assert [open_run(run).record.swept for run in sweep.runs] == ["temps.2=0.5", "temps.2=1.0", "temps.2=2.0"]


def test_the_sheet_of_the_swept_row_comes_first_then_those_behind_it(sweep: Sweep) -> None:
    rows = tuple(
        RowRecord(number, target, "roar", 4, 196)
        for number, target in enumerate(("tok_semseg@224", "tok_depth@224", "tok_rgb@224"), 1)
    )
    for run in sweep.runs:
        open_run(run).save(rows=rows)
    assert list(sweep.sheets()) == ["Depth by temps.2", "RGB by temps.2"]
