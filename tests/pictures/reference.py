"""What the reference implementation makes of decoded arrays and texts, and the inputs it was given."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

DATA = Path(__file__).parents[1] / "data" / "decode"


def cases(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


def arrays(name: str) -> dict[str, NDArray[Any]]:
    with np.load(DATA / f"{name}.npz") as file:
        return dict(file)


def noise(name: str, shape: tuple[int, ...], low: float, high: float) -> NDArray[np.float32]:
    """Uniform noise that depends on its name alone."""
    random = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))
    return (low + (high - low) * random.random(shape)).astype(np.float32)


def enlarged(array: NDArray[Any], factor: int) -> NDArray[Any]:
    return array.repeat(factor, axis=-1).repeat(factor, axis=-2)


def by_id(name: str) -> dict[str, Any]:
    found = cases(name)
    return {case["id"]: case for case in (found["calls"] if isinstance(found, dict) else found)}
