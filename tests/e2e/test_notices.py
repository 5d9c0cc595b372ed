"""What leaves the program when a long run has ended, byte by byte, in a terminal of which nothing more is known."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import shlex
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fourm_tui.paths import config_dir, state_dir
from tests.e2e.tmux import PROGRAM, end_engine, environment

pytestmark = pytest.mark.skipif(not Path("/dev/ptmx").exists(), reason="needs terminals without a screen")
TITLE = re.compile(rb"\x1b\](?!9;)[^\a\x1b]*(\a|\x1b\\)")
NOTICE = rb"\x1b\]9;fourm: the run is done\a"


class Bare:
    """A terminal that answers nothing; what the program writes is kept.

    Args:
        words: of the command line.
        home: as for `Tmux`.
    """

    def __init__(self, words: str, home: Path, **env: str) -> None:
        self.written = b""
        self._end, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self._process = subprocess.Popen(
            shlex.split(f"{PROGRAM} {words}"), stdin=other, stdout=other, stderr=other, cwd=home,
            env=environment(home, env), start_new_session=True,
        )  # fmt: skip
        os.close(other)

    def keys(self, keys: bytes) -> None:
        os.write(self._end, keys)

    def wait_for(self, wanted: bytes, seconds: float = 90) -> None:
        """Reads until something (a regular expression) has been written, titles and the like left out."""
        limit = time.monotonic() + seconds
        while not re.search(wanted, TITLE.sub(b"", self.written)):
            assert time.monotonic() < limit, f"{wanted!r} did not come; the last bytes are {self.written[-2000:]!r}"
            if select.select([self._end], [], [], 0.1)[0]:
                self.written += os.read(self._end, 2**16)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(OSError):
            os.close(self._end)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Of a user whose engine is warm from one test to the next."""
    home = tmp_path_factory.mktemp("home")
    state = home / "xdg_state_home" / state_dir().name
    state.mkdir(parents=True)
    (state / "welcomed").touch()
    yield home
    end_engine(home)


def after_a_run(home: Path, settings: str, wanted: bytes, **env: str) -> bytes:
    """What has been written until something has, with a run that was started by its key."""
    folder = home / "xdg_config_home" / config_dir().name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "settings.yaml").write_text(settings)
    terminal = Bare("demo/T2SDR -i 'caption=a red box'", home, **env)
    try:
        terminal.wait_for(rb"quit")
        terminal.keys(b"r")
        terminal.wait_for(wanted)
        return terminal.written
    finally:
        terminal.close()


def test_the_end_of_a_run_is_a_notice_of_the_terminals(home: Path) -> None:
    written = after_a_run(home, "notify: osc9\nnotify_after: 0\n", NOTICE)
    assert re.findall(rb"\x1b\]9;[^\a]*\a", written) == [b"\x1b]9;fourm: the run is done\a"]


def test_the_end_of_a_run_rings(home: Path) -> None:
    written = after_a_run(home, "notify_after: 0\n", rb"\a")
    assert TITLE.sub(b"", written).count(b"\a") == 1


def test_the_notice_is_wrapped_for_tmux(home: Path) -> None:
    after_a_run(home, "notify: osc9\nnotify_after: 0\n", rb"\x1bPtmux;\x1b" + NOTICE + rb"\x1b\\", TMUX="/tmp/none,1,0")


def test_a_short_run_ends_in_silence(home: Path) -> None:
    written = after_a_run(home, "notify: osc9\nnotify_after: 600\n", "✓ done".encode())
    assert b"\x1b]9;" not in written
