"""Where the targets lie in a room of cells: the selected one large, the others small beside or below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

GAP = 2
"""Columns between neighbours."""
CELL = 2.0
"""How much higher than wide a cell is, roughly; pictures are fitted exactly when they are drawn."""
LEAST = (8, 3)
"""Columns and rows of the smallest picture that is worth showing, its title not counted."""
_TITLE = 1


@dataclass(frozen=True)
class Rect:
    """A part of the room, its title line included."""

    x: int
    y: int
    width: int
    height: int

    @property
    def area(self) -> int:
        return self.width * self.height


@dataclass(frozen=True)
class Arrangement:
    """Where everything lies."""

    main: Rect
    """Of the selected one."""
    beside: tuple[Rect, ...]
    """Of what accompanies it, as far as there is room, in the order of importance."""
    others: tuple[tuple[int, Rect], ...]
    """Of the others: their place in the order, and where."""


def arrange(
    width: int, height: int, aspects: Sequence[float], selected: int, companions: Sequence[float] = (), needed: int = 0
) -> Arrangement:  # fmt: skip
    """Lays targets out.

    Args:
        width, height: of the room, in cells.
        aspects: width by height of each target, in pixels; texts are taken as 2.
        selected: which of them is the large one.
        companions: aspects of what accompanies the selected one: the picture of the run before, its token map.
        needed: how many of these are to be seen even if the selected one becomes smaller.
    """
    best: tuple[float, Arrangement] | None = None
    others = [index for index in range(len(aspects)) if index != selected]
    for sideways in (True, False):
        for share in (1.0, 0.8, 0.65, 0.5, 0.35):
            made = _split(width, height, aspects, selected, others, companions, sideways, share)
            score = _score(made, aspects, selected, len(others), needed)
            if best is None or score > best[0] + 1e-9:
                best = score, made
    assert best is not None
    return best[1]


def grid(width: int, height: int, aspects: Sequence[float]) -> list[Rect]:
    """The same room for each of several pictures, as large as they can be; fewer than asked for if there is no room."""
    count = len(aspects)
    if not count or width < LEAST[0] or height < LEAST[1] + _TITLE:
        return []
    mean = sum(aspects) / count
    best, columns = -1.0, 1
    for across in range(1, count + 1):
        each, tall = (width - GAP * (across - 1)) // across, height // ceil(count / across) - _TITLE
        if each < LEAST[0] or tall < LEAST[1]:
            continue
        size = min(each, tall * CELL * mean)
        if size > best:
            best, columns = size, across
    if best < 0:
        columns = max(1, (width + GAP) // (LEAST[0] + GAP))
        lines = max(1, height // (LEAST[1] + _TITLE))
        count = min(count, columns * lines)
        best = float(LEAST[0])
    lines = ceil(count / columns)
    tall = height // lines
    each = min((width - GAP * (columns - 1)) // columns, max(round((tall - _TITLE) * CELL * max(aspects)), LEAST[0]))
    return [Rect(at % columns * (each + GAP), at // columns * tall, each, tall) for at in range(count)]


def _split(
    width: int, height: int, aspects: Sequence[float], selected: int, others: Sequence[int],
    companions: Sequence[float], sideways: bool, share: float,
) -> Arrangement:  # fmt: skip
    """The selected one at the left with the others at its right, or above them."""
    room_w, room_h = (width, height) if sideways or not others else (width, max(int(height * share), 1))
    if sideways and others:
        room_w = max(int(width * share), 1)
    aspect = aspects[selected]
    main_w, main_h = _fit(room_w, room_h, aspect)
    main = Rect(0, 0, main_w, main_h)
    beside: list[Rect] = []
    x = main_w + GAP
    for companion in companions:
        across = _fit(width, main_h, companion)[0]
        if x + across > room_w:
            break
        beside.append(Rect(x, 0, across, main_h))
        x += across + GAP
    if not others:
        return Arrangement(main, tuple(beside), ())
    left = Rect(x, 0, width - x, height) if sideways else Rect(0, main_h, width, height - main_h)
    # One beside the other looks best next to the large one if the others begin where it ends.
    rects = grid(left.width, left.height, [aspects[index] for index in others])
    shown = _around(others, selected, len(rects))
    placed = tuple(
        (index, Rect(left.x + rect.x, left.y + rect.y, rect.width, rect.height))
        for index, rect in zip(shown, rects, strict=False)
    )
    return Arrangement(main, tuple(beside), placed)


def _fit(width: int, height: int, aspect: float) -> tuple[int, int]:
    """Columns and rows, title included, of a picture in a room."""
    tall = max(height - _TITLE, 1)
    across = min(width, max(round(tall * CELL * aspect), 1))
    down = min(tall, max(ceil(across / CELL / aspect), 1))
    return max(across, 1), down + _TITLE


def _around(others: Sequence[int], selected: int, count: int) -> list[int]:
    """As many of the others as there is room for, those nearest to the selected one, in their order."""
    return sorted(sorted(others, key=lambda index: abs(index - selected))[:count])


def _score(made: Arrangement, aspects: Sequence[float], selected: int, others: int, needed: int) -> float:
    """How good an arrangement is: the large one counts, that all are seen counts more."""

    def seen(rect: Rect, aspect: float) -> float:
        return min(rect.width, max(rect.height - _TITLE, 0) * CELL * aspect)

    main = seen(made.main, aspects[selected])
    small = sum(min(seen(rect, aspects[index]), main) for index, rect in made.others)
    unseen = max(needed - len(made.beside), 0)
    missing = others - len(made.others)
    return main * 2 + small / max(others, 1) + 0.6 * main * len(made.beside) - missing * main - unseen * main * 1.5
