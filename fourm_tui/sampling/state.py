"""What is known of every modality of a batch: the values the encoder may see, and the tokens decoded so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeAlias

import torch
from torch import Tensor

from fourm_tui.formats.vocabulary import PAD, S_0

S_1, S_2 = S_0 + 1, S_0 + 2
"""Ids of the sentinels between which a sequence is generated from nothing."""


@dataclass(frozen=True)
class ImageTokens:
    """Tokens of a grid: `ids` `[B, N]`, and which of them are `known` `[B, N]` (given or decoded)."""

    ids: Tensor
    known: Tensor
    count: int
    """Known tokens of each sample; the same for all of them, so that no pass needs padding."""

    @classmethod
    def empty(cls, batch: int, positions: int, device: torch.device | str = "cpu") -> ImageTokens:
        ids = torch.zeros(batch, positions, dtype=torch.int64, device=device)
        return cls(ids, torch.zeros_like(ids, dtype=torch.bool), 0)

    @classmethod
    def of(cls, ids: Tensor, known: Tensor | None = None) -> ImageTokens:
        """Given tokens `[B, N]`, all of them or those in `known`.

        Raises:
            ValueError: samples have different numbers of known tokens.
        """
        if known is None:
            return cls(ids, torch.ones_like(ids, dtype=torch.bool), ids.shape[1])
        counts = known.sum(dim=1)
        if not bool((counts == counts[0]).all()):
            raise ValueError("the samples of a batch are to have the same number of given positions")
        return cls(ids, known, int(counts[0]))

    def decoded(self, positions: Tensor, tokens: Tensor) -> ImageTokens:
        """The same with `tokens` `[B, n]` at open `positions` `[B, n]`."""
        return ImageTokens(
            self.ids.scatter(1, positions, tokens),
            self.known.scatter(1, positions, True),
            self.count + positions.shape[1],
        )

    def open_positions(self) -> Tensor:
        """Positions still to be decoded, ascending: `[B, N - count]`."""
        return torch.argsort(self.known.to(torch.uint8), dim=1, stable=True)[:, : self.ids.shape[1] - self.count]

    def known_positions(self) -> Tensor:
        """Positions given or decoded, ascending: `[B, count]`."""
        return torch.argsort((~self.known).to(torch.uint8), dim=1, stable=True)[:, : self.count]


@dataclass(frozen=True)
class Sequence:
    """Text tokens: `ids` `[B, L]`, padded on the right of each sample's `lengths`.

    A sequence that is still to be generated holds what the encoder sees meanwhile (text with sentinels, at the least
    `[S_1]`), and from which token its generation starts and at which it stops.
    """

    ids: Tensor
    lengths: tuple[int, ...]
    start: int = S_1
    stop: int = S_2
    room: int = 0
    """Tokens that may be generated after the start token; 0: it is complete."""

    @classmethod
    def of(cls, texts: list[list[int]], device: torch.device | str = "cpu", **generation: int) -> Sequence:
        """From one list of ids per sample."""
        lengths = tuple(len(text) for text in texts)
        width = max(lengths, default=0)
        ids = torch.tensor([text + [PAD] * (width - len(text)) for text in texts], dtype=torch.int64, device=device)
        return cls(ids.reshape(len(texts), width), lengths, **generation)

    @classmethod
    def empty(cls, batch: int, tokens: int, device: torch.device | str = "cpu") -> Sequence:
        """A sequence to be generated from nothing, `tokens` long with its start token."""
        return cls.of([[S_1]] * batch, device, room=tokens - 1)

    @cached_property
    def there(self) -> Tensor | None:
        """`[B, L]`, False for padding; None where there is none."""
        return _there(self.ids, self.lengths)

    def texts(self) -> list[list[int]]:
        """The ids of each sample, without padding."""
        return [row[:length] for row, length in zip(self.ids.tolist(), self.lengths, strict=True)]


@dataclass(frozen=True)
class Vectors:
    """Continuous values: pixel patches `[B, N, patch * patch * 3]`, or T5 embeddings `[B, L, 4096]`."""

    values: Tensor
    lengths: tuple[int, ...]

    @classmethod
    def of(cls, values: Tensor, lengths: tuple[int, ...] | None = None) -> Vectors:
        return cls(values, lengths or (values.shape[1],) * len(values))

    @cached_property
    def there(self) -> Tensor | None:
        """`[B, N]`, False for padding; None where there is none."""
        return _there(self.values, self.lengths)


def _there(values: Tensor, lengths: tuple[int, ...]) -> Tensor | None:
    width = values.shape[1]
    if all(length == width for length in lengths):
        return None
    return (torch.arange(width)[None] < torch.tensor(lengths)[:, None]).to(values.device)


Values: TypeAlias = ImageTokens | Sequence | Vectors


@dataclass(frozen=True)
class State:
    """All modalities of a batch by name; the order is that of the encoder's tokens."""

    modalities: Mapping[str, Values]
    batch: int
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def image(self, name: str) -> ImageTokens:
        values = self.modalities[name]
        assert isinstance(values, ImageTokens)
        return values

    def sequence(self, name: str) -> Sequence:
        values = self.modalities[name]
        assert isinstance(values, Sequence)
        return values

    def repeated(self, times: int) -> State:
        """Every sample `times` times, one after the other."""
        return replace(
            self,
            modalities={name: _repeated(values, times) for name, values in self.modalities.items()},
            batch=self.batch * times,
        )

    def part(self, samples: Iterable[int]) -> State:
        """Some of the samples, by their places in the batch."""
        chosen = list(samples)
        values = {name: _part(values, chosen) for name, values in self.modalities.items()}
        return replace(self, modalities=values, batch=len(chosen))

    def having(self, name: str, values: Values) -> State:
        """The same with other values of one modality."""
        return replace(self, modalities={**self.modalities, name: values})


def joined(parts: list[Values]) -> Values:
    """The same finished target of several parts of a batch as one."""
    first = parts[0]
    if isinstance(first, ImageTokens):
        images = [part for part in parts if isinstance(part, ImageTokens)]
        return ImageTokens(
            torch.cat([part.ids for part in images]), torch.cat([part.known for part in images]), first.count
        )
    assert isinstance(first, Sequence)
    texts = [text for part in parts if isinstance(part, Sequence) for text in part.texts()]
    return Sequence.of(texts, first.ids.device)


def _part(values: Values, chosen: list[int]) -> Values:
    if isinstance(values, ImageTokens):
        return ImageTokens(values.ids[chosen], values.known[chosen], values.count)
    lengths = tuple(values.lengths[at] for at in chosen)
    if isinstance(values, Sequence):
        return replace(values, ids=values.ids[chosen], lengths=lengths)
    return Vectors(values.values[chosen], lengths)


def _repeated(values: Values, times: int) -> Values:
    def each(tensor: Tensor) -> Tensor:
        return tensor.repeat_interleave(times, dim=0)

    if isinstance(values, ImageTokens):
        return ImageTokens(each(values.ids), each(values.known), values.count)
    lengths = tuple(length for length in values.lengths for _ in range(times))
    if isinstance(values, Sequence):
        return replace(values, ids=each(values.ids), lengths=lengths)
    return Vectors(each(values.values), lengths)
