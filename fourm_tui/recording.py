"""What a GPU did, recorded and replayed with one launch.

A small pass on a GPU ends before the host has launched the next operator. A function of tensors that stay where they
are is therefore recorded as a CUDA graph at its second use, and replayed from then on. It has to be called before it
is recorded, so that nothing is loaded or tuned meanwhile.
"""

from __future__ import annotations

import logging
import os
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeAlias, TypeVar

import torch
from torch import Tensor

Compute: TypeAlias = Callable[[], Tensor]
Record: TypeAlias = Callable[[Compute], Compute]
SWITCH = "FOURM_TUI_GRAPHS"
LARGEST_BATCH = 8
"""Samples up to which passes are recorded: with more the device is busy, and recordings take more memory than time."""


class Fixed:
    """A function of tensors that stay where they are, and how often it was called."""

    def __init__(self) -> None:
        self._replay: Compute | None = None
        self._was_used = False

    def compute(self) -> Tensor:
        raise NotImplementedError

    def run(self, recording: Record) -> Tensor:
        """What `compute` gives, to be used before the next recording is replayed."""
        if self._replay is None and self._was_used:
            self._replay = recording(self.compute)
        self._was_used = True
        return self.compute() if self._replay is None else self._replay()


F = TypeVar("F", bound=Fixed)


class Recordings:
    """Functions of fixed tensors by what they are of; of so many, the one that was used longest ago goes.

    Args:
        device: a CUDA device.
        most: that are kept.
        record: makes what replays a function; None: CUDA graphs.
    """

    def __init__(self, device: torch.device, most: int, record: Record | None = None) -> None:
        self._record: Record | None = record or CudaGraphs(device)
        self._most = most
        self._made: OrderedDict[Hashable, Any] = OrderedDict()

    def __len__(self) -> int:
        return len(self._made)

    def forget(self) -> bool:
        """Frees the memory of all; whether there were any."""
        had = bool(self._made)
        self._made.clear()
        if isinstance(self._record, CudaGraphs):
            self._record = CudaGraphs(self._record.device)  # a pool that nothing is left of takes nothing any more
        return had

    def get(self, key: Hashable, make: Callable[[], F]) -> F:
        """The one of a key, made if there is none."""
        if key not in self._made:
            self._made[key] = make()
            while len(self._made) > self._most:
                self._made.popitem(last=False)
        self._made.move_to_end(key)
        found: F = self._made[key]
        return found

    def record(self, compute: Compute) -> Compute:
        """The recording of a function; itself where there is no memory for that or, from then on for all, where this
        device cannot record."""
        if self._record is None:
            return compute
        try:
            return self._record(compute)
        except torch.OutOfMemoryError:
            self.forget()
            return compute
        except RuntimeError as error:
            logging.getLogger(__name__).warning("passes cannot be recorded on this device: %s", error)
            self._record = None
            return compute


class CudaGraphs:
    """Records what functions do on a CUDA device, all in one pool of memory: what a recording returns holds until the
    next one is replayed."""

    def __init__(self, device: torch.device) -> None:
        self.device, self.pool = device, torch.cuda.graph_pool_handle()

    def __call__(self, compute: Compute) -> Compute:
        """What replays the function, on the same tensors."""
        with torch.cuda.device(self.device):
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, pool=self.pool, capture_error_mode="thread_local"):
                result = compute()

        def replay() -> Tensor:
            graph.replay()
            return result

        return replay


def is_recorded(device: torch.device) -> bool:
    """Whether passes on a device are recorded: on CUDA, unless `FOURM_TUI_GRAPHS` is 0."""
    return device.type == "cuda" and os.environ.get(SWITCH) != "0"
