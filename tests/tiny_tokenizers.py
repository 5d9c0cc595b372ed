"""Tiny image tokenizers in the Hub's layout: the published classes with small sizes and random weights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from safetensors.torch import save_file

from fourm_tui.tokenizers import unet, vit
from fourm_tui.tokenizers.config import TokenizerConfig
from fourm_tui.tokenizers.loading import build
from tests.vq.reference import fill, published_facts

PUBLISHED = {
    "rgb_tok_id": "rgb_16k_224-448", "depth_tok_id": "depth_8k_224-448", "normal_tok_id": "normal_8k_224-448",
    "semseg_tok_id": "semseg_4k_224-448", "clip_tok_id": "CLIP-B16_8k_224-448",
    "dinov2_glob_tok_id": "DINOv2-B14-global_8k_16_224", "sam_instance_tok_id": "sam-instance_1k_64",
    "human_poses_tok_id": "human-poses_1k_8",
}  # fmt: skip
SMALL_UNET = unet.UNetSize(model_channels=32, num_res_blocks=1, channel_mult=(1, 1), attention_resolutions=())


@contextmanager
def small_sizes() -> Iterator[None]:
    """While this holds, the presets that configs name are tiny."""
    with (
        mock.patch.dict(vit.SIZES, {"b": (32, 1, 2)}),
        mock.patch.dict(unet.UNET_SIZES, {"unet_patched": SMALL_UNET}),  # type: ignore[arg-type]
    ):
        yield


def tiny_tokenizers(folder: Path, keys: tuple[str, ...] = tuple(PUBLISHED)) -> dict[str, str]:
    """Checkpoints by key; to be made and loaded while `small_sizes` holds. Codebooks have 64 entries, as the tiny model's
    vocabularies, where the model brings its own."""
    names = {}
    for key in keys:
        config, _, _ = published_facts(f"4M_tokenizers_{PUBLISHED[key]}")
        config = dict(config)
        if config["codebook_size"] > 1024:
            config["codebook_size"] = 64
        names[key] = str(_checkpoint(folder / key, config))
    return names


def _checkpoint(folder: Path, config: dict[str, Any]) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config))
    with torch.no_grad():
        tokenizer = build(TokenizerConfig.from_config(config))
        fill(tokenizer)
    shared = {other for _, other in tokenizer.shared_names()}
    save_file(
        {k: v.contiguous() for k, v in tokenizer.state_dict().items() if k not in shared}, folder / "model.safetensors"
    )
    return folder
