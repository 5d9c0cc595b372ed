"""Asking the terminal what it can do, so that no answer is ever taken for a key.

All questions go out at once on the terminal itself, never stdin; the last one is DA1, which every terminal answers, and
as answers come in order, its answer says that none is left. If it is late, what comes is swallowed until the end of the
`with` block, or a second after the question, whichever is later.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TextIO

from fourm_tui.terminal.choice import Answers, Tmux, in_tmux, is_dumb, names_kitty

DEADLINE = 0.2
"""Seconds that the answers may take before it goes on without them."""
LATE = 1.0
"""Seconds after the question until which a late answer is waited for, only to swallow it."""
TMUX_LIMIT = 1.0

_CELL, _KITTY, _ATTRIBUTES = b"\x1b[16t", b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\", b"\x1b[c"
_CELL_ANSWER = re.compile(rb"\x1b\[6;(\d{1,4});(\d{1,4})t")
_KITTY_ANSWER = re.compile(rb"\x1b_Gi=31;OK\x1b\\")
_ATTRIBUTES_ANSWER = re.compile(rb"\x1b\[\?([\d;]*)c")
_MOST = 4096  # bytes of answers; more is somebody typing or a file pasted
_TMUX_FORMAT = "#{client_termname}\t#{client_termfeatures}\t#{allow-passthrough}"
_SANE = range(2, 200)  # pixels of a cell


@contextlib.contextmanager
def probed(
    env: Mapping[str, str], deadline: float = DEADLINE, output: TextIO | None = None, ask: bool = True
) -> Iterator[Answers]:
    """What the terminal of this process answers. While the block lasts it neither shows keys nor passes them on.

    Args:
        env: the environment.
        deadline: seconds that all answers together may take.
        output: what must be a terminal, too; None is stdout.
        ask: False asks neither terminal nor tmux and only says what the kernel knows.
    """
    output = sys.stdout if output is None else output
    if not _is_tty(output):
        yield Answers()
        return
    cell = _cell_of_kernel(output)
    known = Answers(tty=True, cell=cell)
    if is_dumb(env) or not ask:
        yield known
    elif in_tmux(env):
        yield replace(known, tmux=ask_tmux(env) or Tmux())
    else:
        with _controlling_terminal() as terminal:
            if terminal is None:
                yield known
            else:
                yield from _asked(terminal, known, env, deadline)


def probe(env: Mapping[str, str], deadline: float = DEADLINE, output: TextIO | None = None) -> Answers:
    """`probed` for those who need the keys at once: a terminal that does not answer costs it a second."""
    with probed(env, deadline, output) as answers:
        return answers


def ask_tmux(env: Mapping[str, str]) -> Tmux | None:
    """What tmux knows about the terminal outside; None if it does not say so within a second."""
    command = ["tmux", "display-message", "-p"]
    if env.get("TMUX_PANE"):
        command += ["-t", env["TMUX_PANE"]]
    try:
        done = subprocess.run(
            [*command, _TMUX_FORMAT], stdin=subprocess.DEVNULL, capture_output=True, timeout=TMUX_LIMIT, check=False,
            env=dict(env),
        )  # fmt: skip
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return parse_tmux(done.stdout.decode("utf-8", "replace")) if done.returncode == 0 else None


def parse_tmux(text: str) -> Tmux | None:
    """The answer to our question, three fields with tabs between them; None if it is none."""
    fields = text.rstrip("\n").split("\t")
    if len(fields) != 3:
        return None
    terminal, features, passthrough = (field.strip() for field in fields)
    return Tmux(terminal, tuple(f for f in features.split(",") if f), passthrough in ("on", "all", "1"))


def parse_answers(data: bytes, known: Answers) -> Answers:
    """What the terminal's answers add to what is known; anything else among them is passed over."""
    attributes, cell = _ATTRIBUTES_ANSWER.search(data), _CELL_ANSWER.search(data)
    if attributes:
        numbers = tuple(int(number[:9]) for number in attributes.group(1).split(b";") if number)
        known = replace(known, attributes=numbers)
    if cell and known.cell is None:
        known = replace(known, cell=_sane(int(cell.group(2)), int(cell.group(1))))
    return replace(known, kitty=bool(_KITTY_ANSWER.search(data)))


def _asked(terminal: int, known: Answers, env: Mapping[str, str], deadline: float) -> Iterator[Answers]:
    import termios

    questions = (b"" if known.cell else _CELL) + (_KITTY if names_kitty(env) else b"") + _ATTRIBUTES
    before = termios.tcgetattr(terminal)
    sent, answered = time.monotonic(), False
    try:
        termios.tcsetattr(terminal, termios.TCSADRAIN, _silent(before))
        sent = time.monotonic()
        os.write(terminal, questions)
        data, answered = _read_until_answered(terminal, b"", sent + deadline)
        yield parse_answers(data, known)
        if not answered:
            _read_until_answered(terminal, data, sent + max(LATE, deadline))
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)  # throws away what came after all


def _read_until_answered(terminal: int, data: bytes, until: float) -> tuple[bytes, bool]:
    while not (answered := bool(_ATTRIBUTES_ANSWER.search(data))) and len(data) < _MOST:
        left = until - time.monotonic()
        if left <= 0 or not select.select([terminal], [], [], left)[0]:
            break
        piece = os.read(terminal, 512)
        if not piece:  # hung up
            break
        data += piece
    return data, answered


def _silent(attributes: list[Any]) -> list[Any]:
    """No echo, no waiting for the end of a line; Ctrl-C still works."""
    import termios

    iflag, oflag, cflag, lflag, ispeed, ospeed, control = attributes
    control = list(control)
    control[termios.VMIN], control[termios.VTIME] = 0, 0
    return [iflag, oflag, cflag, lflag & ~(termios.ICANON | termios.ECHO), ispeed, ospeed, control]


@contextlib.contextmanager
def _controlling_terminal() -> Iterator[int | None]:
    """The terminal that keys come from; None if there is none, or another job has it."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    try:
        # From the background, changing a terminal stops the process.
        yield terminal if _is_foreground(terminal) else None
    finally:
        os.close(terminal)


def _is_foreground(terminal: int) -> bool:
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False


def _is_tty(output: TextIO) -> bool:
    try:
        return output.isatty()
    except ValueError:  # closed
        return False


def _cell_of_kernel(output: TextIO) -> tuple[int, int] | None:
    """The size of a cell from that of the window; None where one of them is 0 or makes no sense."""
    import fcntl
    import struct
    import termios

    try:
        packed = fcntl.ioctl(output.fileno(), termios.TIOCGWINSZ, b"\0" * 8)
    except (OSError, ValueError):
        return None
    rows, columns, width, height = struct.unpack("HHHH", packed)
    return _sane(width // columns, height // rows) if rows and columns else None


def _sane(width: int, height: int) -> tuple[int, int] | None:
    return (width, height) if width in _SANE and height in _SANE else None
