"""Pictures as the encoder takes them."""

from __future__ import annotations

from torch import Tensor


def patches(pixels: Tensor, size: int) -> Tensor:
    """Pixels `[B, C, H, W]` as flattened patches `[B, H / size * W / size, size * size * C]`, in the order (row,
    column, channel)."""
    B, C, H, W = pixels.shape
    grid = pixels.reshape(B, C, H // size, size, W // size, size)
    return grid.permute(0, 2, 4, 3, 5, 1).reshape(B, (H // size) * (W // size), size * size * C)
