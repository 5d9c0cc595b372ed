"""What torch can compute on here. Run as a program it prints that as JSON: asking CUDA may hang, and whoever asks can
then give up on a process."""

from __future__ import annotations

import json
import sys
from typing import Any


def describe() -> dict[str, Any]:
    """Versions of torch and CUDA, and each device with its memory in bytes and whether it computes in bf16."""
    import torch

    devices: list[dict[str, Any]] = []
    problem = ""
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            try:
                free, total = torch.cuda.mem_get_info(index)
                facts = torch.cuda.get_device_properties(index)
                bf16 = facts.major >= 8 or torch.version.hip is not None
                devices.append(
                    {"device": f"cuda:{index}", "name": facts.name, "bytes": total, "free": free, "bf16": bf16}
                )
            except RuntimeError as error:
                problem = str(error).strip().partition("\n")[0]
    if torch.backends.mps.is_available():
        devices.append({"device": "mps", "name": "Apple GPU", "bytes": None, "free": None, "bf16": None})
    return {
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "threads": torch.get_num_threads(),
        "devices": devices,
        "problem": problem,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(describe()))
