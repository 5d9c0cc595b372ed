"""A worker process as the supervisor sees it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

from fourm_tui.engine.protocol import LONGEST, line, parse
from fourm_tui.errors import InputError


class Worker:
    """A worker process and the job it is at."""

    def __init__(self, device: str, told: Callable[[Worker, Mapping[str, Any]], None]) -> None:
        self.device, self._told = device, told
        self.process: asyncio.subprocess.Process | None = None
        self.actual = ""
        """The device it has, once it has said so."""
        self.job: str | None = None
        self.started = False
        """Whether it has said that it is at its job."""
        self.cancelled = False
        self.again = False
        """Whether its job was submitted anew, because its process was seen dead before this one noticed."""
        self.held: list[Any] = []
        self.trouble = ""

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "fourm_tui.engine.worker", "--device", self.device,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LONGEST,
        )  # fmt: skip
        self.actual, self.held, self.trouble = "", [], ""
        self._reading = asyncio.create_task(self._read(self.process))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while received := await process.stdout.readline():
            with contextlib.suppress(InputError):
                self._told(self, parse(received))
        code = await process.wait()
        self.process = None
        self._told(self, {"ended": code})

    def say(self, **message: Any) -> None:
        if self.process is not None and self.process.stdin is not None:
            with contextlib.suppress(ConnectionError):
                self.process.stdin.write(line(message))

    def kill(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
