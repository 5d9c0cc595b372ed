"""The engine at the worst moments: processes killed, terminals hung up, disks full, folders gone."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import random
import shutil
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import fourm_tui
from fourm_tui.cli import main
from fourm_tui.engine import places, protocol
from fourm_tui.engine.client import Engine, NoEngineError
from fourm_tui.engine.execute import execute
from fourm_tui.engine.jobs import OPEN, read_jobs
from fourm_tui.engine.requests import answer
from fourm_tui.engine.store import ModelStore
from fourm_tui.engine.supervisor import Supervisor
from fourm_tui.engine.workers import Worker
from fourm_tui.errors import FourmError
from fourm_tui.events import EventLog, RowStarted, RunCancelled, RunDone, RunFailed, read_events
from fourm_tui.runs import Run, list_runs, open_run
from tests.engine.processes import (
    ENDLESS,
    LONG,
    QUICK,
    SLOW,
    alive,
    anonymous_memory,
    end_engine,
    ended,
    of_home,
    pids,
    running,
    started,
    submitted,
    tokens,
    wait,
    words,
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


# -- viewers ---------------------------------------------------------------------------------------------------------


def test_a_viewer_that_dies_leaves_the_run_alone(with_engine: Path, checkpoint: Path, tmp_path: Path) -> None:
    viewer = started(checkpoint, tmp_path, *SLOW, stdout=subprocess.DEVNULL)
    (run,) = wait(lambda: list_runs(tmp_path).runs)
    running(run)
    os.kill(viewer.pid, signal.SIGKILL)
    viewer.wait()
    ended(run)


def test_ctrl_c_cancels_the_run_and_the_second_ends_it_at_once(
    with_engine: Path, checkpoint: Path, tmp_path: Path
) -> None:
    for number, presses in enumerate((1, 2)):
        out = tmp_path / str(number)
        viewer = started(checkpoint, out, *ENDLESS, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        (run,) = wait(lambda out=out: list_runs(out).runs)
        running(run)
        _, worker = pids()
        if presses == 2:
            os.kill(worker, signal.SIGSTOP)  # it would not hear the first
        for _ in range(presses):
            viewer.send_signal(signal.SIGINT)
            time.sleep(0.2)
        _, error = viewer.communicate(timeout=60)
        assert viewer.returncode == 130
        assert error == "stopping at the next step; again to end at once\n"
        ended(run, "cancelled")
        assert alive(worker) == (presses == 1)


def test_a_viewer_told_to_end_leaves_the_run_alone(with_engine: Path, checkpoint: Path, tmp_path: Path) -> None:
    viewer = started(checkpoint, tmp_path, *ENDLESS, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    (run,) = wait(lambda: list_runs(tmp_path).runs)
    running(run)
    viewer.terminate()
    _, error = viewer.communicate(timeout=60)
    assert viewer.returncode == 130
    assert error == f"left; the run goes on (`fourm-tui attach {run.name}`)\n"
    assert open_run(run.folder).record.status == "running"
    assert main(["queue", "cancel", run.name]) == 0
    ended(run, "cancelled")


def test_a_terminal_that_hangs_up_leaves_the_run_alone(with_engine: Path, checkpoint: Path, tmp_path: Path) -> None:
    mine, theirs = pty.openpty()
    viewer = started(
        checkpoint, tmp_path, *SLOW, stdin=theirs, stdout=theirs, stderr=theirs,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(theirs)
    (run,) = wait(lambda: list_runs(tmp_path).runs)
    running(run)
    os.close(mine)
    viewer.wait(30)
    ended(run)


@pytest.mark.parametrize("viewers", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_viewers_that_come_and_go_see_the_same(
    viewers: int, with_engine: Path, checkpoint: Path, tmp_path: Path
) -> None:
    run = submitted(checkpoint, tmp_path, "--set", "decoding_steps=196-196")
    command = [sys.executable, "-m", "fourm_tui", "attach", str(run.folder), "--json"]
    draw = random.Random(0)
    found: list[subprocess.Popen[str]] = []
    for number in range(viewers):
        found.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        if number % 2:
            time.sleep(draw.random() * 0.3)
            found[number].kill()
    expected = [event.to_json() for event in read_events(ended(run).events)]
    for number, viewer in enumerate(found):
        said, _ = viewer.communicate(timeout=120)
        lines = said.splitlines()
        if number % 2:
            lines = lines[:-1]  # it may have been killed in the middle of the last
        else:
            assert viewer.returncode == 0
        assert [json.loads(each) for each in lines] == expected[: len(lines)]
        assert number % 2 or len(lines) == len(expected)


# -- disks and folders -----------------------------------------------------------------------------------------------


def test_a_run_whose_folder_is_gone_fails_alone(with_engine: Path, checkpoint: Path, tmp_path: Path) -> None:
    viewer = started(checkpoint, tmp_path, *ENDLESS, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    (run,) = wait(lambda: list_runs(tmp_path).runs)
    running(run)
    run.folder.rename(tmp_path / "elsewhere")
    _, error = viewer.communicate(timeout=60)
    assert viewer.returncode == 1
    assert error == f"fourm-tui: {run.folder}: the folder of this run is gone, so it cannot go on\n"
    assert not run.folder.exists()
    ended(submitted(checkpoint, tmp_path, *QUICK))


@pytest.fixture
def small_disk(tmp_path: Path) -> Any:
    """A folder on a disk of its own, of 200 KB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = os.getuid() == 0 and shutil.which("mount") and sys.platform == "linux"
    command = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    if not mounted or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_said_in_one_message(with_engine: Path, checkpoint: Path, small_disk: Path, capsys: Any) -> None:
    assert main(words(checkpoint, small_disk, *ENDLESS)) == 1
    said = capsys.readouterr().err
    assert "No space left on device" in said
    assert said.count("\n") == 1
    (run,) = list_runs(small_disk).runs
    assert run.record.status in ("failed", "interrupted")
    (job,) = [job for job in read_jobs() if job.run == str(run.folder)]
    assert job.status == "failed"
    assert "No space left on device" in str(job.error)


def test_a_run_whose_folder_of_sockets_is_removed_goes_on(with_engine: Path, checkpoint: Path, tmp_path: Path) -> None:
    """Some systems remove `$XDG_RUNTIME_DIR` when the user logs out, which is to end no run."""
    run = running(submitted(checkpoint, tmp_path, *ENDLESS))
    before = pids()
    shutil.rmtree(places.socket_dir())
    with wait(lambda: found()):
        assert pids() == before
    assert open_run(run.folder).record.status == "running"
    assert main(["queue", "cancel", run.name]) == 0
    ended(run, "cancelled")


def found() -> Engine | None:
    try:
        return Engine.find()
    except NoEngineError:
        return None


def test_an_engine_without_work_whose_socket_is_gone_ends(with_engine: Path) -> None:
    Engine.start().close()
    before = pids()
    places.socket_path().unlink()
    wait(lambda: not any(map(alive, before)))
    with Engine.start() as engine:  # and another takes its place
        assert engine.ask("status")["pid"] not in before


@pytest.fixture
def copy(with_engine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The program in another folder, from which engines are started."""
    end_engine()
    program = tmp_path / "site" / "fourm_tui"
    ignore = shutil.ignore_patterns("__pycache__", "weights")
    shutil.copytree(Path(fourm_tui.__file__).parent, program, ignore=ignore)
    monkeypatch.setenv("PYTHONPATH", str(program.parent))
    yield program
    end_engine()


def test_no_engine_outlives_the_folder_it_was_started_from(copy: Path, checkpoint: Path, tmp_path: Path) -> None:
    run = running(submitted(checkpoint, tmp_path / "runs", *ENDLESS))
    before = pids()
    assert f"PYTHONPATH={copy.parent}".encode() in Path(f"/proc/{before[0]}/environ").read_bytes()
    shutil.rmtree(copy.parent)
    wait(lambda: not any(map(alive, before)))
    assert open_run(run.folder).record.status in ("cancelled", "interrupted")


def test_an_engine_of_another_version_is_replaced_unless_it_is_at_work(
    copy: Path, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (copy / "__init__.py").write_text('__version__ = "0.0.1"\n')
    with monkeypatch.context() as earlier:
        earlier.setattr("fourm_tui.engine.client.__version__", "0.0.1")
        run = running(submitted(checkpoint, tmp_path / "runs", *ENDLESS))
    monkeypatch.delenv("PYTHONPATH")
    before = pids()
    with pytest.raises(FourmError, match=r"an engine of version 0\.0\.1 is at work"):
        Engine.start()
    assert main(["queue", "cancel", run.name]) == 0
    ended(run, "cancelled")
    wait(lambda: all(job.status not in OPEN for job in read_jobs()))
    with Engine.start() as engine:
        assert engine.version == fourm_tui.__version__
    assert not any(map(alive, before))


def test_after_an_error_of_the_device_a_new_worker_takes_over(
    copy: Path, checkpoint: Path, tmp_path: Path, capsys: Any
) -> None:
    """An error of CUDA spoils its process; here the copy has one in its first run."""
    trouble = tmp_path / "trouble"
    trouble.touch()
    code = f"\nif __import__('os').path.exists({str(trouble)!r}):\n"
    code += "    def load_models(*_):\n        raise RuntimeError('CUDA error: device-side assert triggered')\n"
    with (copy / "engine" / "execute.py").open("a") as file:
        file.write(code)
    assert main(words(checkpoint, tmp_path / "a", *QUICK)) == 1
    assert "CUDA error: device-side assert triggered" in capsys.readouterr().err
    trouble.unlink()
    (failed,) = list_runs(tmp_path / "a").runs
    assert failed.record.status == "failed"
    assert main(["queue", "retry", failed.name]) == 0
    ended(failed)


def test_a_stale_socket_is_replaced(with_engine: Path) -> None:
    end_engine()
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(places.socket_path()))
    stale.close()
    with Engine.start() as engine:
        assert engine.ask("status")["jobs"] is not None


# -- going on --------------------------------------------------------------------------------------------------------


def done_here(checkpoint: Path, out: Path) -> Run:
    """A run without an engine."""
    assert main(words(checkpoint, out, *QUICK, "--no-engine")) == 0
    (run,) = list_runs(out).runs
    return run


def test_a_run_stopped_after_its_first_target_goes_on_with_the_second(checkpoint: Path, tmp_path: Path) -> None:
    run = done_here(checkpoint, tmp_path)
    before = tokens(run)
    run.path_for(2, "tok_rgb@224", 0, ".safetensors").unlink()
    leftover = run.folder / "samples" / "000" / ".02_tok_rgb@224.safetensors.0123.part"
    leftover.write_bytes(b"half")
    run.save(status="interrupted")
    events = list(execute(open_run(run.folder), ModelStore()))
    assert [event.row for event in events if isinstance(event, RowStarted)] == [2]
    assert tokens(run) == before
    assert open_run(run.folder).record.status == "done"
    assert not leftover.exists()


def test_loading_can_be_stopped(checkpoint: Path, tmp_path: Path) -> None:
    run = done_here(checkpoint, tmp_path)
    for row in (1, 2):
        run.clear(row)
    told: list[float] = []
    events = list(
        execute(run, ModelStore(), stop=lambda: bool(told), loading=lambda what, fraction: told.append(fraction))
    )
    assert [type(event) for event in events] == [RunCancelled]
    assert told[-1] < 1
    assert open_run(run.folder).record.status == "cancelled"


def test_what_cannot_be_written_is_raised_in_one_sentence(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = done_here(checkpoint, tmp_path)

    def full(*_: Any) -> None:
        raise FourmError("the disk is full")

    monkeypatch.setattr(EventLog, "append", full)
    with pytest.raises(FourmError, match="the disk is full"):
        list(execute(open_run(run.folder), ModelStore()))


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
