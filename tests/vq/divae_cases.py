"""The cases of tokenizers that decode by diffusion: models, settings and noise as a case's calls name them."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import torch

from fourm_tui.tokenizers.config import DiffusionConfig, TokenizerConfig
from fourm_tui.tokenizers.diffusion import Diffusion, Noise
from fourm_tui.tokenizers.divae import DiVAE
from fourm_tui.tokenizers.unet import UNetSize
from fourm_tui.tokenizers.uvit import UViTSize
from tests.vq.reference import Case


@lru_cache(maxsize=1)
def case_and_model(name: str) -> tuple[Case, DiVAE]:
    """A case and its model; cases of tiny models have decoders of their own sizes."""
    case = Case(name)
    model = DiVAE(TokenizerConfig.from_config(case.facts["config"]), decoder_size(case.facts["decoder"]))
    case.fill(model)
    return case, model


def decoder_size(facts: dict[str, Any] | str) -> UNetSize | UViTSize | None:
    if isinstance(facts, str):
        return None
    kind = UViTSize if "mid_layers" in facts else UNetSize
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in facts.items()}
    return kind(**{key: value for key, value in values.items() if key in kind.__dataclass_fields__})


def one_source(seed: int) -> Noise:
    """Noise for the whole batch from one generator, as in the reference."""
    generator = torch.Generator().manual_seed(seed)
    return lambda shape: torch.randn(tuple(shape), generator=generator)


def diffusion_of(model: DiVAE, call: dict[str, Any]) -> Diffusion:
    """The model's settings with the scheduler of a call."""
    config = model.config.diffusion
    assert isinstance(config, DiffusionConfig)
    return Diffusion(replace(config, scheduler=call["scheduler"].removesuffix("Scheduler").lower()))


def tolerance(case: Case, call_id: str) -> float:
    return max(1e-4, 20 * case.facts["noise_floor"].get(call_id, 0.0))
