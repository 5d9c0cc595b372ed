"""bf16 gives other tokens than fp32, but nearly the same distributions: that is what is held to here.

The tolerance: the probabilities of a position differ by 1 % in total on average, and by 4 % at the most. Weights are
computed from their names, with a spread at which logits differ by a few units, as trained ones do.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from fourm_tui.architecture import Architecture
from fourm_tui.model.fourm import FourM
from fourm_tui.sampling.chain import branch_logits, run_chain, step_seeds
from fourm_tui.sampling.state import ImageTokens, Sequence, State
from tests.model.test_counts import steps_of
from tests.tiny import tiny_config

RGB = "tok_rgb@224"
MEAN, MOST = 0.01, 0.04


@pytest.fixture(scope="module")
def models() -> dict[str, FourM]:
    torch.manual_seed(0)
    config = tiny_config(dim=128, encoder_depth=4, decoder_depth=4, num_heads=4)
    model, low = (FourM(Architecture.from_config(config, "tiny")) for _ in range(2))
    model.initialise(torch.Generator().manual_seed(0))
    with torch.no_grad():
        for name in ("caption", RGB):
            model.input(name).token_emb.weight.normal_(std=0.5)
            model.output(name).to_logits.weight.normal_(std=0.25)
    model = model.eval().requires_grad_(False)
    low.load_state_dict(model.state_dict())
    low = low.eval().requires_grad_(False).bfloat16()
    low.pack()
    return {"fp32": model, "bf16": low}


@pytest.mark.parametrize("guidance", [1.0, 3.0])
@torch.inference_mode()
def test_the_distributions_of_bf16_are_those_of_fp32(models: dict[str, FourM], guidance: float) -> None:
    step = steps_of(RGB, "roar", 2, guidance, 196)[1]
    draw = torch.Generator().manual_seed(1)
    order = torch.rand(8, 196, generator=draw).argsort(dim=1)
    known = ImageTokens.empty(8, 196).decoded(order[:, :98], torch.randint(64, (8, 98), generator=draw))
    texts = torch.randint(5, 40, (8, 12), generator=draw).tolist()
    state = State({"caption": Sequence.of(texts), RGB: known}, 8)
    found = {}
    for name, model in models.items():
        logits = branch_logits(model, state, step, order[:, 98:])
        found[name] = torch.stack([branch.softmax(dim=-1) for branch in logits])
    assert found["fp32"].max(dim=-1).values.mean() > 3 / 64  # they say something
    distance = (found["fp32"] - found["bf16"]).abs().sum(dim=-1) / 2  # total variation
    assert distance.mean() < MEAN
    assert distance.max() < MOST


@torch.inference_mode()
def test_on_a_cpu_a_text_in_bf16_attends_in_fp32(models: dict[str, FourM], monkeypatch: pytest.MonkeyPatch) -> None:
    """From one query to keys in bf16 takes several times as long."""
    state = State({RGB: ImageTokens.of(torch.zeros(1, 196, dtype=torch.int64)), "caption": Sequence.empty(1, 8)}, 1)
    steps = steps_of("caption", "autoregressive", None, 1.0, 8)
    text = run_chain(models["bf16"], state, steps, step_seeds([0]))
    next(text)
    attend, seen = F.scaled_dot_product_attention, []

    def attending(query: Tensor, keys: Tensor, *rest: Tensor, **more: Any) -> Tensor:
        seen.append((query.dtype, keys.dtype))
        return attend(query, keys, *rest, **more)

    monkeypatch.setattr(F, "scaled_dot_product_attention", attending)
    assert next(text).step.target == "caption"
    assert seen == [(torch.float32, torch.float32)] * 2 * len(models["bf16"].decoder)
