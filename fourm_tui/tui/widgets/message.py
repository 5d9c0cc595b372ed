"""The line for what went wrong or well."""

from __future__ import annotations

from rich.text import Text
from textual.timer import Timer
from textual.widgets import Static

_SECONDS = 6.0


class MessageLine(Static):
    """One message: an error stays until the next thing is done, good news goes by itself. Hidden if there is none."""

    _timer: Timer | None = None

    def on_mount(self) -> None:
        self.display = False

    def say(self, message: str, error: bool = False, lasting: bool = False) -> None:
        """Shows a message; what comes from outside in it has been made printable before."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self.set_class(error, "error")
        self.display = bool(message)
        self.update(Text(message, overflow="fold"))
        if message and not error and not lasting:
            self._timer = self.set_timer(_SECONDS, self.clear)

    def clear(self) -> None:
        self.display = False
        self.update("")
