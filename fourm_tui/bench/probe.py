"""What the hardware can do: operations a second in matrix products, bytes a second streamed from memory."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from fourm_tui.cost import Calibration
from fourm_tui.model.layers import Linear

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
    """Measures a device with a number type, as the models multiply: a product of square matrices, and a product with
    one vector that reads all of a large matrix once, as a step of text does."""
    side = _SIDE.get(device.type, _SIDE["cpu"])
    width = 4096
    rows = _STREAM.get(device.type, _STREAM["cpu"]) // (width * dtype.itemsize)
    square, tall = (_product(*shape, device, dtype) for shape in ((side, side), (width, rows)))
    many, one = (torch.randn(*shape, device=device, dtype=dtype) for shape in ((side, side), (1, width)))
    flops = 2 * side**3 / best_seconds(lambda: square(many), device)
    streamed = width * rows * dtype.itemsize / best_seconds(lambda: tall(one), device)
    return Calibration(flops, streamed)


def _product(wide: int, tall: int, device: torch.device, dtype: torch.dtype) -> Linear:
    layer = Linear(wide, tall, bias=False, device=device, dtype=dtype)
    layer.pack()
    return layer
