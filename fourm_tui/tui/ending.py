"""How the program ends when nobody asked it to: a signal, a terminal that is gone. What is edited stays as a draft."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fourm_tui.tui.app import FourmApp

_PATIENCE = 0.7
"""Seconds for a calm end; a terminal that is gone can keep its writer waiting for ever."""


def end_on_signals(app: FourmApp, rescue: Callable[[], None]) -> None:
    """From now on SIGTERM and SIGHUP end the application as leaving does, but for the draft. Runs go on.

    Args:
        app: running on the event loop of this thread, the main one.
        rescue: keeps what is edited.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        # Not in the main thread, or on a platform without it: then it ends as any program does.
        with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):
            loop.add_signal_handler(number, _end, app, rescue, number)


def _end(app: FourmApp, rescue: Callable[[], None], number: signal.Signals) -> None:
    rescue()
    watchdog = threading.Timer(_PATIENCE, os._exit, (128 + number,))
    watchdog.daemon = True
    watchdog.start()
    app.exit(128 + number, return_code=128 + number)
