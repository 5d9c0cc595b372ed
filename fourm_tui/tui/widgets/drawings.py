"""Pictures read and drawn in blocks on a thread of their own: what was drawn is kept, and only the newest wish is
fulfilled."""

from __future__ import annotations

import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.segment import Segment

from fourm_tui.errors import printable
from fourm_tui.terminal.choice import Choice
from fourm_tui.terminal.sizes import fitted

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 64_000_000
"""Of a picture that is opened at all."""
_KEPT = 96
_SMALL = 32  # pixels: a map of features or tokens, whose cells stay crisp
_MOST_TEXT = 20_000


@dataclass(frozen=True)
class Wish:
    """A picture, or a text, in a size."""

    path: Path
    columns: int
    rows: int
    labels: bool = False
    version: int = 0
    """Another one is another picture at the same path."""
    against: Path | None = None
    """Show how this one differs from that, pixel by pixel."""
    graphic: bool = False
    """As the terminal's graphics draw it, not in blocks."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """A wish fulfilled, or why it cannot be."""

    lines: list[list[Segment]]
    columns: int = 0
    rows: int = 0
    size: tuple[int, int] = (0, 0)
    """Of the picture, in pixels."""
    text: str = ""
    problem: str = ""
    graphic: str = ""
    """To be written with the cursor at its upper left corner, which it leaves where it is."""
    number: int = 0
    """By which kitty knows it."""

    @property
    def aspect(self) -> float:
        return self.size[0] / self.size[1] if self.size[0] and self.size[1] else 1.0


def open_picture(path: Path) -> Image:
    """A picture in RGB.

    Raises:
        ValueError: it cannot be shown; the message says why.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise ValueError(f"too large to be shown: {image.width} x {image.height} pixels")
                return image.convert("RGB")
    except FileNotFoundError:
        raise ValueError("the file is gone") from None
    except Image.DecompressionBombError:
        raise ValueError("too large to be shown") from None
    except (OSError, SyntaxError, EOFError) as error:
        why = getattr(error, "strerror", None) or "it is not whole, or no picture"
        raise ValueError(f"cannot be shown: {printable(why, 60)}") from None


def difference(picture: Image, other: Image) -> Image:
    """How far two pictures are from each other, pixel by pixel: the same is black, opposite is white."""
    from PIL import ImageChops

    if other.size != picture.size:
        other = other.resize(picture.size)
    return ImageChops.difference(picture, other)


def draw(wish: Wish, choice: Choice) -> Drawn:
    """Fulfils a wish, here and now."""
    if wish.path.suffix == ".txt":
        try:
            with wish.path.open(encoding="utf-8", errors="replace") as file:
                return Drawn([], text=printable(file.read(_MOST_TEXT).strip(), _MOST_TEXT))
        except OSError as error:
            return Drawn([], problem=f"cannot be read: {printable(error.strerror, 60)}")
    from fourm_tui.terminal.blocks import render
    from fourm_tui.terminal.cells import segment_lines

    try:
        picture = open_picture(wish.path)
        size = picture.size
        if wish.against is not None:
            picture = difference(picture, open_picture(wish.against))
    except ValueError as error:
        return Drawn([], problem=str(error))
    across, down = fitted(size, wish.columns, wish.rows, choice.cell)
    if wish.graphic:
        from fourm_tui.terminal.graphics import kitty, new_number, sixel

        crisp = wish.labels or max(picture.size) <= _SMALL
        if choice.protocol == "kitty":
            number = new_number()
            text = kitty(picture, across, down, choice.cell, crisp=crisp, number=number)
            return Drawn([], across, down, size, graphic=text, number=number)
        return Drawn([], across, down, size, graphic=sixel(picture, across, down, choice.cell, crisp=crisp))
    cells = render(picture, across, down, choice.colours, ascii=choice.ascii, labels=wish.labels)
    return Drawn(segment_lines(cells), across, down, size)


class Drawings:
    """What has been drawn.

    Args:
        choice: how pictures are drawn.
        tell: called from the thread when something new is there.
    """

    def __init__(self, choice: Choice, tell: Callable[[], None]) -> None:
        self._choice, self._tell = choice, tell
        self._drawn: OrderedDict[Wish, Drawn] = OrderedDict()
        self._sizes: dict[tuple[Path, int], tuple[int, int]] = {}
        self._wanted: list[Wish] = []
        self._lock = threading.Lock()
        self._working = False
        self._closed = False

    def get(self, wish: Wish) -> Drawn | None:
        """What a wish was fulfilled with; None if it is not yet."""
        with self._lock:
            found = self._drawn.get(wish)
            if found is not None:
                self._drawn.move_to_end(wish)
            return found

    def aspect(self, path: Path | None, version: int = 0) -> float:
        """Width by height of a picture; 1 until it is known."""
        width, height = self._sizes.get((path, version), (1, 1)) if path else (1, 1)
        return width / height

    def want(self, wishes: Iterable[Wish]) -> None:
        """Fulfils these in the order of their importance, and no others that were wanted before."""
        with self._lock:
            self._wanted = [wish for wish in wishes if wish not in self._drawn]
            if not self._wanted or self._working or self._closed:
                return
            self._working = True
        threading.Thread(target=self._work, name="pictures", daemon=True).start()

    def close(self) -> None:
        self._closed = True

    @property
    def idle(self) -> bool:
        """Whether nothing is being drawn."""
        with self._lock:
            return not self._working

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._wanted or self._closed:
                    self._working = False
                    return
                wish = self._wanted.pop(0)
            try:
                made = draw(wish, self._choice)
            except Exception as error:  # whatever a file holds, it takes nothing else down
                made = Drawn([], problem=f"cannot be shown: {printable(error, 60)}")
            with self._lock:
                self._drawn[wish] = made
                if made.size != (0, 0):
                    self._sizes[wish.path, wish.version] = made.size
                while len(self._drawn) > _KEPT:
                    self._drawn.popitem(last=False)
            self._tell()
