"""Checkpoints as the Hub has them: `config.json` and `model.safetensors`, written beside and renamed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from fourm_tui.checkpoints import CONFIG_FILE, WEIGHTS_FILE


def save_checkpoint(
    folder: Path, config: Mapping[str, Any], tensors: Mapping[str, Tensor], dtype: torch.dtype = torch.float16
) -> None:
    """Writes a checkpoint; of tensors that are one and the same only the first is written."""
    folder.mkdir(parents=True, exist_ok=True)
    seen: set[int] = set()
    kept = {}
    for name, tensor in tensors.items():
        if tensor.data_ptr() in seen:
            continue
        seen.add(tensor.data_ptr())
        kept[name] = tensor.detach().to("cpu", dtype).contiguous()
    weights = folder / WEIGHTS_FILE
    save_file(kept, weights.with_suffix(".part"))
    described = (folder / CONFIG_FILE).with_suffix(".part")
    described.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    weights.with_suffix(".part").replace(weights)
    described.replace(folder / CONFIG_FILE)
