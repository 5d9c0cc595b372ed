"""When memory runs out: what such an error is, and what can be done before giving up."""

from __future__ import annotations

import gc
from pathlib import Path

import torch

from fourm_tui.errors import FourmError, printable


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
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        return 2**62  # a system that does not say: loading is tried


def forget_unused() -> None:
    """Gives memory that is no longer used back to the device."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
