"""Which of several processes this is: PyTorch's launcher (`torchrun`) says so in the environment."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist

from fourm_tui.errors import InputError, printable

_PATIENCE = timedelta(days=30)
"""How long a rank waits for the others: they may have far more to do."""
_LOOK = 0.02
"""Seconds between two looks whether they are here."""


@dataclass(frozen=True)
class Rank:
    """A process among others."""

    rank: int = 0
    world: int = 1
    local_rank: int = 0
    """On its machine."""
    local_world: int = 1

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    @property
    def device(self) -> str | None:
        """The device that is this process's by its place on the machine; None: whatever there is."""
        if self.world > 1 and torch.cuda.is_available():
            return f"cuda:{self.local_rank % torch.cuda.device_count()}"
        return None


def read_rank(env: Mapping[str, str]) -> Rank:
    """The rank that the launcher gives.

    Raises:
        InputError: its variables make no sense.
    """
    if "RANK" not in env or "WORLD_SIZE" not in env:
        return Rank()
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
    try:
        rank, world, local, local_world = (
            int(env.get(name, default)) for name, default in zip(names, ("", "", "0", "1"), strict=True)
        )
    except ValueError:
        told = ", ".join(f"{name}={printable(env.get(name, ''), 20)}" for name in names)
        raise InputError(f"the launcher's variables are no whole numbers: {told}") from None
    if not 0 <= rank < world:
        raise InputError(f"RANK={rank} is not below WORLD_SIZE={world}")
    return Rank(rank, world, local, local_world)


class Group:
    """The processes that work together; alone, nothing is set up and nothing waits."""

    def __init__(self, rank: Rank, device: torch.device) -> None:
        self.rank, self.device = rank, device
        if rank.world > 1:
            if device.type == "cuda":
                torch.cuda.set_device(device)
            dist.init_process_group(
                "nccl" if device.type == "cuda" else "gloo", rank=rank.rank, world_size=rank.world, timeout=_PATIENCE
            )

    def from_first(self, numbers: Sequence[int], length: int) -> list[int]:
        """Whole numbers as the first rank knows them; `length` of them, the same on every rank."""
        if self.rank.world == 1:
            return list(numbers)
        sent = torch.zeros(length, dtype=torch.int64)
        if self.rank.is_first:
            sent[:] = torch.tensor(list(numbers), dtype=torch.int64)
        sent = sent.to(self.device)
        dist.broadcast(sent, 0)
        return [int(number) for number in sent.tolist()]

    def wait(self, stop: Callable[[], bool] = lambda: False) -> bool:
        """Until all are here; false if `stop` said so before that."""
        if self.rank.world > 1:
            all_here = dist.barrier(async_op=True)
            while not all_here.is_completed():
                if stop():
                    return False
                time.sleep(_LOOK)
        return True

    def close(self) -> None:
        if self.rank.world > 1 and dist.is_initialized():
            dist.destroy_process_group()
