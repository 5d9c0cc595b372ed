"""The vision transformers of image tokenizers (Yu et al. 2021, arXiv:2110.04627).

Position embeddings are kept for the grid of training and interpolated bicubically to any other.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fourm_tui.errors import InputError
from fourm_tui.tokenizers.config import TokenizerConfig
from fourm_tui.weights import computed

NORM_EPS = 1e-6
SIZES = {"s": (512, 8, 8), "b": (768, 12, 12), "l": (1024, 24, 16)}
"""Width, blocks and heads of `vit_s_enc`, `vit_b_enc`, `vit_l_enc` and the decoders."""


def sincos_grid(side: int, dim: int) -> Tensor:
    """Sine-cosine position embeddings of a square grid, `[1, dim, side, side]`: sines and cosines of the row, then of
    the column, each a quarter of the channels (Chen et al. 2021, arXiv:2104.02057)."""
    omega = 1.0 / 10000 ** (torch.arange(dim // 4, dtype=torch.float64) / (dim // 4))
    angles = torch.arange(side, dtype=torch.float64)[:, None] * omega  # [side, dim / 4]
    waves = torch.cat([angles.sin(), angles.cos()], dim=1).T.float()  # [dim / 2, side]
    along_rows = waves[:, :, None].expand(-1, -1, side)
    along_columns = waves[:, None, :].expand(-1, side, -1)
    return torch.cat([along_rows, along_columns])[None]


def position_buffer(side: int, dim: int) -> Tensor:
    """The same for a module that may be made without values."""
    return computed((1, dim, side, side), lambda: sincos_grid(side, dim))


class Mlp(nn.Module):
    """`fc2(act(fc1 x))`, four times as wide inside."""

    def __init__(self, dim: int, act: Callable[[Tensor], Tensor] = F.gelu) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, 4 * dim)
        self.fc2 = nn.Linear(4 * dim, dim)
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.act(self.fc1(x)))


class Attention(nn.Module):
    """Self-attention over all places."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        B, N, D = x.shape
        q, k, v = self.qkv(x).view(B, N, 3, self.heads, D // self.heads).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v)  # [B, heads, N, head_dim]
        return self.proj(mixed.transpose(1, 2).reshape(B, N, D))


class Block(nn.Module):
    """Attention and MLP, each after a norm and added to what came in."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=NORM_EPS)
        self.attn = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=NORM_EPS)
        self.mlp = Mlp(dim)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class ConvNeXtBlock(nn.Module):
    """Depthwise 7x7 convolution and an MLP over channels (Liu et al. 2022, arXiv:2201.03545)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(dim, dim, 7, padding=3, groups=dim)
        self.norm = nn.LayerNorm(dim, eps=NORM_EPS)
        self.pwconv1 = nn.Linear(dim, 4 * dim)
        self.pwconv2 = nn.Linear(4 * dim, dim)
        self.gamma = nn.Parameter(torch.full((dim,), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.dwconv(x).permute(0, 2, 3, 1))  # [B, height, width, C]
        y = self.gamma * self.pwconv2(F.gelu(self.pwconv1(y)))
        return x + y.permute(0, 3, 1, 2)


class _ViT(nn.Module):
    """What encoder and decoder have in common: positions, blocks, and the MLP after them."""

    pos_emb: Tensor

    def __init__(self, size: str, side: int, post_mlp: bool) -> None:
        super().__init__()
        self.dim, depth, heads = SIZES[size]
        self.side = side
        self.register_buffer("pos_emb", position_buffer(side, self.dim))
        self.blocks = nn.Sequential(*(Block(self.dim, heads) for _ in range(depth)))
        if post_mlp:
            self.norm_mlp = nn.LayerNorm(self.dim, eps=NORM_EPS)
            self.post_mlp = Mlp(self.dim, torch.tanh)

    @property
    def has_post_mlp(self) -> bool:
        return hasattr(self, "post_mlp")

    def default_buffer(self, leaf: str) -> Tensor:
        """The position embeddings, for a checkpoint that leaves them out."""
        assert leaf == "pos_emb"
        return sincos_grid(self.side, self.dim)

    def transform(self, x: Tensor) -> Tensor:
        """Positions and blocks: `[B, D, h, w]` to `[B, h * w, D]`."""
        places = F.interpolate(self.pos_emb, size=x.shape[2:], mode="bicubic", align_corners=False)
        return self.blocks((x + places).flatten(2).transpose(1, 2))


class ViTEncoder(_ViT):
    """Pictures `[B, C, height, width]` or feature maps `[B, C, h, w]` to `[B, dim_out, h, w]`."""

    def __init__(self, config: TokenizerConfig) -> None:
        side = config.encoder_image_size // config.patch_size
        super().__init__(config.enc_type.split("_")[1], side, config.post_mlp)
        self.patch = config.patch_size if config.patch_proj else 1
        self.proj = nn.Conv2d(config.n_channels, self.dim, self.patch, stride=self.patch)
        self.dim_out = self.dim

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        if height % self.patch or width % self.patch or not height or not width:
            raise InputError(f"{height} x {width} cannot be cut into patches: both are to be multiples of {self.patch}")
        h, w = height // self.patch, width // self.patch
        y = self.transform(self.proj(x))
        if self.has_post_mlp:
            # Which code is nearest hangs on small differences, so this part keeps the weights' precision.
            with torch.autocast(y.device.type, enabled=False):
                y = y.to(self.norm_mlp.weight.dtype)
                y = y + self.post_mlp(self.norm_mlp(y))
        return y.transpose(1, 2).unflatten(2, (h, w))


class ViTDecoder(_ViT):
    """Latents `[B, dim_in, h, w]` to pictures `[B, C, h * patch, w * patch]` or feature maps `[B, C, h, w]`."""

    def __init__(self, config: TokenizerConfig) -> None:
        side = config.decoder_image_size // config.decoder_patch_size
        super().__init__(config.dec_type.split("_")[1], side, config.post_mlp)
        self.patch = config.decoder_patch_size if config.patch_proj else 1
        self.out_proj = nn.Linear(self.dim, config.out_channels * self.patch**2)
        if config.out_conv:
            self.out_conv = nn.Sequential(*(ConvNeXtBlock(config.out_channels) for _ in range(2)))
        self.dim_in = self.dim

    def forward(self, x: Tensor) -> Tensor:
        h, w = x.shape[2:]
        y = self.transform(x)
        if self.has_post_mlp:
            y = y + self.post_mlp(self.norm_mlp(y))
        patches = self.out_proj(y).transpose(1, 2).unflatten(2, (h, w))  # [B, C * patch * patch, h, w]
        values = F.pixel_shuffle(patches, self.patch)
        return self.out_conv(values) if hasattr(self, "out_conv") else values
