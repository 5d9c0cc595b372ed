"""The engine where disks are full, folders gone, versions mixed, devices broken; and what is made of interruptions."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import fourm_tui
from fourm_tui.cli import main
from fourm_tui.engine import places
from fourm_tui.engine.client import Engine, NoEngineError
from fourm_tui.engine.execute import execute
from fourm_tui.engine.jobs import OPEN, read_jobs
from fourm_tui.engine.store import ModelStore
from fourm_tui.errors import FourmError
from fourm_tui.events import EventLog, RowStarted, RunCancelled
from fourm_tui.runs import list_runs, open_run
from tests.engine.processes import (
    ENDLESS,
    QUICK,
    alive,
    done_here,
    end_engine,
    ended,
    pids,
    running,
    started,
    submitted,
    tokens,
    wait,
    words,
)

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


@pytest.mark.slow
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


@pytest.mark.slow
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
