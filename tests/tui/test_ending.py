"""A program that is ended from outside: the terminal is as it was, what was edited is kept."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from fourm_tui.paths import state_dir
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


def on_at_the_end(written: bytes) -> set[str]:
    """What a program has asked a terminal for and not taken back."""
    modes = {int(number): what for number, what in re.findall(rb"\x1b\[\?(\d+)([hl])", written)}
    ordinary = {7: b"h", 25: b"h"}  # wrapped lines and a cursor are there from the beginning
    on = {str(number) for number, what in modes.items() if what != ordinary.get(number, b"l")}
    keyboards = len(re.findall(rb"\x1b\[>\d+u", written)) - len(re.findall(rb"\x1b\[<u", written))
    return on | ({"keyboard"} if keyboards > 0 else set())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_it_calmly(tmp_path: Path, number: signal.Signals) -> None:
    with begun(tmp_path) as terminal:
        edit(terminal)
        since = terminal.count
        terminal.process.send_signal(number)
        code = terminal.process.wait(SECONDS)
        terminal.wait_for(b"\x1b[?1049l", since, SECONDS)  # out of the alternate screen
        assert (code, drafts(tmp_path)) == (128 + number, 1)


STAGES = (b"\x1b[c", b"\x1b[?1049h", b"\x1b[?2004h", b"quit")
"""What is written when the terminal is asked, when the screen begins, when all is asked for, when it is painted."""


@dataclass(frozen=True)
class Bare:
    """The program in a terminal that only answers if told to."""

    process: subprocess.Popen[bytes]
    terminal: int
    written: bytearray

    def attributes(self) -> list[object]:
        return termios.tcgetattr(self.terminal)

    def read_until(self, text: bytes) -> None:
        while text not in self.written:
            self.written.extend(os.read(self.terminal, 4096))

    def read_on(self) -> bytes:
        """All of it; the program has ended."""
        with contextlib.suppress(OSError):  # hung up: there is no more
            while piece := os.read(self.terminal, 4096):
                self.written.extend(piece)
        return bytes(self.written)


@contextmanager
def bare(home: Path, own: bool = True) -> Iterator[Bare]:
    """`own`: the kernel sends it SIGHUP when its terminal goes."""
    settings = home / "xdg_config_home" / state_dir().name / "settings.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text("warm_engine: false\n")
    terminal, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "fourm_tui"], stdin=theirs, stdout=theirs, stderr=theirs, cwd=home, env=environment(home),
        start_new_session=True, preexec_fn=(lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)) if own else None,
    )  # fmt: skip
    os.close(theirs)
    try:
        yield Bare(process, terminal, bytearray())
    finally:
        process.kill()
        process.wait()
        os.close(terminal)


ASKED = b"\x1b[c"
STAGES = (b"\x1b[?1049h", b"\x1b[?2004h", b"quit")
"""What is written when the screen begins, when all is asked for, when it is painted."""


@pytest.mark.parametrize("stage", STAGES, ids=("begun", "set", "painted"))
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_while_it_begins_leaves_the_terminal_as_it_was(
    tmp_path: Path, number: signal.Signals, stage: bytes
) -> None:
    with bare(tmp_path) as it:
        before = it.attributes()
        it.read_until(ASKED)
        os.write(it.terminal, b"\x1b[?62;22c")
        it.read_until(stage)
        it.process.send_signal(number)
        written = it.read_on()
        assert it.process.wait(SECONDS) == 128 + number
        assert (it.attributes(), on_at_the_end(written)) == (before, set())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_while_the_terminal_is_asked_leaves_it_as_it_was(tmp_path: Path, number: signal.Signals) -> None:
    with bare(tmp_path) as it:
        before = it.attributes()
        it.read_until(ASKED)
        assert it.attributes() != before  # no echo
        it.process.send_signal(number)
        it.process.wait(SECONDS)
        assert it.attributes() == before


def test_a_terminal_that_hangs_up_is_noticed_without_a_signal(tmp_path: Path) -> None:
    with bare(tmp_path, own=False) as it:
        it.read_until(b"quit")
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, it.terminal)  # closes it
        os.close(nothing)
        assert it.process.wait(SECONDS) == 128 + signal.SIGHUP


def test_a_program_that_hangs_is_ended_all_the_same_and_keeps_what_was_edited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import fourm_tui.tui.ending as ending, time\n"
        "ending._PATIENCE = dict.fromkeys(ending._PATIENCE, 0.3)\n"
        "ending._end_calmly = lambda *_: time.sleep(600)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    ordinary, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    os.close(ordinary)
    os.close(theirs)
    with begun(tmp_path) as terminal:
        edit(terminal)
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.process.wait(SECONDS) == 128 + signal.SIGTERM
        assert drafts(tmp_path) == 1
        terminal.wait_for(b"\x1b[?25h\x1b[0m", seconds=SECONDS)
        assert (termios.tcgetattr(terminal._master), on_at_the_end(terminal.written())) == (before, set())


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
