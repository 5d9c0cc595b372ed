"""What the hardware can do: operations a second in matrix products, bytes a second streamed from memory."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from fourm_tui.cost import Calibration

_SIDE = {"cpu": 1536, "cuda": 8192, "mps": 4096}
_STREAM = {"cpu": 2**28, "cuda": 2**31, "mps": 2**30}
"""Bytes that are read: more than any cache holds."""
_TIMES = 5


def synchronise(device: torch.device) -> None:
    """Waits until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def best_seconds(work: Callable[[], object], device: torch.device, times: int = _TIMES) -> float:
    """Seconds that something takes when nothing is in its way: the least of several, after one that does not count."""
    work()
    found = []
    for _ in range(times):
        synchronise(device)
        began = time.perf_counter()
        work()
        synchronise(device)
        found.append(time.perf_counter() - began)
    return min(found)


@torch.inference_mode()
def probe(device: torch.device, dtype: torch.dtype) -> Calibration:
    """Measures a device with a number type: a product of square matrices, and a product of a matrix with a vector that
    reads all of a large matrix once, as a step of text does."""
    side = _SIDE.get(device.type, _SIDE["cpu"])
    a = torch.randn(side, side, device=device, dtype=dtype)
    flops = 2 * side**3 / best_seconds(lambda: a @ a, device)
    width = 4096
    rows = _STREAM.get(device.type, _STREAM["cpu"]) // (width * a.element_size())
    matrix, vector = torch.ones(rows, width, device=device, dtype=dtype), a.new_ones(width, 1)
    streamed = matrix.nbytes / best_seconds(lambda: matrix @ vector, device)
    return Calibration(flops, streamed)
