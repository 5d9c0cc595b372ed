"""Models that stay loaded from one run to the next, the least recently used of which make room for others."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import nn

from fourm_tui.checkpoints import find_checkpoint
from fourm_tui.engine.memory import cannot_load, forget_unused, free_bytes, is_out_of_memory
from fourm_tui.model.fourm import FourM
from fourm_tui.model.layers import Linear
from fourm_tui.model.loading import load_model
from fourm_tui.tokenizers.loading import load_tokenizer
from fourm_tui.tokenizers.vqvae import VQEncoder
from fourm_tui.weights import as_dtype, fetched

Progress: TypeAlias = Callable[[int, int], None]

_SPARE = 0.2
"""Part of the memory that stays free for what a run needs beside its weights."""


@dataclass(frozen=True)
class Held:
    """A loaded checkpoint."""

    name: str
    kind: str
    """`model` or `tokenizer`."""
    bytes: int


class ModelStore:
    """Loads models and tokenizers, and keeps them.

    Args:
        free: bytes that are free on a device; None: asks the machine.
    """

    def __init__(self, free: Callable[[torch.device], int] | None = None) -> None:
        self._free = free or free_bytes
        self._held: OrderedDict[tuple[str, ...], FourM | VQEncoder] = OrderedDict()
        self._used: set[tuple[str, ...]] = set()

    def begin(self) -> None:
        """A run begins: what it asks for from now on stays as long as it lasts."""
        self._used.clear()

    def model(
        self, name: str, device: torch.device, dtype: str | None = None, relative_to: Path | None = None,
        progress: Progress | None = None,
    ) -> FourM:  # fmt: skip
        """As `model.loading.load_model`."""
        key = ("model", name, str(device), str(as_dtype(dtype, device)))
        return self._get(key, device, relative_to, lambda: load_model(name, device, dtype, relative_to, progress))

    def tokenizer(
        self, name: str, device: torch.device, dtype: str | None = None, relative_to: Path | None = None
    ) -> Any:  # fmt: skip
        """As `tokenizers.loading.load_tokenizer`."""
        key = ("tokenizer", name, str(device), str(dtype))
        return self._get(key, device, relative_to, lambda: load_tokenizer(name, device, dtype, relative_to))

    def _get(
        self, key: tuple[str, ...], device: torch.device, relative_to: Path | None, load: Callable[[], Any]
    ) -> Any:  # fmt: skip
        # The file says whether a name still means the same: a folder may have been written anew.
        checkpoint = fetched(find_checkpoint(key[1], relative_to))
        assert checkpoint.weights is not None
        stat = checkpoint.weights.stat()
        key = (*key, str(checkpoint.weights.resolve()), f"{stat.st_mtime_ns}.{stat.st_size}")
        if key not in self._held:
            self.make_room(device, stat.st_size)
            self._held[key] = self._loaded(key[1], device, stat.st_size, load)
        self._held.move_to_end(key)
        self._used.add(key)
        return self._held[key]

    def _loaded(self, name: str, device: torch.device, size: int, load: Callable[[], Any]) -> Any:
        """What `load` loads, for which everything else goes if it must."""
        try:
            return load()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        self._spare()
        while self._let_go():
            pass
        try:
            return load()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise cannot_load(name, size, device) from None

    def _spare(self) -> None:
        """Frees what is not the models themselves."""
        for module in self._held.values():
            module.forget()
        forget_unused()

    def _let_go(self) -> bool:
        """Lets the least recently used model go that this run does not use; False if there is none."""
        oldest = next((key for key in self._held if key not in self._used), None)
        if oldest is None:
            return False
        del self._held[oldest]
        forget_unused()
        return True

    @property
    def held(self) -> tuple[Held, ...]:
        """What is loaded, the least recently used first."""
        return tuple(Held(key[1], key[0], _bytes(module)) for key, module in self._held.items())

    def make_room(self, device: torch.device, wanted: int) -> None:
        """Lets models go, the least recently used first, until so many bytes and some to spare are free."""

        def is_short() -> bool:
            return self._free(device) < wanted * (1 + _SPARE)

        if is_short():
            self._spare()
        while is_short() and self._let_go():
            pass


def _bytes(module: nn.Module) -> int:
    tensors = {t.data_ptr(): t.nbytes for t in (*module.parameters(), *module.buffers())}
    packed = sum(part.bytes for part in module.modules() if isinstance(part, Linear) and part.packed is not None)
    return sum(tensors.values()) + packed
