"""How the program ends when nobody asked it to: a signal, a terminal that is gone. What is edited stays as a draft."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fourm_tui.tui.app import FourmApp

_PATIENCE = {signal.SIGTERM: 5.0, signal.SIGHUP: 0.7}
"""Seconds for a calm end; a terminal that is gone can keep its writer waiting for ever."""
_PLAIN = b"\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?2004l\x1b[<u\x1b[?1049l\x1b[?25h\x1b[0m"
"""No mouse, no reports of focus, pasted text as it is, ordinary keys, the screen from before, a cursor."""


def end_on_signals(app: FourmApp, rescue: Callable[[], None]) -> None:
    """From now on SIGTERM and SIGHUP end the application as leaving does, but for the draft. Runs go on.

    Args:
        app: running on the event loop of this thread, the main one.
        rescue: keeps what is edited.
    """
    loop = asyncio.get_running_loop()
    for number in _PATIENCE:
        # Not in the main thread, or on a platform without it: then it ends as any program does.
        with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):
            loop.add_signal_handler(number, _end, app, rescue, number)


def _end(app: FourmApp, rescue: Callable[[], None], number: signal.Signals) -> None:
    rescue()
    watchdog = threading.Timer(
        _PATIENCE[number], _end_at_once, (128 + number, getattr(app._driver, "attrs_before", None))
    )
    watchdog.daemon = True
    watchdog.start()
    app.exit(128 + number, return_code=128 + number)


def _end_at_once(code: int, terminal: list[Any] | None) -> None:
    """Ends whatever still waits, the terminal first."""
    restoring = threading.Thread(target=_restore, args=(terminal,), daemon=True)
    restoring.start()
    restoring.join(0.2)  # nobody may read what is written
    os._exit(code)


def _restore(terminal: list[Any] | None) -> None:
    import termios

    with contextlib.suppress(OSError, ValueError, termios.error):
        os.write(sys.__stdout__.fileno(), _PLAIN)  # type: ignore[union-attr]
        if terminal is not None:
            termios.tcsetattr(sys.__stdin__.fileno(), termios.TCSANOW, terminal)  # type: ignore[union-attr]
