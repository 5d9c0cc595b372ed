"""The engine as a process: started on demand, shared, and steered."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from fourm_tui.cli import main
from fourm_tui.engine.client import Engine
from fourm_tui.engine.jobs import read_jobs
from fourm_tui.engine.places import log_file
from fourm_tui.errors import InputError
from fourm_tui.events import RowStarted, RunCancelled, SampleSkipped, StepDone, read_events
from fourm_tui.runs import Run, list_runs, open_run
from tests.engine.processes import (
    ENDLESS,
    LONG,
    QUICK,
    SLOW,
    alive,
    end_engine,
    ended,
    pids,
    running,
    submitted,
    tokens,
    wait,
    words,
)
from tests.tiny import tiny_checkpoint


def test_a_run_by_the_engine_is_that_of_the_process_itself(
    with_engine: Path, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    more = ["--seed", 3, "--num-variations", 2, *QUICK]
    assert main(words(checkpoint, tmp_path / "a", *more)) == 0
    shown = capsys.readouterr().out
    assert "CLIP features" in shown
    assert "done in" in shown
    monkeypatch.setenv("FOURM_NO_ENGINE", "1")
    assert main(words(checkpoint, tmp_path / "b", *more)) == 0
    (a,), (b,) = list_runs(tmp_path / "a").runs, list_runs(tmp_path / "b").runs
    assert len(tokens(a)) == 4
    assert tokens(a) == tokens(b)


def test_the_command_reaches_no_torch_and_the_second_run_no_loading(
    with_engine: Path, checkpoint: Path, tmp_path: Path
) -> None:
    command = words(checkpoint, tmp_path, "--json", *QUICK)
    code = (
        f"import sys; from fourm_tui.cli import main; print(main({command!r}), 'torch' in sys.modules, file=sys.stderr)"
    )
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stderr.split() == ["0", "False"]
    events = [json.loads(line)["type"] for line in done.stdout.splitlines()]
    assert events[0] == "run_started"  # what is loaded already is not loaded again
    assert events[-1] == "run_done"


def test_two_that_start_at_once_get_one_engine(with_engine: Path) -> None:
    end_engine()
    command = [sys.executable, "-m", "fourm_tui", "engine", "start"]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = {process.communicate(timeout=60)[0] for process in started}
    assert len(said) == 1


def test_what_cannot_be_run_is_said_to_who_asked(with_engine: Path, tmp_path: Path, capsys: Any) -> None:
    checkpoint = tiny_checkpoint(tmp_path / "broken")
    weights = checkpoint / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:2000])
    assert main(words(checkpoint, tmp_path / "runs", *QUICK)) == 2
    assert "model.safetensors" in capsys.readouterr().err
    (run,) = list_runs(tmp_path / "runs").runs
    assert run.record.status == "failed"
    with Engine.find() as engine:
        wait(lambda: engine.ask("status")["workers"][0]["job"] is None)


def test_the_engine_says_what_it_holds_and_what_it_did(
    with_engine: Path, checkpoint: Path, tmp_path: Path, capsys: Any
) -> None:
    run = ended(submitted(checkpoint, tmp_path, *QUICK))
    with Engine.find() as engine:
        (held,) = wait(lambda: engine.ask("status")["workers"][0]["held"])
    assert held["kind"] == "model"
    assert held["bytes"] > 10_000
    capsys.readouterr()
    assert main(["engine", "status"]) == 0
    shown = capsys.readouterr().out
    assert "is free" in shown
    assert "ends after 2 min without work" in shown
    assert main(["engine", "logs"]) == 0
    logs = capsys.readouterr().out
    assert f"runs on cpu: {run.folder}" in logs
    assert str(log_file()) in logs


def test_an_engine_that_nobody_needs_ends(with_engine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    end_engine()
    monkeypatch.setenv("FOURM_ENGINE_IDLE", "0.02")
    Engine.start().close()
    engine, worker = pids()
    wait(lambda: not alive(engine) and not alive(worker))
    assert "ends: nothing to do for 1.2 s" in log_file().read_text()


# -- steering --------------------------------------------------------------------------------------------------------


def test_cancelling_is_answered_at_once_and_what_waits_can_be_steered(
    with_engine: Path, checkpoint: Path, tmp_path: Path, capsys: Any
) -> None:
    first = submitted(checkpoint, tmp_path, *ENDLESS)
    waiting = [submitted(checkpoint, tmp_path, *QUICK, seed=seed) for seed in range(3)]
    with Engine.find() as engine:
        wait(lambda: any(job.status == "running" for job in read_jobs()))
        assert main(["queue", "first", waiting[2].name]) == 0
        order = [Path(job["run"]).name for job in engine.ask("status")["jobs"] if job["status"] == "waiting"]
        assert order[0] == waiting[2].name
        assert main(["queue", "cancel", waiting[0].name]) == 0
        assert open_run(waiting[0].folder).record.status == "cancelled"
        assert engine.ask("cancel", job=first.name)["status"] == "running"
    ended(first, "cancelled")
    ended(waiting[1])
    ended(waiting[2])
    capsys.readouterr()
    assert main(["queue"]) == 0
    assert "cancelled" in capsys.readouterr().out
    assert main(["queue", "retry", waiting[0].name]) == 0
    ended(waiting[0])
    assert main(["queue", "retry", waiting[0].name]) == 1  # there is nothing left to do
    assert main(["queue", "resume", waiting[0].name]) == 2
    assert main(["queue", "cancel", "nothing-like-that"]) == 2


def test_all_but_what_runs_can_be_cancelled(with_engine: Path, checkpoint: Path, tmp_path: Path) -> None:
    first, second, third = (submitted(checkpoint, tmp_path, *ENDLESS, seed=seed) for seed in range(3))
    running(first)
    assert main(["queue", "pause", third.name]) == 0
    assert main(["queue", "cancel", "--others"]) == 0
    assert [open_run(run.folder).record.status for run in (first, second, third)] == [
        "running", "cancelled", "cancelled",
    ]  # fmt: skip
    assert main(["queue", "cancel", first.name]) == 0
    ended(first, "cancelled")


def test_a_run_cancelled_before_there_is_a_worker_never_begins(
    with_engine: Path, checkpoint: Path, tmp_path: Path
) -> None:
    end_engine()
    run = submitted(checkpoint, tmp_path, *ENDLESS)
    assert main(["queue", "cancel", run.name]) == 0
    ended(run, "cancelled")
    assert not any(isinstance(event, RowStarted) for event in read_events(run.events))


def test_the_second_cancel_kills_a_worker_that_does_not_listen(
    with_engine: Path, checkpoint: Path, tmp_path: Path
) -> None:
    run = running(submitted(checkpoint, tmp_path, *ENDLESS))
    _, worker = pids()
    os.kill(worker, signal.SIGSTOP)  # as if it were in a kernel that does not return
    with Engine.find() as engine:
        assert engine.ask("cancel", job=run.name)["status"] == "running"
        assert alive(worker)
        engine.ask("cancel", job=run.name)
        wait(lambda: not alive(worker))
    ended(run, "cancelled")
    assert isinstance(list(read_events(run.events))[-1], RunCancelled)
    ended(submitted(checkpoint, tmp_path, *QUICK))  # by a new one


def test_a_paused_run_stands_still_and_goes_on(with_engine: Path, checkpoint: Path, tmp_path: Path) -> None:
    run = running(submitted(checkpoint, tmp_path, *LONG))
    assert main(["queue", "pause", run.name]) == 0

    def stands_still() -> bool:
        size = run.events.stat().st_size
        time.sleep(1)
        return run.events.stat().st_size == size

    wait(stands_still)
    assert open_run(run.folder).record.status == "running"
    (job,) = [job for job in read_jobs() if job.run == str(run.folder)]
    assert job.status == "paused"
    assert main(["queue", "resume", run.name]) == 0
    ended(run)


def test_a_skipped_sample_is_left_out_and_stays_out(
    with_engine: Path, checkpoint: Path, tmp_path: Path, capsys: Any
) -> None:
    whole = tokens(ended(submitted(checkpoint, tmp_path / "a", *SLOW, "--num-variations", 3)))
    run = submitted(checkpoint, tmp_path / "b", *SLOW, "--num-variations", 3)
    assert main(["queue", "skip", run.name]) == 2
    assert "samples 0 to 2" in capsys.readouterr().err
    wait(lambda: run.events.exists() and any(isinstance(event, StepDone) for event in read_events(run.events)))
    assert main(["queue", "skip", run.name, "1"]) == 0
    assert "goes on without 1" in capsys.readouterr().out
    run = ended(run)
    expected = {name: ids for name, ids in whole.items() if "samples/001" not in name}
    assert {name: ids for name, ids in tokens(run).items() if "samples/001" not in name} == expected
    assert not list(run.folder.glob("samples/001/02*"))
    assert [sample.skipped for sample in run.record.samples] == [False, True, False]
    events = list(read_events(run.events))
    (skipped,) = [place for place, event in enumerate(events) if isinstance(event, SampleSkipped)]
    assert all(1 not in event.samples for event in events[skipped:] if isinstance(event, StepDone))
    # A run that goes on does not make it again.
    run.path_for(2, "tok_rgb@224", 0, ".safetensors").unlink()
    run.save(status="interrupted")
    assert main(["queue", "retry", run.name]) == 0
    run = ended(run)
    assert {name: ids for name, ids in tokens(run).items() if "samples/001" not in name} == expected
    assert not list(run.folder.glob("samples/001/02*"))


def test_a_run_without_any_sample_left_is_cancelled(with_engine: Path, checkpoint: Path, tmp_path: Path) -> None:
    alone = submitted(checkpoint, tmp_path, *QUICK)
    assert main(["queue", "pause", alone.name]) == 0
    assert main(["queue", "skip", alone.name]) == 0
    ended(alone, "cancelled")
    several = submitted(checkpoint, tmp_path, *ENDLESS, seed=1)
    for sample in range(64):
        assert main(["queue", "skip", several.name, str(sample)]) == 0
    ended(several, "cancelled")


def test_attach_tells_a_run_from_its_beginning(
    with_engine: Path, checkpoint: Path, tmp_path: Path, capsys: Any
) -> None:
    run = submitted(checkpoint, tmp_path, *SLOW)
    capsys.readouterr()
    assert main(["attach", run.name, "--runs", str(tmp_path), "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["seq"] for event in events] == list(range(len(events)))
    assert events[-1]["type"] == "run_done"
    assert main(["attach", str(run.folder)]) == 0  # also when it is over
    assert "done in" in capsys.readouterr().out


def tokens_alone(out: Path) -> Run:
    """A run of the bundled model that has ended, without any picture."""
    command = ["run", "demo/T2SDR", "-i", "caption=a red ball", "--out", out, "--decode", "none", "--detach"]
    assert main([str(word) for word in command]) == 0
    (run,) = list_runs(out).runs
    with Engine.find() as engine:
        wait(lambda: engine.ask("job", job=run.name)["status"] == "done")
    return open_run(run.folder)


def test_pictures_are_made_when_they_are_asked_for_and_the_run_stays_done(with_engine: Path, tmp_path: Path) -> None:
    run = tokens_alone(tmp_path)
    picture, other = (run.folder / "samples" / "000" / name for name in ("03_tok_rgb@224.png", "02_tok_depth@224.png"))
    with Engine.find() as engine:
        for decode in ("1", [True], [1.5]):
            with pytest.raises(InputError, match="list of whole numbers"):
                engine.ask("submit", run=str(run.folder), decode=decode)
        job = engine.ask("submit", run=str(run.folder), decode=[3])
        wait(lambda: engine.ask("job", job=job["id"])["status"] == "done")
        assert picture.is_file() and not other.exists()
        mine = [job for job in engine.ask("status")["jobs"] if job["run"] == str(run.folder)]
        assert [job["decode"] for job in mine] == [[3]]  # a run has one line
        assert open_run(run.folder).record.status == "done"
        assert main(["queue", "retry", run.name]) == 1  # neither the run nor its pictures are left to do
        # What fails about the pictures is said of them, not of the run.
        tokens_of_depth = other.with_suffix(".safetensors")
        tokens_of_depth.write_bytes(b"no tokens")
        job = engine.ask("submit", run=str(run.folder), decode=[2])
        failed = wait(lambda: (found := engine.ask("job", job=job["id"]))["status"] == "failed" and found)
        assert tokens_of_depth.name in failed["error"]
        assert main(["queue", "retry", run.name]) == 0  # its pictures
        retried = engine.ask("job", job=run.name)
        assert retried["decode"] == [2]
        wait(lambda: engine.ask("job", job=run.name)["status"] == "failed")
    assert open_run(run.folder).record.status == "done"


def test_a_worker_that_dies_at_pictures_leaves_the_run_done(with_engine: Path, tmp_path: Path) -> None:
    run = tokens_alone(tmp_path)
    written = run.events.read_bytes()
    _, worker = pids()
    os.kill(worker, signal.SIGSTOP)  # so that it is at it, and does not get on
    with Engine.find() as engine:
        job = engine.ask("submit", run=str(run.folder), decode=[1, 3])
        wait(lambda: engine.ask("job", job=job["id"])["status"] == "running")
        with pytest.raises(InputError, match="none can be left out"):
            engine.ask("skip", job=job["id"], sample=0)
        engine.ask("cancel", job=job["id"])
        os.kill(worker, signal.SIGKILL)
        wait(lambda: engine.ask("job", job=job["id"])["status"] == "cancelled")
        assert open_run(run.folder).record.status == "done"
        assert run.events.read_bytes() == written
        job = engine.ask("submit", run=str(run.folder), decode=[1, 3])
        wait(lambda: engine.ask("job", job=job["id"])["status"] == "done")
    assert len(list(run.folder.glob("samples/000/0[13]_*@224.png"))) == 2
