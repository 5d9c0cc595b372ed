"""A program that is ended from outside: the terminal is as it was, what was edited is kept."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.benchmarks.screens import environment
from tests.benchmarks.terminal import Terminal

SECONDS = 20
"""Until a test gives up; nothing is measured."""


@contextmanager
def begun(home: Path, *more: str) -> Iterator[Terminal]:
    """The real program in a terminal."""
    env = {**environment(home), "FOURM_NO_ENGINE": "1"}
    terminal = Terminal([sys.executable, "-m", "fourm_tui", *more], (120, 40), env, home)
    try:
        terminal.wait_for(b"quit", seconds=SECONDS)
        yield terminal
    finally:
        terminal.close()


def edit(terminal: Terminal) -> None:
    """Makes a change that is not saved."""
    since = terminal.count
    terminal.press(b"\x1bOQ\x1b[C\x1b[C+")  # the schedule, two cells on, a step up
    terminal.wait_for("•".encode(), since, SECONDS)


def drafts(home: Path) -> int:
    return len(list(home.glob("**/drafts/*.json")))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_calmly(tmp_path: Path, number: signal.Signals) -> None:
    with begun(tmp_path) as terminal:
        edit(terminal)
        since = terminal.count
        terminal.process.send_signal(number)
        code = terminal.process.wait(SECONDS)
        terminal.wait_for(b"\x1b[?1049l", since, SECONDS)  # out of the alternate screen
        assert (code, drafts(tmp_path)) == (128 + number, 1)


def test_a_terminal_that_is_closed_ends_it_and_what_was_edited_is_kept(tmp_path: Path) -> None:
    with begun(tmp_path) as terminal:
        edit(terminal)
        line, terminal._master = terminal._master, os.open(os.devnull, os.O_RDONLY)
        os.close(line)
        terminal.process.wait(SECONDS)
        assert drafts(tmp_path) == 1


def test_leaving_without_the_mouse_never_asked_for_it(tmp_path: Path) -> None:
    with begun(tmp_path, "--no-mouse") as terminal:
        assert b"\x1b[?1000h" not in terminal.written()


def test_ascii_is_ascii(tmp_path: Path) -> None:
    with begun(tmp_path, "--ascii") as terminal:
        terminal.press(b"?")
        terminal.wait_for(b"Everywhere", seconds=SECONDS)
        assert terminal.written().isascii()
