"""A sweep that is left alone: its runs go on without the screens, and its sheet is there when they are opened again."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fourm_tui.events import RowStarted, read_events
from fourm_tui.paths import state_dir
from fourm_tui.runs import Run, list_runs
from tests.e2e.tmux import PROGRAM, Tmux, end_engine

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux, a terminal that can be read")
DEMO = "demo/T2SDR -i 'caption=a red box'"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    home = tmp_path / "home"
    state = home / "xdg_state_home" / state_dir().name
    state.mkdir(parents=True)
    (state / "welcomed").touch()
    yield home
    end_engine(home)


def ended(home: Path) -> list[Run]:
    """The runs in the order in which they were asked for, when they all have ended."""
    limit = time.monotonic() + 120
    while not all(run.record.status == "done" for run in list_runs(home / "runs").runs):
        assert time.monotonic() < limit, "they did not end"
        time.sleep(0.1)
    return sorted(list_runs(home / "runs").runs, key=lambda run: run.record.created)


def test_a_sweep_that_was_left_goes_on_and_shows_its_sheet_later(home: Path) -> None:
    terminal = Tmux(f"{PROGRAM} {DEMO}", home)
    try:
        terminal.wait_for("q quit")
        terminal.keys("Down", "w")
        terminal.wait_for("Its values")
        terminal.type("0.9,1.4")
        terminal.wait_for("3 runs of temps.2")
        terminal.keys("Enter", "q")
        terminal.wait_for(r"ended with 0")
    finally:
        terminal.close()
    first, *others = ended(home)
    made = [[event.row for event in read_events(run.events) if isinstance(event, RowStarted)] for run in others]
    assert made == [[2, 3], [2, 3]], "the rows before the cell were made anew"
    again = Tmux(f"{PROGRAM} {DEMO}", home)
    try:
        again.wait_for("the sheet of the sweep is")
        assert list((home / "runs").glob(f"sweep_{first.name}_*.png"))
    finally:
        again.close()
