"""Panes that draw their inside themselves while events arrive: now or, if that was done a moment ago, in a moment."""

from __future__ import annotations

import time
from typing import ClassVar

from textual.binding import Binding
from textual.timer import Timer

from fourm_tui.tui.pace import HERE, REMOTE, Pace, is_remote
from fourm_tui.tui.panes.pane import Pane


class DrawnPane(Pane):
    """A pane whose `draw` is called as often as its pace allows."""

    BINDINGS: ClassVar[list[Binding]] = []

    def on_mount(self) -> None:
        super().on_mount()
        self._pending: Timer | None = None
        self._pace = Pace(REMOTE, self.most_bytes) if is_remote() else Pace(HERE)

    @property
    def most_bytes(self) -> float:
        """That may be drawn a second over a slow line; 0 is as many as one likes."""
        return 0.0

    def draw(self, width: int, height: int) -> int:
        """Draws what there is into so many cells; roughly how many bytes that sends."""
        raise NotImplementedError

    @property
    def most_wait(self) -> float:
        """Seconds that what there is to be drawn may be held back."""
        return float("inf")

    def redraw_soon(self) -> None:
        """Draws now or, if that was done a moment ago, in a moment."""
        if self._pending is not None:
            return
        wait = min(self._pace.wait(time.monotonic()), self.most_wait)
        if wait > 0:
            self._pending = self.set_timer(wait, self.redraw)
        else:
            self.redraw()

    def redraw(self) -> None:
        """Draws what there is, as far as it can be seen."""
        if self._pending is not None:
            self._pending.stop()
            self._pending = None
        width, height = self.focus_widget.size
        if width >= 1 and height >= 1 and self.is_mounted:
            self._pace.drew(time.monotonic(), self.draw(width, height))
