"""The patched UNet that turns a noisy image and a token grid into what a diffusion step needs.

The UNet of Dhariwal & Nichol 2021 (arXiv:2105.05233) over patches (Luhman & Luhman 2022, arXiv:2207.04316), without
scale-shift norm; the condition is resized to the grid of patches and concatenated to them. Names of modules are those
of the published state dicts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

NORM_GROUPS = 32


@dataclass(frozen=True)
class UNetSize:
    """Sizes of a patched UNet."""

    patch_size: int = 4
    model_channels: int = 256
    num_res_blocks: int = 3
    """Per level; one more on the way up."""
    attention_resolutions: tuple[int, ...] = (4, 8)
    """Attention is used where the grid of patches is this many times smaller; and always in the middle."""
    channel_mult: tuple[int, ...] = (1, 2, 2, 2)
    """Channels of each level, in `model_channels`."""
    num_heads: int = 1

    @property
    def granularity(self) -> int:
        """Image sides are to be multiples of this many pixels."""
        return self.patch_size * 2 ** (len(self.channel_mult) - 1)


UNET_SIZES: Mapping[str, UNetSize] = {"unet_patched": UNetSize()}


def sinusoid(timesteps: Tensor, dim: int) -> Tensor:
    """Embeddings of timesteps `[N]`, `[N, dim]` fp32: `[cos | sin]` halves, wavelengths up to 10000 * 2 pi."""
    half = dim // 2
    frequencies = torch.exp(-math.log(10000) * torch.arange(half, dtype=torch.float32, device=timesteps.device) / half)
    angles = timesteps.float()[:, None] * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


class ResBlock(nn.Module):
    """Two convolutions around a residual connection; the timestep is added between them."""

    def __init__(self, channels: int, out_channels: int, time_channels: int) -> None:
        super().__init__()
        self.in_layers = nn.Sequential(
            nn.GroupNorm(NORM_GROUPS, channels), nn.SiLU(), nn.Conv2d(channels, out_channels, 3, padding=1)
        )
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(time_channels, out_channels))
        # The place of the dropout is kept: later layers are numbered after it.
        self.out_layers = nn.Sequential(
            nn.GroupNorm(NORM_GROUPS, out_channels),
            nn.SiLU(),
            nn.Identity(),
            nn.Conv2d(out_channels, out_channels, 3, padding=1),
        )
        same = channels == out_channels
        self.skip_connection = nn.Identity() if same else nn.Conv2d(channels, out_channels, 1)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        h = self.in_layers(x) + self.emb_layers(time)[..., None, None]
        return self.skip_connection(x) + self.out_layers(h)


class AttentionBlock(nn.Module):
    """Self-attention between places; `qkv` is packed as [q | k | v] of each head in turn."""

    def __init__(self, channels: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.norm = nn.GroupNorm(NORM_GROUPS, channels)
        self.qkv = nn.Conv1d(channels, 3 * channels, 1)
        self.proj_out = nn.Conv1d(channels, channels, 1)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        flat = self.norm(x).flatten(2)  # [B, C, N]
        qkv = self.qkv(flat).unflatten(1, (self.num_heads, 3, -1)).transpose(3, 4)  # [B, heads, 3, N, C / heads]
        attended = F.scaled_dot_product_attention(*qkv.unbind(2))
        out = self.proj_out(attended.transpose(2, 3).flatten(1, 2))
        return x + out.view(x.shape)


class Downsample(nn.Module):
    """Half the height and width."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.op = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        return self.op(x)


class Upsample(nn.Module):
    """Twice the height and width."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2, mode="nearest"))


class FirstConv(nn.Conv2d):
    """The convolution that takes patches and condition in; like the other layers it is given the timestep."""

    def forward(self, x: Tensor, time: Tensor | None = None) -> Tensor:
        return super().forward(x)


class Layers(nn.Sequential):
    """Layers in a row, each of which gets the timestep."""

    def forward(self, x: Tensor, time: Tensor) -> Tensor:  # type: ignore[override]
        for layer in self:
            x = layer(x, time)
        return x


class PatchedUNet(nn.Module):
    """A diffusion network conditioned on a grid of code vectors.

    Args:
        channels: C of the images.
        cond_channels: width of the code vectors.
        size: of the network.
    """

    def __init__(self, channels: int, cond_channels: int, size: UNetSize) -> None:
        super().__init__()
        self.size = size
        self.channels = channels
        width, patch = size.model_channels, size.patch_size**2
        time = 4 * width
        self.time_embed = nn.Sequential(nn.Linear(width, time), nn.SiLU(), nn.Linear(time, time))

        now = size.channel_mult[0] * width
        down = [Layers(FirstConv(channels * patch + cond_channels, now, 3, padding=1))]
        skipped, last = [now], len(size.channel_mult) - 1
        for level, mult in enumerate(size.channel_mult):
            for _ in range(size.num_res_blocks):
                down.append(Layers(ResBlock(now, mult * width, time), *self._attention(level, mult * width)))
                now = mult * width
                skipped.append(now)
            if level < last:
                down.append(Layers(Downsample(now)))
                skipped.append(now)
        self.input_blocks = nn.ModuleList(down)
        self.middle_block = Layers(
            ResBlock(now, now, time), AttentionBlock(now, size.num_heads), ResBlock(now, now, time)
        )
        up = []
        for level, mult in reversed(list(enumerate(size.channel_mult))):
            for number in range(size.num_res_blocks + 1):
                block = ResBlock(now + skipped.pop(), mult * width, time)
                now = mult * width
                upsample = [Upsample(now)] if level and number == size.num_res_blocks else []
                up.append(Layers(block, *self._attention(level, now), *upsample))
        self.output_blocks = nn.ModuleList(up)
        self.out = nn.Sequential(
            nn.GroupNorm(NORM_GROUPS, now), nn.SiLU(), nn.Conv2d(now, channels * patch, 3, padding=1)
        )

    def _attention(self, level: int, channels: int) -> list[AttentionBlock]:
        used = 2**level in self.size.attention_resolutions
        return [AttentionBlock(channels, self.size.num_heads)] if used else []

    def condition(self, codes: Tensor, image_size: tuple[int, int], mask: Tensor | None = None) -> Tensor:
        """What the network is to know of the codes at every step, made once.

        Args:
            codes: `[B, cond_channels, h, w]`.
            image_size: height and width in pixels.
            mask: `[B, h, w]`, True where a code is hidden (zero instead); None hides none.

        Returns:
            `[B, cond_channels, H / patch, W / patch]`.
        """
        if mask is not None:
            codes = codes.masked_fill(mask[:, None], 0.0)
        height, width = (side // self.size.patch_size for side in image_size)
        return F.interpolate(codes, (height, width), mode="nearest")

    def forward(self, x: Tensor, timesteps: Tensor, condition: Tensor) -> Tensor:
        """The network's prediction, `[B, C, H, W]`.

        Args:
            x: noisy images `[B, C, H, W]` with sides that are multiples of `size.granularity`.
            timesteps: `[B]`, or `[1]` for all.
            condition: from `condition`.
        """
        time = self.time_embed(sinusoid(timesteps, self.size.model_channels).to(x.dtype))  # [B or 1, time]
        h = torch.cat([F.pixel_unshuffle(x, self.size.patch_size), condition], dim=1)
        h = h.contiguous(memory_format=torch.channels_last)  # convolutions are faster so, and hand it on
        skipped = []
        for block in self.input_blocks:
            h = block(h, time)
            skipped.append(h)
        h = self.middle_block(h, time)
        for block in self.output_blocks:
            h = block(torch.cat([h, skipped.pop()], dim=1), time)
        return F.pixel_shuffle(self.out(h), self.size.patch_size)
