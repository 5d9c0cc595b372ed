"""The MLP of tokenizers of vectors: global features and body poses (Bachmann et al. 2023, arXiv:2306.13575)."""

from __future__ import annotations

import re

from torch import Tensor, nn

from fourm_tui.errors import InputError, printable
from fourm_tui.tokenizers.config import MLP_ID


class BottleneckBlock(nn.Module):
    """A wide layer between two thin ones."""

    def __init__(self, thin: int, wide: int) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Linear(thin, wide), nn.GELU(), nn.Linear(wide, thin))

    def forward(self, x: Tensor) -> Tensor:
        return self.block(x)


class BottleneckMLP(nn.Module):
    """Blocks after norms, each added to what came in; every place of `[B, dim_in, h, w]` by itself."""

    def __init__(self, dim_in: int, dim_out: int, blocks: int, thin: int, expansion: int) -> None:
        super().__init__()
        self.dim_in, self.dim_out = dim_in, dim_out
        self.linear_in = nn.Linear(dim_in, thin)
        self.linear_out = nn.Linear(thin, dim_out)
        self.blocks = nn.ModuleList(BottleneckBlock(thin, expansion * thin) for _ in range(blocks))
        self.layernorms = nn.ModuleList(nn.LayerNorm(thin) for _ in range(blocks))

    def forward(self, x: Tensor) -> Tensor:
        y = self.linear_in(x.permute(0, 2, 3, 1))  # [B, h, w, thin]
        for block, norm in zip(self.blocks, self.layernorms, strict=True):
            y = y + block(norm(y))
        return self.linear_out(y).permute(0, 3, 1, 2)


def mlp(model_id: str, dim_in: int | None = None, dim_out: int | None = None) -> BottleneckMLP:
    """The MLP of an id such as `BottleneckMLP/B_6-Wi_1024-E_4`: 6 blocks, 1024 wide, 4 times as wide inside.

    Args:
        model_id: without its third part the blocks are 4 times as wide inside.
        dim_in, dim_out: channels of what goes in and comes out; None: the MLP's width.

    Raises:
        InputError: an id of another form.
    """
    parts = re.fullmatch(MLP_ID, model_id)
    if parts is None:
        raise InputError(f"{printable(model_id, 60)} is no MLP such as BottleneckMLP/B_6-Wi_1024")
    blocks, thin, expansion = int(parts[1]), int(parts[2]), int(parts[3] or 4)
    return BottleneckMLP(dim_in or thin, dim_out or thin, blocks, thin, expansion)
