"""What an image tokenizer is made of, as its `config.json` says.

The names of the fields are the constructor's (apple/ml-4m, classes `VQVAE` and `DiVAE`), so they are part of the
checkpoint format; values that a config leaves out are those of the constructor. Without torch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from fourm_tui.errors import InputError, printable


@dataclass(frozen=True)
class DiffusionConfig:
    """The diffusion of a `DiVAE` (Shi et al. 2022, arXiv:2206.00386): what its decoder was trained to undo."""

    num_train_timesteps: int = 1000
    scheduler: str = "ddpm"
    """`ddpm` or `ddim`: how samples are drawn unless something else is asked for."""
    beta_schedule: str = "squaredcos_cap_v2"
    """`linear`, `scaled_linear`, `squaredcos_cap_v2`, or `shifted_cosine:<shift>`."""
    prediction_type: str = "v_prediction"
    """What the network predicts: `sample` (x0), `epsilon` or `v_prediction`."""
    clip_sample: bool = False
    """Whether the predicted x0 is clipped to [-1, 1] at every step."""
    thresholding: bool = True
    """Dynamic thresholding of the predicted x0; comes before `clip_sample`."""
    conditioning: str = "concat"
    """How a UViT sees the tokens: `concat` or `xattn`; a UNet has one way only and ignores this (`add`)."""
    zero_terminal_snr: bool = True
    """Whether nothing of the signal is left at the last timestep (Lin et al. 2023, arXiv:2305.08891)."""


@dataclass(frozen=True)
class TokenizerConfig:
    """Encoder, codebook and decoder of an image tokenizer."""

    image_size: int = 224
    """Side of the training pictures; with `patch_size` the grid that position embeddings are stored for."""
    image_size_enc: int | None = None
    """The same for the encoder if it differs."""
    image_size_dec: int | None = None
    """The same for the decoder if it differs."""
    n_channels: int = 3
    """Channels of a picture or feature; with `n_labels`, width of a class embedding."""
    n_labels: int | None = None
    """Classes of a segmentation, which is given as ids and decoded to logits; None for everything else."""
    enc_type: str = "vit_b_enc"
    """`vit_s_enc`, `vit_b_enc`, `vit_l_enc`, or `BottleneckMLP/B_6-Wi_1024`: blocks, width, and `-E_4`, expansion.
    Beside the published ones `conv_t_enc` and `conv_s_enc`, of small tokenizers."""
    dec_type: str = "vit_b_dec"
    """`vit_s_dec` and so on, an MLP like the encoder's, or the name of a UNet or UViT (`unet_patched`)."""
    patch_proj: bool = True
    """Whether a ViT takes pictures in patches; False: feature maps, place by place."""
    post_mlp: bool = False
    """A tanh MLP after the blocks of a ViT (Yu et al. 2021, arXiv:2110.04627)."""
    patch_size: int = 16
    patch_size_dec: int | None = None
    """The decoder's if it differs."""
    out_conv: bool = False
    """Two ConvNeXt blocks after a ViT decoder."""
    quant_type: str = "lucid"
    """`lucid`: one codebook, nearest code; `memcodes`: several, with keys and values of their own."""
    codebook_size: int = 16384
    num_codebooks: int = 1
    """Tokens per place; more than one with `memcodes` only."""
    latent_dim: int = 32
    """Channels of the quantised latent, of all codebooks together."""
    norm_codes: bool = True
    """Whether the nearest code of `lucid` is that of the largest cosine, not of the least distance."""
    norm_latents: bool = False
    undo_std: bool = False
    """Whether the encoder expects ImageNet-standardised pictures and brings them to [-1, 1] itself."""
    diffusion: DiffusionConfig | None = None
    """Of a `DiVAE`; None for a `VQVAE`, whose decoder gives its values in one pass."""

    @classmethod
    def from_config(cls, config: Mapping[str, Any], where: str = "config.json") -> TokenizerConfig:
        """Reads a constructor config; keys that only training knows (`ema_decay`, `sync_codebook`) are ignored.

        A config is that of a `DiVAE` if it names a noise schedule or a UNet or UViT. Whether a UNet or UViT of that
        name exists is for the decoder to say.

        Args:
            config: the contents of a `config.json`.
            where: names the file in messages.

        Raises:
            InputError: keys are wrong, do not fit together, or describe another kind of model; all are listed.
        """
        if not isinstance(config, Mapping):
            raise InputError(f"{printable(where)}: is to be a mapping with the tokenizer's configuration")
        if "enc_type" not in config:
            raise InputError(f"{printable(where)}: describes no image tokenizer: enc_type is missing")
        if any(key in config for key in _CONTROLNET_KEYS):
            raise InputError(f"{printable(where)}: describes a tokenizer with a ControlNet decoder, not supported here")
        problems: list[str] = []
        diffusion = None
        if any(key in config for key in _DIFFUSION_KEYS) or _matches(r"(unet|uvit)_\w+")(config.get("dec_type")):
            diffusion = DiffusionConfig(**_checked(DiffusionConfig, config, problems))
        values = _checked(cls, config, problems)
        if diffusion is not None:
            values.setdefault("dec_type", "unet_patched")
        result = cls(**values, diffusion=diffusion)
        if not problems:
            problems = result._contradictions()
        if problems:
            raise InputError(f"{printable(where)}: describes no image tokenizer: " + "; ".join(problems))
        return result

    def _contradictions(self) -> list[str]:
        found = []
        is_diffusion_decoder = self.dec_type.startswith(("unet_", "uvit_"))
        if is_diffusion_decoder != (self.diffusion is not None):
            found.append(f"dec_type is {self.dec_type}, which does not go with a diffusion's settings")
        if self.enc_type.startswith("vit_") and self.encoder_image_size % self.patch_size:
            found.append(f"the image size {self.encoder_image_size} is no multiple of patch_size ({self.patch_size})")
        if self.dec_type.startswith("vit_") and self.decoder_image_size % self.decoder_patch_size:
            found.append(
                f"the decoder's image size {self.decoder_image_size} is no multiple of its patch size "
                f"({self.decoder_patch_size})"
            )
        if self.quant_type == "lucid" and self.num_codebooks > 1:
            found.append(f"num_codebooks is {self.num_codebooks}, but lucid has one codebook")
        if self.latent_dim % self.num_codebooks:
            found.append(f"latent_dim is {self.latent_dim}, no multiple of num_codebooks ({self.num_codebooks})")
        return found

    @property
    def encoder_image_size(self) -> int:
        return self.image_size_enc or self.image_size

    @property
    def decoder_image_size(self) -> int:
        return self.image_size_dec or self.image_size

    @property
    def decoder_patch_size(self) -> int:
        return self.patch_size_dec or self.patch_size

    @property
    def out_channels(self) -> int:
        """Channels of what is decoded: those of the input, or one logit per class."""
        return self.n_labels or self.n_channels


def _checked(cls: type, config: Mapping[str, Any], problems: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for f in fields(cls):
        if f.name == "diffusion" or f.name not in config:
            continue
        accepts, expected = _EXPECTED[f.name]
        if accepts(config[f.name]):
            values[f.name] = config[f.name]
        else:
            problems.append(f"{f.name} is {printable(repr(config[f.name]), 40)}, not {expected}")
    return values


Check = tuple[Callable[[Any], bool], str]


def _whole(low: int, high: int, optional: bool = False) -> Check:
    # The upper ends only keep a damaged or hostile file from asking for the impossible.
    def accepts(value: Any) -> bool:
        if value is None:
            return optional
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high

    return accepts, f"a whole number from {low} to {high}" + (" or null" if optional else "")


def _matches(pattern: str) -> Callable[[Any], bool]:
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and len(value) <= 100 and compiled.fullmatch(value) is not None


def _one_of(*names: str) -> Check:
    return (lambda value: isinstance(value, str) and value in names), " or ".join(names)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


MLP_ID: Final = r"BottleneckMLP/B_([1-9]\d{0,2})-Wi_([1-9]\d{0,4})(?:-E_([1-9]\d?))?"
"""Blocks, width and expansion of an MLP (Bachmann et al. 2023, arXiv:2306.13575)."""

_DIFFUSION_KEYS = ("beta_schedule", "scheduler", "prediction_type", "num_train_timesteps")
_CONTROLNET_KEYS = ("sd_path", "image_size_sd", "pretrained_cn")

_SIZE, _MAYBE_SIZE, _FLAG = _whole(1, 2**16), _whole(1, 2**16, optional=True), (_is_flag, "true or false")
_EXPECTED: Mapping[str, Check] = {
    **dict.fromkeys(("image_size", "n_channels", "patch_size", "latent_dim"), _SIZE),
    **dict.fromkeys(("image_size_enc", "image_size_dec", "patch_size_dec", "n_labels"), _MAYBE_SIZE),
    **dict.fromkeys(("patch_proj", "post_mlp", "out_conv", "norm_codes", "norm_latents", "undo_std"), _FLAG),
    **dict.fromkeys(("clip_sample", "thresholding", "zero_terminal_snr"), _FLAG),
    "enc_type": (
        _matches(rf"vit_[sbl]_enc|conv_[ts]_enc|{MLP_ID}"),
        "vit_s_enc, vit_b_enc, vit_l_enc, conv_t_enc, conv_s_enc or BottleneckMLP/B_6-Wi_1024",
    ),
    "dec_type": (
        _matches(rf"vit_[sbl]_dec|conv_[ts]_dec|{MLP_ID}|(unet|uvit)_\w+"),
        "vit_s_dec, vit_b_dec, vit_l_dec, conv_t_dec, conv_s_dec, BottleneckMLP/B_6-Wi_1024 or the name of a UNet or "
        "UViT",
    ),
    "quant_type": _one_of("lucid", "memcodes"),
    "codebook_size": _whole(1, 2**24),
    "num_codebooks": _whole(1, 2**10),
    "num_train_timesteps": _whole(1, 10**6),
    "scheduler": _one_of("ddpm", "ddim"),
    "beta_schedule": (
        _matches(r"linear|scaled_linear|squaredcos_cap_v2|shifted_cosine:(\d{1,6}(\.\d{0,9})?|\.\d{1,9})"),
        "linear, scaled_linear, squaredcos_cap_v2 or shifted_cosine:0.5",
    ),
    "prediction_type": _one_of("sample", "epsilon", "v_prediction"),
    "conditioning": _one_of("concat", "xattn", "add"),
}
