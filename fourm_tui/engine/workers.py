"""A worker process as the supervisor sees it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

from fourm_tui.engine.protocol import AUTO, LONGEST, line, parse
from fourm_tui.errors import InputError

Told = Callable[["Worker", Mapping[str, Any]], None]


class Worker:
    """A worker process and the job it is at.

    Args:
        device: that it is to have; `AUTO`: it chooses.
        told: called with what it says, and with `{"ended": CODE}` when it has ended.
    """

    def __init__(self, device: str, told: Told) -> None:
        self.device, self._told = device, told
        self.process: asyncio.subprocess.Process | None = None
        self._starting = asyncio.Lock()
        self.actual = ""
        """The device it has, once it has said so."""
        self.job: str | None = None
        self.started = False
        """Whether it has said that it is at its job."""
        self.cancelled = False
        self.again = False
        """Whether its job was submitted anew, because its process was seen dead before this one noticed."""
        self.held: list[Any] = []
        """The models it holds: name, kind and bytes."""
        self.memory: Mapping[str, Any] = {}
        """Of its device: bytes `free`, `total`, and `own`; empty where that is not known."""
        self.trouble = ""

    def take(self, job: str) -> None:
        """A new job is its own; nothing is said to it yet."""
        self.job, self.cancelled, self.started, self.again = job, False, False, False

    async def start(self) -> None:
        """Starts its process, if there is none.

        Raises:
            OSError: it cannot be started.
        """
        async with self._starting:
            if self.process is not None:
                return
            self.actual, self.held, self.memory, self.trouble = "", [], {}, ""
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "fourm_tui.engine.worker", "--device", self.device,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LONGEST,
            )  # fmt: skip
            self._reading = asyncio.create_task(self._read(self.process))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while received := await process.stdout.readline():
            with contextlib.suppress(InputError):
                self._told(self, parse(received))
        code = await process.wait()
        self.process, self.held, self.memory = None, [], {}
        self._told(self, {"ended": code})

    @property
    def is_choosing(self) -> bool:
        """Whether it is about to choose a device."""
        is_there = self.process is not None or self._starting.locked()
        return self.device == AUTO and is_there and not self.actual

    def say(self, **message: Any) -> None:
        if self.process is not None and self.process.stdin is not None:
            with contextlib.suppress(ConnectionError):
                self.process.stdin.write(line(message))

    def kill(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
