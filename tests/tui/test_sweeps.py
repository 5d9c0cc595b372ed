"""Sweeps under way: what is next as the runs stand in the queue, and the sheet in the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from fourm_tui.engine.jobs import JobStatus, QueuedJob
from fourm_tui.errors import InputError
from fourm_tui.pictures.png import read_facts
from fourm_tui.runs import open_run
from fourm_tui.tui.sweeps import Sweep
from tests.tui.conftest import demo


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    return Sweep("temps.2=0.5,1.0,2.0", demo(), tmp_path / "runs")


def queue(sweep: Sweep, *stands: JobStatus) -> list[QueuedJob]:
    runs = enumerate(zip(sweep.runs, stands, strict=True))
    return [QueuedJob(f"j{at}", str(run.resolve()), at, status) for at, (run, status) in runs]


def test_nothing_is_next_while_the_first_run_is_under_way(sweep: Sweep) -> None:
    sweep.first()
    assert sweep.next(queue(sweep, "running")) is None


def test_the_others_are_next_when_the_first_has_ended(sweep: Sweep) -> None:
    sweep.first()
    assert sweep.next(queue(sweep, "done")) == "others"


def test_the_others_are_asked_for_once(sweep: Sweep) -> None:
    sweep.first()
    sweep.next(queue(sweep, "done"))
    assert sweep.next(queue(sweep, "done")) is None


def test_a_first_run_that_failed_leaves_the_others_alone(sweep: Sweep) -> None:
    sweep.first()
    assert sweep.next(queue(sweep, "failed")) == "others"


def test_a_first_run_that_was_cancelled_ends_the_sweep(sweep: Sweep) -> None:
    sweep.first()
    assert sweep.next(queue(sweep, "cancelled")) == "sheet"


def test_a_sweep_of_the_first_row_shares_nothing_and_does_not_wait(tmp_path: Path) -> None:
    sweep = Sweep("temps.1=0.5,1.0", demo(), tmp_path / "runs")
    sweep.first()
    assert sweep.next([]) == "others"


def test_the_others_branch_off_the_first_at_the_row_of_the_cell(sweep: Sweep) -> None:
    first = sweep.first()
    parents = [run.record.parent for run in sweep.others()]
    assert [parent and parent.run for parent in parents] == [first.name] * 2


def test_each_run_has_its_value(sweep: Sweep) -> None:
    sweep.first()
    sweep.others()
    texts = ["".join(each.text for each in open_run(run).record.settings) for run in sweep.runs]
    assert ["2.0" in text.partition("temps")[2].partition("\n")[0] for text in texts] == [False, False, True]


def test_what_is_edited_later_does_not_matter(tmp_path: Path) -> None:
    workspace = demo()
    sweep = Sweep("temps.2=0.5,1.0", workspace, tmp_path / "runs")
    workspace.set_option("seed", 77)
    assert sweep.first().record.samples[0].seed == 0


def test_the_sheet_is_next_when_all_have_ended_however(sweep: Sweep) -> None:
    sweep.first()
    sweep.next(queue(sweep, "done"))
    sweep.others()
    assert sweep.next(queue(sweep, "done", "done", "failed")) == "sheet"


def test_the_sheet_waits_for_runs_that_are_not_in_the_queue_yet(sweep: Sweep) -> None:
    sweep.first()
    sweep.next(queue(sweep, "done"))
    jobs = queue(sweep, "done")
    sweep.others()
    assert sweep.next(jobs) is None


def test_the_sheet_is_drawn_although_cells_failed(sweep: Sweep) -> None:
    sweep.first()
    sweep.others()
    assert read_facts(sweep.sheet())["sweep"] == "temps.2=0.5,1.0,2.0"


def test_values_without_a_run_are_counted(sweep: Sweep) -> None:
    sweep.first()
    assert sweep.open == 2


@pytest.mark.parametrize("text", ["temps.2=hot", "temps.2=", "temps.9=1.0,2.0", "nothing", "temps.2=1.0,1.0"])
def test_what_is_no_sweep_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError):
        Sweep(text, demo(), tmp_path)
