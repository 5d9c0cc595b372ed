"""The targets of a run side by side, drawn on a canvas: maps, pictures and texts, each under its title."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from fourm_tui.terminal.choice import Choice
from fourm_tui.tui.arrange import Rect, arrange, grid
from fourm_tui.tui.outputs import Item, Key, MapView
from fourm_tui.tui.widgets.canvas import Canvas
from fourm_tui.tui.widgets.drawings import Drawings, Wish
from fourm_tui.tui.widgets.token_map import Lines, Paint, contrast, map_lines, on, scale

_TEXT_ASPECT = 2.0


@dataclass(frozen=True)
class Look:
    """How things are drawn: the terminal's means, the theme's styles."""

    choice: Choice
    paint: Paint
    plain: Style
    muted: Style
    selected: Style
    error: Style


@dataclass(frozen=True, eq=False)
class Companion:
    """What stands beside the selected target."""

    title: str
    note: str = ""
    path: Path | None = None
    """A picture; None: the token map of the selected one."""
    labels: bool = False
    version: int = 0
    needed: bool = False
    """It is worth making the selected target smaller."""


@dataclass(frozen=True, eq=False)
class Scene:
    """All that is shown at a time."""

    items: Sequence[Item]
    selected: int
    maps: dict[Key, MapView] = field(default_factory=dict)
    """The maps of those that are shown as one, and of the selected one."""
    texts: dict[Key, list[tuple[str, float | None]]] = field(default_factory=dict)
    companions: Sequence[Companion] = ()
    as_grid: bool = False
    """All alike: the samples of one target."""


def draw_scene(canvas: Canvas, scene: Scene, look: Look, drawings: Drawings, height: int) -> Brush:
    """Draws a scene into the first `height` lines of a canvas.

    Returns:
        What it has come to need: `wishes`, the pictures, the most important first (those that are there already are in
        the drawing); and whether there is a map in it, `mapped`.
    """
    if not scene.items or height < 2:
        return Brush(canvas, scene, look, drawings)
    brush = Brush(canvas, scene, look, drawings)
    aspects = [brush.aspect(item) for item in scene.items]
    if scene.as_grid:
        rects = grid(canvas.width, height, aspects)
        first = max(0, min(scene.selected, len(scene.items) - len(rects)))
        for index, rect in enumerate(rects, first):
            brush.item(scene.items[index], rect, index == scene.selected)
        return brush
    item = scene.items[scene.selected]
    beside = [drawings.aspect(each.path, each.version) for each in scene.companions]
    needed = sum(each.needed for each in scene.companions)
    laid = arrange(canvas.width, height, aspects, scene.selected, beside, needed)
    brush.item(item, laid.main, True)
    for companion, rect in zip(scene.companions, laid.beside, strict=False):
        brush.companion(companion, item, rect)
    for index, rect in laid.others:
        brush.item(scene.items[index], rect, False)
    return brush


class Brush:
    """What draws, with what it has come to need on the way."""

    def __init__(self, canvas: Canvas, scene: Scene, look: Look, drawings: Drawings) -> None:
        self.canvas, self.scene, self.look, self.drawings = canvas, scene, look, drawings
        self.wishes: list[Wish] = []
        self.mapped = False

    def aspect(self, item: Item) -> float:
        if item.kind == "text":
            return _TEXT_ASPECT
        return self.drawings.aspect(item.path, item.version) if item.kind == "picture" else 1.0

    def item(self, item: Item, rect: Rect, selected: bool) -> None:
        waiting = item.kind == "none" and item.note
        style = self.look.selected if selected else self.look.muted if waiting else self.look.plain
        self._title(rect, item.title, item.note, style)
        if item.kind == "map":
            self._map(item.key, rect)
        elif item.kind == "picture" and item.path is not None:
            self._picture(item.path, rect, item.labels, item.version)
        elif item.kind == "text":
            self._text(item, rect)

    def companion(self, companion: Companion, item: Item, rect: Rect) -> None:
        self._title(rect, companion.title, companion.note, self.look.plain)
        if companion.path is None:
            self._map(item.key, rect)
        else:
            self._picture(companion.path, rect, companion.labels, companion.version)

    def _title(self, rect: Rect, title: str, note: str, style: Style) -> None:
        ascii = self.look.choice.ascii
        used = self.canvas.text(rect.x, rect.y, title, style, rect.width, ascii)
        if note and rect.width - used > 4:
            self.canvas.text(rect.x + used + 2, rect.y, note, self.look.muted, rect.width - used - 2, ascii)

    def _map(self, key: Key, rect: Rect) -> None:
        view = self.scene.maps.get(key)
        if view is not None:
            lines = map_lines(view, rect.width, rect.height - 1, self.look.choice, self.look.paint)
            self.canvas.put(rect.x, rect.y + 1, lines)
            self.mapped = self.mapped or bool(lines)

    def _picture(self, path: Path, rect: Rect, labels: bool, version: int) -> None:
        if rect.height < 2 or self.look.choice.protocol == "none":
            return
        wish = Wish(path, rect.width, rect.height - 1, labels, version)
        self.wishes.append(wish)
        drawn = self.drawings.get(wish)
        if drawn is None:
            return
        if drawn.problem:
            self._words([(drawn.problem, None)], rect, self.look.error)
        else:
            self.canvas.put(rect.x, rect.y + 1, drawn.lines)

    def _text(self, item: Item, rect: Rect) -> None:
        pieces = self.scene.texts.get(item.key, [])
        self._words(pieces, rect, self.look.plain)
        # Boxes, palettes and the like are a drawing, too.
        used = len(wrapped(pieces, rect.width, self.look)) + 1
        if item.path is not None and rect.height - used >= 4:
            self._picture(item.path, Rect(rect.x, rect.y + used, rect.width, rect.height - used), False, item.version)

    def _words(self, pieces: list[tuple[str, float | None]], rect: Rect, style: Style) -> None:
        lines = wrapped(pieces, rect.width, self.look, style)
        room = rect.height - 1
        self.canvas.put(rect.x, rect.y + 1, lines[:room] if len(lines) <= room else lines[-room:])


def wrapped(pieces: list[tuple[str, float | None]], width: int, look: Look, style: Style | None = None) -> Lines:
    """Words in lines, each on the colour of its confidence where that is known."""
    text = Text()
    for piece, confidence in pieces:
        shown = piece.encode("ascii", "replace").decode() if look.choice.ascii else piece
        text.append(shown, style or look.plain if confidence is None else confident(confidence, look))
    console = Console(width=max(width, 1), color_system="truecolor")
    lines = text.wrap(console, max(width, 1))
    return [[s for s in line.render(console) if s.text and s.text != "\n"] for line in lines]


def confident(confidence: float, look: Look) -> Style:
    """The style of a word with this confidence."""
    if look.choice.colours == "none":
        return look.plain
    ground = on(scale(look.choice.colours)[min(int(confidence * 255), 255)])
    return ground + contrast(ground)


CERTAIN = ("unsure", "sure")
"""What the ends of the scale mean behind words."""


def legend(words: tuple[str, str], look: Look, width: int) -> list[Segment]:
    """The colour scale with what its ends mean; nothing where there is no room."""
    left, right = words
    room = width - len(left) - len(right) - 2
    if room < 6 or look.choice.colours == "none":
        return []
    count = min(room, 12)
    colours = scale(look.choice.colours)
    bar = [Segment(" ", on(colours[round(at * 255 / (count - 1))])) for at in range(count)]
    return [Segment(left + " ", look.muted), *bar, Segment(" " + right, look.muted)]
