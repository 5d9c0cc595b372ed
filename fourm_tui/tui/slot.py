"""Work done beside the screens, one thing at a time: of what is asked for meanwhile, only the newest is done."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from textual.message_pump import MessagePump

T = TypeVar("T")


class Slot(Generic[T]):
    """A thread that comes when there is something to do, and goes.

    Args:
        owner: whose event loop hears what came out; once it is closed, nothing is heard any more.
    """

    def __init__(self, owner: MessagePump) -> None:
        self._owner = owner
        self._lock = threading.Lock()
        self._wanted: tuple[Callable[[], T], Callable[[T], Any]] | None = None
        self._working = False

    def ask(self, work: Callable[[], T], then: Callable[[T], Any]) -> None:
        """Does `work` in the thread, in place of what was asked for and has not begun; `then` hears its result on the
        event loop. What `work` raises is a bug, and is raised there."""
        with self._lock:
            self._wanted = (work, then)
            if self._working:
                return
            self._working = True
        threading.Thread(target=self._run, name="slot", daemon=True).start()

    def drop(self) -> None:
        """Forgets what was asked for and has not begun."""
        with self._lock:
            self._wanted = None

    @property
    def idle(self) -> bool:
        """Whether nothing is being done."""
        with self._lock:
            return not self._working

    def _run(self) -> None:
        while True:
            with self._lock:
                wanted, self._wanted = self._wanted, None
                if wanted is None:
                    self._working = False
                    return
            work, then = wanted
            try:
                found = work()
            except Exception as error:  # raised again where it is seen
                self._tell(_raise, error)
            else:
                self._tell(then, found)

    def _tell(self, then: Callable[[Any], Any], found: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop is gone
            self._owner.call_later(then, found)


def _raise(error: Exception) -> None:
    raise error
