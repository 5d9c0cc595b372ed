"""How each kind of modality becomes tokens of the encoder and of the decoder, and logits.

A token of the encoder is its value's embedding plus the embedding of its place: position + modality. Only tokens that
are seen are embedded, so values come with their positions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fourm_tui.architecture import T5_WIDTH
from fourm_tui.modalities import Modality
from fourm_tui.model.layers import Linear
from fourm_tui.weights import OnDemand, computed

SEQUENCE_POSITIONS = 512
"""Rows of the position embeddings of all sequences, whatever their maximum length."""


def sincos_1d(positions: int, dim: int) -> Tensor:
    """Sine-cosine position embeddings `[1, positions, dim]`: `[sin | cos]` halves, wavelengths up to 10000 * 2 pi
    (Vaswani et al. 2017, arXiv:1706.03762)."""
    return _sincos(torch.arange(positions), dim)[None]


def sincos_2d(grid: tuple[int, int], dim: int) -> Tensor:
    """The same for a grid, `[1, rows * columns, dim]`: `[sin | cos]` of the row, then of the column."""
    rows, columns = torch.meshgrid(torch.arange(grid[0]), torch.arange(grid[1]), indexing="ij")
    return torch.cat([_sincos(rows.flatten(), dim // 2), _sincos(columns.flatten(), dim // 2)], dim=1)[None]


def _sincos(positions: Tensor, dim: int) -> Tensor:
    half = dim // 2
    omega = 1.0 / 10000 ** (torch.arange(half, dtype=torch.float64) / half)
    angles = positions.double()[:, None] * omega  # [N, dim / 2]
    return torch.cat([angles.sin(), angles.cos()], dim=1).float()


def sincos_positions(modality: Modality, dim: int) -> Tensor:
    """The fixed position embeddings of a modality, `[1, N, dim]`."""
    return sincos_2d(modality.grid, dim) if modality.grid else sincos_1d(SEQUENCE_POSITIONS, dim)


class Places(nn.Module):
    """Position and modality embeddings, common to all embeddings of both sides."""

    pos_emb: Tensor

    def __init__(self, modality: Modality, dim: int) -> None:
        super().__init__()
        if modality.learned_positions:
            self.pos_emb = nn.Parameter(torch.zeros(1, modality.max_tokens, dim))
        else:
            count = modality.max_tokens if modality.grid else SEQUENCE_POSITIONS
            self.register_buffer("pos_emb", computed((1, count, dim), lambda: sincos_positions(modality, dim)))
        self.mod_emb = nn.Parameter(torch.zeros(1, 1, dim))

    def place(self, positions: Tensor) -> Tensor:
        """Embeddings of positions `[B, N]`: `[B, N, D]`."""
        return self.pos_emb[0, positions] + self.mod_emb


class InputEmbedding(Places):
    """A modality's way into the encoder."""

    def embed(self, values: Tensor) -> Tensor:
        raise NotImplementedError

    def forward(self, values: Tensor, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens without their place, and their places, both `[B, N, D]`, of values `[B, N, ...]` at `positions`
        `[B, N]`."""
        return self.embed(values), self.place(positions)


class TokenTable(OnDemand, nn.Embedding):
    """Embeddings of the ids of a vocabulary."""

    def forward(self, ids: Tensor) -> Tensor:
        self.bring()
        return super().forward(ids)


class Logits(OnDemand, Linear):
    """Logits of a vocabulary."""

    is_to_be_packed = False

    def pack(self) -> None:
        self.is_to_be_packed = True  # when it is needed first

    def forward(self, x: Tensor) -> Tensor:
        if self.packed is None:
            self.bring()
            if self.is_to_be_packed:
                super().pack()
        return super().forward(x)


class TokenInput(InputEmbedding):
    """Image tokens and sequences: values are ids `[B, N]`."""

    def __init__(self, modality: Modality, dim: int) -> None:
        super().__init__(modality, dim)
        self.token_emb = TokenTable(modality.vocab_size, dim)

    def embed(self, values: Tensor) -> Tensor:
        return self.token_emb(values)


class PatchInput(InputEmbedding):
    """Pixels: values are patches `[B, N, patch * patch * 3]` in the order (row, column, channel)."""

    def __init__(self, modality: Modality, dim: int) -> None:
        super().__init__(modality, dim)
        self.proj = nn.Linear(3 * modality.patch_size**2, dim, bias=False)

    def embed(self, values: Tensor) -> Tensor:
        return self.proj(values)


class VectorInput(InputEmbedding):
    """T5 embeddings: values are `[B, N, 4096]`."""

    def __init__(self, modality: Modality, dim: int) -> None:
        super().__init__(modality, dim)
        self.emb_proj = nn.Linear(T5_WIDTH, dim)

    def embed(self, values: Tensor) -> Tensor:
        return self.emb_proj(values)


def input_embedding(modality: Modality, dim: int) -> InputEmbedding:
    """The encoder embedding that fits a modality's kind."""
    return {"pixels": PatchInput, "embeddings": VectorInput}.get(modality.kind, TokenInput)(modality, dim)


class OutputEmbedding(Places):
    """A modality's way through the decoder: places, token embeddings (of sequences), logits."""

    def __init__(self, modality: Modality, dim: int) -> None:
        super().__init__(modality, dim)
        # Image decoding starts from the mask token; their entry is part of the format all the same.
        self.token_emb = TokenTable(modality.vocab_size, dim)
        self.to_logits = Logits(dim, modality.vocab_size, bias=False)
        self.max_length = modality.max_length or modality.max_tokens

    def place(self, positions: Tensor) -> Tensor:
        # A sequence longer than the embedding's length falls back to position 0, as in the reference.
        return super().place(torch.where(positions < self.max_length, positions, 0))
