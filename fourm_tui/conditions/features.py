"""Features of vision networks, as their tokenizers take them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourm_tui.errors import InputError
from fourm_tui.modalities import Modality

CHANNELS: Mapping[str, int] = {
    "tok_clip": 512,
    "tok_dinov2": 768,
    "tok_imagebind": 1280,
    "tok_dinov2_global": 768,
    "tok_imagebind_global": 1280,
}
"""Of CLIP-B/16 (after its projection), DINOv2-B/14 and ImageBind-H/14, by the name without resolution."""


def feature_values(array: NDArray[Any], modality: Modality, where: str) -> NDArray[np.float32]:
    """Features `[C, h, w]` float32 with a vector for every position; of global features `[C, 1, 1]`.

    Raises:
        InputError: another shape or type.
    """
    channels = CHANNELS[modality.stem]
    values = array[0] if array.ndim == 4 and len(array) == 1 else array
    if modality.stem.endswith("_global"):
        expected, values = (channels, 1, 1), values.reshape(-1, 1, 1) if values.size == channels else values
    else:
        assert modality.grid is not None
        expected = (channels, *modality.grid)
    if values.shape != expected or values.dtype.kind != "f":
        raise InputError(
            f"{where} has {array.dtype} values of the shape {list(array.shape)}; expected are {modality.max_tokens} "
            f"token ids, or features of the shape {list(expected)}"
        )
    return np.ascontiguousarray(values, dtype=np.float32)
