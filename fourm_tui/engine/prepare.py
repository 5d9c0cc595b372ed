"""From conditions and a part of a plan to the state that a chain begins with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from fourm_tui.conditions.condition import Condition
from fourm_tui.errors import InputError
from fourm_tui.model.fourm import FourM
from fourm_tui.plan import RowPlan
from fourm_tui.sampling.images import patches
from fourm_tui.sampling.state import ImageTokens, State, Values, Vectors
from fourm_tui.sampling.state import Sequence as TextSequence
from fourm_tui.tokenizers.text import TextTokenizer, span_ends

Conditions = Mapping[str, Condition]
"""The conditions of one sample, by name."""


def base_state(
    model: FourM, rows: Sequence[RowPlan], samples: Sequence[Conditions], text: TextTokenizer | None
) -> State:  # fmt: skip
    """The state of a base chain.

    Args:
        model: of the chain.
        rows: of its part of the plan.
        samples: the conditions of each sample of the batch; all have the same names.
        text: the text tokenizer; needed where a sequence is given.

    Raises:
        InputError: conditions of the batch do not go together, or text is given and there is no tokenizer.
    """
    device, batch = model.device, len(samples)
    values: dict[str, Values] = {}
    for name in samples[0]:
        if name in model.encoder_embeddings:
            values[name] = _given(model, name, [sample[name] for sample in samples], text)
    return State(_with_targets(values, rows, batch, device), batch, device)


def next_state(
    model: FourM, rows: Sequence[RowPlan], before: State, samples: Sequence[Conditions], text: TextTokenizer | None
) -> State:  # fmt: skip
    """The state of the super-resolution chain: what its conditions name of the base chain's outputs and conditions."""
    names = rows[0].visible if rows else ()
    values: dict[str, Values] = {}
    for name in names:
        if name not in model.encoder_embeddings:
            continue
        if name in before.modalities:
            values[name] = before.modalities[name]
        elif name in samples[0]:
            values[name] = _given(model, name, [sample[name] for sample in samples], text)
    for row in rows:
        if row.row.target in samples[0]:
            values[row.row.target] = _given(model, row.row.target, [s[row.row.target] for s in samples], text)
    return State(_with_targets(values, rows, before.batch, before.device), before.batch, before.device)


def _with_targets(
    values: dict[str, Values], rows: Sequence[RowPlan], batch: int, device: torch.device
) -> dict[str, Values]:  # fmt: skip
    for row in rows:
        name = row.row.target
        if row.is_sequence:
            room = row.open_tokens - 1
            given = values.get(name)
            if isinstance(given, TextSequence):
                values[name] = replace(given, room=room)
            else:
                values[name] = TextSequence.of([_EMPTY] * batch, device, room=room)
        elif name not in values:
            values[name] = ImageTokens.empty(batch, row.positions + row.given, device)
    return values


_EMPTY = list(TextSequence.empty(1, 2).texts()[0])


def _given(model: FourM, name: str, each: Sequence[Condition], text: TextTokenizer | None) -> Values:
    device, kind = model.device, model.architecture.modalities[name].kind
    if kind == "sequence":
        return _text(name, each, text, device, model.architecture.modalities[name].vocab_size)
    if kind == "image":
        tokens = torch.stack([torch.from_numpy(_array(c.tokens, name)) for c in each]).to(device)
        masks = [c.known for c in each]
        if all(mask is None for mask in masks):
            return ImageTokens.of(tokens)
        known = torch.stack([torch.from_numpy(_array(mask, name)) for mask in masks]).to(device)
        try:
            return ImageTokens.of(tokens, known)
        except ValueError as error:
            raise InputError(f"{name}: {error}") from None
    if kind == "pixels":
        pixels = torch.stack([torch.from_numpy(_array(c.pixels, name)) for c in each]).to(device)
        return Vectors.of(patches(pixels, model.architecture.modalities[name].patch_size))
    vectors = [torch.from_numpy(_array(c.vectors, name)) for c in each]
    lengths = tuple(len(v) for v in vectors)
    return Vectors(torch.nn.utils.rnn.pad_sequence(vectors, batch_first=True).to(device), lengths)


def _text(
    name: str, each: Sequence[Condition], text: TextTokenizer | None, device: torch.device, vocabulary: int
) -> TextSequence:  # fmt: skip
    if text is None:
        raise InputError(f"{name}: text needs a text tokenizer, and none was found")
    if any(c.text is None for c in each):
        raise InputError(f"{name}: the condition has no text yet; a tokenizer has to encode it first")
    ids = [text.caption_ids(c.text or "", name) for c in each]
    unknown = next((token for one in ids for token in one if token >= vocabulary), None)
    if unknown is not None:
        raise InputError(f"{name}: the model does not know {text.decode([unknown])!r} here; leave it out")
    ends = {span_ends(one) for one in ids}
    if len(ends) > 1:
        raise InputError(f"{name}: the samples of a batch are to have the same sentinels")
    (end,) = ends
    if end is None:
        return TextSequence.of(ids, device)
    return TextSequence.of(ids, device, start=end[0], stop=end[1])


def _array(values: Any, name: str) -> Any:
    if values is None:
        raise InputError(f"{name}: the condition has no values of this kind of modality")
    return values
