"""The training forward of 4M: masked modelling over a random part of all modalities (arXiv:2312.06647, section 2).

The encoder sees some tokens, the decoder predicts others. In the decoder a modality sees only itself: image targets
all of their tokens, starting from the mask token; sequences what came before (teacher forcing).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from fourm_tui.model.fourm import FourM, Seen


@dataclass(frozen=True)
class Masked:
    """One modality of a training batch."""

    values: Tensor
    """Ids `[B, N]`, patches `[B, N, patch * patch * 3]` or vectors `[B, N, width]`."""
    visible: Tensor
    """`[B, N]`: what the encoder may see."""
    target: Tensor
    """`[B, N]`: what the decoder is to predict."""


@dataclass(frozen=True)
class Predictions:
    """Logits at the target positions of one modality, all samples one after the other."""

    logits: Tensor
    """`[T, V]`."""
    targets: Tensor
    """`[T]`."""


@dataclass(frozen=True)
class Losses:
    total: Tensor
    by_modality: Mapping[str, Tensor]


def losses(
    model: FourM,
    batch: Mapping[str, Masked],
    num_encoder_tokens: int,
    num_decoder_tokens: int,
    kind: Literal["mod", "token"] = "mod",
    order: Sequence[str] | None = None,
) -> Losses:
    """Cross-entropy of the predicted tokens.

    Args:
        model: in training mode or not; it has no dropout.
        batch: by modality.
        num_encoder_tokens: of each sample; what is visible beyond it is left out, in the order of `batch`.
        num_decoder_tokens: of each sample; targets beyond it are left out, in `order`.
        kind: `mod` is the mean of the modalities' means; `token` weighs them by their number of logits, that is tokens
            times vocabulary, as in the reference.
        order: of the target modalities; None: as in `batch`.

    Raises:
        ValueError: there is no target at all.
    """
    found = predictions(model, batch, num_encoder_tokens, num_decoder_tokens, order)
    present = {name: made for name, made in found.items() if made.targets.numel()}
    if not present:
        raise ValueError("no sample of the batch has a target")
    by_modality = {name: F.cross_entropy(made.logits.float(), made.targets) for name, made in present.items()}
    weights = {name: 1 if kind == "mod" else made.logits.numel() for name, made in present.items()}
    total = sum(by_modality[name] * weight for name, weight in weights.items()) / sum(weights.values())
    assert isinstance(total, Tensor)
    return Losses(total, by_modality)


def predictions(
    model: FourM,
    batch: Mapping[str, Masked],
    num_encoder_tokens: int,
    num_decoder_tokens: int,
    order: Sequence[str] | None = None,
) -> dict[str, Predictions]:
    """Logits and targets of every target modality; arguments as for `losses`."""
    contexts = model.keys_values(model.encode([_seen(model, batch, num_encoder_tokens)]))
    names = [name for name in (order or batch) if name in model.decoder_embeddings]
    parts = [_decoder_input(model, name, batch[name]) for name in names]
    y = torch.cat([part[0] for part in parts], dim=1)
    targets = torch.cat([part[1] for part in parts], dim=1)
    wanted = torch.cat([part[2] for part in parts], dim=1)
    modality = torch.cat([torch.full_like(part[1], i) for i, part in enumerate(parts)], dim=1)
    causal = torch.tensor([model.architecture.modalities[name].kind == "sequence" for name in names], device=y.device)

    kept, there = _first(wanted, num_decoder_tokens)
    y = y.gather(1, kept[..., None].expand(-1, -1, y.shape[-1])) * there[..., None]
    targets, modality = targets.gather(1, kept), modality.gather(1, kept)
    mask = _decoder_mask(model, modality, causal[modality], there)
    out = model.decode(y, contexts, mask)
    found = {}
    for i, name in enumerate(names):
        mine = (modality == i) & there
        found[name] = Predictions(model.output(name).to_logits(out[mine]), targets[mine])
    return found


def _seen(model: FourM, batch: Mapping[str, Masked], limit: int) -> Seen:
    tokens, places, visible = [], [], []
    for name, part in batch.items():
        if name not in model.encoder_embeddings:
            continue
        if model.architecture.modalities[name].grid is None:  # a sequence counts its visible tokens
            positions = _ranks(part.visible)
        else:
            positions = torch.arange(part.visible.shape[1], device=part.visible.device).expand(part.visible.shape)
        embedded = model.input(name)(part.values, positions)
        tokens.append(embedded[0])
        places.append(embedded[1])
        visible.append(part.visible)
    kept, there = _first(torch.cat(visible, dim=1), limit)
    index = kept[..., None].expand(-1, -1, model.architecture.dim)
    chosen = torch.cat(tokens, 1).gather(1, index), torch.cat(places, 1).gather(1, index)
    # Where the budget is used up, as training wants it, nothing is hidden and attention needs no mask.
    return Seen(*chosen, None if there.device.type == "cpu" and bool(there.all()) else there)


def _decoder_input(model: FourM, name: str, part: Masked) -> tuple[Tensor, Tensor, Tensor]:
    """Embedded tokens `[B, N, D]`, their targets and whether they are wanted, both `[B, N]`."""
    output = model.output(name)
    if model.architecture.modalities[name].kind == "sequence":
        y = output.token_emb(part.values[:, :-1]) + output.place(_ranks(part.target)[:, :-1])
        return y, part.values[:, 1:], part.target[:, 1:] & part.target[:, :-1]
    positions = torch.arange(part.values.shape[1], device=part.values.device).expand(part.values.shape)
    return model.mask_token + output.place(positions), part.values, part.target


def _decoder_mask(model: FourM, modality: Tensor, causal: Tensor, there: Tensor) -> Tensor:
    """What may attend to what, `[B, 1, M, M]`."""
    M = modality.shape[1]
    earlier = torch.ones(M, M, dtype=torch.bool, device=modality.device).tril()
    if model.architecture.decoder_causal_mask:
        allowed = earlier.expand(len(modality), M, M)
    else:
        allowed = earlier | ~causal[:, :, None]
    if model.architecture.decoder_sep_mask:
        allowed = allowed & (modality[:, :, None] == modality[:, None, :])
    # A slot without a target sees itself, so that no row of the mask is empty.
    alone = torch.eye(M, dtype=torch.bool, device=modality.device)
    return ((allowed & there[:, None, :]) | alone)[:, None]


def _first(wanted: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Indices `[B, min(count, N)]` of the wanted entries of each row, in order, and which of them are there."""
    order = torch.argsort((~wanted).to(torch.uint8), dim=1, stable=True)[:, :count]
    return order, wanted.gather(1, order)


def _ranks(chosen: Tensor) -> Tensor:
    """How many chosen entries come before each one, `[B, N]`; 0 for those not chosen."""
    return torch.where(chosen, chosen.cumsum(dim=1) - 1, 0)
