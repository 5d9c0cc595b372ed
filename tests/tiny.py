"""A tiny 4M model in the Hub's layout, with random weights and a text tokenizer of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from fourm_tui.architecture import Architecture
from fourm_tui.model.fourm import FourM
from tests.text.reference import write_tiny_tokenizer

BASE = ("rgb@224", "caption", "det", "tok_rgb@224", "tok_depth@224", "tok_clip@224", "t5_caption", "sam_instance")
SR = ("caption", "tok_rgb@224", "tok_clip@224", "tok_rgb@448", "tok_clip@448")

CONFIG: dict[str, Any] = {
    "domains_in": list(BASE), "domains_out": list(BASE[1:]), "image_size": 224, "patch_size": 16, "dim": 32,
    "encoder_depth": 1, "decoder_depth": 1, "num_heads": 2, "mlp_ratio": 4, "qkv_bias": False, "proj_bias": False,
    "mlp_bias": False, "norm_bias": False, "act_layer": "SiLU", "gated_mlp": True,
}  # fmt: skip
"""Of a 4M-7 with small vocabularies; text has the size of the tokenizer that lies beside it."""


def tiny_config(**changes: Any) -> dict[str, Any]:
    names = {*changes.get("domains_in", CONFIG["domains_in"]), *changes.get("domains_out", CONFIG["domains_out"])}
    vocabularies = {name: {"vocab_size": 64} for name in names if name.startswith("tok_")}
    return {**CONFIG, "modalities": vocabularies, **changes}


def tiny_model(seed: int = 0, **changes: Any) -> FourM:
    """The model, ready to generate."""
    torch.manual_seed(0)
    model = FourM(Architecture.from_config(tiny_config(**changes)))
    generator = torch.Generator().manual_seed(seed)
    model.initialise(generator)
    for parameter in model.parameters():  # initial weights give flat logits
        parameter.data.mul_(4 if parameter.dim() > 1 else 1)
    return model.eval().requires_grad_(False)


def tiny_checkpoint(folder: Path, seed: int = 0, **changes: Any) -> Path:
    """`config.json`, `model.safetensors` and `text_tokenizer.json` in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    model = tiny_model(seed, **changes)
    (folder / "config.json").write_text(json.dumps(tiny_config(**changes)))
    shared = {decoder for _, decoder in model.shared_names()}
    save_file(
        {name: value for name, value in model.state_dict().items() if name not in shared}, folder / "model.safetensors"
    )
    write_tiny_tokenizer(folder / "text_tokenizer.json")
    return folder


def tiny_sr_checkpoint(folder: Path) -> Path:
    return tiny_checkpoint(folder, 1, domains_in=list(SR), domains_out=list(SR[3:]))
