"""The line for what went wrong or well."""

from __future__ import annotations

from rich.text import Text
from textual.timer import Timer
from textual.widgets import Static

_SECONDS = 6.0
_MOST = 6  # lines


class MessageLine(Static):
    """One message: an error stays until the next thing is done, good news goes by itself. Its line is always there, so
    that nothing moves; only what is longer takes more."""

    _timer: Timer | None = None
    _shown = ""

    def say(self, message: str, error: bool = False, lasting: bool = False) -> None:
        """Shows a message; what comes from outside in it has been made printable before."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self.set_class(error, "error")
        self._show(message)
        if message and not error and not lasting:
            self._timer = self.set_timer(_SECONDS, self.clear)

    def unsay(self, *messages: str) -> None:
        """Takes messages away that are true no more, if one of them is shown."""
        if self._shown in messages:
            self.clear()

    def clear(self) -> None:
        self._show("")

    def _show(self, message: str) -> None:
        if message == self._shown:
            return
        self._shown = message
        lines = len(Text(message).wrap(self.app.console, max(self.size.width - 2, 20)))
        height = min(max(lines, 1), _MOST)
        is_same = self.styles.height is not None and self.styles.height.value == height
        if not is_same:
            self.styles.height = height
        self.update(Text(message, overflow="fold"), layout=not is_same)
