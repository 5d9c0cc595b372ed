"""Pictures at the size of the figures."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SIZE = 256
"""Shorter side where no config says `image_size_metrics`."""


def resized(pictures: Tensor, size: int = SIZE) -> Tensor:
    """Pictures scaled until their shorter side has `size` pixels: bilinear, antialiased, rounded, as torchvision's
    `resize` does with uint8 tensors.

    Args:
        pictures: uint8 `[B, 3, H, W]`.
    """
    H, W = pictures.shape[-2:]
    short, long = min(H, W), max(H, W)
    if short == size:
        return pictures
    longer = int(size * long / short)
    shape = (size, longer) if H <= W else (longer, size)
    scaled = F.interpolate(pictures.float(), shape, mode="bilinear", align_corners=False, antialias=True)
    return scaled.round().clamp(0, 255).to(torch.uint8)
