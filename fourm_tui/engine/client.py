"""The way to the engine: found, or started where there is none; asked, and followed. Without torch."""

from __future__ import annotations

import contextlib
import itertools
import os
import select
import socket
import subprocess
import sys
import time
from types import TracebackType
from typing import Any, Self

from fourm_tui import __version__
from fourm_tui.engine.places import lock_path, log_file, socket_path
from fourm_tui.engine.protocol import LONGEST, check_greeting, line, parse
from fourm_tui.errors import FourmError, InputError, printable

STARTING_SECONDS = 15.0
_ANSWER_SECONDS = 10.0
_AGAIN_SECONDS = 1.0
_IDLE = "FOURM_ENGINE_IDLE"
"""Environment variable: minutes after which an engine that nobody needs ends; 0: never."""


class NoEngineError(FourmError):
    """There is no engine."""


class Engine:
    """A connection to the engine.

    Args:
        connected: to its socket.

    Raises:
        FourmError: what answers is no engine of this version.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._received = b""
        self._numbers = itertools.count(1)
        self._socket.settimeout(_ANSWER_SECONDS)
        self.version = check_greeting(self._read())

    @classmethod
    def find(cls) -> Engine:
        """Connects to the engine that runs.

        Raises:
            NoEngineError: none does.
        """
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(_ANSWER_SECONDS)
        try:
            connection.connect(str(socket_path()))
            return cls(connection)
        except (OSError, EOFError) as error:
            connection.close()
            raise NoEngineError(f"no engine is running ({printable(error, 80)})") from None

    @classmethod
    def start(cls) -> Engine:
        """Connects to the engine, which is started if there is none; an old version is told to end first.

        Raises:
            FourmError: it does not start; the message says what its log says.
        """
        process: subprocess.Popen[bytes] | None = None
        again = until = time.monotonic() + STARTING_SECONDS
        while True:
            with contextlib.suppress(NoEngineError):
                engine = cls.find()
                if engine.version == __version__:
                    return engine
                engine._give_way()
            if process is not None and process.poll() not in (None, 0):
                raise FourmError(f"the engine did not start: {_last_words()}")
            # One that finds another there ends; the other may have been about to end, too.
            if process is None or (process.poll() == 0 and time.monotonic() > again):
                process, again = _spawn(), time.monotonic() + _AGAIN_SECONDS
            if time.monotonic() > until:
                raise FourmError(_no_answer())
            time.sleep(0.02)

    def _give_way(self) -> None:
        """Ends an engine of another version, unless it is at work."""
        with self:
            if any(job["status"] == "running" for job in self.ask("status")["jobs"]):
                raise FourmError(
                    f"an engine of version {printable(self.version, 20)} is at work, and this is {__version__}; wait "
                    "for it, or end it with `fourm-tui engine stop`"
                )
            self.ask("stop")

    def ask(self, do: str, **more: Any) -> Any:
        """The answer to a request.

        Raises:
            FourmError: the engine says so, or is gone.
            InputError: what was asked for is wrong.
        """
        number = next(self._numbers)
        try:
            self._socket.sendall(line({"id": number, "do": do, **more}))
            while True:
                message = self._read()
                if message.get("id") == number:
                    break
        except (OSError, EOFError) as error:
            raise NoEngineError(f"the engine is gone ({printable(error, 80)})") from None
        if "error" in message:
            raise (InputError if message.get("code") == 2 else FourmError)(printable(message["error"], 2000))
        return message.get("ok")

    @property
    def is_alive(self) -> bool:
        """Whether the other end is still there; nothing may be on its way."""
        ready, _, _ = select.select([self._socket], [], [], 0)
        if not ready:
            return True
        with contextlib.suppress(OSError):
            return bool(self._socket.recv(1, socket.MSG_PEEK))
        return False

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _read(self) -> dict[str, Any]:
        while b"\n" not in self._received:
            received = self._socket.recv(2**16)
            if not received:
                raise EOFError("it hung up")
            self._received += received
            if len(self._received) > 64 * LONGEST:
                raise EOFError("it says too much")
        first, _, self._received = self._received.partition(b"\n")
        return parse(first)


def _spawn() -> subprocess.Popen[bytes]:
    """Starts the engine in a session of its own, so that it outlives the terminal."""
    file = log_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists() and file.stat().st_size > 2**20:
            file.replace(file.with_suffix(".old"))
        with file.open("ab") as log:
            words = ["--idle", os.environ[_IDLE]] if os.environ.get(_IDLE) else []
            return subprocess.Popen(
                [sys.executable, "-m", "fourm_tui", "engine", "serve", *words],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/",
            )  # fmt: skip
    except OSError as error:
        raise FourmError(f"{printable(file)}: the engine's log cannot be written: {error.strerror}") from None


def _no_answer() -> str:
    """Why an engine that was started cannot be reached: it is slow, or another one has the queue."""
    try:
        pid, _, where = lock_path().read_text(encoding="utf-8", errors="replace").strip().partition(" ")
        os.kill(int(pid), 0)
    except (OSError, ValueError):
        return f"the engine does not answer; its log is {printable(log_file())}"
    return (
        f"an engine is running (process {int(pid)}), but it listens at {printable(where)}, and this would reach it at "
        f"{printable(socket_path())}: set XDG_RUNTIME_DIR as it was when it began, or end it"
    )


def _last_words() -> str:
    try:
        lines = log_file().read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "its log cannot be read"
    return printable(lines[-1], 300) if lines else "its log is empty"
