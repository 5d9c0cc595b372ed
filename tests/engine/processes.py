"""What tests of the engine's processes do: runs given to it, waited for, read; its processes found and ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fourm_tui.cli import main
from fourm_tui.engine.client import Engine, NoEngineError
from fourm_tui.paths import schedules_dir
from fourm_tui.runs import Run, list_runs, open_run, read_tokens

SETTINGS = schedules_dir() / "settings_base" / "T2CR_roar49-25_cfg3_t6-0.5.yaml"
SLOW = ["--set", "decoding_steps=60-60"]
QUICK = ["--set", "decoding_steps=4-3"]
LONG = ["--set", "decoding_steps=196-196", "--num-variations", "4"]
ENDLESS = ["--set", "decoding_steps=196-196", "--num-variations", "64"]
"""Longer than a test waits; for runs that do not come to their end."""


def words(checkpoint: Path, out: Path, *more: object) -> list[str]:
    """A `run` command."""
    command = ["run", SETTINGS, "-c", checkpoint, "-i", "caption=a red fox", "--out", out, *more]
    return [str(word) for word in command]


def started(checkpoint: Path, out: Path, *more: object, **how: Any) -> subprocess.Popen[str]:
    """The same as a process of its own."""
    command = [sys.executable, "-m", "fourm_tui", *words(checkpoint, out, *more)]
    return subprocess.Popen(command, text=True, start_new_session=True, **how)


def done_here(checkpoint: Path, out: Path) -> Run:
    """A run made without an engine."""
    assert main(words(checkpoint, out, *QUICK, "--no-engine")) == 0
    (run,) = list_runs(out).runs
    return run


def submitted(checkpoint: Path, out: Path, *more: object, seed: int = 0) -> Run:
    """A run given to the engine, not waited for."""
    before = {run.folder for run in list_runs(out).runs}
    assert main(words(checkpoint, out, "--seed", seed, "--detach", *more)) == 0
    (run,) = [run for run in list_runs(out).runs if run.folder not in before]
    return run


def running(run: Run) -> Run:
    """A run once it has begun."""
    return ended(run, "running")


def ended(run: Run, *how: str) -> Run:
    return wait(lambda: (found := open_run(run.folder)).record.status in (how or ("done",)) and found)


def tokens(run: Run) -> dict[str, list[int]]:
    found = sorted(run.folder.glob("samples/*/*.safetensors"))
    return {str(file.relative_to(run.folder)): read_tokens(file).tokens.tolist() for file in found}


def wait(until: Callable[[], Any], seconds: float = 150) -> Any:
    limit = time.monotonic() + seconds
    while not (found := until()):
        assert time.monotonic() < limit, "it did not happen"
        time.sleep(0.01)
    return found


def pids() -> tuple[int, int]:
    """The processes of the engine: supervisor and worker."""
    with Engine.find() as engine:
        status = wait(lambda: (found := engine.ask("status"))["workers"][0]["pid"] and found)
    return status["pid"], status["workers"][0]["pid"]


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


def of_home(home: Path) -> set[int]:
    """All processes of the user who lives in a folder, but this one."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            theirs = (process / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if int(process.name) != os.getpid() and f"XDG_STATE_HOME={home / 'XDG_STATE_HOME'}".encode() in theirs:
            found.add(int(process.name))
    return found


def anonymous_memory(pid: int) -> int:
    """Kilobytes that a process has to itself."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))
