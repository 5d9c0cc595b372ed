"""What a plan costs: passes, tokens, floating-point operations, memory traffic, seconds, memory.

Counted is what the engine does. The encoder runs once per pass, over what that pass sees. Decoding an image, the
decoder runs over the positions of the step (ROAR) or over all that remain (MaskGIT), and gives logits for those only.
Decoding a sequence, the encoder runs once per branch and the decoder once per token, with cached keys and values.
A multiply-add is two operations; norms, activations and sampling are left out of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass
from typing import TypeAlias

import numpy as np

from fourm_tui.architecture import Architecture
from fourm_tui.curves import Counts, Floats
from fourm_tui.errors import InputError, printable
from fourm_tui.modalities import Modality
from fourm_tui.plan import RowPlan

Branch: TypeAlias = tuple[Counts, Counts]
"""Encoder and decoder tokens of each pass of a branch, both `[passes]`."""

# Vectors of width dim that a block reads and writes for each token (norms, matrices, residuals), further ones for
# cross-attention, and those for making a block's keys and values of the context. Rough: they matter where weights and
# operations do not. Attention scores are taken to stay on the chip.
_BLOCK_VECTORS, _CROSS_VECTORS, _CONTEXT_VECTORS = 20, 10, 5
# The same within an MLP, in units of its hidden width.
_HIDDEN_VECTORS, _GATED_HIDDEN_VECTORS = 4, 6
_SORTING_BYTES = 4 + 8 + 4 + 4
"""Per logit that top-k and top-p keep: the sorted value, its 64-bit place, its probability, the sum up to it."""


@dataclass(frozen=True)
class Calibration:
    """How fast a machine is, as measured."""

    flops_per_second: float
    bytes_per_second: float
    """Of memory traffic."""
    seconds_per_pass: float = 0.0
    """What a pass takes beside: launching kernels, sampling, events."""


@dataclass(frozen=True)
class Cost:
    """What something costs for one sample, summed over all passes of all branches."""

    steps: int
    """Steps of the plan; an autoregressive row is one."""
    passes: int
    """Runs of the decoder; an autoregressive row has one per branch and token."""
    encoder_tokens: int
    decoder_tokens: int
    flops: float
    bytes: float
    """Memory traffic: weights, activations, cached keys and values."""
    work: InitVar[Floats]
    """`[passes, 3]`: operations, bytes of weights, other bytes of each pass. Not a field of the result."""

    def __post_init__(self, work: Floats) -> None:
        object.__setattr__(self, "_work", work)

    @property
    def each(self) -> Floats:
        """`[passes, 3]`: operations, bytes of weights, other bytes of each pass."""
        work: Floats = vars(self)["_work"]
        return work

    def seconds(self, calibration: Calibration, batch: int = 1) -> float:
        """Estimated time of a batch of `batch` samples, in seconds.

        Each pass takes the longer of computing and moving data (the roofline model, Williams et al. 2009), and an
        overhead of its own. Weights are read once for the whole batch.
        """
        flops, weights, other = self.each.T
        computing = batch * flops / calibration.flops_per_second
        moving = (weights + batch * other) / calibration.bytes_per_second
        return float(np.maximum(computing, moving).sum()) + self.passes * calibration.seconds_per_pass

    @classmethod
    def total(cls, costs: Iterable[Cost]) -> Cost:
        """The sum of several costs."""
        costs = list(costs)
        work = np.concatenate([cost.each for cost in costs]) if costs else np.zeros((0, 3))
        sums = ((c.steps, c.passes, c.encoder_tokens, c.decoder_tokens, c.flops, c.bytes) for c in costs)
        steps, passes, encoder, decoder, flops, traffic = map(sum, zip(*sums, strict=True)) if costs else (0,) * 6
        return cls(int(steps), int(passes), int(encoder), int(decoder), float(flops), float(traffic), work)


def expected_tokens(modality: Modality) -> int:
    """Tokens of a complete modality as far as they are known in advance: its grid, or the typical length of a text."""
    return min(modality.typical_tokens or modality.max_tokens, modality.max_tokens)


def row_cost(
    row: RowPlan,
    architecture: Architecture,
    condition_tokens: Mapping[str, int] | None = None,
    bytes_per_weight: int = 2,
) -> Cost:
    """What one row costs.

    Args:
        row: the row worked out.
        architecture: of the model that runs it.
        condition_tokens: how many tokens conditions and earlier targets have, as far as known; for the row's own
            target, if it is a sequence, how many are going to be generated. The others are expected to have the tokens
            of their grid or the typical length of such a text.
        bytes_per_weight: of weights and activations.

    Raises:
        InputError: the model does not generate the row's target.
    """
    known = condition_tokens or {}
    branches = _branches(row, architecture, known)
    vocab_size = architecture.modalities[row.row.target].vocab_size
    if row.is_sequence:
        length = _sequence_length(row, architecture, known)
        ones, keys = np.ones(length, dtype=np.int64), np.arange(1, length + 1)  # the cache grows by a token each pass
        passes = [(n.repeat(length), ones, keys, n * (keys == 1)) for n, _ in branches]
    else:
        passes = [(n, m, m, n) for n, m in branches]
    each = np.concatenate([_work(architecture, *counts, vocab_size, bytes_per_weight) for counts in passes])
    flops, weights, other = each.sum(axis=0).tolist()
    encoder_tokens = sum(int(encoded.sum()) for *_, encoded in passes)
    decoder_tokens = sum(int(m.sum()) for _, m, *_ in passes)
    return Cost(len(row.tokens), len(each), encoder_tokens, decoder_tokens, flops, weights + other, each)


def _sequence_length(row: RowPlan, architecture: Architecture, known: Mapping[str, int]) -> int:
    """How many tokens an autoregressive row is expected to generate: the most there can be, if nothing is typical."""
    typical = architecture.modalities[row.row.target].typical_tokens or row.open_tokens
    return max(1, min(known.get(row.row.target, typical), row.open_tokens - 1))


def plan_cost(
    rows: Iterable[RowPlan],
    architecture: Architecture,
    sr_architecture: Architecture | None = None,
    condition_tokens: Mapping[str, int] | None = None,
    bytes_per_weight: int = 2,
) -> Cost:
    """What a plan costs: the sum of its rows, where later rows see what earlier ones have decoded.

    Args:
        rows: a plan, or some of its rows in their order.
        architecture: of the base model.
        sr_architecture: of the super-resolution model; None: the base model runs these rows as well.
        condition_tokens, bytes_per_weight: as for `row_cost`.
    """
    known = dict(condition_tokens or {})
    costs = []
    for row in rows:
        model = sr_architecture if row.prefix and sr_architecture else architecture
        costs.append(row_cost(row, model, known, bytes_per_weight))
        if not row.is_sequence:
            known[row.row.target] = row.given + int(row.tokens.sum())
    return Cost.total(costs)


def peak_bytes(architecture: Architecture, rows: Iterable[RowPlan], batch: int = 1, bytes_per_weight: int = 2) -> int:
    """Roughly the most memory that a model needs at once: its weights and what the largest pass keeps.

    Branches run one after the other. A pass keeps, for each sample: residual stream and context, the inside of one
    block, keys and values of the context in all blocks (a sequence, for all branches, and those of its tokens too),
    and 32-bit logits of all branches beside the sorted copies that filtering makes. Allocator overhead and tokenizers
    come on top. Rows that another model runs are left out.

    Args:
        rows: a plan, or some of its rows.
        batch: samples at once.
    """
    D, largest = architecture.dim, 0
    inside = 6 * D + 3 * architecture.mlp_hidden
    for row in rows:
        if row.row.target not in architecture.outputs:
            continue
        branches = _branches(row, architecture, {})
        n, m = (max(int(tokens.max(initial=0)) for tokens in side) for side in zip(*branches, strict=True))
        if row.is_sequence:
            m, cached = 1, len(branches) * (n + row.open_tokens)
        else:
            cached = n
        kept = 4 * n * D + max(n, m) * inside + 2 * D * architecture.decoder_depth * cached
        logits = m * architecture.modalities[row.row.target].vocab_size
        largest = max(largest, bytes_per_weight * kept + (4 * len(branches) + _SORTING_BYTES) * logits)
    return architecture.parameters * bytes_per_weight + batch * largest


def _branches(row: RowPlan, architecture: Architecture, known: Mapping[str, int]) -> list[Branch]:
    """Per branch the encoder's and the decoder's tokens in each of its passes: the conditional branch or, with
    weights, one per condition, then the unconditional one in the steps that have guidance.
    """
    if row.row.target not in architecture.outputs:
        raise InputError(f"row {row.number}: the model does not generate {printable(row.row.target, 40)}")

    def tokens(name: str) -> int:
        if name not in architecture.inputs:  # what the model does not know, the encoder does not see
            return 0
        return known[name] if name in known else expected_tokens(architecture.modalities[name])

    def emptied(name: str) -> int:
        modality = architecture.modalities.get(name)
        return int(name in architecture.inputs and modality is not None and modality.kind in ("sequence", "embeddings"))

    before = row.tokens.cumsum() - row.tokens
    decoded = row.positions - before if row.row.scheme == "maskgit" else row.tokens
    own = architecture.num_register_tokens + (1 if row.is_sequence else row.given)
    pending = sum(count for name, count in row.pending.items() if name in architecture.inputs)
    guidance = row.row.cfg_scale
    if isinstance(guidance, Mapping):
        return [(own + seen + before, decoded) for seen in (*map(tokens, guidance), 0)]
    branches = [(own + pending + sum(map(tokens, row.visible)) + before, decoded)]
    guided = row.passes > 1
    if guided.any():
        left = sum(emptied(name) if name in row.guided else tokens(name) for name in row.visible)
        branches.append((own + pending + left + before[guided], decoded[guided]))
    return branches


def _work(
    architecture: Architecture, n: Counts, m: Counts, keys: Counts, encoded: Counts, vocab_size: int,
    bytes_per_weight: int,
) -> Floats:  # fmt: skip
    """Operations, bytes of weights and other bytes of passes, `[passes, 3]`.

    Args, all `[passes]`:
        n: tokens of the context.
        m: tokens that go through the decoder.
        keys: tokens that each of these attends to in self-attention.
        encoded: tokens that go through the encoder: n, or none where the context is kept.
    """
    a, D = architecture, architecture.dim
    # The projection of the context and its keys and values take the encoder's tokens.
    encoder = a.encoder_depth * (4 * D * D + a.mlp_weights) + (1 + 2 * a.decoder_depth) * D * D
    decoder = a.decoder_depth * (6 * D * D + a.mlp_weights) + vocab_size * D
    flops = (
        2 * (encoded * encoder + m * decoder)
        + 4 * D * (a.encoder_depth * encoded * encoded + a.decoder_depth * m * (keys + n))
    )  # fmt: skip
    weights = bytes_per_weight * (encoder * (encoded > 0) + decoder)
    block = _BLOCK_VECTORS * D + (_GATED_HIDDEN_VECTORS if a.gated_mlp else _HIDDEN_VECTORS) * a.mlp_hidden
    vectors = (
        encoded * (a.encoder_depth * block + a.decoder_depth * _CONTEXT_VECTORS * D)
        + m * a.decoder_depth * (block + _CROSS_VECTORS * D)
        + 2 * D * a.decoder_depth * (keys + n)
    )
    logits = 2 * 4 * m * vocab_size  # written and read in 32 bits
    return np.stack([flops, weights, bytes_per_weight * vectors + logits], axis=1).astype(np.float64)
