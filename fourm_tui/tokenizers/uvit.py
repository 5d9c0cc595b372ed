"""The UViT that turns a noisy image and a token grid into what a diffusion step needs.

A UNet whose middle is a transformer (Hoogeboom et al. 2023, arXiv:2301.11093); its blocks are modulated by the timestep
(adaLN-Zero, Peebles & Xie 2023, arXiv:2212.09748). The condition is added to the tokens of the transformer. Names of
modules are those of the published state dicts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fourm_tui.tokenizers.unet import NORM_GROUPS, sinusoid
from fourm_tui.tokenizers.vit import Attention, Mlp, position_buffer, sincos_grid


@dataclass(frozen=True)
class UViTSize:
    """Sizes of a UViT."""

    mid_layers: int = 12
    mid_num_heads: int = 12
    mid_dim: int = 768
    mid_hw_posemb: int = 32
    """Side of the grid of position embeddings, which is resized to the grid of tokens."""
    patch_size: int = 4
    block_out_channels: tuple[int, ...] = (128, 256)
    layers_per_block: int = 2
    """ResNet blocks per level; one more on the way up."""
    downsample_before_mid: bool = True

    @property
    def granularity(self) -> int:
        """Image sides are to be multiples of this many pixels, those of one token of the transformer."""
        return self.patch_size * 2 ** (len(self.block_out_channels) - 1 + self.downsample_before_mid)


_BASE, _LARGE = UViTSize(), UViTSize(mid_layers=24, mid_num_heads=16, mid_dim=1024)
UVIT_SIZES: Mapping[str, UViTSize] = {
    "uvit_b_p4_f16": _BASE,
    "uvit_l_p4_f16": _LARGE,
    "uvit_h_p4_f16": UViTSize(mid_layers=32, mid_num_heads=16, mid_dim=1280),
    "uvit_b_p4_f8": replace(_BASE, downsample_before_mid=False),
    "uvit_l_p4_f8": replace(_LARGE, downsample_before_mid=False),
}


class TimeEmbedding(nn.Module):
    """An MLP over the sinusoid of a timestep."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.linear_1 = nn.Linear(channels, out_channels)
        self.linear_2 = nn.Linear(out_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear_2(F.silu(self.linear_1(x)))


class ResnetBlock(nn.Module):
    """Two convolutions around a residual connection; the timestep is added between them."""

    def __init__(self, channels: int, out_channels: int, time_channels: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(NORM_GROUPS, channels)
        self.conv1 = nn.Conv2d(channels, out_channels, 3, padding=1)
        self.time_emb_proj = nn.Linear(time_channels, out_channels)
        self.norm2 = nn.GroupNorm(NORM_GROUPS, out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.conv_shortcut = nn.Conv2d(channels, out_channels, 1) if channels != out_channels else nn.Identity()

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """`time` is `[B or 1, time_channels]`, after its activation."""
        h = self.conv1(F.silu(self.norm1(x))) + self.time_emb_proj(time)[..., None, None]
        return self.conv_shortcut(x) + self.conv2(F.silu(self.norm2(h)))


class Downsample(nn.Module):
    """Half the height and width."""

    def __init__(self, channels: int, second_name: bool = False) -> None:
        super().__init__()
        conv = nn.Conv2d(channels, channels, 3, stride=2, padding=1)
        if second_name:  # one and the same convolution, which the format lists twice
            self.Conv2d_0 = conv
        self.conv = conv

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class Upsample(nn.Module):
    """Twice the height and width."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2, mode="nearest"))


class DownBlock(nn.Module):
    """One level on the way down."""

    def __init__(self, channels: int, out_channels: int, time_channels: int, layers: int, downsample: bool) -> None:
        super().__init__()
        widths = [channels] + [out_channels] * (layers - 1)
        self.resnets = nn.ModuleList(ResnetBlock(width, out_channels, time_channels) for width in widths)
        self.downsamplers = nn.ModuleList([Downsample(out_channels)] if downsample else [])

    def forward(self, x: Tensor, time: Tensor, skipped: list[Tensor]) -> Tensor:
        for resnet in self.resnets:
            x = resnet(x, time)
            skipped.append(x)
        for downsample in self.downsamplers:
            x = downsample(x)
            skipped.append(x)
        return x


class UpBlock(nn.Module):
    """One level on the way up; `widths` are the channels of what comes from the way down."""

    def __init__(self, channels: int, widths: list[int], out_channels: int, time_channels: int, upsample: bool) -> None:
        super().__init__()
        inner = [channels] + [out_channels] * (len(widths) - 1)
        self.resnets = nn.ModuleList(
            ResnetBlock(a + b, out_channels, time_channels) for a, b in zip(inner, widths, strict=True)
        )
        self.upsamplers = nn.ModuleList([Upsample(out_channels)] if upsample else [])

    def forward(self, x: Tensor, time: Tensor, skipped: list[Tensor]) -> Tensor:
        for resnet in self.resnets:
            x = resnet(torch.cat([x, skipped.pop()], dim=1), time)
        for upsample in self.upsamplers:
            x = upsample(x)
        return x


class Block(nn.Module):
    """Self-attention and MLP, both shifted, scaled and gated by the timestep."""

    def __init__(self, size: UViTSize, time_channels: int) -> None:
        super().__init__()
        dim = size.mid_dim
        self.norm1 = nn.LayerNorm(dim)
        self.attn = Attention(dim, size.mid_num_heads)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = Mlp(dim)
        self.adaLN_modulation = nn.Linear(time_channels, 4 * dim)
        self.adaLN_gate = nn.Linear(time_channels, 2 * dim)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """`x` is `[B, N, D]`; `time` is `[B or 1, time_channels]`, after its activation."""
        shift_attn, scale_attn, shift_mlp, scale_mlp = self.adaLN_modulation(time)[:, None].chunk(4, dim=-1)
        gate_attn, gate_mlp = self.adaLN_gate(time)[:, None].chunk(2, dim=-1)
        x = x + gate_attn * self.attn(self.norm1(x) * (1 + scale_attn) + shift_attn)
        return x + gate_mlp * self.mlp(self.norm2(x) * (1 + scale_mlp) + shift_mlp)


class Middle(nn.Module):
    """The transformer over the coarsest grid."""

    mid_pos_emb: Tensor

    def __init__(self, channels: int, cond_channels: int, size: UViTSize, time_channels: int) -> None:
        super().__init__()
        self.size = size
        dim = size.mid_dim
        self.register_buffer("mid_pos_emb", position_buffer(size.mid_hw_posemb, dim))
        self.mask_token = nn.Parameter(torch.zeros(dim))
        self.mid_block = nn.ModuleList(Block(size, time_channels) for _ in range(size.mid_layers))
        self.mid_cond_proj = nn.Linear(cond_channels, dim)
        self.mid_proj_in = nn.Linear(channels, dim)
        self.mid_proj_out = nn.Linear(dim, channels)

    def default_buffer(self, leaf: str) -> Tensor:
        """The position embeddings, for a checkpoint that leaves them out."""
        assert leaf == "mid_pos_emb"
        return sincos_grid(self.size.mid_hw_posemb, self.size.mid_dim)

    def condition(self, codes: Tensor, grid: tuple[int, int], mask: Tensor | None) -> Tensor:
        """What is added to the tokens: condition and position, `[B, N, D]`."""
        tokens = self.mid_cond_proj(F.interpolate(codes, grid, mode="nearest").flatten(2).transpose(1, 2))
        if mask is not None:
            hidden = F.interpolate(mask[:, None].float(), grid, mode="nearest").flatten(2).transpose(1, 2) > 0.5
            tokens = torch.where(hidden, self.mask_token, tokens)
        positions = F.interpolate(self.mid_pos_emb, grid, mode="bicubic", align_corners=False)
        return tokens + positions.flatten(2).transpose(1, 2)

    def forward(self, x: Tensor, time: Tensor, condition: Tensor) -> Tensor:
        tokens = self.mid_proj_in(x.flatten(2).transpose(1, 2)) + condition
        for block in self.mid_block:
            tokens = block(tokens, time)
        return self.mid_proj_out(tokens).transpose(1, 2).unflatten(2, x.shape[2:])


class UViT(nn.Module):
    """A diffusion network conditioned on a grid of code vectors.

    Args:
        channels: C of the images.
        cond_channels: width of the code vectors.
        size: of the network.
    """

    def __init__(self, channels: int, cond_channels: int, size: UViTSize) -> None:
        super().__init__()
        self.size = size
        self.channels = channels
        widths = size.block_out_channels
        first, coarsest, last = widths[0], widths[-1], len(widths) - 1
        time, layers = 4 * first, size.layers_per_block

        self.conv_in = nn.Conv2d(channels, first, size.patch_size, stride=size.patch_size)
        self.time_embedding = TimeEmbedding(first, time)
        self.down_blocks = nn.ModuleList()
        skipped, now = [first], first
        for level, width in enumerate(widths):
            self.down_blocks.append(DownBlock(now, width, time, layers, downsample=level < last))
            skipped += [width] * (layers + (level < last))
            now = width
        between = size.downsample_before_mid
        self.downsample_mid = Downsample(coarsest, second_name=True) if between else nn.Identity()
        self.mid_block = Middle(coarsest, cond_channels, size, time)
        self.upsample_mid = Upsample(coarsest) if between else nn.Identity()
        self.up_blocks = nn.ModuleList()
        for level in range(last, -1, -1):
            taken = [skipped.pop() for _ in range(layers + 1)]
            self.up_blocks.append(UpBlock(now, taken, widths[level], time, upsample=level > 0))
            now = widths[level]
        self.conv_norm_out = nn.GroupNorm(NORM_GROUPS, first)
        self.conv_out = nn.ConvTranspose2d(first, channels, size.patch_size, stride=size.patch_size)

    def shared_names(self) -> list[tuple[str, str]]:
        """Pairs of names under which a state dict holds one and the same tensor."""
        if not self.size.downsample_before_mid:
            return []
        return [(f"downsample_mid.conv.{leaf}", f"downsample_mid.Conv2d_0.{leaf}") for leaf in ("weight", "bias")]

    def condition(self, codes: Tensor, image_size: tuple[int, int], mask: Tensor | None = None) -> Tensor:
        """What the network is to know of the codes at every step, made once.

        Args:
            codes: `[B, cond_channels, h, w]`.
            image_size: height and width in pixels.
            mask: `[B, h, w]`, True where a code is hidden (a learned token instead); None hides none.

        Returns:
            `[B, N, D]` for the N tokens of the transformer.
        """
        height, width = (side // self.size.granularity for side in image_size)
        return self.mid_block.condition(codes, (height, width), mask)

    def forward(self, x: Tensor, timesteps: Tensor, condition: Tensor) -> Tensor:
        """The network's prediction, `[B, C, H, W]`.

        Args:
            x: noisy images `[B, C, H, W]` with sides that are multiples of `size.granularity`.
            timesteps: `[B]`, or `[1]` for all.
            condition: from `condition`.
        """
        time = F.silu(self.time_embedding(sinusoid(timesteps, self.size.block_out_channels[0]).to(x.dtype)))
        h = self.conv_in(x)
        skipped = [h]
        for down in self.down_blocks:
            h = down(h, time, skipped)
        h = self.upsample_mid(self.mid_block(self.downsample_mid(h), time, condition))
        for up in self.up_blocks:
            h = up(h, time, skipped)
        return self.conv_out(F.silu(self.conv_norm_out(h)))
