"""Edges of a photo, by Canny's detector.

J. Canny, "A Computational Approach to Edge Detection", PAMI 1986, in the integer form that OpenCV's `Canny` made
common: Sobel gradients of 3 x 3 pixels over replicated borders, the gradient's size as the sum of both, no smoothing,
a neighbour comparison in four directions, and weak edges kept where they touch a strong one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LOW, HIGH = 100, 200
"""Gradients from which an edge is weak, and strong: those of OpenCV's own example. ml-4m does not publish its own."""

_TAN_22 = round((2**0.5 - 1) * 2**15)  # tan(22.5 degrees) in steps of 2**-15


def canny(grey: NDArray[np.uint8], low: int = LOW, high: int = HIGH) -> NDArray[np.uint8]:
    """The edges of a grey picture `[H, W]`: 255 on an edge, 0 elsewhere."""
    across, down = _gradients(grey)
    size = np.abs(across) + np.abs(down)
    candidates = _thinned(across, down, size) & (size > low)
    strong = candidates & (size > high)
    return np.where(_connected(strong, candidates), 255, 0).astype(np.uint8)


def _gradients(grey: NDArray[np.uint8]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    padded = np.pad(grey.astype(np.int32), 1, mode="edge")
    smooth_down = padded[:-2] + 2 * padded[1:-1] + padded[2:]  # [H, W + 2]
    smooth_across = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]  # [H + 2, W]
    return smooth_down[:, 2:] - smooth_down[:, :-2], smooth_across[2:] - smooth_across[:-2]


def _thinned(across: NDArray[np.int32], down: NDArray[np.int32], size: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Where the gradient is the greatest along its own direction; of two equal neighbours the first counts."""
    x, y = np.abs(across).astype(np.int64), np.abs(down).astype(np.int64) << 15
    horizontal = y < x * _TAN_22
    vertical = ~horizontal & (y > x * (_TAN_22 + (1 << 16)))
    around = np.pad(size, 1)
    left, right, above, below = around[1:-1, :-2], around[1:-1, 2:], around[:-2, 1:-1], around[2:, 1:-1]
    falling = (across ^ down) >= 0  # the gradient points down right or up left
    first = np.where(falling, around[:-2, :-2], around[:-2, 2:])
    second = np.where(falling, around[2:, 2:], around[2:, :-2])
    return np.where(
        horizontal,
        (size > left) & (size >= right),
        np.where(vertical, (size > above) & (size >= below), (size > first) & (size > second)),
    )


def _connected(strong: NDArray[np.bool_], candidates: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The candidates that are strong, or reached from a strong one over candidates, in all eight directions."""
    width = candidates.shape[1] + 2
    open_ = np.pad(candidates, 1).reshape(-1)
    reached = np.pad(strong, 1).reshape(-1)
    steps = np.array([-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1])
    front = np.flatnonzero(reached)
    while len(front):
        near = np.unique((front[:, None] + steps).reshape(-1))
        front = near[open_[near] & ~reached[near]]
        reached[front] = True
    return reached.reshape(-1, width)[1:-1, 1:-1]
