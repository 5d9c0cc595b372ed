"""Human poses as HMR 2.0 predicts them (Goel et al. 2023): JSON with boxes and SMPL parameters of every person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourm_tui.conditions.views import View
from fourm_tui.errors import InputError
from fourm_tui.formats.poses import NOBODY, Person, encode
from fourm_tui.formats.reading import read_json

JOINTS = 23
"""Of SMPL's body: each a 3 x 3 rotation matrix, together 207 numbers."""


@dataclass(frozen=True)
class People:
    """People whose poses are not encoded yet."""

    people: tuple[Person, ...]
    """Their `pose` is empty."""

    def text(self, tokens: NDArray[Any]) -> str:
        """The native string, given 8 tokens of the pose tokenizer for each, `[M, 8]`."""
        rows = tokens.reshape(len(self.people), -1)
        poses = (tuple(int(token) for token in row) for row in rows)
        return encode(replace(person, pose=pose) for person, pose in zip(self.people, poses, strict=True)).strip()


def read_people(
    text: str, where: str, view: View | None = None
) -> tuple[str | None, People | None, NDArray[np.float32] | None]:  # fmt: skip
    """People in JSON: `bbox_xyxy` [M, 4], `pred_cam` [M, 3], `pred_smpl_params` with `global_orient` [M, 3, 3], `betas`
    [M, 10] and `body_pose` [M, 23, 3, 3]; instead of the last also `pose_tokenized` [M, 8].

    Boxes are pixels of the picture, or parts of it if none is above 1; they move with its crop, and people outside of
    it are left out. `{}` and `[]` say that there is nobody.

    Returns:
        The native string; or, if poses are not encoded yet, the people and what the pose tokenizer takes,
        `[M, 207, 1, 1]`.

    Raises:
        InputError: something is missing, is of another shape, is no token, or boxes are pixels of an unknown picture.
    """
    data = read_json(text, where)
    if data in ([], {}):
        return NOBODY, None, None
    if not isinstance(data, Mapping) or not isinstance(data.get("pred_smpl_params"), Mapping):
        raise InputError(f"{where}: is to be an object with `bbox_xyxy`, `pred_cam` and `pred_smpl_params`")
    smpl = data["pred_smpl_params"]
    boxes = _numbers(data, "bbox_xyxy", 4, where)
    count = len(boxes)
    if not count:
        return NOBODY, None, None
    cameras = _numbers(data, "pred_cam", 3, where, count)
    orientations = _numbers(smpl, "global_orient", 9, where, count)
    shapes = _numbers(smpl, "betas", 10, where, count)
    tokens = _numbers(data, "pose_tokenized", 8, where, count) if "pose_tokenized" in data else None
    if tokens is not None and ((tokens < 0) | (tokens >= 1024) | (tokens % 1 != 0)).any():
        raise InputError(f"{where}: `pose_tokenized` is to hold whole numbers from 0 to 1023")
    poses = _numbers(smpl, "body_pose", JOINTS * 9, where, count) if tokens is None else None
    places, kept = _placed(boxes, view, where)
    if not kept:
        raise InputError(f"{where}: none of the people is in the part of the picture that is shown to the model")
    people = tuple(
        Person(
            places[i],
            tuple(int(t) for t in tokens[i]) if tokens is not None else (),
            tuple(float(n) for n in orientations[i]),
            tuple(float(n) for n in cameras[i]),
            tuple(float(n) for n in shapes[i]),
        )
        for i in kept
    )
    if poses is None:
        return encode(people).strip(), None, None
    return None, People(people), poses[kept].astype(np.float32)[:, :, None, None]


def _numbers(
    data: Mapping[str, Any], name: str, count: int, where: str, rows: int | None = None
) -> NDArray[np.float64]:
    """The numbers of a field, `[M, count]`."""
    found = data.get(name)
    try:
        values = np.array(found if isinstance(found, Sequence) else None, dtype=np.float64)
        values = values.reshape(len(found), -1) if len(found) else values.reshape(0, count)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{where}: `{name}` is missing, or is no list of {count} numbers for every person") from None
    if values.shape[1] != count or (rows is not None and len(values) != rows) or not np.isfinite(values).all():
        people = f"{rows} people" if rows is not None else "every person"
        raise InputError(f"{where}: `{name}` has the shape {list(values.shape)}; expected are {count} for {people}")
    return values


def _placed(
    boxes: NDArray[np.float64], view: View | None, where: str
) -> tuple[dict[int, tuple[float, float, float, float]], list[int]]:  # fmt: skip
    """The boxes as parts of the square, by the number of their person, and these numbers."""
    if boxes.max() > 1:
        if view is None:
            raise InputError(f"{where}: boxes are in pixels, but the size of their picture is not known; give it too")
        boxes = boxes / np.array([view.width, view.height] * 2)
    places = {}
    for i, (left, top, right, bottom) in enumerate(boxes):
        (x0, y0), (x1, y1) = (view.place(*c) if view else c for c in ((left, top), (right, bottom)))
        cut = tuple(min(max(float(c), 0.0), 1.0) for c in (min(x0, x1), y0, max(x0, x1), y1))
        if cut[0] < cut[2] and cut[1] < cut[3]:
            places[i] = (cut[0], cut[1], cut[2], cut[3])
    return places, list(places)
