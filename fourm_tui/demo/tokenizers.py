"""The image tokenizers of the bundled model: what they are made of, and how they are trained.

Convolutional, on crops around the things of a scene. The codebook is a fixed grid (finite scalar quantisation, Mentzer
et al. 2024, arXiv:2309.15505) written down as an ordinary codebook: the nearest code of a latent is the same as each
of its channels rounded to its levels, so nothing in the format is new and no code is ever lost.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from fourm_tui.demo.data import Scenes
from fourm_tui.demo.scenes import CLASSES, SIZE
from fourm_tui.tokenizers.config import TokenizerConfig
from fourm_tui.tokenizers.quantize import VectorQuantizer
from fourm_tui.tokenizers.vqvae import VQVAE

CROP = 112
"""Side of the training crops in pixels: seven of the fourteen rows of tokens."""
THING_WEIGHT = 4.0
"""How much more a pixel of a thing counts than one of sky or ground."""


@dataclass(frozen=True)
class Recipe:
    """One tokenizer."""

    array: str
    """Of `data.ARRAYS`."""
    levels: tuple[int, ...]
    """Of each channel of the latent; their product is the number of codes."""
    size: str
    """Of `tokenizers.conv.SIZES`."""
    channels: int

    @property
    def config(self) -> dict[str, Any]:
        """Its `config.json`."""
        return {
            "image_size": SIZE,
            "n_channels": self.channels,
            "n_labels": len(CLASSES) if self.array == "semseg" else None,
            "enc_type": f"conv_{self.size}_enc",
            "dec_type": f"conv_{self.size}_dec",
            "quant_type": "lucid",
            "codebook_size": math.prod(self.levels),
            "latent_dim": len(self.levels),
            "norm_codes": False,
        }


RECIPES: Mapping[str, Recipe] = {
    "tok_rgb@224": Recipe("rgb", (5, 5, 4, 4, 4), "s", 3),
    "tok_depth@224": Recipe("depth", (8, 8, 8), "t", 1),
    "tok_normal@224": Recipe("normal", (8, 8, 8), "t", 3),
    "tok_semseg@224": Recipe("semseg", (8, 8, 8), "t", 8),
}


def new_tokenizer(recipe: Recipe) -> VQVAE:
    """A tokenizer with its codebook on the grid and everything else untrained."""
    tokenizer = VQVAE(TokenizerConfig.from_config(recipe.config))
    axes = [torch.arange(n) - (n - 1) / 2 for n in recipe.levels]
    codes = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).flatten(0, -2)
    assert isinstance(tokenizer.quantize, VectorQuantizer)
    tokenizer.quantize._codebook.embed.data.copy_(codes)
    return tokenizer


def values_of(recipe: Recipe, raw: np.ndarray) -> Tensor:
    """What the tokenizer takes, of arrays `[B, height, width(, 3)]` as they lie on disk."""
    values = torch.from_numpy(np.array(raw))
    if recipe.array == "semseg":
        return values.long()
    if recipe.array == "depth":
        return values.float()[:, None]
    return (values.float() / 127.5 - 1).permute(0, 3, 1, 2)


@dataclass(frozen=True)
class Progress:
    """How far a training is."""

    step: int
    seconds: float
    loss: float


def train(
    tokenizer: VQVAE, recipe: Recipe, scenes: Scenes, seconds: float, seed: int = 0, batch: int = 8,
    rate: float = 1.2e-3, start: float = 0.0, clock: Callable[[], float] = time.monotonic,
) -> Iterator[Progress]:  # fmt: skip
    """Trains for some time; whoever follows may stop at any step.

    Args:
        tokenizer: as `new_tokenizer` makes it, or trained before.
        scenes: to be trained on.
        seconds: of the whole training, over which the learning rate falls to nothing.
        rate: the highest learning rate.
        start: seconds of it that lie behind already, before an interruption.
    """
    draw = np.random.Generator(np.random.PCG64(seed))
    tokenizer.train().requires_grad_(True)
    tokenizer.quantize.requires_grad_(False)
    device = tokenizer.quant_proj.weight.device
    parameters = [p for p in tokenizer.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, rate, betas=(0.9, 0.98), weight_decay=0.01)
    began, step, running = clock() - start, 0, 0.0
    while (passed := clock() - began) < seconds:
        done = passed / seconds
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1, (step + 1) / 200) * (0.02 + 0.98 * (1 + math.cos(math.pi * done)) / 2)
        whole = done > 0.85  # at last as it will be used
        side, count = (SIZE, max(1, batch // 4)) if whole else (CROP, batch)
        raw, weight = _crops(draw, scenes, recipe, count, side)
        values, weight = values_of(recipe, raw).to(device), weight.to(device)
        with torch.autocast(device.type, dtype=torch.bfloat16):
            latent = tokenizer.latent(values).float()
            code = _rounded(latent, recipe.levels)
            made = tokenizer.decoder(tokenizer.post_quant_proj(code)).float()
        loss = _loss(recipe, made, values, weight)
        beyond = latent.abs() - (latent.new_tensor(recipe.levels)[:, None, None] / 2)
        total = loss + 0.1 * beyond.clamp(min=0).square().mean()
        optimizer.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        step += 1
        running = loss.item() if step == 1 else 0.98 * running + 0.02 * loss.item()
        yield Progress(step, clock() - began, running)
    tokenizer.eval().requires_grad_(False)


def _crops(
    draw: np.random.Generator, scenes: Scenes, recipe: Recipe, count: int, side: int
) -> tuple[np.ndarray, Tensor]:
    """Crops of random scenes, most of them around a thing, and the weights of their pixels `[B, 1, side, side]`."""
    values, weights = [], []
    for index in draw.integers(len(scenes), size=count):
        classes = scenes.arrays["semseg"][index]
        top, left = draw.integers(0, SIZE - side + 1, size=2)
        if side < SIZE and draw.random() < 0.85:
            columns = np.nonzero((classes > 1).any(0))[0]
            rows = np.nonzero((classes > 1).any(1))[0]
            middle = draw.choice(rows), draw.choice(columns)
            top, left = (int(np.clip(m - side // 2 + draw.integers(-24, 25), 0, SIZE - side)) for m in middle)
        window = np.s_[top : top + side, left : left + side]
        values.append(scenes.arrays[recipe.array][index][window])
        weights.append(np.where(classes[window] > 1, np.float32(THING_WEIGHT), np.float32(1)))
    return np.stack(values), torch.from_numpy(np.stack(weights))[:, None]


def _rounded(latent: Tensor, levels: tuple[int, ...]) -> Tensor:
    """Each channel at the nearest of its levels; gradients pass as if it were not."""
    n = latent.new_tensor(levels)[:, None, None]
    offset = (n - 1) / 2
    nearest = ((latent + offset).round().clamp(min=0)).minimum(n - 1) - offset
    return latent + (nearest - latent).detach()


def _loss(recipe: Recipe, made: Tensor, values: Tensor, weight: Tensor) -> Tensor:
    weight = weight / weight.mean()
    if recipe.array == "semseg":
        return (F.cross_entropy(made, values, reduction="none")[:, None] * weight).mean()
    off = made - values
    across, down = off.diff(dim=3).abs(), off.diff(dim=2).abs()
    steps = (across * weight[..., 1:]).mean() + (down * weight[:, :, 1:]).mean()
    return (off.abs() * weight).mean() + 2 * (off.square() * weight).mean() + 0.5 * steps


# -- how good it is ------------------------------------------------------------------------------------------------


@torch.inference_mode()
def quality(tokenizer: VQVAE, recipe: Recipe, scenes: Scenes, count: int = 128) -> dict[str, float]:
    """Reconstruction of the first scenes: PSNR in dB (of the picture, and of its things), mIoU, or relative error."""
    tokenizer.eval()
    device = tokenizer.quant_proj.weight.device
    sums = np.zeros(4)
    classes: list[np.ndarray] = []
    used: set[int] = set()
    for start in range(0, count, 16):
        window = slice(start, min(start + 16, count))
        values = values_of(recipe, scenes.arrays[recipe.array][window]).to(device)
        tokens = tokenizer.encode(values)
        used.update(tokens.unique().tolist())
        made = tokenizer.decode(tokens).float()
        things = torch.from_numpy(scenes.arrays["semseg"][window] > 1).to(device)
        if recipe.array == "semseg":
            classes += list(made.argmax(1).cpu().numpy())
            continue
        scale = 2.0 if recipe.array != "depth" else 1.0
        error = ((made - values) / scale).square().mean(1)
        sums += [error.sum().item(), error.numel(), error[things].sum().item(), int(things.sum())]
    found: dict[str, float] = {"codes": len(used)}
    if recipe.array == "semseg":
        found["miou"] = miou(classes, scenes.arrays["semseg"][:count])
    else:
        found |= {"psnr": -10 * math.log10(sums[0] / sums[1]), "object_psnr": -10 * math.log10(sums[2] / sums[3])}
    return found


def miou(made: Iterable[np.ndarray], true: Iterable[np.ndarray]) -> float:
    """Mean over the classes of intersection over union, all pictures of class ids `[H, W]` taken together."""
    both, either = np.zeros(len(CLASSES)), np.zeros(len(CLASSES))
    for mine, theirs in zip(made, true, strict=True):
        a, b = (np.bincount(ids.ravel(), minlength=len(CLASSES)) for ids in (mine, theirs))
        hits = np.bincount(theirs[mine == theirs].ravel(), minlength=len(CLASSES))
        both += hits
        either += a + b - hits
    return float((both / np.maximum(either, 1))[either > 0].mean())
