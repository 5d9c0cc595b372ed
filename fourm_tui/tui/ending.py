"""How the program ends when nobody asked it to: a signal, a terminal that is gone. What is edited stays as a draft.

A signal may come at any moment, while the program begins too. Its handler only wakes a thread, which asks the event
loop for a calm end, waits, and ends the program itself if the loop or the terminal hangs.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fourm_tui.tui.app import FourmApp

_PATIENCE: dict[int, float] = {signal.SIGTERM: 5.0, signal.SIGINT: 5.0, signal.SIGHUP: 0.7}
"""Seconds for a calm end; a terminal that is gone can keep its writer waiting for ever."""
_PLAIN = (
    b"\x1b\\\x1b[?2026l"  # the end of a text that was cut off, and of a picture that was held back
    b"\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l"  # no mouse
    b"\x1b[?1004l\x1b[?2004l\x1b[?2048l\x1b[?7h"  # no reports of focus and size, pasted text as it is, lines that wrap
    b"\x1b[<u\x1b[?1049l\x1b[?25h\x1b[0m"  # ordinary keys, the screen from before, a cursor
)


class Ending:
    """From when it is made, SIGTERM, SIGHUP and SIGINT end the program as leaving does, but for the draft, and so does
    a terminal that hangs up. Runs go on. To be made in the main thread; elsewhere it does nothing."""

    def __init__(self) -> None:
        self._app: FourmApp | None = None
        self._before = _attributes()
        self._wakes, self._woken = os.pipe()
        for number in _PATIENCE:
            with contextlib.suppress(ValueError):  # not the main thread
                signal.signal(number, self._hear)

    def of(self, app: FourmApp, rescue: Callable[[], None]) -> None:
        """What is to be ended.

        Args:
            app: about to run in this thread.
            rescue: keeps what is edited; from any thread.
        """
        self._app = app
        threading.Thread(target=self._watch, args=(app, rescue), name="ending", daemon=True).start()

    def _hear(self, number: int, _: object) -> None:
        """Whatever the main thread does just now has to go on, so nothing here may wait for anything. Where no screen
        is up it is as if nobody heard: there is nothing to keep, and an exception could come out of anywhere."""
        if self._app is not None and self._app._loop is not None and self._app._driver is not None:
            os.write(self._woken, bytes([number]))
            return
        _put_back(self._before)  # while it is asked what it can do, it shows no keys
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _watch(self, app: FourmApp, rescue: Callable[[], None]) -> None:
        number = self._wait()
        until = time.monotonic() + _PATIENCE[number]
        if app.has_begun.wait(_PATIENCE[number]):  # half a screen cannot be taken down
            with contextlib.suppress(RuntimeError, AttributeError):  # it has ended by itself
                app._loop.call_soon_threadsafe(_end_calmly, app, rescue, number)  # type: ignore[union-attr]
        time.sleep(max(until - time.monotonic(), 0.1))
        while app.is_lent:
            time.sleep(0.1)
        _end_at_once(128 + number, self._before, rescue)

    def _wait(self) -> int:
        """The signal that came. If the terminal hangs up, SIGHUP is what comes, whoever else should have sent it."""
        poll = select.poll()
        poll.register(self._wakes, select.POLLIN)
        with contextlib.suppress(OSError, ValueError, AttributeError):
            poll.register(sys.__stdin__.fileno(), 0)  # type: ignore[union-attr]
        while True:
            for file, what in poll.poll():
                if file == self._wakes:
                    return os.read(self._wakes, 1)[0]
                poll.unregister(file)
                if what & select.POLLHUP:  # else it is no terminal of which that can be known
                    os.kill(os.getpid(), signal.SIGHUP)


def _end_calmly(app: FourmApp, rescue: Callable[[], None], number: int) -> None:
    rescue()
    app.exit(128 + number, return_code=128 + number)


def _end_at_once(code: int, terminal: list[Any] | None, rescue: Callable[[], None]) -> None:
    """Ends whatever still waits, the terminal first; nobody may read what is written to it."""
    for do, seconds in (((lambda: _restore(terminal)), 0.2), (rescue, 2.0)):
        doing = threading.Thread(target=do, daemon=True)
        doing.start()
        doing.join(seconds)
    os._exit(code)


def _restore(terminal: list[Any] | None) -> None:
    _put_back(terminal)
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.write(sys.__stdout__.fileno(), _PLAIN)  # type: ignore[union-attr]


def _attributes() -> list[Any] | None:
    """How the terminal takes keys now; None if it is none."""
    with contextlib.suppress(OSError, ValueError, AttributeError, termios.error):
        return termios.tcgetattr(sys.__stdin__.fileno())  # type: ignore[union-attr]
    return None


def _put_back(terminal: list[Any] | None) -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError, termios.error):
        if terminal is not None:
            termios.tcsetattr(sys.__stdin__.fileno(), termios.TCSANOW, terminal)  # type: ignore[union-attr]


@contextlib.contextmanager
def lent(app: FourmApp) -> Iterator[None]:
    """Another program has the terminal meanwhile: Ctrl-C is meant for that one, and nothing is put back under it."""

    def nothing(*_: object) -> None:  # unlike SIG_IGN it is not handed down
        pass

    app.is_lent, before = True, signal.signal(signal.SIGINT, nothing)
    try:
        yield
    finally:
        app.is_lent = False
        signal.signal(signal.SIGINT, before)
