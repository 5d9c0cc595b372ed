"""SAM instances: from a generated text and the mask logits of its instances to masks in the 224 x 224 picture.

Rules and numbers are those of ml-4m (`decode_sam_instances`): large instances first, the same instance found from
several points counts once, later (smaller) masks lie above earlier ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from fourm_tui.formats.instances import Instance, decode
from fourm_tui.pictures.labels import brightened

SIDE = 224
"""Pixels of the picture that boxes are counted in."""
_LEAST_CONTRAST = 0.9
_SAME_MASK = 0.8
_SAME_BOX = 0.9


@dataclass(frozen=True, eq=False)
class Mask:
    """One instance."""

    box: tuple[int, int, int, int]
    """x0, y0, x1, y1 in pixels of the 224 x 224 picture; may reach beyond it."""
    mask: NDArray[np.bool_]
    """`[224, 224]`."""


def instances_of(text: str) -> tuple[Instance, ...]:
    """The instances in a generated text, in its order: that in which their mask logits are expected."""
    return tuple(instance for query in decode(text) for instance in query.instances)


def masks(instances: Sequence[Instance], logits: NDArray[np.floating]) -> tuple[Mask, ...]:
    """Instances placed in the picture, the largest box first; faint masks are left out, equal ones merged.

    Args:
        instances: as `instances_of` gives them.
        logits: `[N, S, S]` or `[N, 1, S, S]`, one of each, positive inside.

    Raises:
        ValueError: there are not as many masks as instances.
    """
    if len(instances) != len(logits):
        raise ValueError(f"{len(logits)} masks for {len(instances)} instances")
    if not instances:
        return ()
    logits = np.asarray(logits, dtype=np.float64).reshape(len(instances), *logits.shape[-2:])
    inside = 1 / (1 + np.exp(-np.clip(np.nan_to_num(logits), -60, 60)))
    by_area = sorted(range(len(instances)), key=lambda n: -_area(instances[n].box))
    groups: list[list[int]] = []
    for n in by_area:
        if inside[n].max() - inside[n].min() < _LEAST_CONTRAST:
            continue
        same = (
            group
            for group in groups
            if _dice(inside[n], inside[group[0]]) > _SAME_MASK
            and _iou(instances[n].box, instances[group[0]].box) > _SAME_BOX
        )
        found = next(same, None)
        if found is None:
            groups.append([n])
        else:
            found.append(n)
    return tuple(_merged([instances[n].box for n in group], inside[group]) for group in groups)


def _merged(boxes: Sequence[tuple[int, int, int, int]], inside: NDArray[np.float64]) -> Mask:
    x0, y0, x1, y1 = (int(value) for value in np.mean(boxes, axis=0))
    large = _cubic(inside.shape[1], y1 - y0) @ inside.mean(axis=0) @ _cubic(inside.shape[2], x1 - x0).T > 0.5
    mask = np.zeros((SIDE, SIDE), dtype=bool)
    bottom, right = min(y1, SIDE), min(x1, SIDE)
    if y0 < bottom and x0 < right:
        mask[y0:bottom, x0:right] = large[: bottom - y0, : right - x0]
    return Mask((x0, y0, x1, y1), mask)


def _cubic(old: int, new: int) -> NDArray[np.float64]:
    """Weights `[new, old]` of cubic convolution (Keys 1981) with a = -0.75, pixel centres aligned, edges repeated."""
    a = -0.75
    centre = (np.arange(new) + 0.5) * old / new - 0.5
    base = np.floor(centre).astype(int)
    weights = np.zeros((new, old))
    for offset in range(-1, 3):
        d = np.abs(centre - (base + offset))
        near = ((a + 2) * d - (a + 3)) * d * d + 1
        far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
        np.add.at(weights, (np.arange(new), np.clip(base + offset, 0, old - 1)), np.where(d <= 1, near, far))
    return weights


def _area(box: tuple[int, int, int, int]) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


def _dice(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(2 * ((a * b).sum() + 0.01) / (a.sum() + b.sum() + 0.01))


def _iou(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> float:
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(wide, 0) * max(high, 0)
    return both / (_area(a) + _area(b) - both)


def colors(count: int) -> NDArray[np.uint8]:
    """Colours `[count, 3]` of instances in ml-4m: always the same ones, at random."""
    random = np.random.default_rng(0)
    return np.array([random.integers(0, 255, size=3) for _ in range(count)], dtype=np.uint8).reshape(count, 3)


def colored(found: Sequence[Mask], over: Image.Image | None = None) -> Image.Image:
    """Masks in their colours on black, later ones above; over a picture half transparent, with an edge."""
    table = colors(len(found))
    if over is None:
        flat = np.zeros((SIDE, SIDE, 3), dtype=np.uint8)
        for mask, color in zip(found, table, strict=True):
            flat[mask.mask] = color
        return Image.fromarray(flat)
    base = over.convert("RGB").resize((2 * SIDE, 2 * SIDE), Image.Resampling.LANCZOS)
    mixed = np.array(ImageEnhance.Color(base).enhance(0.35), dtype=np.float32) * 0.8
    for mask, color in zip(found, table, strict=True):
        bright = np.array(brightened(color), dtype=np.float32)
        soft = Image.fromarray(mask.mask.astype(np.uint8) * 255).resize(base.size, Image.Resampling.BICUBIC)
        inside = np.asarray(soft) > 127
        mixed[inside] = 0.35 * mixed[inside] + 0.65 * bright
        mixed[inside & ~_eroded(_eroded(inside))] = np.minimum(bright + 50, 255)
    return Image.fromarray(mixed.astype(np.uint8))


def _eroded(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    around = np.pad(mask, 1)
    return around[:-2, 1:-1] & around[2:, 1:-1] & around[1:-1, :-2] & around[1:-1, 2:]
