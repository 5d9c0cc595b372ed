"""Guidance: which passes a step needs, what each of them sees, and how their logits become one.

Classifier-free guidance (Ho and Salimans 2022, arXiv:2207.12598) has a pass that sees everything and one from which
the guided conditions are taken. Weighted guidance (composition, Liu et al. 2022, arXiv:2206.01714) has a pass for each
weighted condition, with nothing beside it but the target, and one that sees the target only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fourm_tui.curves import Guidance
from fourm_tui.model.fourm import FourM, Seen
from fourm_tui.sampling.state import S_1, ImageTokens, State, Vectors
from fourm_tui.sampling.state import Sequence as TextSequence


@dataclass(frozen=True)
class Branch:
    """What one pass sees: `seen` as it is, `emptied` as if there was nothing of it, all else not at all."""

    seen: frozenset[str]
    emptied: frozenset[str] = frozenset()


def branches(guidance: Guidance, guided: Collection[str], names: Collection[str], target: str) -> list[Branch]:
    """The passes of a step; the unconditional one, if there is one, comes last.

    Args:
        guidance: a scale (1.0 is none) or weights by condition.
        guided: conditions that the unconditional pass does not see.
        names: all modalities at hand.
        target: what is being decoded; every pass sees what is known of it.
    """
    everything = frozenset(names)
    if isinstance(guidance, Mapping):
        return [*(Branch(frozenset({name, target})) for name in guidance), Branch(frozenset({target}))]
    if guidance == 1.0 or not guided:
        return [Branch(everything)]
    emptied = frozenset(guided) - {target}
    return [Branch(everything), Branch(everything - emptied, emptied & everything)]


def combine(logits: Sequence[Tensor], guidance: Guidance) -> Tensor:
    """One set of logits from those of each branch, all `[..., V]`."""
    if len(logits) == 1:
        return logits[0]
    *conditional, unconditional = logits
    weights = list(guidance.values()) if isinstance(guidance, Mapping) else [guidance]
    guided = unconditional.clone()
    for weight, conditioned in zip(weights, conditional, strict=True):
        guided += weight * (conditioned - unconditional)
    return guided


def seen(model: FourM, state: State, branch: Branch) -> Seen:
    """What the encoder is given of a branch."""
    tokens: list[Tensor] = []
    places: list[Tensor] = []
    there: list[Tensor | None] = []
    for name in state.modalities:
        if name not in model.encoder_embeddings or name not in branch.seen | branch.emptied:
            continue
        found = _embedded(model, state, name, name in branch.emptied)
        if found is not None:
            tokens.append(found[0])
            places.append(found[1])
            there.append(found[2])
    if not tokens:
        nothing = torch.zeros(state.batch, 0, model.architecture.dim, device=state.device, dtype=model.dtype)
        return Seen(nothing, nothing)
    return Seen(torch.cat(tokens, dim=1), torch.cat(places, dim=1), _visible(tokens, there))


def _embedded(
    model: FourM, state: State, name: str, empty: bool
) -> tuple[Tensor, Tensor, Tensor | None] | None:  # fmt: skip
    """Tokens and places `[B, N, D]` of one modality, and where a sample has them (None: everywhere)."""
    values, embedding, B = state.modalities[name], model.input(name), state.batch
    if isinstance(values, ImageTokens):
        if empty or values.count == 0:
            return None
        positions = values.known_positions()
        found = embedding(values.ids.gather(1, positions), positions)
        return *found, None
    if isinstance(values, TextSequence):
        ids = torch.full((B, 1), S_1, device=state.device) if empty else values.ids
        return *embedding(ids, _arange(ids)), None if empty else values.there
    assert isinstance(values, Vectors)
    vectors = values.values.to(model.dtype)
    if empty:
        if state_kind(model, name) == "pixels":
            return None
        vectors = torch.zeros_like(vectors[:, :1])
    return *embedding(vectors, _arange(vectors)), None if empty else values.there


def state_kind(model: FourM, name: str) -> str:
    return model.architecture.modalities[name].kind


def _arange(values: Tensor) -> Tensor:
    return torch.arange(values.shape[1], device=values.device).expand(values.shape[:2])


def _visible(tokens: list[Tensor], there: list[Tensor | None]) -> Tensor | None:
    """`[B, N]`, False where a sample has padding; None if none has."""
    if all(each is None for each in there):
        return None
    rows = [
        part.new_ones(part.shape[:2], dtype=torch.bool) if each is None else each
        for part, each in zip(tokens, there, strict=True)
    ]
    return torch.cat(rows, dim=1)
