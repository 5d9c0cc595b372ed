"""Networks small enough for tests: features, logits and similarities from a few random weights."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from fourm_tui.metrics.networks import Networks

F, C = 6, 5


class TinyInception(nn.Module):
    """Means of a 4x4 grid, mixed."""

    num_features = F

    def __init__(self) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(1)
        self.mix = nn.Parameter(torch.randn(48, F, generator=draw), requires_grad=False)
        self.fc = nn.Parameter(torch.randn(F, C, generator=draw), requires_grad=False)

    def forward(self, pictures: Tensor) -> Tensor:
        grid = nn.functional.adaptive_avg_pool2d(pictures.float() / 255, 4).flatten(1)  # [B, 48]
        return (grid[:, :, None] * self.mix).sum(1)  # the same for a picture whatever else is in the batch


def similarity(pictures: Tensor, captions: Sequence[str]) -> Tensor:
    """Brightness of the picture less the length of the caption."""
    return pictures.float().mean((1, 2, 3)) - torch.tensor([float(len(caption)) for caption in captions])


def tiny_networks() -> Networks:
    inception = TinyInception()
    return Networks(inception, lambda features: features @ inception.fc, similarity)


def pictures(count: int, seed: int, side: int = 32) -> Tensor:
    return torch.randint(
        0, 256, (count, 3, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed)
    )


def needs_torchmetrics() -> None:
    pytest.importorskip("torchmetrics", reason="needs the extra metrics")
    try:
        import torchmetrics.image.fid  # noqa: F401
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"the extra metrics is installed but cannot be loaded: {error}")
