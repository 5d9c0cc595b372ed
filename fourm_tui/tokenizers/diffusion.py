"""Diffusion as the image tokenizers use it: noise tables, timesteps, and the step from one noisy image to the next.

Images are fp32 throughout, whatever the network computes in. One difference to apple/ml-4m: thresholds that are 1 at
most clip without the quantile, which could not change them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from fourm_tui.errors import InputError, printable
from fourm_tui.tokenizers.config import DiffusionConfig

BETA_SCHEDULES = ("linear", "scaled_linear", "squaredcos_cap_v2", "shifted_cosine:<shift>")
SPACINGS = ("trailing", "linspace", "leading")

_BETA_START, _BETA_END = 1e-4, 0.02
_QUANTILE = 0.995
_MIN_VARIANCE = 1e-20

Noise = Callable[[Sequence[int]], Tensor]
"""Standard normal numbers of a shape `[B, ...]`, on the CPU; every call goes on where the last one stopped."""
Network = Callable[[Tensor, int], Tensor]
"""What the network says of images `[B, C, H, W]` at a timestep, `[B, C, H, W]`."""


def noise_per_sample(seeds: Sequence[int]) -> Noise:
    """Noise whose row i depends on seed i only (modulo 2^64), so that a batch does not change a picture."""
    generators = [torch.Generator("cpu").manual_seed(seed % 2**64) for seed in seeds]

    def draw(shape: Sequence[int]) -> Tensor:
        if shape[0] != len(generators):
            raise ValueError(f"{len(generators)} seeds for a batch of {shape[0]}")
        rows = [torch.randn(tuple(shape[1:]), generator=generator, device="cpu") for generator in generators]
        return torch.stack(rows)

    return draw


@dataclass(frozen=True)
class Denoised:
    """What one denoising step came to."""

    number: int
    """From 1 to `total`."""
    total: int
    timestep: int
    x_t: Tensor
    """What went into the network, `[B, C, H, W]`."""
    model_output: Tensor
    x0: Tensor
    """The image as the network sees it now: what to show meanwhile."""
    x_prev: Tensor
    """What goes into the next step; after the last one, the result."""


@dataclass(frozen=True)
class Diffusion:
    """A diffusion process: DDPM (Ho et al. 2020, arXiv:2006.11239) or DDIM (Song et al. 2021, arXiv:2010.02502).

    Raises:
        InputError: a setting is out of range.
    """

    config: DiffusionConfig
    eta: float = 0.0
    """Share of DDPM's noise that DDIM adds, from 0 to 1."""
    sample_max_value: float = 1.0
    """Largest dynamic threshold; 1 makes thresholding the same as clipping."""

    def __post_init__(self) -> None:
        if self.config.num_train_timesteps < 2:
            raise InputError(f"num_train_timesteps is {self.config.num_train_timesteps}; at least 2 are needed")
        _shift(self.config.beta_schedule)

    @property
    def alphas_cumprod(self) -> Tensor:
        """Share of the image in the variance at each timestep, `[T]` fp32 on the CPU."""
        c = self.config
        return _alphas_cumprod(c.beta_schedule, c.num_train_timesteps, c.zero_terminal_snr)

    def timesteps(self, steps: int, spacing: str | None = None) -> list[int]:
        """The timesteps of a run, falling.

        Args:
            steps: from 1 to `num_train_timesteps`. With trailing timesteps, a number that does not divide
                `num_train_timesteps` makes some more steps than that (30 of 1000: 31), as in the reference.
            spacing: one of `SPACINGS`; None: leading with DDPM, trailing with DDIM, as the published models have it.

        Raises:
            InputError: too few or too many steps.
        """
        total = self.config.num_train_timesteps
        stride = self._stride(steps)
        spacing = spacing or ("leading" if self.config.scheduler == "ddpm" else "trailing")
        if spacing == "trailing":
            return list(range(total - 1, -1, -stride))
        if spacing == "leading":
            return list(range((steps - 1) * stride, -1, -stride))
        if spacing == "linspace":
            return [int(t) for t in np.linspace(total, 1, steps).round() - 1]
        raise InputError(f"spacing is {printable(repr(spacing), 40)}; use {' or '.join(SPACINGS)}")

    def _stride(self, steps: int) -> int:
        if not 1 <= steps <= self.config.num_train_timesteps:
            raise InputError(f"{steps} decoding steps: use from 1 to {self.config.num_train_timesteps}")
        return self.config.num_train_timesteps // steps

    def denoise(
        self,
        network: Network,
        shape: Sequence[int],
        steps: int,
        noise: Noise,
        device: torch.device,
        spacing: str | None = None,
    ) -> Iterator[Denoised]:
        """From noise to images, a step at a time; whoever asks for no more steps stops it.

        Args:
            network: gets images on `device`.
            shape: `(B, C, H, W)`.
            steps, spacing: see `timesteps`.
            noise: asked first for the noise to begin with, then by DDPM, or DDIM with `eta`, once per step.
            device: where images are.

        Raises:
            InputError: wrong number of steps, or steps that cannot be made with these settings.
        """
        timesteps = self.timesteps(steps, spacing)
        x_t = noise(shape).to(device)
        for number, timestep in enumerate(timesteps, start=1):
            model_output = network(x_t, timestep).float()
            x0, x_prev = self.step(model_output, timestep, x_t, steps, noise)
            yield Denoised(number, len(timesteps), timestep, x_t, model_output, x0, x_prev)
            x_t = x_prev

    def step(
        self, model_output: Tensor, timestep: int, x_t: Tensor, steps: int, noise: Noise
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """One step: the predicted image and the image at the timestep before, both `[B, C, H, W]`.

        Args:
            model_output, x_t: `[B, C, H, W]` fp32.
            timestep: of `x_t`.
            steps: of the whole run; sets how far the timestep before is away.
            noise: used by DDPM, or DDIM with `eta`.

        Raises:
            InputError: noise was predicted from noise alone and predictions are not bounded: nothing to go on from.
        """
        previous = timestep - self._stride(steps)
        alpha = float(self.alphas_cumprod[timestep])
        alpha_prev = float(self.alphas_cumprod[previous]) if previous >= 0 else 1.0
        x0, epsilon = self._predict(model_output, timestep, x_t, alpha)
        variance = max((1 - alpha_prev) / (1 - alpha) * (1 - alpha / alpha_prev), 0.0)
        if self.config.scheduler == "ddim":
            std = self.eta * math.sqrt(variance)
            # Deliberately with the noise from before clipping (as trained and published).
            x_prev = math.sqrt(alpha_prev) * x0 + math.sqrt(max(1 - alpha_prev - std**2, 0.0)) * epsilon
            adds_noise = self.eta > 0
        else:
            ratio = alpha / alpha_prev
            to_x0 = math.sqrt(alpha_prev) * (1 - ratio) / (1 - alpha)
            x_prev = to_x0 * x0 + math.sqrt(ratio) * (1 - alpha_prev) / (1 - alpha) * x_t
            std = math.sqrt(max(variance, _MIN_VARIANCE))
            adds_noise = timestep > 0
        if adds_noise:
            x_prev = x_prev + std * noise(x_t.shape).to(x_prev)
        return x0, x_prev

    def _predict(self, model_output: Tensor, timestep: int, x_t: Tensor, alpha: float) -> tuple[Tensor, Tensor]:
        """Image and noise that the network sees in `x_t`."""
        signal, spread = math.sqrt(alpha), math.sqrt(1 - alpha)
        if self.config.prediction_type == "sample":
            x0, epsilon = model_output, (x_t - signal * model_output) / spread
        elif self.config.prediction_type == "v_prediction":
            x0, epsilon = signal * x_t - spread * model_output, signal * model_output + spread * x_t
        else:
            if alpha == 0 and not (self.config.thresholding or self.config.clip_sample):
                raise InputError(
                    f"timestep {timestep} is pure noise, from which predicted noise gives no image: use a model with "
                    "clip_sample, without zero_terminal_snr, or leading timesteps"
                )
            x0, epsilon = (x_t - spread * model_output) / signal, model_output
        return self.bounded(x0), epsilon

    def bounded(self, x0: Tensor) -> Tensor:
        """Predicted images `[B, C, H, W]` as `thresholding` and `clip_sample` have them."""
        if self.config.thresholding and self.sample_max_value > 1:
            threshold = torch.quantile(x0.abs().flatten(1), _QUANTILE, dim=1).clamp(1, self.sample_max_value)
            threshold = threshold[:, None, None, None]
            return x0.clamp(-threshold, threshold) / threshold
        return x0.clamp(-1, 1) if self.config.thresholding or self.config.clip_sample else x0

    def add_noise(self, x0: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """Images `[B, C, H, W]` at timesteps `[B]`, as training has them."""
        signal, spread = self._shares(timesteps, x0)
        return signal * x0 + spread * noise

    def velocity(self, x0: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """What a network with v-prediction is trained to say, `[B, C, H, W]`."""
        signal, spread = self._shares(timesteps, x0)
        return signal * noise - spread * x0

    def noise_of(self, x_t: Tensor, velocity: Tensor, timesteps: Tensor) -> Tensor:
        """The noise in images of which the velocity is known, `[B, C, H, W]`."""
        signal, spread = self._shares(timesteps, x_t)
        return signal * velocity + spread * x_t

    def _shares(self, timesteps: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        alphas = self.alphas_cumprod[timesteps.cpu()].to(like)[:, None, None, None]
        return alphas.sqrt(), (1 - alphas).sqrt()


@lru_cache(maxsize=16)
def _alphas_cumprod(schedule: str, total: int, zero_terminal_snr: bool) -> Tensor:
    # fp32 in the order in which the networks saw it in training. The device is named since a model may be under
    # construction on the meta device.
    shift = _shift(schedule)
    if shift is not None:
        # Shifted in log-SNR (Hoogeboom et al. 2023, arXiv:2301.11093); its last entry is zero in any case.
        t = torch.linspace(0, 1, total, device="cpu").double()
        log_snr = -2 * ((t * math.pi / 2).tan().log() + math.log(shift))
        alphas = log_snr.clamp(-15, 15).float().sigmoid()
        alphas[-1] = 0
        return alphas
    if schedule == "linear":
        betas = torch.linspace(_BETA_START, _BETA_END, total, device="cpu")
    elif schedule == "scaled_linear":
        betas = torch.linspace(_BETA_START**0.5, _BETA_END**0.5, total, device="cpu") ** 2
    else:
        # Nichol & Dhariwal 2021, arXiv:2102.09672, equation 17
        cosine = [math.cos((i / total + 0.008) / 1.008 * math.pi / 2) ** 2 for i in range(total + 1)]
        betas = torch.tensor([min(1 - after / before, 0.999) for before, after in pairwise(cosine)], device="cpu")
    return _ending_in_noise(betas) if zero_terminal_snr else (1 - betas).cumprod(0)


def _ending_in_noise(betas: Tensor) -> Tensor:
    """Cumulative alphas, shifted and scaled so that the first stays and the last is zero (arXiv:2305.08891)."""
    signal = (1 - betas).cumprod(0).sqrt()
    first, last = signal[0].clone(), signal[-1].clone()
    alphas_cumprod = ((signal - last) * (first / (first - last))) ** 2
    # Via betas and back, which rounds as in training.
    alphas = torch.cat([alphas_cumprod[:1], alphas_cumprod[1:] / alphas_cumprod[:-1]])
    return (1 - (1 - alphas)).cumprod(0)


def _shift(schedule: str) -> float | None:
    """The shift of a shifted cosine schedule; None for the others.

    Raises:
        InputError: an unknown schedule, or a shift that is not above 0.
    """
    name, colon, shift = schedule.partition(":")
    if not colon and name in BETA_SCHEDULES:
        return None
    try:
        value = float(shift) if name == "shifted_cosine" else 0.0
    except ValueError:
        value = 0.0
    if not (value > 0 and math.isfinite(value)):
        raise InputError(f"beta_schedule is {printable(repr(schedule), 40)}; use {', '.join(BETA_SCHEDULES)}")
    return value
