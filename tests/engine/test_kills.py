"""The engine's processes killed at the worst moments, and kept for long."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from fourm_tui.cli import main
from fourm_tui.engine import protocol
from fourm_tui.engine.client import Engine
from fourm_tui.engine.jobs import OPEN, read_jobs
from fourm_tui.engine.requests import answer
from fourm_tui.engine.supervisor import Supervisor
from fourm_tui.engine.workers import Worker
from fourm_tui.events import RunDone, RunFailed, read_events
from fourm_tui.runs import Run, list_runs, open_run
from tests.engine.processes import (
    ENDLESS,
    LONG,
    QUICK,
    alive,
    anonymous_memory,
    done_here,
    end_engine,
    ended,
    of_home,
    pids,
    running,
    started,
    submitted,
    tokens,
    wait,
)

# -- kills -----------------------------------------------------------------------------------------------------------


def undisturbed(checkpoint: Path, out: Path) -> dict[str, list[int]]:
    return tokens(ended(submitted(checkpoint, out, *LONG)))


def killed_and_resumed(checkpoint: Path, out: Path, who: str, after: float) -> Run:
    """A run whose worker or supervisor was killed so many seconds after it was submitted, and which then went on."""
    run = submitted(checkpoint, out, *LONG)
    time.sleep(after)
    supervisor, worker = pids()
    os.kill(worker if who == "worker" else supervisor, signal.SIGKILL)
    wait(lambda: not alive(worker))  # also without a supervisor
    found = ended(run, "done", "failed") if who == "worker" else open_run(run.folder)
    tokens(found)  # what is there is whole
    if found.record.status != "done":
        assert main(["queue", "retry", run.name]) == 0
    found = ended(run)
    assert not list(run.folder.rglob("*.part"))
    assert sum(isinstance(event, RunDone) for event in read_events(run.events)) == 1
    return found


@pytest.mark.parametrize("who", ["worker", "supervisor"])
def test_a_run_goes_on_after_a_kill_as_if_nothing_had_been(
    who: str, with_engine: Path, checkpoint: Path, tmp_path: Path
) -> None:
    expected = undisturbed(checkpoint, tmp_path / "whole")
    assert tokens(killed_and_resumed(checkpoint, tmp_path / "killed", who, 0.3)) == expected


@pytest.mark.slow
def test_a_hundred_kills_at_random_moments(with_engine: Path, checkpoint: Path, tmp_path: Path) -> None:
    expected = undisturbed(checkpoint, tmp_path / "whole")
    draw = random.Random(0)
    for number in range(100):
        who = draw.choice(["worker", "supervisor"])
        found = killed_and_resumed(checkpoint, tmp_path / str(number), who, draw.random() * 2.5)
        assert tokens(found) == expected, number
    Engine.start().close()
    supervisor, worker = pids()
    assert of_home(with_engine) == {supervisor, worker}  # none of the others is left
    end_engine()
    wait(lambda: not of_home(with_engine))


def test_a_viewer_is_told_at_once_that_the_worker_was_killed(
    with_engine: Path, checkpoint: Path, tmp_path: Path
) -> None:
    viewer = started(checkpoint, tmp_path, *ENDLESS, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    (run,) = wait(lambda: list_runs(tmp_path).runs)
    running(run)
    os.kill(pids()[1], signal.SIGKILL)
    _, error = viewer.communicate(timeout=60)
    assert viewer.returncode == 1
    assert "the process that ran it was killed by signal 9" in error
    assert open_run(run.folder).record.status == "failed"
    assert isinstance(list(read_events(run.events))[-1], RunFailed)


def test_a_viewer_is_told_at_once_that_the_engine_was_killed(
    with_engine: Path, checkpoint: Path, tmp_path: Path
) -> None:
    viewer = started(checkpoint, tmp_path, *ENDLESS, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    (run,) = wait(lambda: list_runs(tmp_path).runs)
    running(run)
    supervisor, worker = pids()
    os.kill(supervisor, signal.SIGKILL)
    _, error = viewer.communicate(timeout=60)
    assert viewer.returncode == 1
    assert f"`fourm-tui queue retry {run.name}` goes on with it" in error
    wait(lambda: not alive(worker))
    with Engine.start():
        (job,) = [job for job in read_jobs() if job.run == str(run.folder)]
    assert (job.status, job.error) == ("interrupted", "the engine ended while this ran")


@pytest.mark.parametrize("state", ["died", "failed"])
def test_a_retry_before_the_supervisor_knows_of_the_end_is_not_lost(
    state: str, home: Path, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run has ended, its viewer has seen that and asks for it again, and only then the worker's end is noticed."""
    run = done_here(checkpoint, tmp_path).folder.resolve()
    said: list[dict[str, Any]] = []

    async def start(worker: Worker) -> None:
        pass

    monkeypatch.setattr(Worker, "start", start)
    monkeypatch.setattr(Worker, "say", lambda worker, **message: said.append(message))

    async def story() -> None:
        engine = Supervisor()
        request = protocol.line({"id": 1, "do": "submit", "run": str(run)})
        job = answer(engine, request, None)["ok"]  # type: ignore[arg-type]
        await asyncio.sleep(0)
        (worker,) = engine.workers.values()
        engine._told(worker, {"job": job["id"], "state": "started"})
        again = answer(engine, request, None)["ok"]  # type: ignore[arg-type]
        assert again["status"] == "running"
        engine._told(worker, {"ended": -9} if state == "died" else {"job": job["id"], "state": "failed"})
        await asyncio.sleep(0)
        assert engine.queue.find(job["id"]).status == "running"
        engine._told(worker, {"job": job["id"], "state": "failed", "error": "now it is meant"})
        assert engine.queue.find(job["id"]).status == "failed"

    asyncio.run(story())
    assert [message["do"] for message in said] == ["run", "run"]


# -- memory ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_two_hundred_runs_take_no_more_memory_than_ten(with_engine: Path, checkpoint: Path, tmp_path: Path) -> None:
    used = {}
    for number in range(1, 201):
        ended(submitted(checkpoint, tmp_path, *QUICK, seed=number))
        if number in (10, 200):
            used[number] = sum(map(anonymous_memory, pids()))
    assert used[200] <= 1.02 * used[10], used
    assert not any(job.status in OPEN for job in read_jobs())
