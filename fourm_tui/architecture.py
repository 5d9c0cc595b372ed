"""What a 4M checkpoint is made of, as its `config.json` says: sizes and modalities, and the counts that follow.

The names of the fields are the constructor's (apple/ml-4m, class `FM`), so they are part of the checkpoint format.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cached_property
from typing import Any

from fourm_tui.errors import InputError, printable
from fourm_tui.modalities import MODALITIES, Modality, with_overrides

T5_WIDTH = 4096
"""Width of the T5-XXL vectors that `t5_caption` projects to `dim`."""

ACTIVATIONS = ("SiLU", "GELU")


@dataclass(frozen=True)
class Architecture:
    """Sizes and modalities of a 4M encoder-decoder (Mizrahi et al. 2023, arXiv:2312.06647)."""

    domains_in: tuple[str, ...]
    """Modalities of the encoder, as listed in the config."""
    domains_out: tuple[str, ...]
    """Modalities of the decoder as listed; may name some that have no decoder (`t5_caption`)."""
    norm_bias: bool
    act_layer: str
    """`SiLU` or `GELU` (exact)."""
    image_size: int
    """Pixels; every modality brings its own size but the global features."""
    patch_size: int
    dim: int = 768
    """Width D of a token; a multiple of 4 and of `num_heads`."""
    encoder_depth: int = 12
    decoder_depth: int = 12
    num_heads: int = 12
    mlp_ratio: float = 4.0
    qkv_bias: bool = True
    proj_bias: bool = True
    mlp_bias: bool = True
    gated_mlp: bool = False
    """Three matrices instead of two: `fc2(act(fc1 x) * fc3 x)`."""
    qk_norm: bool = False
    """LayerNorm over each head of queries and keys."""
    num_register_tokens: int = 0
    """Encoder tokens without a modality."""
    share_modality_embeddings: bool = True
    """Whether encoder and decoder hold one and the same modality embedding."""
    decoder_causal_mask: bool = False
    """Of the training forward only; generation has its own masks."""
    decoder_sep_mask: bool = True
    """Of the training forward only."""
    modalities: Mapping[str, Modality] = field(default_factory=lambda: MODALITIES, hash=False)
    """The table of modalities as this model sees it."""

    @classmethod
    def from_config(cls, config: Mapping[str, Any], where: str = "config.json") -> Architecture:
        """Reads a constructor config; keys that do not concern generation (`drop_path_rate_encoder`) are ignored.

        Args:
            config: the contents of a `config.json`.
            where: names the file in messages.

        Raises:
            InputError: keys are missing or wrong; the message lists all of them.
        """
        if not isinstance(config, Mapping):
            raise InputError(f"{printable(where)}: is to be a mapping with the model's configuration")
        problems: list[str] = []
        values: dict[str, Any] = {}
        for f in fields(cls):
            if f.name == "modalities":
                continue
            if f.name not in config:
                if f.default is MISSING:
                    problems.append(f"{f.name} is missing")
                continue
            accepts, expected = _EXPECTED[f.name]
            values[f.name] = tuple(config[f.name]) if isinstance(config[f.name], list) else config[f.name]
            if not accepts(config[f.name]):
                problems.append(f"{f.name} is {printable(repr(config[f.name]), 40)}, not {expected}")
        try:
            values["modalities"] = with_overrides(config.get("modalities"), where)
        except InputError as error:
            problems.append(str(error).removeprefix(f"{printable(where)}: "))
        if not problems:
            architecture = cls(**values)
            problems = architecture._contradictions()
            if not problems:
                return architecture
        raise InputError(f"{printable(where)}: describes no 4M model: " + "; ".join(problems))

    def _contradictions(self) -> list[str]:
        found = []
        for key in ("domains_in", "domains_out"):
            unknown = [printable(name, 40) for name in getattr(self, key) if name not in self.modalities]
            if unknown:
                found.append(f"{key} names {', '.join(unknown)}, which this program does not know")
        if self.dim % self.num_heads or self.dim % 4:
            found.append(f"dim is {self.dim}, no multiple of num_heads ({self.num_heads}) and of 4")
        return found

    # -- modalities ---------------------------------------------------------------------------------------------

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Modalities that the encoder takes."""
        return tuple(dict.fromkeys(self.domains_in))

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """Modalities that the decoder makes: pixels and `t5_caption` have no decoder, even if listed."""
        return tuple(name for name in dict.fromkeys(self.domains_out) if self.modalities[name].is_target)

    # -- sizes --------------------------------------------------------------------------------------------------

    @property
    def head_dim(self) -> int:
        return self.dim // self.num_heads

    @property
    def mlp_hidden(self) -> int:
        """Hidden width of an MLP; a gated one has two thirds, so that it has as many weights."""
        hidden = int(self.dim * self.mlp_ratio)
        return int(2 * hidden / 3) if self.gated_mlp else hidden

    @property
    def mlp_weights(self) -> int:
        """Entries of the matrices of one MLP, biases not counted."""
        return (3 if self.gated_mlp else 2) * self.dim * self.mlp_hidden

    # -- parameters ---------------------------------------------------------------------------------------------

    def embedding_parameters(self, name: str) -> int:
        """Parameters of one modality: encoder embedding, decoder embedding and logits, as far as it has them.

        Position embeddings are buffers and not counted, but for the learned ones of the global features.
        """
        both = name in self.inputs and name in self.outputs
        return self._embeddings(name) - (self.dim if both and self.share_modality_embeddings else 0)

    def _embeddings(self, name: str) -> int:
        modality = self.modalities[name]
        tokens = modality.vocab_size * self.dim
        common = self.dim * (1 + (modality.max_tokens if modality.learned_positions else 0))
        encoder = {
            "pixels": 3 * modality.patch_size**2 * self.dim,
            "embeddings": (T5_WIDTH + 1) * self.dim,
        }.get(modality.kind, tokens)
        # The decoder's token embedding and its logits are two matrices.
        return (common + encoder) * (name in self.inputs) + (common + 2 * tokens) * (name in self.outputs)

    @cached_property
    def parameters_outside_embeddings(self) -> int:
        """Parameters of blocks, norms, the projection of the context, mask and register tokens."""
        D, norm = self.dim, self.dim * (1 + self.norm_bias)
        qk_norm = 2 * self.head_dim * (1 + self.norm_bias) * self.qk_norm
        attention = 4 * D * D + 3 * D * self.qkv_bias + D * self.proj_bias + qk_norm
        mlp = self.mlp_weights + self.mlp_bias * (D + self.mlp_hidden * (1 + self.gated_mlp))
        encoder = self.encoder_depth * (attention + mlp + 2 * norm) + norm
        decoder = self.decoder_depth * (2 * attention + mlp + 4 * norm) + norm
        context = D * D + D  # this projection has a bias in every model
        return encoder + context + decoder + D * (1 + self.num_register_tokens)

    @cached_property
    def parameters(self) -> int:
        """All parameters, each counted once."""
        return self.parameters_outside_embeddings + sum(map(self.embedding_parameters, self._names))

    @cached_property
    def parameters_by_name(self) -> int:
        """The same as a checkpoint has them that stores shared modality embeddings under both names."""
        return self.parameters_outside_embeddings + sum(map(self._embeddings, self._names))

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.inputs, *self.outputs)))


def _whole(low: int, high: int) -> tuple[Callable[[Any], bool], str]:
    # The upper ends only keep a damaged or hostile file from asking for the impossible.
    def accepts(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high

    return accepts, f"a whole number from {low} to {high}"


def _is_ratio(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 0 < value <= 1024


def _are_names(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(name, str) for name in value)


def _is_activation(value: Any) -> bool:
    return isinstance(value, str) and value in ACTIVATIONS


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


_SIZE, _DEPTH, _FLAG = _whole(1, 2**16), _whole(1, 2**10), (_is_flag, "true or false")
_EXPECTED: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(("domains_in", "domains_out"), (_are_names, "a list of modalities")),
    **dict.fromkeys(("image_size", "patch_size", "dim", "num_heads"), _SIZE),
    **dict.fromkeys(("encoder_depth", "decoder_depth"), _DEPTH),
    **dict.fromkeys(("norm_bias", "qkv_bias", "proj_bias", "mlp_bias", "gated_mlp", "qk_norm"), _FLAG),
    **dict.fromkeys(("share_modality_embeddings", "decoder_causal_mask", "decoder_sep_mask"), _FLAG),
    "act_layer": (_is_activation, " or ".join(ACTIVATIONS)),
    "mlp_ratio": (_is_ratio, "a number above 0"),
    "num_register_tokens": _whole(0, 2**16),
}
