"""The transformer layers of 4M (Mizrahi et al. 2023, arXiv:2312.06647).

Masks are True where attention is allowed, as `scaled_dot_product_attention` has them; None allows everything. Where
nothing is allowed, or the context is empty, attention gives zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fourm_tui.architecture import Architecture
from fourm_tui.cores import processor_maker

NORM_EPS = 1e-6
KeysValues: TypeAlias = tuple[Tensor, Tensor]
"""Keys and values of one attention layer, each `[B, heads, N, head_dim]`."""
Attended: TypeAlias = tuple[KeysValues, Tensor | None]
"""Keys and values of what is attended to, and its mask."""


@dataclass(frozen=True)
class Group:
    """N tokens of each of B samples, which see each other; groups of several sizes lie in `[R, D]` one after the other,
    so that everything but attention takes all of them at once, and nothing is padded."""

    batch: int
    length: int
    mask: Tensor | None = None
    """`[B, 1, 1, N]`."""

    @classmethod
    def split(cls, rows: Tensor, groups: Sequence[Group]) -> list[Tensor]:
        """The groups in `rows` `[R, D]`, each `[B, N, D]`."""
        parts = rows.split([group.batch * group.length for group in groups])
        return [part.unflatten(0, (group.batch, group.length)) for part, group in zip(parts, groups, strict=True)]


class LayerNorm(nn.Module):
    """LayerNorm whose bias, where the model has none, is still an entry of the state dict: a buffer of zeros."""

    bias: Tensor

    def __init__(self, dim: int, bias: bool) -> None:
        super().__init__()
        self.shape = (dim,)
        self.weight = nn.Parameter(torch.ones(dim))
        if bias:
            self.bias = nn.Parameter(torch.zeros(dim))
        else:
            self.register_buffer("bias", torch.zeros(dim))

    def forward(self, x: Tensor) -> Tensor:
        return torch.layer_norm(x, self.shape, self.weight, self.bias, NORM_EPS)


class Linear(nn.Linear):
    """A linear layer whose weights can be laid out for the CPU's matrix products once, instead of at every one."""

    packed: Tensor | None = None

    @property
    def can_be_packed(self) -> bool:
        """Whether that is of use: for bf16 and fp32 on a CPU."""
        weight = self.weight
        if weight is None or weight.device.type != "cpu" or weight.dtype not in (torch.bfloat16, torch.float32):
            return False
        if _is_by_onednn(weight.dtype):
            return hasattr(_ONEDNN, "_reorder_linear_weight")
        return min(weight.shape) >= _WIDE and hasattr(_MKL, "_mkl_reorder_linear_weight")

    def pack(self) -> None:
        """Lays the weights out, if that is of use; they can only be multiplied with from then on."""
        if not self.can_be_packed:
            return
        weight = self.weight.detach()
        if _is_by_onednn(weight.dtype):
            self.packed = _ONEDNN._reorder_linear_weight(weight, None)
        else:
            self.packed = _MKL._mkl_reorder_linear_weight(weight, _PACKED_FOR)
        self.register_parameter("weight", None)

    @property
    def bytes(self) -> int:
        """Of the weights, in either layout."""
        weight = self.weight if self.packed is None else self.packed
        return self.in_features * self.out_features * weight.element_size()

    def forward(self, x: Tensor) -> Tensor:
        if self.packed is not None:
            by_onednn = _is_by_onednn(self.packed.dtype)
            return self._by_onednn(x, self.packed) if by_onednn else self._by_mkl(x, self.packed)
        return super().forward(x)

    def _by_mkl(self, x: Tensor, packed: Tensor) -> Tensor:
        # Of the weights as they were only the shape is asked for, if the number of rows is the one named.
        shape = x.new_empty(1).expand(self.out_features, self.in_features)
        return _MKL._mkl_linear(x, packed, shape, self.bias, x.numel() // x.shape[-1])

    def _by_onednn(self, x: Tensor, packed: Tensor) -> Tensor:
        rows = x.numel() // x.shape[-1]
        if not (spare := _spare(rows)):
            return _ONEDNN._linear_pointwise(x, packed, self.bias, "none", [], "")
        flat = F.pad(x.reshape(rows, -1), (0, 0, 0, spare))
        found = _ONEDNN._linear_pointwise(flat, packed, self.bias, "none", [], "")
        return found[:rows].view(*x.shape[:-1], -1)


_ONEDNN, _MKL = torch.ops.mkldnn, torch.ops.mkl
_PACKED_FOR = 256
"""Rows that MKL lays weights out for; they serve any number, and from 1 to 400 this layout is the fastest."""
_WIDE = 512
"""From this many features on MKL is faster so; narrow layers would take megabytes more each, and gain nothing."""


def _spare(rows: int) -> int:
    """Rows to add for oneDNN, which makes code for each number of them and keeps it: there are to be few."""
    return 0 if rows <= 32 else -rows % (32 if rows < 512 else 16)


def _is_by_onednn(dtype: torch.dtype) -> bool:
    """Whose products are faster: MKL takes the best instructions for fp32 on the processors of its own maker only."""
    return dtype == torch.bfloat16 or processor_maker() in ("AuthenticAMD", "HygonGenuine")


class Mlp(nn.Module):
    """`fc2(act(fc1 x))`, or gated `fc2(act(fc1 x) * fc3 x)` (SwiGLU, Shazeer 2020, arXiv:2002.05202)."""

    def __init__(self, a: Architecture) -> None:
        super().__init__()
        self.fc1 = Linear(a.dim, a.mlp_hidden, bias=a.mlp_bias)
        self.fc2 = Linear(a.mlp_hidden, a.dim, bias=a.mlp_bias)
        self.fc3 = Linear(a.dim, a.mlp_hidden, bias=a.mlp_bias) if a.gated_mlp else None
        self.is_silu = a.act_layer == "SiLU"
        self.is_joined = False
        """Whether `fc1` gives what `fc3` would, too, after its own."""

    def pack(self) -> None:
        """Has one product in place of two, where weights are laid out anew in any case; before `fc1` is packed."""
        fc1, fc3 = self.fc1, self.fc3
        if fc3 is None or not (fc1.can_be_packed and fc3.can_be_packed):
            return
        fc1.weight = nn.Parameter(torch.cat([fc1.weight, fc3.weight]), requires_grad=False)
        if fc1.bias is not None:
            fc1.bias = nn.Parameter(torch.cat([fc1.bias, fc3.bias]), requires_grad=False)
        fc1.out_features += fc3.out_features
        self.fc3, self.is_joined = None, True

    def forward(self, x: Tensor) -> Tensor:
        hidden, factor = self.fc1(x), None
        may_write = not hidden.requires_grad
        if self.is_joined:
            hidden, factor = hidden.chunk(2, dim=-1)
        elif self.fc3 is not None:
            factor = self.fc3(x)
        hidden = F.silu(hidden, inplace=may_write) if self.is_silu else F.gelu(hidden)
        if factor is not None:
            # Not within what is joined: `fc2` takes rows that lie close together.
            hidden = hidden.mul_(factor) if may_write and not self.is_joined else hidden * factor
        return self.fc2(hidden)


@dataclass
class Cache:
    """Keys and values of the tokens decoded so far by one self-attention layer; room for a known number of them."""

    keys: Tensor  # [B, heads, room, head_dim]
    values: Tensor
    length: int = 0

    def append(self, keys: Tensor, values: Tensor) -> KeysValues:
        end = self.length + keys.shape[2]
        self.keys[:, :, self.length : end] = keys
        self.values[:, :, self.length : end] = values
        self.length = end
        return self.keys[:, :, :end], self.values[:, :, :end]


class _Heads(nn.Module):
    """What self- and cross-attention have in common: heads, the norms of queries and keys, the output projection."""

    def __init__(self, a: Architecture) -> None:
        super().__init__()
        self.num_heads = a.num_heads
        self.proj = Linear(a.dim, a.dim, bias=a.proj_bias)
        self.q_norm = LayerNorm(a.head_dim, a.norm_bias) if a.qk_norm else nn.Identity()
        self.k_norm = LayerNorm(a.head_dim, a.norm_bias) if a.qk_norm else nn.Identity()

    def split(self, x: Tensor, parts: int) -> tuple[Tensor, ...]:
        """`[B, N, parts * D]` to `parts` tensors `[B, heads, N, head_dim]`."""
        return x.unflatten(-1, (parts, self.num_heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)


def merge(heads: Tensor) -> Tensor:
    """`[B, heads, N, head_dim]` to `[B, N, D]`."""
    return heads.transpose(1, 2).flatten(2)


def _joined(parts: Sequence[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))


def _attention(q: Tensor, keys_values: KeysValues, mask: Tensor | None, causal: bool = False) -> Tensor:
    k, v = keys_values
    if k.shape[2] == 0:
        return torch.zeros_like(q)
    if q.requires_grad and q.device.type == "cpu" and not causal:
        return _plain_attention(q, k, v, mask)
    if q.dtype != k.dtype:
        return F.scaled_dot_product_attention(q.to(k.dtype), k, v, attn_mask=mask, is_causal=causal).to(q.dtype)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)


def _plain_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    """The same by matrix products: on CPUs the gradient of the fused one takes twice as long as all else."""
    with torch.autocast(q.device.type, enabled=False):  # its softmax would be one in fp32
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
        if mask is not None:
            scores = scores + torch.where(mask, 0.0, torch.finfo(scores.dtype).min).to(scores.dtype)
        return scores.softmax(dim=-1) @ v


class Attention(_Heads):
    """Self-attention; `qkv` is packed as [q | k | v]."""

    def __init__(self, a: Architecture) -> None:
        super().__init__(a)
        self.qkv = Linear(a.dim, 3 * a.dim, bias=a.qkv_bias)

    def forward(
        self, x: Tensor, mask: Tensor | None = None, causal: bool = False, cache: Cache | None = None
    ) -> Tensor:  # fmt: skip
        """`x` is `[B, N, D]`, `mask` broadcasts to `[B, heads, N, N]`; with a cache, `x` holds the newest tokens."""
        return self.proj(self._heads(self.qkv(x), mask, causal, cache))

    def grouped(self, x: Tensor, groups: Sequence[Group]) -> Tensor:
        """`x` `[R, D]` holds groups, each of which sees itself."""
        parts = zip(Group.split(self.qkv(x), groups), groups, strict=True)
        return self.proj(_joined([self._heads(part, group.mask).flatten(0, 1) for part, group in parts]))

    def _heads(self, qkv: Tensor, mask: Tensor | None, causal: bool = False, cache: Cache | None = None) -> Tensor:
        q, k, v = self.split(qkv, 3)
        q, k = self.q_norm(q), self.k_norm(k)
        return merge(_attention(q, (k, v) if cache is None else cache.append(k, v), mask, causal))


class CrossAttention(_Heads):
    """Attention to a context, whose keys and values are made once and used by as many queries as come."""

    def __init__(self, a: Architecture) -> None:
        super().__init__(a)
        self.q = Linear(a.dim, a.dim, bias=a.qkv_bias)
        self.kv = Linear(a.dim, 2 * a.dim, bias=a.qkv_bias)

    def keys_values(self, rows: Tensor, groups: Sequence[Group]) -> list[KeysValues]:
        """Of each group in `rows` `[R, D]`."""
        found = [self.split(part, 2) for part in Group.split(self.kv(rows), groups)]
        return [(self.k_norm(k), v) for k, v in found]

    def forward(self, x: Tensor, contexts: Sequence[Attended]) -> Tensor:
        """`x` `[K * B, M, D]` holds queries to K contexts, one after the other."""
        (q,) = self.split(self.q(x), 1)
        queries = self.q_norm(q).chunk(len(contexts))
        heads = [merge(_attention(part, *context)) for part, context in zip(queries, contexts, strict=True)]
        return self.proj(_joined(heads))


class Block(nn.Module):
    """An encoder block: pre-norm self-attention and MLP."""

    def __init__(self, a: Architecture) -> None:
        super().__init__()
        self.norm1 = LayerNorm(a.dim, a.norm_bias)
        self.attn = Attention(a)
        self.norm2 = LayerNorm(a.dim, a.norm_bias)
        self.mlp = Mlp(a)

    def forward(self, x: Tensor, groups: Sequence[Group]) -> Tensor:
        x = x + self.attn.grouped(self.norm1(x), groups)
        return x + self.mlp(self.norm2(x))


class DecoderBlock(nn.Module):
    """A decoder block: self-attention, cross-attention to the encoder's tokens, MLP."""

    def __init__(self, a: Architecture) -> None:
        super().__init__()
        self.norm1 = LayerNorm(a.dim, a.norm_bias)
        self.self_attn = Attention(a)
        self.cross_attn = CrossAttention(a)
        self.query_norm = LayerNorm(a.dim, a.norm_bias)
        self.context_norm = LayerNorm(a.dim, a.norm_bias)
        self.norm2 = LayerNorm(a.dim, a.norm_bias)
        self.mlp = Mlp(a)

    def keys_values(self, rows: Tensor, groups: Sequence[Group]) -> list[KeysValues]:
        return self.cross_attn.keys_values(self.context_norm(rows), groups)

    def forward(
        self,
        y: Tensor,
        contexts: Sequence[Attended],
        self_mask: Tensor | None = None,
        causal: bool = False,
        cache: Cache | None = None,
    ) -> Tensor:
        y = y + self.self_attn(self.norm1(y), self_mask, causal, cache)
        y = y + self.cross_attn(self.query_norm(y), contexts)
        return y + self.mlp(self.norm2(y))
