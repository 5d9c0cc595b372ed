"""Single steps, and states that they begin from, for tests that count what a step does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch

from fourm_tui.curves import Guidance
from fourm_tui.model.fourm import FourM
from fourm_tui.plan import Step
from fourm_tui.sampling.chain import Decoded, run_chain, step_seeds
from fourm_tui.sampling.state import S_1, ImageTokens, Sequence, State
from tests.tiny import tiny_config, tiny_model

RGB, DEPTH, CAPTION = "tok_rgb@224", "tok_depth@224", "caption"
POSITIONS = 196
BATCH = 2
WEIGHTS: Mapping[str, float] = {CAPTION: 2.0, DEPTH: 1.0}
"""Weighted guidance, which has three branches."""


def wide_model(vocabulary: int) -> FourM:
    """The tiny model with so many RGB tokens that logits outweigh all else."""
    return tiny_model(modalities={**tiny_config()["modalities"], RGB: {"vocab_size": vocabulary}})


def branches(guidance: Guidance) -> int:
    return 1 + len(guidance) if isinstance(guidance, Mapping) else 1 + (guidance != 1.0)


def image_step(scheme: str, tokens: int, index: int = 0, guidance: Guidance = 3.0, **draw: Any) -> Step:
    """A step that decodes `tokens` of RGB; `draw` may change its temperature, top_p and top_k."""
    how = {"temperature": 1.0, "top_p": 0.9, "top_k": 0, **draw}
    return Step(index, 1, RGB, scheme, tokens, guidance=guidance, guided=(CAPTION, DEPTH), **how)


def image_state(known: int = 0, texts: tuple[int, ...] = (3,) * BATCH) -> State:
    """A caption of so many tokens for each sample, depth, and the first `known` tokens of RGB."""
    source = torch.Generator().manual_seed(0)
    shape = len(texts), POSITIONS
    caption = Sequence.of([[10] * (length - 1) + [3] for length in texts])
    depth = ImageTokens.of(torch.randint(64, shape, generator=source))
    ids, places = torch.randint(64, shape, generator=source), torch.arange(POSITIONS)
    rgb = ImageTokens.of(ids, (places < known).expand(shape))
    return State({CAPTION: caption, DEPTH: depth, RGB: rgb}, len(texts))


def text_chain(model: FourM, guidance: float, tokens: int) -> Iterator[Decoded]:
    """A caption of depth, token by token; no token stops it."""
    step = Step(0, 1, CAPTION, "autoregressive", None, 1.0, guidance, (DEPTH,), 0.9, 0)
    caption = Sequence.of([[S_1]] * BATCH, room=tokens, stop=-1)
    state = State({DEPTH: image_state().image(DEPTH), CAPTION: caption}, BATCH)
    return run_chain(model, state, [step], step_seeds(range(BATCH)))


def image_chain(model: FourM, state: State, *steps: Step) -> Iterator[Decoded]:
    return run_chain(model, state, steps, step_seeds(range(state.batch)))
