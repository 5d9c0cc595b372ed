"""The engine's socket: made so that nobody ever finds half of it, and watched, because others may remove it."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from fourm_tui.engine.places import socket_path
from fourm_tui.engine.protocol import LONGEST
from fourm_tui.errors import FourmError

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Listener:
    """Listens where clients look.

    Args:
        serve: called with each connection.
    """

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self._server: asyncio.Server | None = None
        self.path: Path | None = None
        """Of the socket, while there is one."""
        self._inode = 0

    async def open(self) -> None:
        """Begins to listen; a stale socket goes. Connections that are there stay.

        Raises:
            FourmError: the socket cannot be made.
        """
        self._forget()
        path = socket_path()
        beside = path.with_name(f"{os.getpid()}.new")
        before = os.umask(0o177)
        try:
            beside.unlink(missing_ok=True)
            self._server = await asyncio.start_unix_server(self._serve, beside, limit=LONGEST)
            beside.replace(path)
            self.path, self._inode = path, path.stat().st_ino
        except OSError as error:
            raise FourmError(f"{path}: the engine's socket cannot be made: {error.strerror or error}") from None
        finally:
            os.umask(before)

    @property
    def is_reachable(self) -> bool:
        """Whether clients find this socket: it is there, it is this one, and where they look."""
        try:
            return self.path is not None and self.path.stat().st_ino == self._inode and socket_path() == self.path
        except (OSError, FourmError):
            return False

    def close(self) -> None:
        """Removes the socket, unless another engine has put its own there."""
        with contextlib.suppress(OSError):
            if self.path is not None and self.path.stat().st_ino == self._inode:
                self.path.unlink()
        self._forget()

    def _forget(self) -> None:
        if self._server is not None:
            self._server.close()
        self._server = self.path = None
