"""Escape is answered soon: whether it stands alone or begins a key, Textual asks only when its terminal has been quiet
for a tenth of a second; here, right after something was typed, for the shorter time of `ESCDELAY`."""

from __future__ import annotations

import selectors
from types import SimpleNamespace

from textual import constants
from textual.drivers import linux_driver

_Events = list[tuple[selectors.SelectorKey, int]]


class _Hasty(selectors.SelectSelector):
    _typed = False

    def select(self, timeout: float | None = None) -> _Events:
        hasten = self._typed and timeout is not None
        found = super().select(min(timeout or 0.0, constants.ESCAPE_DELAY + 0.002) if hasten else timeout)
        self._typed = bool(found)
        return found


def hasten_escape() -> None:
    """For the driver that is started next."""
    named = SimpleNamespace(SelectSelector=_Hasty, EVENT_READ=selectors.EVENT_READ)
    setattr(linux_driver, "selectors", named)  # noqa: B010  # it is a module there
