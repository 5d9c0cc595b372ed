"""How long the parts around the steps take: drawing tokens, loading, tokens to pictures, pictures to files and cells.

How to run: see `test_steps`. Figures, no verdicts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from fourm_tui.demo.tokenizers import RECIPES
from fourm_tui.model.loading import load_model
from fourm_tui.pictures.png import png_bytes
from fourm_tui.sampling.draw import draw, generators
from fourm_tui.terminal.blocks import render
from fourm_tui.tokenizers.loading import load_tokenizer

pytest.importorskip("pytest_benchmark")

PLACES = 8
"""That a draw is for, of each sample."""


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    """224 x 224, smooth with some noise, as photos are."""
    across = np.linspace(0, 200, 224)
    ground = np.stack(np.broadcast_arrays(across, across[:, None], 100.0), axis=-1)
    noise = np.random.default_rng(0).normal(0, 8, ground.shape)
    return Image.fromarray((ground + noise).clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize("batch", [1, 16])
@pytest.mark.parametrize("vocabulary", [16384, 30000])
def test_drawing_with_top_p(benchmark: Any, vocabulary: int, batch: int) -> None:
    logits = 3 * torch.randn(batch, PLACES, vocabulary, generator=torch.Generator().manual_seed(0))
    sources = generators(range(batch), torch.device("cpu"))
    with torch.inference_mode():
        drawn = benchmark(draw, logits, 1.0, 0, 0.9, sources)
    assert drawn.tokens.shape == (batch, PLACES)


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("batch", [1, 4])
def test_tokens_to_pictures(benchmark: Any, name: str, batch: int) -> None:
    tokenizer = load_tokenizer(f"demo/{name.partition('@')[0]}")
    source = torch.Generator().manual_seed(0)
    tokens = torch.randint(int(np.prod(RECIPES[name].levels)), (batch, 14, 14), generator=source)
    with torch.inference_mode():
        pictures = benchmark(tokenizer.decode, tokens)
    assert pictures.shape[0] == batch


def test_loading_the_bundled_model(benchmark: Any) -> None:
    assert benchmark(load_model, "demo").architecture.dim > 0


def test_a_picture_as_png(benchmark: Any, picture: Image.Image) -> None:
    assert benchmark(png_bytes, picture, {"seed": "1"}).startswith(b"\x89PNG")


@pytest.mark.parametrize("colours", ["truecolor", "256", "16"])
def test_a_picture_as_blocks(benchmark: Any, picture: Image.Image, colours: str) -> None:
    cells = benchmark(render, picture, 56, 28, colours)
    assert (cells.rows, cells.columns) == (28, 56)
