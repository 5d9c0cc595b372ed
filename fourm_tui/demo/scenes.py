"""A small world to learn from: solids of clear colours on a ground under a sky, ray-cast in numpy.

A scene is a description, made from a seed; everything else comes from it: the picture and the maps that belong to it
(`render`), its caption, boxes, palette and metadata. The camera and the sun stand still, x points right, y up and z
into the picture; lengths are in metres. Without torch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm_tui.conditions.canny import canny
from fourm_tui.formats.boxes import Box, ordered
from fourm_tui.formats.palette import Color

SIZE = 224
"""Height and width of everything that is rendered, in pixels."""

Floats: TypeAlias = NDArray[np.float32]
Shape = Literal["sphere", "box", "cone"]

SHAPES: tuple[Shape, ...] = ("sphere", "box", "cone")
# Reflectances, linear. Hues lie far from each other, and no sky or ground is as saturated.
COLORS = {
    "red": (0.75, 0.03, 0.03),
    "yellow": (0.85, 0.60, 0.02),
    "green": (0.05, 0.48, 0.06),
    "cyan": (0.02, 0.55, 0.60),
    "blue": (0.03, 0.09, 0.75),
    "purple": (0.40, 0.03, 0.60),
}
GROUNDS = {"grey": (0.30, 0.31, 0.33), "sandy": (0.52, 0.42, 0.28), "dark": (0.07, 0.075, 0.09)}
# Linear colours overhead and at the horizon, and those of the sun and of the light from all around.
SKIES = {
    "clear": ((0.10, 0.27, 0.66), (0.55, 0.74, 0.93), (1.00, 0.96, 0.88), (0.40, 0.46, 0.55)),
    "sunset": ((0.16, 0.13, 0.36), (0.95, 0.48, 0.26), (1.05, 0.80, 0.58), (0.44, 0.37, 0.42)),
    "cloudy": ((0.42, 0.46, 0.52), (0.80, 0.82, 0.85), (0.72, 0.72, 0.72), (0.52, 0.53, 0.55)),
}
SIZES = {"small": (0.52, 0.62), "large": (0.88, 1.0)}
"""Half the width of a thing."""

CLASSES: tuple[str, ...] = ("sky", "ground", *(f"{color} {shape}" for color in COLORS for shape in SHAPES))
"""Of the segmentation; ids are places here. Those of things are the labels of boxes, too."""

FAR = 14.0
"""Depth of the sky, and the largest there is."""

_EYE = np.array([0.0, 1.9, 0.0], np.float32)
_PITCH, _FOCAL = 0.16, 240.0
"""How far the camera looks down, in radians, and its focal length in pixels."""
_SUN = np.array([-0.60, 0.755, -0.265], np.float32)
_SUBSAMPLES = ((-0.375, -0.125), (0.125, -0.375), (0.375, 0.125), (-0.125, 0.375))
_EDGE = 0.035
"""Step between neighbouring pixels, of 1, from which they are cast four times."""


@dataclass(frozen=True)
class Thing:
    """A solid that stands on the ground."""

    shape: Shape
    color: str
    size: str
    x: float
    z: float
    radius: float
    """Half its width; a sphere's radius, half a box's edge, the radius of a cone's base."""
    yaw: float
    """Of a box, in radians."""
    tint: float
    """Its reflectance is its colour's times this."""

    @property
    def name(self) -> str:
        """Its class: `red sphere`."""
        return f"{self.color} {self.shape}"

    @property
    def height(self) -> float:
        return self.radius * (2.2 if self.shape == "cone" else 2.0 if self.shape == "sphere" else 1.8)


@dataclass(frozen=True)
class Scene:
    """Things from left to right, and where they stand."""

    sky: str
    ground: str
    things: tuple[Thing, ...]

    @property
    def surroundings(self) -> str:
        return f"on {self.ground} ground under a {self.sky} sky"


@dataclass(frozen=True, eq=False)
class Rendered:
    """A scene as it is seen, pixel by pixel."""

    rgb: NDArray[np.uint8]
    """`[SIZE, SIZE, 3]`."""
    depth: Floats
    """Distance along the line of sight of the camera in metres, `[SIZE, SIZE]`, `FAR` at the most."""
    normals: Floats
    """`[SIZE, SIZE, 3]` from -1 to 1 in the camera's frame: x right, y up, z towards it; of the sky (0, 0, 1)."""
    things: NDArray[np.uint8]
    """0 sky, 1 ground, 2 the first thing and so on, `[SIZE, SIZE]`."""
    classes: NDArray[np.uint8]
    """Ids in `CLASSES`, `[SIZE, SIZE]`."""

    @property
    def edges(self) -> NDArray[np.uint8]:
        """Canny's edges of the picture, 255 on an edge, `[SIZE, SIZE]`."""
        return canny(np.asarray(Image.fromarray(self.rgb).convert("L")))


# -- descriptions --------------------------------------------------------------------------------------------------


def scene(seed: int) -> Scene:
    """The scene of a seed: one to three things side by side, of which at most two are large."""
    draw = np.random.Generator(np.random.PCG64([20_231, seed]))
    count = int(draw.choice([1, 2, 3], p=[0.4, 0.5, 0.1]))
    while True:
        things = tuple(sorted((_thing(draw, count) for _ in range(count)), key=lambda thing: thing.x / thing.z))
        spans = [_span(thing) for thing in things]
        apart = all(left[1] + 2 < right[0] for left, right in pairwise(spans))
        if apart and len({thing.name for thing in things}) == count:
            break
    return Scene(str(draw.choice(list(SKIES))), str(draw.choice(list(GROUNDS))), things)


def scenes(first: int, count: int) -> Iterator[Scene]:
    """The scenes of the seeds `first` to `first + count - 1`."""
    return (scene(seed) for seed in range(first, first + count))


def _thing(draw: np.random.Generator, count: int) -> Thing:
    size = "small" if count == 3 else str(draw.choice(list(SIZES)))
    radius = float(draw.uniform(*SIZES[size]))
    z = float(draw.uniform(4.6, 5.8))
    reach = (SIZE / 2 - 6) / _FOCAL * z - radius * 1.15
    return Thing(
        shape=SHAPES[draw.integers(len(SHAPES))],
        color=list(COLORS)[draw.integers(len(COLORS))],
        size=size,
        x=float(draw.uniform(-reach, reach)),
        z=z,
        radius=radius,
        yaw=float(draw.uniform(0.45, 1.1)),
        tint=float(draw.uniform(0.92, 1.08)),
    )


def _span(thing: Thing) -> tuple[float, float]:
    """Its left and right end in the picture, in pixels; some room for a box's corners included."""
    half = thing.radius * (1.25 if thing.shape == "box" else 1.05)
    depth = thing.z * np.cos(_PITCH) + (_EYE[1] - thing.height / 2) * np.sin(_PITCH)
    middle, reach = thing.x / depth * _FOCAL, half / (depth - half / 2) * _FOCAL
    return float(SIZE / 2 + middle - reach), float(SIZE / 2 + middle + reach)


def caption(scene: Scene, phrasing: int = 0) -> str:
    """What is to be seen, from left to right.

    Args:
        scene: to be described.
        phrasing: 0 the usual words; any other number chooses others for the same, with sizes or surroundings left out.
    """
    if phrasing == 0:
        return f"{_row([_words(thing) for thing in scene.things])} {scene.surroundings}"
    draw = np.random.Generator(np.random.PCG64([77, phrasing]))
    synonyms = {"sphere": ("sphere", "ball"), "box": ("box", "cube"), "cone": ("cone", "cone")}
    sized = draw.random() < 0.5
    names = [
        f"a {thing.size + ' ' if sized else ''}{thing.color} {synonyms[thing.shape][draw.integers(2)]}"
        for thing in scene.things
    ]
    row = _row(names)
    if len(names) == 2:
        left, right = names
        row = (f"{left} left of {right}", f"{left} next to {right}", f"{left} and {right}", f"{right} right of {left}")[
            draw.integers(4)
        ]
    around = ("", f" on {scene.ground} ground", f" under a {scene.sky} sky", f" {scene.surroundings}")
    return row + around[draw.integers(4)]


def _words(thing: Thing) -> str:
    return f"a {thing.size} {thing.color} {thing.shape}"


def _row(names: list[str]) -> str:
    return " left of ".join(names)


def boxes(scene: Scene, rendered: Rendered) -> tuple[Box, ...]:
    """The boxes of the things, in the order in which 4M has them; one that is hidden has none."""
    found = []
    for number, thing in enumerate(scene.things, start=2):
        rows, columns = np.nonzero(rendered.things == number)
        if len(rows):
            corners = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) / SIZE
            x0, y0, x1, y1 = corners.tolist()
            found.append(Box(x0, y0, x1, y1, thing.name))
    return ordered(found)


def palette(rendered: Rendered) -> tuple[Color, ...]:
    """The colours that stand for the picture: the mean ones of the sky, the ground and the things that can be seen."""
    found = []
    for number in np.unique(rendered.things):
        red, green, blue = rendered.rgb[rendered.things == number].mean(0).round().astype(int).tolist()
        found.append((red, green, blue))
    return tuple(found)


def metadata(scene: Scene, rendered: Rendered) -> dict[str, float]:
    """Facts about the picture, by the names of 4M's metadata types."""
    values = rendered.rgb.astype(np.float32)
    hsv = np.asarray(Image.fromarray(rendered.rgb).convert("HSV"), dtype=np.float32)
    grey = values @ np.array([0.299, 0.587, 0.114], np.float32)
    opponent = values[..., 0] - values[..., 1], (values[..., 0] + values[..., 1]) / 2 - values[..., 2]
    spread = float(np.hypot(opponent[0].std(), opponent[1].std()))
    middle = float(np.hypot(opponent[0].mean(), opponent[1].mean()))
    return {
        "n_sam_instances": len(scene.things),
        "colorfulness": spread + 0.3 * middle,  # Hasler and Suesstrunk 2003
        "brightness": float(grey.mean()),
        "contrast": float(grey.std()),
        "saturation": float(hsv[..., 1].mean()),
    }


# -- ray casting ---------------------------------------------------------------------------------------------------


def render(scene: Scene) -> Rendered:
    """The picture of a scene, smooth at its edges, and its maps, which have the values of the pixels' middles."""
    rays = _pixel_rays()
    hit = _cast(scene, rays)
    color = _shade(scene, rays, hit).reshape(SIZE, SIZE, 3)
    rough = _rough(color)
    v, u = np.nonzero(rough)
    if len(v):
        total = np.zeros((len(v), 3), np.float32)
        for du, dv in _SUBSAMPLES:
            finer = _rays(u + np.float32(0.5 + du), v + np.float32(0.5 + dv))
            total += _shade(scene, finer, _cast(scene, finer))
        color[rough] = total / len(_SUBSAMPLES)
    ids = np.array([0, 1, *(CLASSES.index(thing.name) for thing in scene.things)], np.uint8)
    things = hit.thing.reshape(SIZE, SIZE)
    depth = np.minimum(hit.t * rays.forward, FAR)
    normals = hit.normal @ _camera().T
    normals[hit.thing == 0] = (0, 0, 1)
    return Rendered(
        rgb=(np.clip(color, 0, 1) * 255 + 0.5).astype(np.uint8),
        depth=depth.reshape(SIZE, SIZE),
        normals=normals.reshape(SIZE, SIZE, 3),
        things=things,
        classes=ids[things],
    )


@dataclass(frozen=True, eq=False)
class _Rays:
    u: Floats
    v: Floats
    direction: Floats
    """`[N, 3]`, of length 1."""
    forward: Floats
    """How far a ray goes along the line of sight at its length 1, `[N]`."""

    def __getitem__(self, chosen: NDArray[np.intp]) -> _Rays:
        return _Rays(self.u[chosen], self.v[chosen], self.direction[chosen], self.forward[chosen])


@dataclass(frozen=True, eq=False)
class _Hit:
    t: Floats
    """Length of the ray, infinite into the sky, `[N]`."""
    thing: NDArray[np.uint8]
    normal: Floats
    """`[N, 3]`, in the world's frame."""


def _camera() -> Floats:
    """Rows: right, up and back, in the world's frame."""
    sin, cos = np.sin(_PITCH), np.cos(_PITCH)
    return np.array([[1, 0, 0], [0, cos, sin], [0, sin, -cos]], np.float32)


def _rays(u: Floats, v: Floats) -> _Rays:
    across, down = (u - SIZE / 2) / _FOCAL, (v - SIZE / 2) / _FOCAL
    local = np.stack([across, -down, np.full_like(across, -1)], axis=1).astype(np.float32)
    local /= np.linalg.norm(local, axis=1, keepdims=True)
    return _Rays(u, v, local @ _camera(), -local[:, 2])


@cache
def _pixel_rays() -> _Rays:
    v, u = np.mgrid[:SIZE, :SIZE].astype(np.float32) + np.float32(0.5)
    return _rays(u.ravel(), v.ravel())


def _cast(scene: Scene, rays: _Rays) -> _Hit:
    down = rays.direction[:, 1]
    t = np.where(down < -1e-4, -_EYE[1] / np.minimum(down, -1e-4), np.inf).astype(np.float32)
    thing = (down < -1e-4).astype(np.uint8)
    normal = np.zeros_like(rays.direction)
    normal[:, 1] = 1
    for number, solid in enumerate(scene.things, start=2):
        left, right = _span(solid)
        near = np.nonzero((rays.u > left - 3) & (rays.u < right + 3))[0]
        length, side = _intersect(solid, _EYE, rays.direction[near])
        closer = length < t[near]
        chosen = near[closer]
        t[chosen], thing[chosen], normal[chosen] = length[closer], number, side[closer]
    return _Hit(t, thing, normal)


def _intersect(thing: Thing, origin: Floats, direction: Floats) -> tuple[Floats, Floats]:
    """Where rays enter a thing, infinite for those that do not, `[N]`, and its normals there, `[N, 3]`."""
    foot = np.array([thing.x, 0, thing.z], np.float32)
    start = np.broadcast_to(origin - foot, direction.shape)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return {"sphere": _sphere, "box": _box, "cone": _cone}[thing.shape](thing, start, direction)


def _sphere(thing: Thing, start: Floats, direction: Floats) -> tuple[Floats, Floats]:
    off = start - np.array([0, thing.radius, 0], np.float32)
    b = (off * direction).sum(1)
    inside = b * b - (off * off).sum(1) + np.float32(thing.radius**2)
    t = -b - np.sqrt(inside)
    t = np.where((inside > 0) & (t > 1e-3), t, np.inf).astype(np.float32)
    at = np.where(np.isfinite(t), t, 0).astype(np.float32)
    return t, ((off + at[:, None] * direction) / thing.radius).astype(np.float32)


def _box(thing: Thing, start: Floats, direction: Floats) -> tuple[Floats, Floats]:
    sin, cos = np.sin(thing.yaw), np.cos(thing.yaw)
    turn = np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]], np.float32)  # world to box
    half = np.array([thing.radius, thing.height / 2, thing.radius], np.float32) * np.float32(0.9)
    half[1] = thing.height / 2
    o, d = (start - np.array([0, half[1], 0], np.float32)) @ turn.T, direction @ turn.T
    a, b = (-half - o) / d, (half - o) / d
    enters, leaves = np.minimum(a, b), np.maximum(a, b)
    axis = enters.argmax(1)
    t, end = enters.max(1), leaves.min(1)
    t = np.where((t < end) & (t > 1e-3), t, np.inf).astype(np.float32)
    normal = np.zeros_like(d)
    rows = np.arange(len(d))
    normal[rows, axis] = -np.sign(d[rows, axis])
    return t, normal @ turn


def _cone(thing: Thing, start: Floats, direction: Floats) -> tuple[Floats, Floats]:
    k = np.float32((thing.radius / thing.height) ** 2)
    ox, oy, oz = start[:, 0], start[:, 1] - np.float32(thing.height), start[:, 2]
    dx, dy, dz = direction.T
    a = dx * dx + dz * dz - k * dy * dy
    b = ox * dx + oz * dz - k * oy * dy
    c = ox * ox + oz * oz - k * oy * oy
    root = np.sqrt(b * b - a * c)
    best = np.full(len(dx), np.inf, np.float32)
    for t in ((-b - root) / a, (-b + root) / a):
        y = oy + t * dy
        ok = (t > 1e-3) & (y < 0) & (y > -thing.height) & (t < best)
        best = np.where(ok, t, best).astype(np.float32)
    at = np.where(np.isfinite(best), best, 0)
    normal = np.stack([ox + at * dx, -k * (oy + at * dy), oz + at * dz], axis=1).astype(np.float32)
    return best, normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), np.float32(1e-6))


# -- light ---------------------------------------------------------------------------------------------------------


def _shade(scene: Scene, rays: _Rays, hit: _Hit) -> Floats:
    """Colours as a screen takes them, `[N, 3]` from 0 to 1."""
    over, horizon, sun, ambient = (np.array(c, np.float32) for c in SKIES[scene.sky])
    up = np.clip(rays.direction[:, 1], 0, 1)[:, None] ** np.float32(0.6) * np.float32(1.6)
    sky = horizon + (over - horizon) * np.minimum(up, 1)
    solid = np.nonzero(hit.thing)[0]
    color = sky
    if len(solid):
        rays, t, thing, normal = rays[solid], hit.t[solid], hit.thing[solid], hit.normal[solid]
        point = _EYE + t[:, None] * rays.direction
        albedo = np.array(
            [
                GROUNDS[scene.ground],
                *(np.array(COLORS[thing.color]) * thing.tint for thing in scene.things),
            ],
            np.float32,
        )[thing - 1]
        lit = np.maximum(normal @ _SUN, 0)
        open_ = np.ones(len(t), np.float32)  # how much of the sky a point sees
        for number, solid_thing in enumerate(scene.things, start=2):
            away = np.hypot(point[:, 0] - solid_thing.x, point[:, 2] - solid_thing.z) / solid_thing.radius
            ground = thing == 1
            # The contact shadow: the nearer to the thing, the less of the sky is open.
            open_ = np.where(ground, open_ * (1 - 0.62 * np.exp(-((np.maximum(away - 0.55, 0) / 0.55) ** 2))), open_)
            reach = 1 + solid_thing.height / solid_thing.radius * 1.2
            maybe = np.nonzero((thing != number) & (away < reach) & (lit > 0))[0]
            if len(maybe):
                start = point[maybe] + normal[maybe] * np.float32(1e-3)
                blocked, _ = _intersect(solid_thing, start, np.broadcast_to(_SUN, start.shape))
                lit[maybe[np.isfinite(blocked)]] = 0
        below = np.where(thing > 1, 0.55 + 0.45 * normal[:, 1], 1)  # things are darker underneath
        bounce = np.array(GROUNDS[scene.ground], np.float32) * np.float32(0.35)
        light = ambient * (open_ * below)[:, None] + sun * lit[:, None] + bounce * (1 - below)[:, None]
        half = _SUN - rays.direction
        half /= np.linalg.norm(half, axis=1, keepdims=True)
        gloss = np.where((thing > 1) & (lit > 0), np.maximum((normal * half).sum(1), 0) ** 48, 0)
        shaded = albedo * light + np.float32(0.4) * gloss[:, None] * sun
        haze = 1 - np.exp(-((t * rays.forward / 20) ** 2))
        color[solid] = shaded + (horizon - shaded) * np.where(thing == 1, haze, haze * 0.5)[:, None]
    return np.clip(color, 0, 1) ** np.float32(1 / 2.2)


def _rough(color: Floats) -> NDArray[np.bool_]:
    """Pixels beside which the picture changes a lot, `[SIZE, SIZE]`."""
    rough = np.zeros(color.shape[:2], bool)
    across = np.abs(np.diff(color, axis=1)).max(2) > _EDGE
    down = np.abs(np.diff(color, axis=0)).max(2) > _EDGE
    rough[:, 1:] |= across
    rough[:, :-1] |= across
    rough[1:] |= down
    rough[:-1] |= down
    return rough
