"""SAM instances given as polygons: placed in the picture, as masks for their tokenizer, and as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourm_tui.conditions.polygons import Points, clipped, contains, filled, inner_point
from fourm_tui.conditions.views import View
from fourm_tui.errors import InputError
from fourm_tui.formats.instances import TOKENS, Instance, Query, encode
from fourm_tui.formats.reading import number, read_json

SIDE = 224
"""Pixels of the square that coordinates in the text count."""
MASK = 64
"""Pixels of the square that an instance's mask is stretched to for its tokenizer."""
LEAST_AREA = 0.0005
"""Part of the picture that the box of an instance takes at least; smaller ones were left out in training."""
MOST = 500
"""Polygons of a file."""
MOST_CORNERS = 20_000
"""Corners of all polygons."""
MOST_POINTS = 100
"""Query points; a text has no room for more."""
LARGEST_COORDINATE = 1e6


@dataclass(frozen=True)
class Polygons:
    """Instances whose masks are not encoded yet."""

    outlines: tuple[Points, ...]
    """In pixels of the square, whole numbers."""
    points: tuple[tuple[int, int], ...]
    """Query points x, y."""

    @property
    def boxes(self) -> tuple[tuple[int, int, int, int], ...]:
        return tuple(_box(outline) for outline in self.outlines)

    def masks(self) -> NDArray[np.float32]:
        """What the instance tokenizer takes, `[M, 1, 64, 64]`: 1 in the instance, stretched from its box."""
        masks = []
        for outline, (x0, y0, x1, y1) in zip(self.outlines, self.boxes, strict=True):
            scaled = [(int((x - x0) / (x1 - x0) * MASK), int((y - y0) / (y1 - y0) * MASK)) for x, y in outline]
            masks.append(filled(scaled, MASK))
        return np.stack(masks)[:, None].astype(np.float32)

    def text(self, tokens: NDArray[Any]) -> str:
        """The native string, given 16 tokens for each instance, `[M, 16]`: every point with the instances it is in."""
        rows = [tuple(int(token) for token in row) for row in tokens.reshape(len(self.outlines), TOKENS)]
        queries = []
        for x, y in self.points:
            inside = [i for i, outline in enumerate(self.outlines) if contains(outline, x, y)]
            queries.append(Query(x, y, tuple(Instance(self.boxes[i], rows[i]) for i in inside)))
        return encode(queries)


def read_instances(text: str, where: str, view: View | None = None) -> tuple[str | None, Polygons | None]:
    """Instances in JSON.

    Either polygons, `{"polygons": [[[x, y], ...], ...], "points": [[x, y], ...], "size": [width, height]}` or only the
    list of them. Coordinates are pixels of the picture (`size`, if the picture is not given too), or parts of it if
    none is above 1; they move with its crop. Without `points` every instance is queried at a point inside it.

    Or encoded already, in pixels of the 224 x 224 square: `{"queries": [{"x": 10, "y": 20, "instances": [{"box": [x0,
    y0, x1, y1], "tokens": [16 numbers]}]}]}`.

    Returns:
        The native string, or the polygons to be encoded.

    Raises:
        InputError: another form, or nothing of the instances is in what is shown of the picture.
    """
    data = read_json(text, where)
    if isinstance(data, Mapping) and "queries" in data:
        return encode(_queries(data["queries"], where)), None
    polygons = data.get("polygons") if isinstance(data, Mapping) else data
    if not isinstance(polygons, list) or not polygons or len(polygons) > MOST:
        raise InputError(
            f"{where}: is to be an object with `polygons` (lists of [x, y], at most {MOST}), or with `queries`"
        )
    outlines = [_points(item, f"{where}, polygon {i}", 3, MOST_CORNERS) for i, item in enumerate(polygons, start=1)]
    if sum(map(len, outlines)) > MOST_CORNERS:
        raise InputError(f"{where}: the polygons have more than {MOST_CORNERS} corners together")
    given = data.get("points") if isinstance(data, Mapping) else None
    points = _points(given, f"{where}, points", 1, MOST_POINTS) if given is not None else []
    view = view or _view(data.get("size") if isinstance(data, Mapping) else None, where)
    everything = [c for outline in (*outlines, points) for point in outline for c in point]
    if max(everything) > 1:
        if view is None:
            raise InputError(f'{where}: polygons are in pixels; give the picture too, or its "size": [width, height]')
    elif view is not None:
        outlines = [[(x * view.width, y * view.height) for x, y in outline] for outline in outlines]
        points = [(x * view.width, y * view.height) for x, y in points]
    found = placed(outlines, view or View(1, 1, 0, 0, 1, 1))
    if not found:
        raise InputError(
            f"{where}: no instance of a fair size is in the part of the picture that is shown to the model"
        )
    return None, Polygons(tuple(found), _query_points(points, view or View(1, 1, 0, 0, 1, 1), found))


def placed(outlines: Sequence[Points], view: View) -> list[Points]:
    """Outlines in pixels of the picture as outlines in whole pixels of the square; tiny ones are left out."""
    found: list[Points] = []
    right, bottom = view.left + view.across, view.top + view.down
    for outline in outlines:
        points = [
            (float(round((x - view.left) * SIDE / view.across)), float(round((y - view.top) * SIDE / view.down)))
            for x, y in clipped(outline, view.left, view.top, right, bottom)
        ]
        if view.flip:
            points = [(SIDE - x, y) for x, y in points]
        if points:
            x0, y0, x1, y1 = _box(points)
            if x0 < x1 and y0 < y1 and (x1 - x0) * (y1 - y0) >= LEAST_AREA * SIDE * SIDE:
                found.append(points)
    return found


def _query_points(points: Points, view: View, found: Sequence[Points]) -> tuple[tuple[int, int], ...]:
    if not points:
        return tuple(inner_point(outline) for outline in found)
    squares = (view.place(x / view.width, y / view.height) for x, y in points)
    return tuple((int(x * SIDE), int(y * SIDE)) for x, y in squares if 0 <= x < 1 and 0 <= y < 1)


def _box(outline: Points) -> tuple[int, int, int, int]:
    xs, ys = [x for x, _ in outline], [y for _, y in outline]
    return int(min(xs)), int(min(ys)), int(max(xs)), int(max(ys))


def _points(item: Any, where: str, least: int, most: int) -> Points:
    if not isinstance(item, list) or not least <= len(item) <= most:
        raise InputError(f"{where}: is to be a list of {least} to {most} points [x, y]")
    points = []
    for point in item:
        if not isinstance(point, list) or len(point) != 2:
            raise InputError(f"{where}: a point is to be [x, y]")
        x, y = number(point[0], where), number(point[1], where)
        if max(abs(x), abs(y)) > LARGEST_COORDINATE:
            raise InputError(f"{where}: {x:g}, {y:g} is far outside of any picture")
        points.append((x, y))
    return points


def _view(size: Any, where: str) -> View | None:
    if size is None:
        return None
    if not isinstance(size, list) or len(size) != 2 or not all(isinstance(n, int) and n > 0 for n in size):
        raise InputError(f"{where}: `size` is to be [width, height] in pixels")
    return View.cropped(size[0], size[1])


def _queries(items: Any, where: str) -> list[Query]:
    try:
        queries = [
            Query(
                _whole(item["x"], 0, 999),
                _whole(item["y"], 0, 999),
                tuple(
                    Instance(
                        tuple(_whole(c, 0, 999) for c in one["box"]),  # type: ignore[arg-type]
                        tuple(_whole(t, 0, 1023) for t in one["tokens"]),
                    )
                    for one in item.get("instances", ())
                ),
            )
            for item in items
        ]
    except (TypeError, KeyError, ValueError, AttributeError):
        queries = []
    right = all(
        len(one.box) == 4 and one.box[0] < one.box[2] and one.box[1] < one.box[3] and len(one.tokens) == TOKENS
        for query in queries
        for one in query.instances
    )
    if not queries or not right:
        raise InputError(
            f"{where}: a query is to have `x`, `y` and `instances`, each with `box` (x0, y0, x1, y1 with x0 < x1, y0 < "
            f"y1) and `tokens` ({TOKENS} whole numbers from 0 to 1023)"
        )
    return queries


def _whole(value: Any, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(value)
    return value
