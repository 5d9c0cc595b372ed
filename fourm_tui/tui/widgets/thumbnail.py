"""One picture in block characters, as large as its room allows."""

from __future__ import annotations

import contextlib
from pathlib import Path

from textual.strip import Strip
from textual.widget import Widget

from fourm_tui.terminal.choice import Choice
from fourm_tui.tui.widgets.drawings import Drawings, Wish


class Thumbnail(Widget):
    """Shows a picture, drawn on a thread of its own; nothing where there is none."""

    DEFAULT_CSS = "Thumbnail { width: 1fr; height: 12; }"

    def __init__(self, choice: Choice, id: str | None = None) -> None:
        super().__init__(id=id)
        self._drawings = Drawings(choice, self._tell)
        self._path: Path | None = None
        self._labels = False

    def show(self, path: Path | None, labels: bool = False) -> None:
        """Shows another picture, or none."""
        self._path, self._labels = path, labels
        self._ask()
        self.refresh()

    @property
    def _wish(self) -> Wish | None:
        width, height = self.size
        return Wish(self._path, width, height, self._labels) if self._path and width > 1 and height > 1 else None

    def _ask(self) -> None:
        wish = self._wish
        if wish is not None:
            self._drawings.want([wish])

    def _tell(self) -> None:
        with contextlib.suppress(RuntimeError):
            self.app.call_from_thread(self.refresh)

    def on_resize(self) -> None:
        self._ask()

    def on_unmount(self) -> None:
        self._drawings.close()

    def render_line(self, y: int) -> Strip:
        wish = self._wish
        drawn = self._drawings.get(wish) if wish else None
        if drawn is None or y >= len(drawn.lines):
            return Strip.blank(self.size.width, self.rich_style)
        strip = Strip(drawn.lines[y], drawn.columns)
        return strip.adjust_cell_length(self.size.width, self.rich_style).apply_style(self.rich_style)
