"""Checkpoints as the Hub has them, `config.json` and `model.safetensors`, and states to go on from; written beside and
renamed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

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


def save_state(file: Path, module: nn.Module, **facts: float) -> None:
    """Keeps the weights of a module in training, and facts about it."""
    beside = file.with_suffix(".part")
    save_file({n: t.contiguous() for n, t in module.state_dict().items()}, beside, {"state": json.dumps(facts)})
    beside.replace(file)


def load_state(file: Path, module: nn.Module) -> dict[str, Any]:
    """Takes the weights that `save_state` kept, and gives its facts."""
    with safe_open(file, framework="pt") as stored:
        module.load_state_dict({name: stored.get_tensor(name) for name in stored.keys()})  # noqa: SIM118
        return dict(json.loads(stored.metadata()["state"]))
