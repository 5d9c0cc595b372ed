"""Span masking: text in which sentinels `[S_k]` stand for what is to be generated (T5, Raffel et al. 2020,
arXiv:1910.10683)."""

from __future__ import annotations

from collections.abc import Sequence

from fourm_tui.formats.vocabulary import SENTINELS


def merge_spans(text: Sequence[int], generated: Sequence[int]) -> list[int]:
    """The text with every sentinel replaced by what was generated after it; see `merge_origins`."""
    return [generated[at] if at >= 0 else text[-1 - at] for at in merge_origins(text, generated)]


def merge_origins(text: Sequence[int], generated: Sequence[int]) -> list[int]:
    """Where each token of the merged text comes from: i is `generated[i]`, -1 - i is `text[i]`.

    Spans of a sentinel that was generated twice are put together; generated tokens before any sentinel, or after one
    that the text does not have, are dropped; a sentinel of the text without a span is removed.
    """
    spans: dict[int, list[int]] = {}
    current: list[int] | None = None
    for at, token in enumerate(generated):
        if token in SENTINELS:
            current = spans.setdefault(token, [])
        elif current is not None:
            current.append(at)
    merged: list[int] = []
    for at, token in enumerate(text):
        merged += spans.get(token, []) if token in SENTINELS else [-1 - at]
    return merged
