"""The queue on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fourm_tui.engine import jobs
from fourm_tui.engine.jobs import Queue
from fourm_tui.errors import FourmError, InputError


def test_the_queue_outlives_its_process(tmp_path: Path) -> None:
    queue = Queue(tmp_path)
    made = [queue.add(Path(f"/runs/{name}")) for name in "abc"]
    assert queue.add(Path("/runs/a")).id == made[0].id  # once is enough
    queue.move(made[2], -10)
    queue.change(made[0], status="failed", error="no", skip=(2,))
    (tmp_path / "junk.json").write_text("{")
    again = Queue(tmp_path)
    assert [Path(job.run).name for job in again.jobs] == ["c", "a", "b"]
    assert again.find("a").error == "no"
    assert again.find(made[1].id).run == "/runs/b"
    with pytest.raises(InputError, match="no such job"):
        again.find("z")
    retried = again.add(Path("/runs/a"))  # one that has ended may be put in again
    assert (retried.status, retried.skip) == ("waiting", (2,))
    assert len(again.jobs) == 3


def test_old_jobs_are_forgotten(tmp_path: Path) -> None:
    queue = Queue(tmp_path)
    for number in range(70):
        queue.change(queue.add(Path(f"/runs/{number}")), status="done")
    assert len(queue.jobs) == 50
    assert len(list(tmp_path.glob("*.json"))) == 50


def test_a_full_disk_takes_no_new_jobs_and_lets_the_others_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Queue(tmp_path)
    job = queue.add(Path("/runs/a"))

    def full(*_: Any) -> None:
        raise FourmError("the disk is full")

    monkeypatch.setattr(jobs, "replace_file", full)
    assert queue.change(job, status="done").status == "done"
    assert queue.find("a").status == "done"
    with pytest.raises(FourmError, match="full"):
        queue.add(Path("/runs/b"))
    assert [Path(job.run).name for job in queue.jobs] == ["a"]


def test_pictures_of_a_run_that_has_ended_are_asked_for_once(tmp_path: Path) -> None:
    queue, run = Queue(tmp_path), Path("/runs/a")
    itself = queue.add(run)
    with pytest.raises(InputError, match="a: is waiting; wait until that is over"):
        queue.add(run, decode=(1,))
    queue.change(itself, status="done")
    pictures = queue.add(run, decode=(2,))
    assert [job.id for job in queue.jobs] == [pictures.id]  # a run has one line
    assert queue.add(run, decode=(2,)) == pictures
    both = queue.add(run, decode=(1,))
    assert (both.id, both.decode) == (pictures.id, (1, 2))
    assert Queue(tmp_path).find("a").decode == (1, 2)
    running = queue.change(both, status="running")
    assert queue.add(run, decode=(1,)) == running
    for other in ((3,), ()):
        with pytest.raises(InputError, match="a: its pictures are being made; wait"):
            queue.add(run, decode=other)
