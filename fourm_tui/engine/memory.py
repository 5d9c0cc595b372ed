"""When memory runs out: what such an error is, and what can be done before giving up."""

from __future__ import annotations

import ctypes
import gc
from typing import TypedDict

import torch

from fourm_tui.errors import FourmError, printable
from fourm_tui.procfs import said_bytes

_ROUND = 10**7
"""Bytes to which memory is told: what matters less is no news."""


class DeviceMemory(TypedDict):
    """Bytes of a device's memory."""

    free: int
    total: int
    own: int
    """What this process has of it."""


class OutOfMemoryError(FourmError):
    """It does not fit, however small the pieces."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on whatever device."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)


def does_not_fit(error: BaseException, device: torch.device) -> OutOfMemoryError:
    """What to say when nothing helps: what was asked for, and what is free."""
    reason = str(error).splitlines()[0][:200] if str(error) else "memory ran out"
    free = free_bytes(device) / 1e9
    return OutOfMemoryError(
        f"out of memory on {device}, with one sample at a time: {reason} ({free:.1f} GB are free); a smaller model, "
        "--dtype bf16 or fewer tokens need less"
    )


def cannot_load(name: str, size: int, device: torch.device) -> OutOfMemoryError:
    """What to say of a checkpoint (its file has `size` bytes) for which there is no room, although all else is gone."""
    free = free_bytes(device) / 1e9
    return OutOfMemoryError(
        f"out of memory on {device}: {printable(name)} has {size / 1e9:.1f} GB, and {free:.1f} GB are free; a smaller "
        "model or --dtype bf16 needs less"
    )


def free_bytes(device: torch.device) -> int:
    """Memory that is free on a device; of the CPU what the system could give without swapping."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    available = said_bytes("meminfo", "MemAvailable")
    return 2**62 if available is None else available  # a system that does not say: loading is tried


def device_memory(device: torch.device) -> DeviceMemory | None:
    """What a device has, what of it is free, and what this process has: of the CPU the memory that it has to itself.
    None where the system does not tell."""
    free: int | None
    total: int | None
    own: int | None
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        own = torch.cuda.memory_reserved(device)
    elif device.type == "mps":
        total, own = torch.mps.recommended_max_memory(), torch.mps.driver_allocated_memory()
        free = max(total - own, 0)
    else:
        free, total = said_bytes("meminfo", "MemAvailable"), said_bytes("meminfo", "MemTotal")
        own = said_bytes("self/status", "RssAnon")
    if free is None or total is None or own is None:
        return None
    free, total, own = (int(each) // _ROUND * _ROUND for each in (free, total, own))
    return DeviceMemory(free=free, total=total, own=own)


def forget_unused() -> None:
    """Gives memory that is no longer used back to the device, and to the system."""
    gc.collect()
    if hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
