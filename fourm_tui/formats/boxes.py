"""Bounding boxes: `v0=<x0> v1=<y0> v2=<x1> v3=<y1> <class>` for each, coordinates in 1000 steps of the picture."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fourm_tui.errors import InputError, printable
from fourm_tui.formats.reading import entries, looks_like_json, native_text, number, read_json
from fourm_tui.formats.vocabulary import BINS, OBJECT_CLASSES, content_words, parts, value_of, value_word, values_of

LEAST_SCORE = 0.6
"""Detections with a lower score were left out in training."""

_LINE = "label x0 y0 x1 y1"


@dataclass(frozen=True)
class Box:
    """A labelled box; coordinates run from 0 at the left and top of the picture to 1 at its right and bottom.

    A generated one may be the wrong way round (`x1 < x0`).
    """

    x0: float
    y0: float
    x1: float
    y1: float
    label: str


def encode(boxes: Iterable[Box]) -> str:
    """The boxes as a string, in their order; coordinates outside of the picture move to its edge."""
    return " ".join(
        f"{' '.join(value_word(axis, c * (BINS - 1)) for axis, c in enumerate((b.x0, b.y0, b.x1, b.y1)))} {b.label}"
        for b in boxes
    )


def decode(text: str) -> tuple[Box, ...]:
    """The boxes in a generated string.

    What is malformed is left out up to the next `v0`: words before the first box, boxes without all four coordinates
    in order, boxes without a label.
    """
    boxes = []
    for words in parts(content_words(text), lambda word: (value_of(word) or (None,))[0] == 0):
        values, label = values_of(words[:4], range(4)), words[4:]
        if values and label and not any("=" in word for word in label):
            x0, y0, x1, y1 = (value / (BINS - 1) for value in values)
            boxes.append(Box(x0, y0, x1, y1, " ".join(label)))
    return tuple(boxes)


def ordered(boxes: Iterable[Box]) -> tuple[Box, ...]:
    """The boxes as training ordered them: by the distance of their top left corner from that of the picture."""
    return tuple(sorted(boxes, key=lambda box: box.x0**2 + box.y0**2))


def native(
    text: str,
    where: str,
    size: tuple[int, int] | None = None,
    classes: Collection[str] | None = OBJECT_CLASSES,
) -> str:
    """The string for what a person gives: a native one as it is, everything that `read` takes in training's order."""
    given = native_text(text, where)
    return given if given is not None else encode(ordered(read(text, where, size, classes)))


def read(
    text: str,
    where: str,
    size: tuple[int, int] | None = None,
    classes: Collection[str] | None = OBJECT_CLASSES,
) -> tuple[Box, ...]:
    """Boxes that a person or a detector wrote.

    Args:
        text: lines (or entries parted by `;`) of `label x0 y0 x1 y1`; or JSON, a list of objects with `label` and
            `box`, or ml-4m's detections `{"instances": [{"boxes": [...], "class_name": ..., "score": ...}]}`, of which
            those with a score of at least 0.6 count. Coordinates are pixels if any of them is above 1, else parts of
            the picture; those of ml-4m's detections are always parts, cut off at its edge.
        where: names the source in messages.
        size: width and height in pixels of the picture; None if it is not known, then pixels are refused.
        classes: the labels there are; None for any.

    Raises:
        InputError: with its place: a line that is no box, a box that is empty or not in the picture, an unknown label.
    """
    if looks_like_json(text):
        data = read_json(text, where)
        if isinstance(data, Mapping) and "instances" in data:
            return _detections(data["instances"], where, classes)
        rows = _rows_of_json(data, where)
    else:
        rows = [_row_of_line(line, f"{where}, line {n}") for n, line in entries(text)]
    in_pixels = any(coordinate > 1 for row in rows for coordinate in row.coordinates)
    if in_pixels and size is None:
        raise InputError(
            f"{where}: boxes are in pixels, but the size of their picture is not known; give coordinates from 0 to 1"
        )
    width, height = size if in_pixels and size else (1, 1)
    return tuple(row.box(width, height, classes) for row in rows)


@dataclass(frozen=True)
class _Row:
    """A box as written."""

    label: str
    coordinates: tuple[float, ...]
    where: str

    def box(self, width: int, height: int, classes: Collection[str] | None) -> Box:
        x0, y0, x1, y1 = self.coordinates
        if x0 >= x1 or y0 >= y1:
            raise InputError(f"{self.where}: the box is empty; the order is {_LINE}, with x0 < x1 and y0 < y1")
        if x0 < 0 or y0 < 0 or x1 > width or y1 > height:
            picture = "the picture" if width == height == 1 else f"the picture of {width} x {height} pixels"
            raise InputError(f"{self.where}: the box is not within {picture}")
        return Box(x0 / width, y0 / height, x1 / width, y1 / height, known_label(self.label, self.where, classes))


def known_label(label: str, where: str, classes: Collection[str] | None = OBJECT_CLASSES) -> str:
    """The label in lower case with single blanks.

    Raises:
        InputError: it is none of the classes.
    """
    from difflib import get_close_matches

    label = " ".join(label.lower().split())
    if classes is None or label in classes:
        return label
    close = get_close_matches(label, classes, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(classes)}"
    raise InputError(f"{where}: {printable(label, 40)!r} is no class that the model knows; {hint}")


def _row_of_line(line: str, where: str) -> _Row:
    words = line.replace(",", " ").split()
    if len(words) < 5:
        raise InputError(f"{where}: {printable(line, 60)} is to be `{_LINE}`, such as `dog 0.1 0.2 0.5 0.9`")
    return _Row(" ".join(words[:-4]), _coordinates(words[-4:], where), where)


def _rows_of_json(data: Any, where: str) -> list[_Row]:
    if not isinstance(data, list):
        raise InputError(f"{where}: is to be a list of boxes, each with `label` and `box`, or an object `instances`")
    rows = []
    for index, item in enumerate(data, start=1):
        place = f"{where}, box {index}"
        if not isinstance(item, Mapping) or not isinstance(item.get("label"), str):
            raise InputError(f"{place}: is to be an object with `label` (text) and `box` (x0, y0, x1, y1)")
        rows.append(_Row(item["label"], _coordinates(item.get("box"), place), place))
    return rows


def _detections(instances: Any, where: str, classes: Collection[str] | None) -> tuple[Box, ...]:
    if not isinstance(instances, list):
        raise InputError(f"{where}: `instances` is to be a list")
    boxes = []
    for index, item in enumerate(instances, start=1):
        place = f"{where}, instance {index}"
        if not isinstance(item, Mapping) or not isinstance(item.get("class_name"), str):
            raise InputError(f"{place}: is to be an object with `class_name`, `boxes` and `score`")
        if number(item.get("score", 1.0), place) >= LEAST_SCORE:
            corners = (min(max(c, 0.0), 1.0) for c in _coordinates(item.get("boxes"), place))
            boxes.append(_Row(item["class_name"], tuple(corners), place).box(1, 1, classes))
    return tuple(boxes)


def _coordinates(values: Any, where: str) -> tuple[float, ...]:
    if not isinstance(values, Sequence) or isinstance(values, str) or len(values) != 4:
        raise InputError(f"{where}: the box is to be a list of four numbers x0, y0, x1, y1")
    return tuple(number(value, where) for value in values)
