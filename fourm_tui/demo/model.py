"""The 4M model of the box: its configuration and the weights that its training begins with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from fourm_tui.architecture import Architecture
from fourm_tui.demo.scenes import CLASSES
from fourm_tui.demo.text import THINGS, VOCABULARY, VOCABULARY_SIZES
from fourm_tui.demo.tokenizers import RECIPES
from fourm_tui.formats.vocabulary import BINS, value_of
from fourm_tui.model.embeddings import TokenInput
from fourm_tui.model.fourm import FourM
from fourm_tui.model.layers import Attention, CrossAttention

IMAGES = tuple(RECIPES)
TEXTS = ("caption", "det", "color_palette", "metadata")
LENGTHS: Mapping[str, int] = {"caption": 40, "det": 24, "color_palette": 23, "metadata": 16}
"""Tokens of the longest sequence that is generated."""

_IMAGE_SIZES = {name: math.prod(recipe.levels) for name, recipe in RECIPES.items()}

CONFIG: Mapping[str, Any] = {
    "domains_in": [*TEXTS, *IMAGES],
    "domains_out": [*TEXTS, *IMAGES],
    "dim": 160,
    "encoder_depth": 4,
    "decoder_depth": 4,
    "num_heads": 5,
    "mlp_ratio": 3.6,
    "qkv_bias": False,
    "proj_bias": False,
    "mlp_bias": False,
    "norm_bias": False,
    "act_layer": "SiLU",
    "gated_mlp": True,
    "image_size": 224,
    "patch_size": 16,
    "modalities": {
        **{name: {"vocab_size": VOCABULARY_SIZES[name], "max_tokens": LENGTHS[name]} for name in TEXTS},
        **{name: {"vocab_size": size} for name, size in _IMAGE_SIZES.items()},
        "tok_semseg@224": {"vocab_size": _IMAGE_SIZES["tok_semseg@224"], "classes": list(CLASSES)},
        "det": {
            "vocab_size": VOCABULARY_SIZES["det"], "max_tokens": LENGTHS["det"], "classes": list(THINGS),
        },
    },
}  # fmt: skip
"""Its `config.json`."""


def new_model(seed: int = 0) -> FourM:
    """The model to train from.

    Deviating from `FourM.initialise`, because minutes have to do:
    - Position embeddings of images (they are stored with a checkpoint) go up to a period of two positions, and
      embeddings of tokens are as large as they are.
    - Queries and keys of a head begin with the same weights, so that a position looks at itself and at what is near
      (Trockman and Kolter 2023, arXiv:2305.09828).
    - Coordinates of boxes begin as the waves of the rows and columns that they lie in.
    """
    generator = torch.Generator().manual_seed(seed)
    model = FourM(Architecture.from_config(dict(CONFIG)))
    model.initialise(generator)
    with torch.no_grad():
        for name in model.architecture.inputs:
            grid = model.architecture.modalities[name].grid
            source = model.input(name)
            assert isinstance(source, TokenInput)
            for embedding in (source, model.output(name)):
                if grid:
                    embedding.pos_emb.copy_(_grid_waves(grid, model.architecture.dim))
                embedding.mod_emb.normal_(std=0.3, generator=generator)
                embedding.token_emb.weight.normal_(std=0.5, generator=generator)
            if grid is None:
                waves = _value_waves(VOCABULARY_SIZES[name], model.architecture.dim)
                source.token_emb.weight += waves
                model.output(name).token_emb.weight += waves
                model.output(name).to_logits.weight += 0.1 * waves
        for module in model.modules():
            if isinstance(module, Attention):
                queries, keys, _ = module.qkv.weight.chunk(3)
                keys.copy_(queries)
            elif isinstance(module, CrossAttention):
                module.q.weight.mul_(1.5)
                module.kv.weight.chunk(2)[0].copy_(module.q.weight)
    return model


def _waves(positions: Tensor, dim: int, slowest: float, fastest: float) -> Tensor:
    """Sines and cosines of positions `[N]`, `[N, dim]`; frequencies in radians per position, evenly on a log scale."""
    omega = torch.logspace(math.log10(slowest), math.log10(fastest), dim // 2)
    angles = positions[:, None].float() * omega
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def _grid_waves(grid: tuple[int, int], dim: int) -> Tensor:
    rows, columns = torch.meshgrid(torch.arange(grid[0]), torch.arange(grid[1]), indexing="ij")
    return torch.cat([_place(rows.flatten(), dim), _place(columns.flatten(), dim)], dim=1)[None]


def _place(positions: Tensor, dim: int) -> Tensor:
    return _waves(positions, dim // 2, math.pi / 14, math.pi * 0.95)


def _value_waves(size: int, dim: int) -> Tensor:
    """What is added to the embeddings of a vocabulary: the place of a coordinate; numbers are near their neighbours."""
    waves = torch.zeros(size, dim)
    for index, word in enumerate(VOCABULARY[:size]):
        value = value_of(word)
        if value is not None:
            place = _place(torch.tensor([value[1] / (BINS - 1) * 14 - 0.5]), dim)[0]
            half = slice(0, dim // 2) if value[0] % 2 else slice(dim // 2, dim)  # v1 and v3 are rows
            waves[index, half] = place
    return waves
