"""A real terminal for a test: a tmux server of its own, keys sent and the screen read as a person sees it."""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path

PROGRAM = f"{shlex.quote(sys.executable)} -m fourm_tui"


class Tmux:
    """A window in which a program runs.

    Args:
        command: for the shell.
        home: its home and working folder; settings, state and sockets lie there too.
        size: columns and rows.
    """

    def __init__(self, command: str, home: Path, size: tuple[int, int] = (120, 40), **env: str) -> None:
        self.home = home
        self._env = environment(home, env)
        (home / "tmux").mkdir(exist_ok=True)
        self._socket = home / "tmux" / str(len(list((home / "tmux").iterdir())))  # a server of its own
        columns, rows = size
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows), "-c", str(home),
                   "sh", "-c", f"{command}; echo ended with $?; exec sleep 600")  # fmt: skip

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(self._socket), *words],
            env=self._env, capture_output=True, text=True, check=True, timeout=30,
        )  # fmt: skip
        return done.stdout

    def keys(self, *names: str) -> None:
        """Presses keys by tmux's names (`Enter`, `Down`, `F2`, `x`)."""
        self._tmux("send-keys", *names)

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-l", text)

    def resize(self, columns: int, rows: int) -> None:
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    def coloured(self) -> str:
        """The screen with its escape sequences."""
        return self._tmux("capture-pane", "-p", "-e")

    def wait_for(self, wanted: str | Callable[[str], object], seconds: float = 60) -> str:
        """The screen as soon as it has a text (a regular expression), or satisfies a condition."""
        limit = time.monotonic() + seconds
        while True:
            screen = self.screen()
            if wanted(screen) if callable(wanted) else re.search(wanted, screen):
                return screen
            assert time.monotonic() < limit, f"{wanted!r} did not come; the screen is\n{screen}"
            time.sleep(0.05)

    def paste(self, text: str) -> None:
        """Pastes as a terminal does, in brackets where the program asks for them."""
        path = self.home / "tmux" / "pasted"
        path.write_text(text)
        self._tmux("load-buffer", str(path))
        self._tmux("paste-buffer", "-p")

    def ask(self, what: str) -> str:
        """What tmux knows of the window: `#{alternate_on}`."""
        return self._tmux("display-message", "-p", what).strip()

    def unread(self) -> int:
        """Bytes of keys that the program has not taken yet."""
        line = os.open(self.ask("#{pane_tty}"), os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            return struct.unpack("i", fcntl.ioctl(line, termios.FIONREAD, b"\0" * 4))[0]
        finally:
            os.close(line)

    def pid(self) -> int:
        return int(self._tmux("display-message", "-p", "#{pane_pid}"))

    def close(self) -> None:
        subprocess.run(["tmux", "-S", str(self._socket), "kill-server"], env=self._env, check=False,
                       capture_output=True)  # fmt: skip


def environment(home: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Of a user of whom nothing is known yet."""
    keep = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "VIRTUAL_ENV") if name in os.environ}
    folders = {name: str(home / name.lower()) for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")}
    runtime = home / "run"
    runtime.mkdir(mode=0o700, exist_ok=True)
    return {
        **keep, **folders, "HOME": str(home), "XDG_RUNTIME_DIR": str(runtime), "TERM": "xterm-256color",
        "COLORTERM": "truecolor", "LANG": "C.UTF-8", "FOURM_ENGINE_IDLE": "1", "OMP_NUM_THREADS": "1", **(more or {}),
    }  # fmt: skip


def end_engine(home: Path) -> None:
    subprocess.run([sys.executable, "-m", "fourm_tui", "engine", "stop"], env=environment(home), cwd=home, check=False,
                   capture_output=True)  # fmt: skip


def processes(home: Path) -> dict[int, str]:
    """All programs of Python of the user of a folder, by their ids: their command lines."""
    found = {}
    for each in Path("/proc").glob("[0-9]*"):
        try:
            variables = (each / "environ").read_bytes().split(b"\0")
            words = (each / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if f"HOME={home}".encode() in variables and "python" in words.partition(" ")[0]:
            found[int(each.name)] = words
    return found
