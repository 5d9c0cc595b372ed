"""Boxes of a picture, cropped as the picture is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from fourm_tui.conditions.views import View
from fourm_tui.errors import InputError
from fourm_tui.formats import boxes
from fourm_tui.formats.boxes import LEAST_SCORE, Box
from fourm_tui.formats.reading import looks_like_json, native_text, read_json
from fourm_tui.formats.vocabulary import OBJECT_CLASSES

Order = Literal["distance", "area", "score"]


@dataclass(frozen=True)
class Scored:
    """A box and how certain the detector was."""

    box: Box
    score: float = 1.0


def det_text(text: str, where: str, view: View | None, classes: Collection[str] | None = OBJECT_CLASSES) -> str:
    """The native string of boxes that a person or a detector wrote.

    A string that is native already speaks of the model's square and stays as it is. Other boxes are those of the
    whole picture: where it is given too, they move with its crop, and those outside of it are left out.

    Raises:
        InputError: as `formats.boxes.read`; or none of the boxes lies in what is shown of the picture.
    """
    given = native_text(text, where)
    if given is not None:
        return given
    found = read_scored(text, where, view, classes)
    shown = placed(found, view) if view else found
    if found and not shown:
        raise InputError(f"{where}: none of the boxes lies in the part of the picture that is shown to the model")
    return boxes.encode(one.box for one in ordered(shown))


def read_scored(
    text: str, where: str, view: View | None = None, classes: Collection[str] | None = OBJECT_CLASSES
) -> tuple[Scored, ...]:  # fmt: skip
    """The boxes with the scores of a detector; boxes without one have 1."""
    found = boxes.read(text, where, (view.width, view.height) if view else None, classes)
    data: Any = read_json(text, where) if looks_like_json(text) else None
    if isinstance(data, dict):
        scores = [float(item.get("score", 1.0)) for item in data["instances"]]
        kept = [score for score in scores if score >= LEAST_SCORE]
        return tuple(Scored(box, score) for box, score in zip(found, kept, strict=True))
    return tuple(Scored(box) for box in found)


def placed(found: Sequence[Scored], view: View, least_visible: float = 0.0) -> tuple[Scored, ...]:
    """The boxes as parts of the square, cut off at its edge; those of which no more than `least_visible` (0 to 1) is
    left go."""
    shown = []
    for one in found:
        box = one.box
        (x0, y0), (x1, y1) = view.place(box.x0, box.y0), view.place(box.x1, box.y1)
        x0, x1 = min(x0, x1), max(x0, x1)
        whole = (x1 - x0) * (y1 - y0)
        cut = [min(max(c, 0.0), 1.0) for c in (x0, y0, x1, y1)]
        if (cut[2] - cut[0]) * (cut[3] - cut[1]) > least_visible * whole:
            shown.append(replace(one, box=Box(cut[0], cut[1], cut[2], cut[3], box.label)))
    return tuple(shown)


def ordered(found: Sequence[Scored], by: Order = "distance", most: int | None = None) -> tuple[Scored, ...]:
    """The boxes in training's order: by the distance of their top left corner from that of the picture, or the
    greatest area or score first. Of more than `most` those with the greatest scores stay."""
    if most is not None and len(found) > most:
        found = sorted(found, key=lambda one: -one.score)[:most]
    keys = {
        "distance": lambda one: one.box.x0**2 + one.box.y0**2,
        "area": lambda one: -(one.box.x1 - one.box.x0) * (one.box.y1 - one.box.y0),
        "score": lambda one: -one.score,
    }
    return tuple(sorted(found, key=keys[by]))
