"""The 4M encoder-decoder: what a forward pass is made of. Which tokens go in is for the sampler to say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import Tensor, nn

from fourm_tui.architecture import Architecture
from fourm_tui.model.embeddings import InputEmbedding, OutputEmbedding, input_embedding, sincos_positions
from fourm_tui.model.layers import Block, Cache, DecoderBlock, Group, KeysValues, LayerNorm, Linear, Mlp
from fourm_tui.weights import OnDemand

if TYPE_CHECKING:
    from fourm_tui.model.passes import Passes

Context: TypeAlias = tuple[Sequence[KeysValues], Tensor | None]
"""Keys and values in every decoder block of what is attended to, and its mask `[B, 1, 1, N]`."""


@dataclass(frozen=True)
class Seen:
    """What the encoder sees of a batch."""

    tokens: Tensor
    """Embedded values, `[B, N, D]`; N may be 0."""
    places: Tensor
    """Their places (position + modality), `[B, N, D]`."""
    visible: Tensor | None = None
    """`[B, N]`, False for padding; None where there is none."""


@dataclass(frozen=True)
class Encoded:
    """What the encoder made of several parts: `rows` `[R, D]`, one part after the other, as the groups say."""

    rows: Tensor
    groups: Sequence[Group]


class FourM(nn.Module):
    """A 4M model. Names of modules are those of the published checkpoints."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        a = self.architecture = architecture
        self.source: Path | None = None
        """The file that the weights came from."""
        self.passes: Passes | None = None
        """What runs it, see `passes_of`."""
        self.mask_token = nn.Parameter(torch.zeros(1, 1, a.dim))
        self.register_tokens = (
            nn.Parameter(torch.zeros(1, a.num_register_tokens, a.dim)) if a.num_register_tokens else None
        )
        self.encoder_embeddings = nn.ModuleDict({n: input_embedding(a.modalities[n], a.dim) for n in a.inputs})
        self.decoder_embeddings = nn.ModuleDict({n: OutputEmbedding(a.modalities[n], a.dim) for n in a.outputs})
        self.encoder = nn.ModuleList([Block(a) for _ in range(a.encoder_depth)])
        self.encoder_norm = LayerNorm(a.dim, a.norm_bias)
        self.decoder_proj_context = Linear(a.dim, a.dim)
        self.decoder = nn.ModuleList([DecoderBlock(a) for _ in range(a.decoder_depth)])
        self.decoder_norm = LayerNorm(a.dim, a.norm_bias)
        self.share_modality_embeddings()

    # -- parts --------------------------------------------------------------------------------------------------

    @property
    def device(self) -> torch.device:
        return self.mask_token.device

    @property
    def dtype(self) -> torch.dtype:
        return self.mask_token.dtype

    def input(self, name: str) -> InputEmbedding:
        embedding = self.encoder_embeddings[name]
        assert isinstance(embedding, InputEmbedding)
        return embedding

    def output(self, name: str) -> OutputEmbedding:
        embedding = self.decoder_embeddings[name]
        assert isinstance(embedding, OutputEmbedding)
        return embedding

    def shared_names(self) -> list[tuple[str, str]]:
        """Pairs of names under which a state dict holds one and the same tensor, the encoder's first."""
        if not self.architecture.share_modality_embeddings:
            return []
        return [
            (f"encoder_embeddings.{name}.mod_emb", f"decoder_embeddings.{name}.mod_emb")
            for name in self.architecture.inputs
            if name in self.architecture.outputs
        ]

    def share_modality_embeddings(self) -> None:
        """Makes encoder and decoder hold one modality embedding, where the architecture says so."""
        if self.architecture.share_modality_embeddings:
            for name in self.architecture.outputs:
                if name in self.architecture.inputs:
                    self.output(name).mod_emb = self.input(name).mod_emb

    def default_buffer(self, name: str) -> Tensor:
        """The value that a buffer has in every model: positions on the sine-cosine curves, norm biases of zero."""
        if name.endswith(".pos_emb"):
            modality = self.architecture.modalities[name.split(".")[1]]
            return sincos_positions(modality, self.architecture.dim)
        return torch.zeros(self.get_buffer(name).shape)

    def forget(self) -> bool:
        """Frees what is kept from pass to pass; whether there was anything."""
        return self.passes is not None and self.passes.forget()

    def bring(self) -> None:
        """Brings what is brought when it is used first now, as training needs it."""
        for module in self.modules():
            if isinstance(module, OnDemand):
                module.bring()

    def pack(self) -> None:
        """Lays the weights out for the CPU's matrix products; they are not to be read any more."""
        for module in self.modules():
            if isinstance(module, Linear | Mlp):
                module.pack()

    # -- forward ------------------------------------------------------------------------------------------------

    def encode(self, parts: Sequence[Seen]) -> Encoded:
        """The encoder, all parts in one pass; each of them sees itself only.

        Returns:
            What the decoder attends to; the R register tokens come first in each part.
        """
        groups, tokens, places = [], [], []
        for part in map(self._with_registers, parts):
            batch, length = part.tokens.shape[:2]
            groups.append(Group(batch, length, None if part.visible is None else part.visible[:, None, None]))
            values, place = part.tokens, part.places
            if part.visible is not None:
                values, place = values * part.visible[..., None], place * part.visible[..., None]
            tokens.append(values.flatten(0, 1))
            places.append(place.flatten(0, 1))
        where = torch.cat(places)
        x = torch.cat(tokens) + where
        for block in self.encoder:
            x = block(x, groups)
        return Encoded(self.decoder_proj_context(self.encoder_norm(x)) + where, groups)

    def _with_registers(self, part: Seen) -> Seen:
        if self.register_tokens is None:
            return part
        registers = self.register_tokens.expand(len(part.tokens), -1, -1)
        visible = part.visible
        if visible is not None:
            visible = torch.cat([visible.new_ones(registers.shape[:2]), visible], dim=1)
        tokens = torch.cat([registers, part.tokens], dim=1)
        return Seen(tokens, torch.cat([torch.zeros_like(registers), part.places], dim=1), visible)

    def keys_values(self, encoded: Encoded) -> list[Context]:
        """What is attended to of each part: its keys and values in every decoder block, and its mask."""
        blocks = [block.keys_values(encoded.rows, encoded.groups) for block in self.decoder]  # type: ignore[operator]
        return [(list(each), group.mask) for *each, group in zip(*blocks, encoded.groups, strict=True)]

    def decode(
        self,
        y: Tensor,
        contexts: Sequence[Context],
        self_mask: Tensor | None = None,
        causal: bool = False,
        caches: Sequence[Cache] | None = None,
    ) -> Tensor:
        """The decoder, `[K * B, M, D]` to `[K * B, M, D]`; with caches, `y` holds the newest tokens only.

        Args:
            y: the same tokens for each of K contexts, one after the other: all of them in one pass.
            contexts: `keys_values`.
        """
        for i, block in enumerate(self.decoder):
            seen = [(keys_values[i], mask) for keys_values, mask in contexts]
            y = block(y, seen, self_mask, causal, caches[i] if caches else None)
        return self.decoder_norm(y)

    def new_caches(self, batch: int, room: int, dtype: torch.dtype) -> list[Cache]:
        """Empty caches for `room` tokens of a sequence, one per decoder block."""
        a = self.architecture
        empty = self.mask_token.new_empty
        shape = (batch, a.num_heads, room, a.head_dim)
        return [Cache(empty(shape, dtype=dtype), empty(shape, dtype=dtype)) for _ in range(a.decoder_depth)]

    @torch.no_grad()
    def initialise(self, generator: torch.Generator | None = None) -> None:
        """Weights to train from (MAE, He et al. 2021, arXiv:2111.06377): Glorot-uniform matrices, with q, k and v
        taken one by one, and normal embeddings with a standard deviation of 0.02."""
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear):
                parts = {"qkv": 3, "kv": 2}.get(name.rpartition(".")[2], 1)
                fan = module.out_features // parts + module.in_features
                bound = math.sqrt(6 / fan)
                module.weight.uniform_(-bound, bound, generator=generator)
                if module.bias is not None:
                    module.bias.zero_()
            elif isinstance(module, nn.Embedding):
                module.weight.normal_(std=0.02, generator=generator)
        for name, parameter in self.named_parameters():
            if name.endswith(("mod_emb", "pos_emb", "mask_token", "register_tokens")):
                parameter.normal_(std=0.02, generator=generator)
