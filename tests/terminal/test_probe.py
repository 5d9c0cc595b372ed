"""Asking terminals that answer late, wrongly or never: what is made of it, and that no answer becomes a key."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fourm_tui.terminal.choice import Answers, Tmux
from fourm_tui.terminal.probe import ask_tmux, parse_answers, parse_tmux, probe

ASKING = """
import fcntl, json, os, select, sys, termios, time, tty
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from fourm_tui.terminal.probe import probed
started = time.monotonic()
with probed(os.environ) as answers:
    known = time.monotonic() - started
over = time.monotonic() - started
attributes = termios.tcgetattr(0)
tty.setcbreak(0)
keys = b""
while select.select([0], [], [], 0.4)[0]:
    keys += os.read(0, 100)
with open(sys.argv[1], "w") as file:
    json.dump({"attributes": answers.attributes, "cell": answers.cell, "kitty": answers.kitty, "known": known,
               "over": over, "keys": keys.decode("latin-1"), "echo": bool(attributes[3] & termios.ECHO)}, file)
"""
DA1, SIXEL, CELL = b"\x1b[c", b"\x1b[?64;4;22c", b"\x1b[6;18;9t"


def in_terminal(
    folder: Path,
    answer: Callable[[bytes], list[tuple[float, bytes]]],
    size: tuple[int, int, int, int] = (24, 80, 0, 0),
    script: str = ASKING,
    **env: str,
) -> dict[str, Any]:
    """Runs a script in a terminal of its own.

    Args:
        folder: for what the script writes.
        answer: what the terminal sends once it is asked DA1, and after how many seconds.
        size: rows, columns, and the window's width and height in pixels.
        script: writes JSON to the file in its first argument.
        env: added to the environment.
    """
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size))
    clean = {
        name: value for name, value in os.environ.items() if name not in ("TMUX", "STY", "TERM_PROGRAM", "COLORTERM")
    }
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(folder / "said")], stdin=slave, stdout=slave, stderr=slave,
        start_new_session=True, env={**clean, "TERM": "xterm-256color", **env},
    )  # fmt: skip
    seen, waiting, asked_at = b"", [], None
    limit = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < limit:
        if select.select([master], [], [], 0.02)[0]:
            seen += os.read(master, 65536)
        if asked_at is None and DA1 in seen:
            asked_at, waiting = time.monotonic(), answer(seen)
        while waiting and asked_at is not None and time.monotonic() >= asked_at + waiting[0][0]:
            os.write(master, waiting.pop(0)[1])
    assert process.wait(5) == 0, seen.decode("utf-8", "replace")
    os.close(slave)
    os.close(master)
    said: dict[str, Any] = json.loads((folder / "said").read_text())
    return {**said, "asked": asked_at is not None, "seen": seen}


def test_a_terminal_that_answers_at_once_is_believed_at_once(tmp_path: Path) -> None:
    said = in_terminal(tmp_path, lambda _: [(0, CELL + SIXEL)])
    assert said["attributes"] == [64, 4, 22]
    assert said["cell"] == [9, 18]
    assert said["over"] < 0.9
    assert said["keys"] == ""
    assert said["echo"]


@pytest.mark.parametrize(
    ("answer", "attributes"),
    [
        ([(0.5, CELL + SIXEL)], None),
        ([(0.1, CELL), (0.7, SIXEL)], None),
        ([(0.1, SIXEL[:4]), (0.6, SIXEL[4:])], None),
        ([(0.0, b"\x1b[?6c" + SIXEL)], [6]),
        ([(0.0, b"xyz\x1b]11;rgb:0/0/0\x07\x1b[?1;2cfurther")], [1, 2]),
        ([(0.0, b"\x1b[?c")], []),
        ([(0.0, b"\xff\x1b[6;0;0t\x1b[6;99999;1t" + SIXEL)], [64, 4, 22]),
    ],
    ids=["late", "half late", "torn", "twice", "with other things", "empty", "nonsense"],
)
def test_answers_that_are_late_or_wrong_never_become_keys(
    answer: list[tuple[float, bytes]], attributes: list[int] | None, tmp_path: Path
) -> None:
    said = in_terminal(tmp_path, lambda _: answer)
    assert said["attributes"] == attributes
    assert said["keys"] == ""
    assert said["known"] < 0.45
    assert said["echo"]


def test_a_terminal_that_never_answers_costs_one_deadline_and_keeps_later_keys(tmp_path: Path) -> None:
    said = in_terminal(tmp_path, lambda _: [(1.2, b"q")])
    assert said["attributes"] is None
    assert 0.2 <= said["known"] < 0.45
    assert said["over"] < 1.2
    assert said["keys"] == "q"


def test_a_window_without_a_size_has_no_cells(tmp_path: Path) -> None:
    said = in_terminal(tmp_path, lambda _: [(0, SIXEL)], size=(0, 0, 0, 0))
    assert said["cell"] is None
    assert said["attributes"] == [64, 4, 22]


def test_the_kernels_pixels_are_taken_without_a_question(tmp_path: Path) -> None:
    said = in_terminal(tmp_path, lambda _: [(0, SIXEL)], size=(40, 100, 900, 720))
    assert said["cell"] == [9, 18]
    assert b"16t" not in said["seen"]


def test_only_a_terminal_named_kitty_is_asked_in_its_protocol(tmp_path: Path) -> None:
    ok = b"\x1b_Gi=31;OK\x1b\\" + SIXEL
    assert in_terminal(tmp_path, lambda _: [(0, ok)], TERM="xterm-kitty")["kitty"]
    assert b"\x1b_G" not in in_terminal(tmp_path, lambda _: [(0, SIXEL)])["seen"]


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"TERM": ""}, {"TMUX": "/nowhere,1,0"}])
def test_a_dumb_terminal_and_a_pane_of_tmux_are_not_asked(env: dict[str, str], tmp_path: Path) -> None:
    said = in_terminal(tmp_path, lambda _: [], **env)
    assert not said["asked"]
    assert said["attributes"] is None


def test_what_is_no_terminal_is_not_asked(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as file:
        assert probe({"TERM": "xterm-256color"}, output=file) == Answers()
    assert probe({"TERM": "xterm-256color"}, output=file) == Answers()  # closed
    assert (tmp_path / "out").read_bytes() == b""


def test_answers_are_found_among_other_things() -> None:
    data = b"a\x1b_Gi=31;OK\x1b\\\x1b[6;20;10t\x1b[?62;4c"
    assert parse_answers(data, Answers(True)) == Answers(True, (62, 4), True, (10, 20))
    assert parse_answers(b"\x1b_Gi=31;ENOENT:x\x1b\\", Answers(True)) == Answers(True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("xterm-256color\t256,RGB,sixel,title\toff\n", Tmux("xterm-256color", ("256", "RGB", "sixel", "title"))),
        ("xterm-kitty\t\ton\n", Tmux("xterm-kitty", (), True)),
        ("foot\tRGB\tall", Tmux("foot", ("RGB",), True)),
        ("screen\t\t\n", Tmux("screen")),
        ("no server running on /tmp/tmux-0/default\n", None),
        ("", None),
    ],
)
def test_what_tmux_says(text: str, expected: Tmux | None) -> None:
    assert parse_tmux(text) == expected


def fake_tmux(folder: Path, script: str) -> dict[str, str]:
    """An environment in which `tmux` is a script of ours."""
    path = folder / "tmux"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}", "TMUX": "/tmp/tmux-0/default,1,0", "TMUX_PANE": "%7"}


def test_tmux_is_asked_about_its_client_in_this_pane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env = fake_tmux(tmp_path, f'echo "$@" > {tmp_path}/asked; printf "xterm\\t256,sixel\\toff\\n"')
    monkeypatch.setenv("PATH", env["PATH"])
    assert ask_tmux(env) == Tmux("xterm", ("256", "sixel"))
    asked = (tmp_path / "asked").read_text()
    assert asked.startswith("display-message -p -t %7 ")
    assert "client_termfeatures" in asked


@pytest.mark.parametrize("script", ["exit 1", "exec sleep 30", "printf '\\377\\376'"])
def test_a_tmux_that_fails_hangs_or_babbles_says_nothing(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = fake_tmux(tmp_path, script)
    monkeypatch.setenv("PATH", env["PATH"])
    started = time.monotonic()
    assert ask_tmux(env) is None
    assert time.monotonic() - started < 5


def test_without_a_tmux_there_is_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ask_tmux({"PATH": str(tmp_path)}) is None
