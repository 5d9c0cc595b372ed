"""A picture in block characters, as large as its room allows, drawn beside the event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from textual.strip import Strip
from textual.widget import Widget

from fourm_tui.terminal.choice import Choice
from fourm_tui.terminal.sizes import fitted
from fourm_tui.tui.slot import Slot

if TYPE_CHECKING:
    from PIL.Image import Image

    from fourm_tui.terminal.cells import Cells
    from fourm_tui.tui.app import FourmApp


def cells_strips(cells: Cells) -> list[Strip]:
    """Cells as strips, one a row."""
    from fourm_tui.terminal.cells import segment_lines

    return [Strip(line, cells.columns) for line in segment_lines(cells)]


def picture_strips(image: Image, columns: int, rows: int, choice: Choice, labels: bool = False) -> list[Strip]:
    """A picture with its proportions kept in a room of cells; as many strips, as wide, as it then takes.

    Args:
        image: of any mode.
        columns, rows: the room.
        choice: what the terminal can draw.
        labels: its colours stand for classes and must not be mixed.
    """
    from fourm_tui.terminal.blocks import render

    across, down = fitted(image.size, columns, rows, choice.cell)
    return cells_strips(render(image, across, down, choice.colours, ascii=choice.ascii, labels=labels))


class Picture(Widget):
    """Shows a picture; the old one stays until the new one is drawn."""

    DEFAULT_CSS = "Picture { width: 1fr; height: 1fr; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._slot: Slot[list[Strip]] = Slot(self)
        self._make: Callable[[], Image | None] | None = None
        self._key: Any = None
        self._labels = False
        self._asked: Any = None
        self._strips: list[Strip] = []

    def show(self, picture: Image | None, labels: bool = False) -> None:
        """Shows a picture, or nothing."""
        self.show_made(id(picture) if picture is not None else None, lambda: picture, labels)

    def show_made(self, key: Any, make: Callable[[], Image | None], labels: bool = False) -> None:
        """Shows what `make` gives, which is called in the thread of the drawing.

        Args:
            key: what decides the picture; one equal to the last changes nothing. None: nothing is shown.
            make: gives the picture, or None where there is none.
            labels: its colours stand for classes.
        """
        self._make, self._key, self._labels = (make if key is not None else None), key, labels
        self._draw()

    @property
    def text(self) -> str:
        """The characters that are shown."""
        return "\n".join(strip.text.rstrip() for strip in self._strips)

    @property
    def idle(self) -> bool:
        """Whether nothing is being drawn."""
        return self._slot.idle

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        columns, rows = self.size
        choice = cast("FourmApp", self.app).choice
        make, labels = self._make, self._labels
        wanted = (self._key, columns, rows, labels, choice)
        if wanted == self._asked:
            return
        self._asked = wanted
        if make is None or columns < 1 or rows < 1:
            self._slot.drop()
            self._drawn(wanted, [])
            return

        def work() -> list[Strip]:
            picture = make()
            return picture_strips(picture, columns, rows, choice, labels) if picture is not None else []

        self._slot.ask(work, lambda strips: self._drawn(wanted, strips))

    def _drawn(self, wanted: Any, strips: list[Strip]) -> None:
        if wanted == self._asked:
            self._strips = strips
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y >= len(self._strips):
            return Strip.blank(width, self.rich_style)
        return self._strips[y].adjust_cell_length(width, self.rich_style).apply_style(self.rich_style)
