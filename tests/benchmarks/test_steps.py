"""How long one step takes: an image step of each scheme, and a token of a text whose keys and values are cached.

    pip install -e ".[test,bench]"
    python -m pytest tests/benchmarks [--slow] [--benchmark-autosave] [--benchmark-compare]

`--slow` adds 4M-7_B with made-up weights. Figures, no verdicts, and none worth keeping from a machine that does
something else meanwhile. The default suite does not run these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from fourm_tui.architecture import Architecture
from fourm_tui.bench.made import made_model
from fourm_tui.model.fourm import FourM
from fourm_tui.model.loading import load_model
from fourm_tui.published import find
from fourm_tui.sampling.chain import Decoded
from tests.model.steps import image_chain, image_state, image_step, text_chain
from tests.tiny import tiny_model

pytest.importorskip("pytest_benchmark")

PUBLISHED = "4M-7_B_CC12M"
KNOWN, TOKENS = 98, 8
"""Tokens that a step of an image finds, and that it decodes."""
ROUNDS = 20


def published_model() -> FourM:
    published = find(PUBLISHED)
    assert published is not None
    architecture = Architecture.from_config(published.config, PUBLISHED)
    return made_model(architecture, torch.device("cpu"), torch.float32)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(tiny_model, id="tiny"),
        pytest.param(lambda: load_model("demo"), id="demo"),
        pytest.param(published_model, id="4M-7_B", marks=pytest.mark.slow),
    ],
)
def model(request: pytest.FixtureRequest) -> FourM:
    make: Callable[[], FourM] = request.param
    return make()


@pytest.mark.parametrize("scheme", ["roar", "maskgit"])
@pytest.mark.parametrize("guidance", [1.0, 3.0], ids=["alone", "guided"])
def test_a_step_of_an_image(benchmark: Any, model: FourM, scheme: str, guidance: float) -> None:
    state, step = image_state(KNOWN), image_step(scheme, TOKENS, guidance=guidance)
    (decoded,) = benchmark(lambda: list(image_chain(model, state, step)))
    assert decoded.tokens.shape == (state.batch, TOKENS)


@pytest.mark.parametrize("guidance", [1.0, 3.0], ids=["alone", "guided"])
def test_a_token_of_a_text(benchmark: Any, model: FourM, guidance: float) -> None:
    def after_the_first() -> tuple[tuple[Iterator[Decoded]], dict[str, Any]]:
        """A chain whose conditions are encoded: that is done with its first token."""
        chain = text_chain(model, guidance, 8)
        next(chain)
        return (chain,), {}

    decoded = benchmark.pedantic(next, setup=after_the_first, rounds=ROUNDS, warmup_rounds=1)
    assert int(decoded.positions[0, 0]) == 1
