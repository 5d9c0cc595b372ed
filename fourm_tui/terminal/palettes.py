"""The colours of terminals with fewer of them, as xterm has them; the first 16 are anybody's theme."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_FIRST = [
    "000000",
    "cd0000",
    "00cd00",
    "cdcd00",
    "0000ee",
    "cd00cd",
    "00cdcd",
    "e5e5e5",
    "7f7f7f",
    "ff0000",
    "00ff00",
    "ffff00",
    "5c5cff",
    "ff00ff",
    "00ffff",
    "ffffff",
]
_LEVELS = np.array([0, 95, 135, 175, 215, 255], dtype=np.float32)


def first_16() -> NDArray[np.float32]:
    """The 16 colours, `[16, 3]`, 0 to 255."""
    return np.array([list(bytes.fromhex(colour)) for colour in _FIRST], dtype=np.float32)


@lru_cache(maxsize=1)
def _steps() -> NDArray[np.intp]:
    """The level of the cube that is nearest to each value from 0 to 255."""
    return np.abs(np.arange(256)[:, None] - _LEVELS).argmin(axis=1)


def nearest_256(colours: NDArray[np.floating]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The nearest of the cube of 216 colours and the 24 greys, which are the same everywhere.

    Args:
        colours: `[..., 3]`, 0 to 255.

    Returns:
        Numbers `[...]` from 16 to 255, and their colours `[..., 3]`.
    """
    whole = np.clip(np.round(colours), 0, 255).astype(np.intp)
    cube = _steps()[whole]  # [..., 3]
    in_cube = _LEVELS[cube]
    step = np.clip((np.mean(colours, axis=-1) - 8) / 10, 0, 23).round().astype(np.int32)
    grey = np.repeat((8 + 10 * step)[..., None], 3, axis=-1).astype(np.float32)
    grey_wins = ((colours - grey) ** 2).sum(-1) < ((colours - in_cube) ** 2).sum(-1)
    numbers = np.where(grey_wins, 232 + step, 16 + cube @ np.array([36, 6, 1]))
    return numbers.astype(np.int32), np.where(grey_wins[..., None], grey, in_cube)


def nearest_16(colours: NDArray[np.floating]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The nearest of the 16 colours; as `nearest_256`."""
    table = first_16()
    flat = np.asarray(colours, dtype=np.float32).reshape(-1, 3)
    # |a - b|^2 without the part that is the same for all of the table
    numbers = ((table**2).sum(-1) - 2 * flat @ table.T).argmin(-1)
    shape = np.shape(colours)
    return numbers.astype(np.int32).reshape(shape[:-1]), table[numbers].reshape(shape)
