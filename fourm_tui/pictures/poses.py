"""Human poses drawn as bodies of bones over a picture, in perspective."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from fourm_tui.formats.poses import Person
from fourm_tui.pictures.boxes import canvas
from fourm_tui.pictures.placed import WHOLE, Placed
from fourm_tui.pictures.skeleton import JOINTS, PARENTS, body_pose, joints, rotations

SIDE = 224
"""Pixels of the picture that the camera belongs to."""
FOCAL = 5000 / 256 * SIDE
"""Focal length in pixels: HMR 2.0 assumes 5000 for pictures of 256."""
_NEAREST = 0.1  # metres
_SMOOTH = 3
_HUES = (0.56, 0.08, 0.38, 0.86, 0.14, 0.72)
_CROWN = len(JOINTS)
_CIRCLE = tuple((math.cos(k * math.pi / 16), math.sin(k * math.pi / 16)) for k in range(32))

# Radii in metres at both ends of the limb to each joint.
_LIMBS = {
    "knee": (0.082, 0.054), "ankle": (0.054, 0.036), "foot": (0.038, 0.028),
    "elbow": (0.052, 0.040), "wrist": (0.040, 0.028), "hand": (0.030, 0.024),
}  # fmt: skip
# Parts of the trunk: the hull around these joints with these radii in metres.
_TRUNK = (
    (("left hip", 0.080), ("right hip", 0.080), ("middle spine", 0.115)),
    (("middle spine", 0.115), ("left shoulder", 0.060), ("right shoulder", 0.060)),
    (("neck", 0.055), ("head", 0.050)),
)


@dataclass(frozen=True, eq=False)
class Body:
    """A person's joints."""

    person: Person
    joints: NDArray[np.float64]
    """`[25, 3]` in metres, seen from the camera: x right, y down, z away; the last is the top of the skull."""
    points: NDArray[np.float64]
    """`[25, 2]`, x and y as parts of the picture."""
    fitted: bool = False
    """Whether the camera was of no use, so that the body was fitted to its box."""


def camera_translation(person: Person) -> tuple[float, float, float]:
    """The place of the body before the camera of the whole picture, in metres: x, y, z.

    From the weak-perspective camera (scale, x, y) of the square around the person's box (HMR 2.0, Goel et al. 2023).
    """
    x0, y0, x1, y1 = (value * SIDE for value in person.box)
    scale, x, y = person.camera
    side = max(x1 - x0, y1 - y0) * scale + 1e-9
    return x + ((x0 + x1) - SIDE) / side, y + ((y0 + y1) - SIDE) / side, 2 * FOCAL / side


def posed(person: Person, pose: NDArray[np.floating]) -> Body:
    """A person in a body pose as its tokenizer decodes it: `[23, 3, 3]`, flat, or axes and angles `[23, 3]`."""
    orientation = rotations(np.array(person.orientation, dtype=np.float64).reshape(3, 3))
    places = joints(orientation, body_pose(pose))
    seen = places + np.array(camera_translation(person))
    if seen[:, 2].min() > _NEAREST:
        return Body(person, seen, seen[:, :2] * FOCAL / seen[:, 2:] / SIDE + 0.5)
    return Body(person, places, _fitted(places, person.box), fitted=True)


def _fitted(places: NDArray[np.float64], box: Sequence[float]) -> NDArray[np.float64]:
    low, high = places[:, :2].min(axis=0), places[:, :2].max(axis=0)
    x0, y0, x1, y1 = min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]), max(box[1], box[3])
    scale = float(np.min(np.array([x1 - x0, y1 - y0]) / np.maximum(high - low, 1e-6)))
    return (places[:, :2] - (low + high) / 2) * max(scale, 0.02) + np.array([(x0 + x1) / 2, (y0 + y1) / 2])


def bodies(people: Sequence[Person], poses: NDArray[np.floating]) -> tuple[Body, ...]:
    """The people in a picture with their body poses `[P, ...]`, one of each.

    Raises:
        ValueError: there are not as many poses as people.
    """
    if len(people) != len(poses):
        raise ValueError(f"{len(poses)} body poses for {len(people)} people")
    return tuple(posed(person, pose) for person, pose in zip(people, poses, strict=True))


def drawn(found: Sequence[Body], over: Image.Image | None = None) -> Image.Image:
    """Bodies over a darkened picture or an empty one; those farther away lie behind. Right limbs are darker."""
    base = canvas(over, dim=0.35)
    width, height = base.size
    size = width * _SMOOTH, height * _SMOOTH
    layer = Image.new("RGBA", size)
    draw = ImageDraw.Draw(layer)
    numbered = sorted(enumerate(found), key=lambda pair: -float(pair[1].joints[0, 2]))
    for number, body in numbered:
        for part in sorted(_parts(body, _HUES[number % len(_HUES)]), key=lambda part: -part.depth):
            part.draw(draw, size)
    layer = layer.resize(base.size, Image.Resampling.BOX)
    base.paste(layer, (0, 0), layer)
    return base


@dataclass(frozen=True)
class _Part:
    """A part of a body: the hull around circles, each with x, y and radius as parts of the picture."""

    circles: tuple[tuple[float, float, float], ...]
    depth: float
    color: tuple[int, int, int]

    def draw(self, draw: ImageDraw.ImageDraw, size: tuple[int, int]) -> None:
        scale = min(size)
        for color, more in (((12, 14, 18), scale / 300), (self.color, 0.0)):
            around = [
                (x * size[0] + radius * dx, y * size[1] + radius * dy)
                for x, y, r in self.circles
                for radius in (max(r * scale, scale / 260) + more,)
                for dx, dy in _CIRCLE
            ]
            # What lies far outside is drawn as far as it matters: Pillow takes no endless coordinates.
            held = [(min(max(x, -9.0 * scale), 9.0 * scale), min(max(y, -9.0 * scale), 9.0 * scale)) for x, y in around]
            draw.polygon(_hull(held), fill=color)


def _hull(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The convex hull (Andrew's monotone chain)."""

    def half(ordered: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        chain: list[tuple[float, float]] = []
        for x, y in ordered:
            while len(chain) > 1 and (chain[-1][0] - chain[-2][0]) * (y - chain[-2][1]) <= (
                chain[-1][1] - chain[-2][1]
            ) * (x - chain[-2][0]):
                chain.pop()
            chain.append((x, y))
        return chain[:-1]

    ordered = sorted(set(points))
    return half(ordered) + half(ordered[::-1]) if len(ordered) > 2 else [*ordered, ordered[0]]


def _parts(body: Body, hue: float) -> Iterator[_Part]:
    depth = body.joints[:, 2]
    near, far = float(depth.min()), float(depth.max())

    def part(joints_: Sequence[tuple[int, float]], lightness: float) -> _Part:
        z = float(np.mean([depth[joint] for joint, _ in joints_]))
        shade = 1.0 - 0.25 * (z - near) / max(far - near, 1e-6)
        red, green, blue = (round(255 * c) for c in colorsys.hls_to_rgb(hue, lightness * shade, 0.62))
        circles = tuple(
            (float(body.points[joint, 0]), float(body.points[joint, 1]), radius * _scale(body, joint))
            for joint, radius in joints_
        )
        return _Part(circles, z, (red, green, blue))

    for joint in range(1, len(JOINTS)):
        side, _, name = JOINTS[joint].partition(" ")
        if name in _LIMBS:
            start, end = _LIMBS[name]
            yield part(((PARENTS[joint], start), (joint, end)), 0.74 if side == "left" else 0.50)
    for trunk in _TRUNK:
        yield part([(JOINTS.index(name), radius) for name, radius in trunk], 0.62)
    yield part(((JOINTS.index("head"), 0.075), (_CROWN, 0.090)), 0.70)


def _scale(body: Body, joint: int) -> float:
    """Parts of the picture that a metre takes at a joint."""
    if not body.fitted:
        return FOCAL / SIDE / float(body.joints[joint, 2])
    spread, seen = np.ptp(body.joints[:, :2], axis=0), np.ptp(body.points, axis=0)
    return float(seen.max() / max(float(spread.max()), 1e-6))


def as_data(found: Sequence[Body], placed: Placed = WHOLE) -> list[dict[str, Any]]:
    """People for JSON: box and joints as parts of the picture that `placed` names, joints in metres, SMPL's numbers."""
    people = []
    for body in found:
        person = body.person
        points = [placed.inside(float(x), float(y)) for x, y in body.points[:_CROWN]]
        low, high = placed.inside(*person.box[:2]), placed.inside(*person.box[2:])
        people.append(
            {
                "box": _rounded([*low, *high]),
                "camera": _rounded(person.camera),
                "camera_translation": _rounded(camera_translation(person)),
                "focal_length": FOCAL,
                "global_orient": _rounded(person.orientation),
                "betas": _rounded(person.shape),
                "pose_tokens": list(person.pose),
                "joints": {
                    name: {"point": _rounded(point), "metres": _rounded(place)}
                    for name, point, place in zip(JOINTS, points, body.joints[:_CROWN].tolist(), strict=True)
                },
                "generic_body": True,
                "fitted_to_box": body.fitted,
            }
        )
    return people


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(float(value), 5) for value in values]
