"""From logits to tokens: filters, temperature, random numbers of each sample's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

GREEDY = 1e-10
"""Temperatures up to this one take the most probable token."""

Generators = Sequence[torch.Generator]
"""One source of random numbers per sample of a batch."""


@dataclass(frozen=True)
class Drawn:
    """Tokens drawn, `[B, n]` each."""

    tokens: Tensor
    confidence: Tensor
    """Probability of each token after guidance, before filters and temperature; from 0 to 1."""
    rank: Tensor
    """What MaskGIT prefers: the probability that the token was drawn with, or `confidence` if greedy."""


def generators(seeds: Sequence[int], device: torch.device) -> list[torch.Generator]:
    """A source of random numbers for each seed, modulo 2^64."""
    return [torch.Generator(device).manual_seed(seed % 2**64) for seed in seeds]


def draw(
    logits: Tensor, temperature: float, top_k: int | float, top_p: float, sources: Generators
) -> Drawn:  # fmt: skip
    """Draws one token at each place.

    The filters look at the logits before temperature, as in the reference.

    Args:
        logits: after guidance, `[B, n, V]`.
        temperature: from 0 (greedy).
        top_k: a count if whole, a share of the vocabulary if not; 0 is off.
        top_p: 0 is off.
        sources: of each sample.
    """
    logits = logits.float()
    probability = logits.softmax(dim=-1)
    if temperature <= GREEDY:
        tokens = logits.argmax(dim=-1)
        confidence = _at(probability, tokens)
        return Drawn(tokens, confidence, confidence)
    drawn_with = (filtered(logits, top_k, top_p) / temperature).softmax(dim=-1)
    tokens = _categorical(drawn_with, sources)
    return Drawn(tokens, _at(probability, tokens), _at(drawn_with, tokens))


def filtered(logits: Tensor, top_k: int | float, top_p: float) -> Tensor:
    """`[..., V]` with all but the likeliest tokens at minus infinity.

    top_k: the k largest, and what equals the last of them. top_p: the largest ones up to and including that with which
    their probabilities add up to more than `top_p` (nucleus sampling, Holtzman et al. 2020, arXiv:1904.09751).
    """
    vocabulary = logits.shape[-1]
    if top_k > 0:
        k = top_k if isinstance(top_k, int) else int(top_k * vocabulary)
        if k < vocabulary:
            smallest = logits.topk(max(k, 1)).values[..., -1:]
            logits = logits.masked_fill(logits < smallest, -torch.inf)
    if top_p > 0:
        logits = logits.masked_fill(_outside_nucleus(logits, top_p), -torch.inf)
    return logits


def _outside_nucleus(logits: Tensor, top_p: float) -> Tensor:
    """`[..., V]`, True for tokens that `top_p` removes; what equals the last one within stays."""
    ordered = _descending(logits)
    sums = ordered.softmax(dim=-1).cumsum(dim=-1)
    last = torch.searchsorted(sums, torch.full_like(sums[..., :1], top_p), right=True)
    last.clamp_(max=sums.shape[-1] - 1)  # a sum that rounding keeps from getting so far keeps all
    return logits < ordered.gather(-1, last)


def _descending(values: Tensor) -> Tensor:
    """Sorted, the largest first."""
    if values.device.type == "cpu":  # numpy sorts floats 20 times as fast as torch
        return torch.from_numpy(-np.sort(-values.numpy(), axis=-1))
    return values.sort(dim=-1, descending=True).values


def _categorical(probabilities: Tensor, sources: Generators) -> Tensor:
    """Draws from `[B, n, V]` with each sample's own numbers: the arg-max of p / e for exponential e, which is how
    torch.multinomial draws one value."""
    noise = torch.stack([_exponential(row, source) for row, source in zip(probabilities, sources, strict=True)])
    return (probabilities / noise).argmax(dim=-1)


def _exponential(like: Tensor, source: torch.Generator) -> Tensor:
    """Exponential random numbers in the shape of `like`."""
    if like.device.type != "cpu":
        return torch.empty_like(like).exponential_(generator=source)
    # On a CPU `exponential_` is this, number by number instead of many at once.
    uniform = torch.rand(like.shape, dtype=torch.float64, generator=source)
    return uniform.neg_().log1p_().neg_().to(like.dtype)


def _at(values: Tensor, tokens: Tensor) -> Tensor:
    return values.gather(-1, tokens[..., None]).squeeze(-1)
