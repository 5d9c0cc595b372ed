"""What is to be generated: every sample in every variation, in chunks that are made together.

Chunks are cut from the whole list, whoever makes them and whatever is finished: so a chunk holds the same items with
one rank or eight, at once or after an interruption, and comes out the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Item:
    """One variation of one sample."""

    sample: int
    """Its number in the data, from 0."""
    variation: int = 0

    @property
    def key(self) -> str:
        """How its files are called: `000012_0`."""
        return f"{self.sample:06d}_{self.variation}"


@dataclass(frozen=True)
class Work:
    """All items, in the order of the data, variations of a sample beside each other."""

    samples: Sequence[int]
    """Numbers in the data."""
    variations: int
    batch: int
    """Items that are made together."""

    def __len__(self) -> int:
        return len(self.samples) * self.variations

    @property
    def chunks(self) -> int:
        return -(-len(self) // self.batch)

    def chunk(self, number: int) -> tuple[Item, ...]:
        """The items of a chunk."""
        places = range(number * self.batch, min((number + 1) * self.batch, len(self)))
        return tuple(Item(self.samples[place // self.variations], place % self.variations) for place in places)

    def items(self) -> Iterator[Item]:
        for number in range(self.chunks):
            yield from self.chunk(number)


def share(chunks: Sequence[int], rank: int, world: int) -> list[int]:
    """The chunks that a rank makes: every `world`-th of those that are left to do."""
    return list(chunks[rank::world])
