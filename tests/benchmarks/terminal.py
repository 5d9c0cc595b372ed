"""A program in a terminal of its own, every byte of which comes with the time at which a person would have seen it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Line:
    """What lies between the program and the person."""

    bytes_per_second: float = float("inf")
    delay: float = 0.0
    """Seconds, each way."""


class Terminal:
    """Runs a command in a pseudo-terminal and reads it as fast as it writes, as the buffers of a network do.

    Args:
        command: to run.
        size: columns and rows.
        env: its environment.
        cwd: its folder.
        line: over which its output arrives and keys are sent.
    """

    def __init__(
        self,
        command: Sequence[str],
        size: tuple[int, int],
        env: Mapping[str, str],
        cwd: Path,
        line: Line | None = None,
    ) -> None:
        self.line = line or Line()
        self._master, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self._chunks: list[tuple[float, float, bytes]] = []  # arrived at us, seen by the person, bytes
        self._news = threading.Condition()
        self._free_at = 0.0
        self.worst_backlog = 0.0
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=dict(env), cwd=cwd, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(theirs)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                ready, _, _ = select.select([self._master], [], [], 1.0)
                data = os.read(self._master, 2**16) if ready else b""
            except OSError:
                return
            if ready and not data:
                return
            if not data:
                continue
            if b"\x1b[c" in data:  # it asks what we are: a terminal without graphics
                os.write(self._master, b"\x1b[?62;22c")
            now = time.monotonic()
            start = max(now, self._free_at)
            self._free_at = start + len(data) / self.line.bytes_per_second
            with self._news:
                if self.line.bytes_per_second < float("inf"):
                    waiting = (self._free_at - now) * self.line.bytes_per_second
                    self.worst_backlog = max(self.worst_backlog, waiting)
                self._chunks.append((now, self._free_at + self.line.delay, data))
                self._news.notify_all()

    @property
    def count(self) -> int:
        """Chunks so far."""
        return len(self._chunks)

    def written(self, since: int = 0) -> bytes:
        with self._news:
            return b"".join(data for _, _, data in self._chunks[since:])

    def press(self, keys: bytes) -> float:
        """Sends keys; returns when the person pressed them."""
        pressed = time.monotonic()
        if self.line.delay:
            time.sleep(self.line.delay)
        os.write(self._master, keys)
        return pressed

    def wait_for(self, text: bytes, since: int = 0, seconds: float = 30.0) -> float:
        """When the person saw a text that was written after the chunk `since`.

        Raises:
            TimeoutError: it did not come.
        """
        until = time.monotonic() + seconds
        with self._news:
            while True:
                seen = b""
                for _, at, data in self._chunks[since:]:
                    seen += data
                    if text in seen:
                        return at
                left = until - time.monotonic()
                if left <= 0 or not self._news.wait(left):
                    raise TimeoutError(f"{text!r} was not written; the last was {seen[-300:]!r}")

    def cpu_seconds(self) -> float:
        """That the process has used so far, without its children."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self) -> int:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        os.close(self._master)
