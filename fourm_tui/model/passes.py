"""The passes that a sampler asks for: the logits of an image step, and of a text token by token.

On a GPU they are recorded: their sizes are rounded up, what is beyond is masked, and a pass of a size that came before
is replayed. Rounded sizes are used from the first time on, so that a recording changes no token.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor

from fourm_tui.model.fourm import Context, FourM, Seen
from fourm_tui.model.layers import Cache, KeysValues
from fourm_tui.recording import LARGEST_BATCH, Fixed, Record, Recordings, is_recorded

NextToken: TypeAlias = Callable[[Tensor, int], Tensor]
"""From the newest tokens `[B, 1]` and their position to the logits `[K * B, 1, V]` of those that follow."""


class Passes:
    """As they come, in their own sizes.

    Args:
        model: on any device.
    """

    def __init__(self, model: FourM) -> None:
        self.model = model

    def image(self, target: str, parts: Sequence[Seen], query: Tensor) -> Tensor:
        """Logits of an image target.

        Args:
            target: its name.
            parts: what the K guidance branches see.
            query: the mask token at the places that are decoded, `[B, n, D]`.

        Returns:
            `[K * B, n, V]`, one branch after the other; to be used before the next pass.
        """
        return _image(self.model, target, parts, query)

    def forget(self) -> bool:
        """Frees what is kept from pass to pass; whether there was anything."""
        return False

    def text(self, target: str, parts: Sequence[Seen], batch: int, room: int) -> NextToken:
        """What gives a text's logits token by token, from position 0 on, for `room` positions at the most."""
        model = self.model
        # On a CPU one query attends to keys in bf16 several times slower than to keys in fp32, or than four queries do.
        dtype = torch.float32 if model.device.type == "cpu" else model.dtype
        contexts: list[Context] = [
            ([(keys.to(dtype), values.to(dtype)) for keys, values in blocks], mask)
            for blocks, mask in model.keys_values(model.encode(parts))
        ]
        caches = model.new_caches(len(contexts) * batch, room, dtype)

        def following(newest: Tensor, position: int) -> Tensor:
            places = torch.full((batch, 1), position, device=model.device)
            return _text(model, target, newest, places, contexts, caches)

        return following


def passes_of(model: FourM) -> Passes:
    """Those of a model: recorded where that is of use."""
    if model.passes is None:
        model.passes = RecordedPasses(model) if is_recorded(model.device) else Passes(model)
    return model.passes


def _image(
    model: FourM, target: str, parts: Sequence[Seen], query: Tensor, self_mask: Tensor | None = None
) -> Tensor:  # fmt: skip
    contexts = model.keys_values(model.encode(parts))
    decoded = model.decode(query.repeat(len(contexts), 1, 1), contexts, self_mask)
    return model.output(target).to_logits(decoded)


def _text(
    model: FourM,
    target: str,
    newest: Tensor,
    places: Tensor,
    contexts: Sequence[Context],
    caches: Sequence[Cache],
    self_mask: Tensor | None = None,
) -> Tensor:
    output = model.output(target)
    query = output.token_emb(newest) + output.place(places)
    decoded = model.decode(query.repeat(len(contexts), 1, 1), contexts, self_mask, caches=caches)
    return output.to_logits(decoded)


# -- recorded ----------------------------------------------------------------------------------------------------------

CONTEXT, QUERY, ROOM = 32, 8, 64
"""What the lengths of contexts, of queries and of texts are rounded up to multiples of."""
MOST = 48
"""Recordings that are kept."""


def up_to(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple


class RecordedPasses(Passes):
    """Sizes rounded up; recorded at their second use, and replayed from then on.

    Args:
        model: on a CUDA device.
        record: makes what replays a function; None: CUDA graphs.
    """

    def __init__(self, model: FourM, record: Record | None = None) -> None:
        super().__init__(model)
        self.recordings = Recordings(model.device, MOST, record)

    def forget(self) -> bool:
        return self.recordings.forget()

    def image(self, target: str, parts: Sequence[Seen], query: Tensor) -> Tensor:
        lengths = tuple(up_to(part.tokens.shape[1], CONTEXT) for part in parts)
        batch, count = query.shape[:2]
        if batch > LARGEST_BATCH or 0 in lengths:
            return super().image(target, parts, query)
        key = "image", target, batch, lengths, up_to(count, QUERY)
        made = self.recordings.get(key, lambda: _ImagePass(self.model, target, batch, lengths, up_to(count, QUERY)))
        made.take(parts, query)
        return made.run(self.recordings.record)[:, :count]

    def text(self, target: str, parts: Sequence[Seen], batch: int, room: int) -> NextToken:
        if batch > LARGEST_BATCH:
            return super().text(target, parts, batch, room)
        contexts = self.model.keys_values(self.model.encode(parts))
        lengths = tuple(up_to(max(keys_values[0][0].shape[2], 1), CONTEXT) for keys_values, _ in contexts)
        key = "text", target, batch, lengths, up_to(room, ROOM)
        made = self.recordings.get(key, lambda: _TextPass(self.model, target, batch, lengths, up_to(room, ROOM)))
        made.begin(contexts)

        def following(newest: Tensor, position: int) -> Tensor:
            made.take(newest, position)
            return made.run(self.recordings.record)

        return following


class _ImagePass(Fixed):
    def __init__(self, model: FourM, target: str, batch: int, lengths: Sequence[int], count: int) -> None:
        super().__init__()
        self.model, self.target = model, target
        zeros, dim = model.mask_token.new_zeros, model.architecture.dim
        self.parts = [
            Seen(zeros(batch, length, dim), zeros(batch, length, dim), _hidden(model, batch, length))
            for length in lengths
        ]
        self.query, self.wanted = zeros(batch, count, dim), _hidden(model, 1, count)

    def take(self, parts: Sequence[Seen], query: Tensor) -> None:
        for room, part in zip(self.parts, parts, strict=True):
            length = part.tokens.shape[1]
            assert room.visible is not None
            room.tokens[:, :length] = part.tokens
            room.places[:, :length] = part.places
            room.visible[:, :length] = True if part.visible is None else part.visible
            room.visible[:, length:] = False
        self.query[:, : query.shape[1]] = query
        self.wanted[:, : query.shape[1]] = True
        self.wanted[:, query.shape[1] :] = False

    def compute(self) -> Tensor:
        return _image(self.model, self.target, self.parts, self.query, self.wanted[:, None, None])


class _TextPass(Fixed):
    def __init__(self, model: FourM, target: str, batch: int, lengths: Sequence[int], room: int) -> None:
        super().__init__()
        self.model, self.target, a = model, target, model.architecture
        zeros = model.mask_token.new_zeros

        def both(samples: int, length: int) -> KeysValues:
            shape = samples, a.num_heads, length, a.head_dim
            return zeros(shape), zeros(shape)

        self.contexts: list[Context] = [
            ([both(batch, length) for _ in model.decoder], _hidden(model, batch, length)[:, None, None])
            for length in lengths
        ]
        self.newest = torch.zeros(batch, 1, dtype=torch.int64, device=model.device)
        self.position = torch.zeros(1, dtype=torch.int64, device=model.device)
        self.caches = [_FixedCache(*both(len(lengths) * batch, room), position=self.position) for _ in model.decoder]
        self.numbers = torch.arange(room, device=model.device)

    def begin(self, contexts: Sequence[Context]) -> None:
        """Takes what is attended to; the caches need no clearing, as only what was written since is looked at."""
        for (rooms, there), (keys_values, mask) in zip(self.contexts, contexts, strict=True):
            length = keys_values[0][0].shape[2]
            for room, given in zip(rooms, keys_values, strict=True):
                for into, values in zip(room, given, strict=True):
                    into[:, :, :length] = values
            assert there is not None
            there[..., :length] = True if mask is None else mask
            there[..., length:] = False

    def take(self, newest: Tensor, position: int) -> None:
        self.newest.copy_(newest)
        self.position.fill_(position)

    def compute(self) -> Tensor:
        places = self.position.expand(self.newest.shape)
        so_far = (self.numbers <= self.position)[None, None, None]
        return _text(self.model, self.target, self.newest, places, self.contexts, self.caches, so_far)


@dataclass
class _FixedCache(Cache):
    """All of its room is looked at, whatever is in it; where the next token goes is for the device to know."""

    position: Any = None

    def append(self, keys: Tensor, values: Tensor) -> KeysValues:
        self.keys.index_copy_(2, self.position, keys)
        self.values.index_copy_(2, self.position, values)
        return self.keys, self.values


def _hidden(model: FourM, batch: int, length: int) -> Tensor:
    return torch.zeros(batch, length, dtype=torch.bool, device=model.device)
