"""Viewers of runs that die, hang up, come and go."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import random
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from fourm_tui.cli import main
from fourm_tui.events import read_events
from fourm_tui.runs import list_runs, open_run
from tests.engine.processes import (
    ENDLESS,
    SLOW,
    alive,
    ended,
    pids,
    running,
    started,
    submitted,
    wait,
)

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
