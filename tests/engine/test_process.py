"""The engine as a process: started on demand, shared, killed at the worst moments, and asked nonsense."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import random
import signal
import socket
import stat
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fourm_tui.cli import main
from fourm_tui.engine import protocol
from fourm_tui.engine.client import Engine, NoEngineError
from fourm_tui.engine.jobs import OPEN, Queue, read_jobs
from fourm_tui.errors import FourmError, InputError
from fourm_tui.paths import schedules_dir
from fourm_tui.runs import Run, list_runs, open_run, read_tokens
from tests.tiny import tiny_checkpoint

SETTINGS = schedules_dir() / "settings_base" / "T2CR_roar49-25_cfg3_t6-0.5.yaml"
SLOW = ["--set", "decoding_steps=60-60"]
QUICK = ["--set", "decoding_steps=4-3"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folders of a user who has an engine, which is ended afterwards."""
    folder = tmp_path_factory.mktemp("home")
    names = ("XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CACHE_HOME")
    before = {name: os.environ.get(name) for name in names}
    for name in names:
        (folder / name).mkdir()
        os.environ[name] = str(folder / name)
    os.environ["FOURM_ENGINE_IDLE"] = "2"
    # Several threads that wait for each other stand still where other tests have the cores.
    threads = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    yield folder
    end_engine()
    for name, value in before.items():
        os.environ.pop(name)
        if value is not None:
            os.environ[name] = value
    os.environ.pop("FOURM_ENGINE_IDLE")
    os.environ.pop("OMP_NUM_THREADS")
    if threads is not None:
        os.environ["OMP_NUM_THREADS"] = threads


@pytest.fixture
def with_engine(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.delenv("FOURM_NO_ENGINE", raising=False)
    yield home
    if any(job.status in OPEN for job in read_jobs()):  # a test that failed leaves nothing behind for the next
        end_engine()
        for file in (home / "XDG_STATE_HOME").rglob("queue/*.json"):
            file.unlink()


def end_engine() -> None:
    try:
        with Engine.find() as engine:
            pid = engine.ask("status")["pid"]
            engine.ask("stop")
    except NoEngineError:
        return
    wait(lambda: not alive(pid))


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait(until: Callable[[], Any], seconds: float = 150) -> Any:
    limit = time.monotonic() + seconds
    while not (found := until()):
        assert time.monotonic() < limit, "it did not happen"
        time.sleep(0.01)
    return found


def submitted(checkpoint: Path, out: Path, *words: str, seed: int = 0) -> Run:
    """A run given to the engine, not waited for."""
    before = {run.folder for run in list_runs(out).runs}
    command = ["run", str(SETTINGS), "-c", str(checkpoint), "-i", "caption=a red fox", "--out", str(out)]
    assert main([*command, "--seed", str(seed), "--detach", *words]) == 0
    (run,) = [run for run in list_runs(out).runs if run.folder not in before]
    return run


def ended(run: Run, *how: str) -> Run:
    return wait(lambda: (found := open_run(run.folder)).record.status in (how or ("done",)) and found)


def tokens(run: Run) -> dict[str, list[int]]:
    found = sorted(run.folder.glob("samples/*/*.safetensors"))
    return {str(file.relative_to(run.folder)): read_tokens(file).tokens.tolist() for file in found}


def worker() -> int:
    with Engine.find() as engine:
        return wait(lambda: engine.ask("status")["workers"][0]["pid"])


# -- runs ------------------------------------------------------------------------------------------------------------


def test_a_run_by_the_engine_is_that_of_the_process_itself(
    with_engine: Path, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    command = ["run", SETTINGS, "-c", checkpoint, "-i", "caption=a red fox", "--seed", 3, "--num-variations", 2, *QUICK]
    assert main([*map(str, command), "--out", str(tmp_path / "a")]) == 0
    shown = capsys.readouterr().out
    assert "CLIP features" in shown
    assert "done in" in shown
    monkeypatch.setenv("FOURM_NO_ENGINE", "1")
    assert main([*map(str, command), "--out", str(tmp_path / "b")]) == 0
    (a,), (b,) = list_runs(tmp_path / "a").runs, list_runs(tmp_path / "b").runs
    assert len(tokens(a)) == 4
    assert tokens(a) == tokens(b)


def test_the_command_reaches_no_torch_and_the_second_run_no_loading(
    with_engine: Path, checkpoint: Path, tmp_path: Path
) -> None:
    words = ["run", str(SETTINGS), "-c", str(checkpoint), "-i", "caption=x", "--json", "--out", str(tmp_path), *QUICK]
    code = (
        f"import sys; from fourm_tui.cli import main; print(main({words!r}), 'torch' in sys.modules, file=sys.stderr)"
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
    command = ["run", str(SETTINGS), "-c", str(checkpoint), "-i", "caption=x", "--out", str(tmp_path / "runs"), *QUICK]
    assert main(command) == 2
    assert "model.safetensors" in capsys.readouterr().err
    (run,) = list_runs(tmp_path / "runs").runs
    assert run.record.status == "failed"
    with Engine.find() as engine:
        wait(lambda: engine.ask("status")["workers"][0]["job"] is None)


# -- steering --------------------------------------------------------------------------------------------------------


def test_cancelling_is_answered_at_once_and_what_waits_can_be_steered(
    with_engine: Path, checkpoint: Path, tmp_path: Path, capsys: Any
) -> None:
    running = submitted(checkpoint, tmp_path, *SLOW)
    waiting = [submitted(checkpoint, tmp_path, *QUICK, seed=seed) for seed in range(3)]
    with Engine.find() as engine:
        wait(lambda: any(job.status == "running" for job in read_jobs()))
        assert main(["queue", "first", waiting[2].name]) == 0
        order = [Path(job["run"]).name for job in engine.ask("status")["jobs"] if job["status"] == "waiting"]
        assert order[0] == waiting[2].name
        assert main(["queue", "cancel", waiting[0].name]) == 0
        assert open_run(waiting[0].folder).record.status == "cancelled"
        assert engine.ask("cancel", job=running.name)["status"] == "running"
    ended(running, "cancelled")
    ended(waiting[1])
    ended(waiting[2])
    capsys.readouterr()
    assert main(["queue"]) == 0
    assert "cancelled" in capsys.readouterr().out
    assert main(["queue", "retry", running.name]) == 0
    ended(running)
    assert main(["queue", "retry", running.name]) == 1  # there is nothing left to do
    assert main(["queue", "cancel", "nothing-like-that"]) == 2


def test_a_paused_run_stands_still_and_goes_on(with_engine: Path, checkpoint: Path, tmp_path: Path) -> None:
    run = submitted(checkpoint, tmp_path, "--set", "decoding_steps=196-196", "--num-variations", "4")
    wait(lambda: open_run(run.folder).record.status == "running")
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


# -- faults ----------------------------------------------------------------------------------------------------------


def undisturbed(checkpoint: Path, out: Path) -> dict[str, list[int]]:
    return tokens(ended(submitted(checkpoint, out, *SLOW)))


def killed_and_resumed(checkpoint: Path, out: Path, who: str, after: float) -> dict[str, list[int]]:
    """The tokens of a run whose worker or supervisor was killed some part of its way, and which then went on."""
    run = submitted(checkpoint, out, *SLOW)
    wait(lambda: open_run(run.folder).record.status != "pending")
    time.sleep(after)
    with Engine.find() as engine:
        status = engine.ask("status")
    pids = [status["workers"][0]["pid"], status["pid"]]
    os.kill(pids[0] if who == "worker" else pids[1], signal.SIGKILL)
    if who == "supervisor":
        wait(lambda: not any(map(alive, pids)))  # the worker goes with it
    else:  # it is over for the run before it is for the queue
        wait(lambda: all(job.status not in OPEN for job in read_jobs()))
    found = ended(run, "done", "failed", "interrupted")
    assert not list(run.folder.rglob("*.part"))
    if found.record.status != "done":
        assert main(["queue", "retry", run.name]) == 0
    return tokens(ended(run))


@pytest.mark.slow
@pytest.mark.parametrize("who", ["worker", "supervisor"])
def test_a_run_goes_on_after_a_kill_as_if_nothing_had_been(
    who: str, with_engine: Path, checkpoint: Path, tmp_path: Path
) -> None:
    expected = undisturbed(checkpoint, tmp_path / "whole")
    for number, after in enumerate((0.05, 0.8)):
        assert killed_and_resumed(checkpoint, tmp_path / str(number), who, after) == expected


@pytest.mark.slow
def test_a_hundred_kills_at_random_moments(with_engine: Path, checkpoint: Path, tmp_path: Path) -> None:
    expected = undisturbed(checkpoint, tmp_path / "whole")
    draw = random.Random(0)
    for number in range(100):
        who = draw.choice(["worker", "supervisor"])
        found = killed_and_resumed(checkpoint, tmp_path / str(number), who, draw.random() * 2)
        assert found == expected, number


def test_a_viewer_that_dies_leaves_the_run_alone(with_engine: Path, checkpoint: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "fourm_tui",
        "run",
        SETTINGS,
        "-c",
        checkpoint,
        "-i",
        "caption=x",
        "--out",
        tmp_path,
    ]
    viewer = subprocess.Popen([*map(str, command), *SLOW], stdout=subprocess.DEVNULL, start_new_session=True)
    (run,) = wait(lambda: list_runs(tmp_path).runs)
    wait(lambda: open_run(run.folder).record.status == "running")
    os.kill(viewer.pid, signal.SIGKILL)
    viewer.wait()
    ended(run)


def test_a_terminal_that_hangs_up_leaves_the_run_alone(with_engine: Path, checkpoint: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "fourm_tui",
        "run",
        SETTINGS,
        "-c",
        checkpoint,
        "-i",
        "caption=x",
        "--out",
        tmp_path,
    ]
    mine, theirs = pty.openpty()
    viewer = subprocess.Popen(
        [*map(str, command), *SLOW], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(theirs)
    (run,) = wait(lambda: list_runs(tmp_path).runs)
    wait(lambda: open_run(run.folder).record.status == "running")
    os.close(mine)
    viewer.wait(30)
    ended(run)


def test_viewers_that_come_and_go_or_do_not_listen_hold_nothing_up(
    with_engine: Path, checkpoint: Path, tmp_path: Path
) -> None:
    Engine.start().close()
    deaf = [socket.socket(socket.AF_UNIX) for _ in range(20)]
    for each in deaf:
        each.connect(str(protocol.socket_path()))
        each.sendall(protocol.line({"id": 1, "do": "watch"}))
    runs = [submitted(checkpoint, tmp_path, *QUICK, seed=seed) for seed in range(3)]
    for each in deaf[::2]:
        each.close()
    for run in runs:
        ended(run)
    with Engine.find() as engine:
        assert engine.ask("status")["viewers"] >= 10
    for each in deaf:
        each.close()


def test_a_run_whose_folder_is_gone_fails_alone(with_engine: Path, checkpoint: Path, tmp_path: Path) -> None:
    run = submitted(checkpoint, tmp_path, *SLOW)
    wait(lambda: open_run(run.folder).record.status == "running")
    run.folder.rename(tmp_path / "elsewhere")
    job = wait(
        lambda: next((job for job in read_jobs() if job.run == str(run.folder) and job.status == "failed"), None)
    )
    assert "the folder of this run is gone" in str(job.error)
    assert not run.folder.exists()
    ended(submitted(checkpoint, tmp_path, *QUICK))


def test_an_engine_whose_socket_is_gone_ends(with_engine: Path) -> None:
    with Engine.start() as engine:
        pid = engine.ask("status")["pid"]
    protocol.socket_path().unlink()
    wait(lambda: not alive(pid))
    with Engine.start() as engine:  # and another takes its place
        assert engine.ask("status")["pid"] != pid


def test_a_stale_socket_is_replaced(with_engine: Path) -> None:
    end_engine()
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(protocol.socket_path()))
    stale.close()
    with Engine.start() as engine:
        assert engine.ask("status")["jobs"] is not None


def anonymous_memory(pid: int) -> int:
    """Kilobytes that a process has to itself."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


@pytest.mark.slow
def test_two_hundred_runs_take_no_more_memory_than_ten(with_engine: Path, checkpoint: Path, tmp_path: Path) -> None:
    used = {}
    for number in range(1, 201):
        ended(submitted(checkpoint, tmp_path, *QUICK, seed=number))
        if number in (10, 200):
            with Engine.find() as engine:
                status = engine.ask("status")
            used[number] = [anonymous_memory(pid) for pid in (status["pid"], status["workers"][0]["pid"])]
    for after_ten, after_all in zip(used[10], used[200], strict=True):
        assert after_all <= 1.02 * after_ten


# -- protocol --------------------------------------------------------------------------------------------------------


def test_only_the_user_can_reach_it(with_engine: Path) -> None:
    Engine.start().close()
    path = protocol.socket_path()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.parent.chmod(0o755)
    assert protocol.private_dir() == path.parent
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def nonsense(draw: random.Random) -> bytes:
    """A line that no viewer of ours sends."""
    dos = ["submit", "cancel", "pause", "resume", "move", "status", "watch", "cancel_others", "x", "", None, 3, [], {}]
    values = [
        None,
        True,
        -1,
        1e300,
        "",
        "\0",
        "../../etc/passwd",
        "/",
        "/nowhere",
        "a" * 5000,
        [],
        {"a": [1]},
        "latest",
    ]
    kind = draw.randrange(5)
    if kind == 0:
        return bytes(draw.randrange(256) for _ in range(draw.randrange(200))).replace(b"\n", b"") + b"\n"
    if kind == 1:
        return b"[" * draw.randrange(1, 3000) + b"\n"
    message = {draw.choice(["id", "do", "job", "run", "device", "places"]): draw.choice(values) for _ in range(4)}
    message["do"] = draw.choice(dos)
    text = json.dumps(message).encode()
    return (text[: draw.randrange(len(text))] if kind == 2 else text) + b"\n"


@pytest.mark.parametrize("lines", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_nonsense_gets_an_error_and_hinders_nobody(lines: int, with_engine: Path) -> None:
    draw = random.Random(lines)
    with Engine.start() as engine:
        pid = engine.ask("status")["pid"]
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(protocol.socket_path()))
        connection.settimeout(10)
        reader = connection.makefile("rb")
        reader.readline()
        for _ in range(lines):
            connection.sendall(nonsense(draw))
            while "jobs" in (answer := json.loads(reader.readline())):
                pass
            assert "error" in answer or "ok" in answer
        half_open = socket.socket(socket.AF_UNIX)
        half_open.connect(str(protocol.socket_path()))
        half_open.sendall(b'{"id": 1, "do"')
        endless = socket.socket(socket.AF_UNIX)
        endless.connect(str(protocol.socket_path()))
        with pytest.raises(OSError):
            for _ in range(100):
                endless.sendall(b"x" * 2**18)
        assert engine.ask("status")["pid"] == pid
        for each in (connection, half_open, endless):
            each.close()


def test_an_engine_of_another_kind_is_refused() -> None:
    with pytest.raises(FourmError, match="is no engine"):
        protocol.check_greeting({"hello": "something"})
    with pytest.raises(InputError, match="newer"):
        protocol.check_greeting({"hello": protocol.NAME, "schema": 99})


# -- the queue on disk -----------------------------------------------------------------------------------------------


def test_the_queue_outlives_its_process(tmp_path: Path) -> None:
    queue = Queue(tmp_path)
    jobs = [queue.add(Path(f"/runs/{name}")) for name in "abc"]
    assert queue.add(Path("/runs/a")).id == jobs[0].id  # once is enough
    queue.move(jobs[2], -10)
    queue.change(jobs[0], status="failed", error="no")
    (tmp_path / "junk.json").write_text("{")
    again = Queue(tmp_path)
    assert [Path(job.run).name for job in again.jobs] == ["c", "a", "b"]
    assert again.find("a").error == "no"
    assert again.find(jobs[1].id).run == "/runs/b"
    with pytest.raises(InputError, match="no such job"):
        again.find("z")
    assert again.add(Path("/runs/a")).status == "waiting"  # one that has ended may be put in again
    assert len(again.jobs) == 3


def test_old_jobs_are_forgotten(tmp_path: Path) -> None:
    queue = Queue(tmp_path)
    for number in range(70):
        queue.change(queue.add(Path(f"/runs/{number}")), status="done")
    assert len(queue.jobs) == 50
    assert len(list(tmp_path.glob("*.json"))) == 50


def test_resumed_arrays_are_those_of_before(checkpoint: Path, tmp_path: Path) -> None:
    """Without an engine: a run stopped after its first target goes on with the second."""
    from fourm_tui.engine.execute import execute
    from fourm_tui.engine.store import ModelStore
    from fourm_tui.events import RowStarted

    def rows(run: Run) -> list[int]:
        return [event.row for event in execute(run, ModelStore()) if isinstance(event, RowStarted)]

    command = ["run", str(SETTINGS), "-c", str(checkpoint), "-i", "caption=a red fox", "--no-engine", *QUICK]
    assert main([*command, "--out", str(tmp_path / "a")]) == 0
    assert main([*command, "--out", str(tmp_path / "b")]) == 0
    (whole,), (other,) = list_runs(tmp_path / "a").runs, list_runs(tmp_path / "b").runs
    before = tokens(other)
    assert tokens(whole) == before
    other.path_for(2, "tok_rgb@224", 0, ".safetensors").unlink()
    other.save(status="interrupted")
    assert rows(open_run(other.folder)) == [2]
    assert tokens(other) == before
    assert open_run(other.folder).record.status == "done"
    assert np.array_equal(
        before["samples/000/01_tok_clip@224.safetensors"], tokens(other)["samples/000/01_tok_clip@224.safetensors"]
    )
