"""Samples that are read while the device is busy with those before."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from fourm_tui.batch.work import Item
from fourm_tui.conditions.condition import Condition
from fourm_tui.datasets import Dataset
from fourm_tui.errors import FourmError

_CHUNKS = 2
"""That are read ahead."""


@dataclass(frozen=True)
class Loaded:
    """The samples of a chunk."""

    items: tuple[Item, ...]
    conditions: dict[int, dict[str, Condition]] = field(default_factory=dict)
    """By sample."""
    broken: dict[int, str] = field(default_factory=dict)
    """By sample: why it cannot be used."""


class Ahead:
    """Reads chunks in their order, with several threads, a little ahead of whoever takes them.

    Args:
        dataset: to read.
        extra: conditions that every sample has beside its own.
        workers: threads.
    """

    def __init__(self, dataset: Dataset, extra: dict[str, Condition], workers: int) -> None:
        self.dataset, self.extra = dataset, extra
        self.waited = 0.0
        """Seconds that the taker had to wait for samples."""
        self._pool = ThreadPoolExecutor(max(1, workers), "reading")

    def chunks(
        self, numbers: Sequence[int], items_of: Callable[[int], tuple[Item, ...]]
    ) -> Iterator[Loaded]:  # fmt: skip
        """The chunks of these numbers."""
        waiting: deque[tuple[tuple[Item, ...], dict[int, Future[dict[str, Condition]]]]] = deque()
        rest = deque(numbers)
        while rest or waiting:
            while rest and len(waiting) <= _CHUNKS:
                items = items_of(rest.popleft())
                samples = dict.fromkeys(item.sample for item in items)
                waiting.append((items, {s: self._pool.submit(self._read, s) for s in samples}))
            items, futures = waiting.popleft()
            loaded = Loaded(items)
            began = time.monotonic()
            for sample, future in futures.items():
                try:
                    loaded.conditions[sample] = future.result()
                except FourmError as error:
                    loaded.broken[sample] = str(error)
            self.waited += time.monotonic() - began
            yield loaded

    def _read(self, sample: int) -> dict[str, Condition]:
        return {**self.extra, **self.dataset.conditions(sample)}

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
