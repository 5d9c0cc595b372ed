"""Polygons: cut at a rectangle, filled, and which points lie in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, floor
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Points: TypeAlias = Sequence[tuple[float, float]]
"""x, y of every corner; the last is joined to the first."""

Corner: TypeAlias = tuple[int, int]


def clipped(outline: Points, left: float, top: float, right: float, bottom: float) -> list[tuple[float, float]]:
    """The part of a polygon within a rectangle; empty if there is none (Sutherland and Hodgman, CACM 1974)."""
    points = list(outline)
    for axis, bound, sign in ((0, left, 1), (0, right, -1), (1, top, 1), (1, bottom, -1)):
        kept: list[tuple[float, float]] = []
        for before, point in zip([*points[-1:], *points[:-1]], points, strict=True):
            was, is_ = sign * (before[axis] - bound) >= 0, sign * (point[axis] - bound) >= 0
            if was != is_:
                part = (bound - before[axis]) / (point[axis] - before[axis])
                x, y = before[0] + part * (point[0] - before[0]), before[1] + part * (point[1] - before[1])
                kept.append((bound, y) if axis == 0 else (x, bound))
            if is_:
                kept.append(point)
        points = kept
    return points


def filled(outline: Points, side: int) -> NDArray[np.uint8]:
    """A polygon as a mask `[side, side]`: 1 inside and on its outline, 0 elsewhere (even-odd rule).

    As OpenCV's filled contours, which training used: rows are filled between their crossings, and the outline is drawn
    over them by Bresenham's algorithm, between ends that are cut at the picture's edge first.
    """
    corners = [(round(x), round(y)) for x, y in outline]
    mask = np.zeros((side, side), np.uint8)
    edges = list(zip(corners, [*corners[1:], corners[0]], strict=True))
    for row in range(side):
        crossings = sorted(
            x0 + (row - y0) * (x1 - x0) / (y1 - y0) for (x0, y0), (x1, y1) in edges if (y0 <= row) != (y1 <= row)
        )
        for start, end in zip(crossings[::2], crossings[1::2], strict=True):
            mask[row, max(ceil(start), 0) : max(floor(end) + 1, 0)] = 1
    for start_corner, end_corner in edges:
        ends = _cut(start_corner, end_corner, side - 1)
        for x, y in _line(*sorted(ends)) if ends else ():
            mask[y, x] = 1
    return mask


def _cut(start: Corner, end: Corner, last: int) -> tuple[Corner, Corner] | None:
    """A line between whole pixels from 0 to `last`, lengths truncated as OpenCV does; None if nothing is left of it."""
    points = [list(start), list(end)]
    for along, across in ((1, 0), (0, 1)):
        if max(points[0][along], points[1][along]) < 0 or min(points[0][along], points[1][along]) > last:
            return None
        for i, point in enumerate(points):
            bound = min(max(point[along], 0), last)
            if bound != point[along]:
                other = points[1 - i]
                part = (bound - point[along]) * (other[across] - point[across])
                point[across] += int(part / (other[along] - point[along]))
                point[along] = bound
    (x0, y0), (x1, y1) = points
    return (x0, y0), (x1, y1)


def _line(start: Corner, end: Corner) -> Iterator[Corner]:
    """The pixels of a line, from its left end."""
    (x, y), across, down = start, end[0] - start[0], abs(end[1] - start[1])
    step = 1 if end[1] >= start[1] else -1
    steep = down > across
    long, short = (down, across) if steep else (across, down)
    error = long - 2 * short
    for _ in range(long + 1):
        yield x, y
        sideways = error < 0
        error += 2 * long * sideways - 2 * short
        if steep:
            x, y = x + sideways, y + step
        else:
            x, y = x + 1, y + step * sideways


def contains(outline: Points, x: float, y: float) -> bool:
    """Whether a point lies in a polygon or on its outline (even-odd rule)."""
    inside = False
    for (x0, y0), (x1, y1) in zip(outline, [*outline[1:], outline[0]], strict=True):
        cross = (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)
        if cross == 0 and min(x0, x1) <= x <= max(x0, x1) and min(y0, y1) <= y <= max(y0, y1):
            return True
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
            inside = not inside
    return inside


def inner_point(outline: Points) -> tuple[int, int]:
    """A whole point well inside a polygon: of its pixels the one that is nearest to their centre."""
    side = int(max(max(x, y) for x, y in outline)) + 1
    ys, xs = np.nonzero(filled(outline, side))
    nearest = int(np.argmin((xs - xs.mean()) ** 2 + (ys - ys.mean()) ** 2))
    return int(xs[nearest]), int(ys[nearest])
