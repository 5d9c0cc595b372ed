"""The processor: who made it and what it can do, how many of its cores are ours, and how many threads compute."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from fourm_tui.procfs import said

CHOSEN = "OMP_NUM_THREADS"
"""With which users say how many threads compute."""


def usable_cores(cgroups: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> int:
    """Cores that this process may run on, and whose time it is given: containers and batch systems limit either.

    Args:
        cgroups: where the system's control groups are mounted.
        own: says which of them this process is in.
    """
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min([float(there), *_quotas(cgroups, own)])))


def computing_threads(spare: int = 0, ranks: int = 1, env: Mapping[str, str] = os.environ) -> int | None:
    """Threads for torch on a CPU; None: the user has chosen.

    Args:
        spare: cores to leave to others, where there are more than two.
        ranks: processes of the same kind on this machine. PyTorch's launcher gives each of several one thread, which
            is not taken for a choice.
        env: the environment.
    """
    by_launcher = ranks > 1 and "TORCHELASTIC_RUN_ID" in env and env.get(CHOSEN) == "1"
    if env.get(CHOSEN) and not by_launcher:
        return None
    cores = usable_cores()
    return max(1, (cores - spare if cores > 2 else cores) // ranks)


@cache
def processor_maker(facts: str | Path = "cpuinfo") -> str:
    """Who made the processor: `GenuineIntel`, `AuthenticAMD`, ...; empty where it does not say."""
    return said(facts, "vendor_id") or ""


@cache
def multiplies_bf16(facts: str | Path = "cpuinfo") -> bool:
    """Whether the processor says that it has instructions for products in bf16: without them fp32 is faster."""
    known = said(facts, "flags") or said(facts, "Features") or ""  # x86, ARM
    return not {"amx_bf16", "avx512_bf16", "bf16"}.isdisjoint(known.split())


def _quotas(cgroups: Path, own: Path) -> Iterator[float]:
    """How many cores' time the control groups around this process give it, as each of them says; of both versions of
    the kernel's interface (cgroup-v2.rst: `cpu.max`; sched-bwc.rst: `cpu.cfs_quota_us`)."""
    for line in _read(own).splitlines():
        controllers, _, path = line.partition(":")[2].partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        group = cgroups / "cpu" if controllers else cgroups
        # In a container the path may be one of its host; the group that is mounted is the right one then.
        for name in path.split("/"):
            group /= name
            if controllers:
                quota, period = _read(group / "cpu.cfs_quota_us"), _read(group / "cpu.cfs_period_us")
            else:
                quota, _, period = _read(group / "cpu.max").partition(" ")
            if quota.strip().isdigit() and int(period):  # else -1 or `max`: no limit
                yield int(quota) / int(period)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
