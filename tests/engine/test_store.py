"""Models that stay loaded, and make room for others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from fourm_tui.engine import store as store_module
from fourm_tui.engine.memory import OutOfMemoryError
from fourm_tui.engine.store import ModelStore


def test_models_make_room_for_others_the_least_recently_used_first(checkpoint: Path, sr_checkpoint: Path) -> None:
    free = 10**12
    store = ModelStore(free=lambda device: free)
    cpu = torch.device("cpu")

    def names() -> list[str]:
        return [Path(held.name).name for held in store.held]

    base = store.model(str(checkpoint), cpu)
    store.model(str(sr_checkpoint), cpu)
    assert store.model(str(checkpoint), cpu) is base
    assert names() == ["sr", "base"]
    assert all(held.bytes > 10_000 for held in store.held)
    store.begin()
    free = 0
    store.model(str(checkpoint), cpu)
    store.model(str(checkpoint), cpu, "bf16")  # the run needs both, so neither goes
    assert names() == ["base", "base"]


def test_a_model_for_which_there_is_no_room_says_how_much_it_needs(
    checkpoint: Path, sr_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ModelStore(free=lambda device: 10**12)
    cpu = torch.device("cpu")
    store.model(str(checkpoint), cpu)
    store.begin()

    def no_room(*_: Any) -> Any:
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(store_module, "load_model", no_room)
    with pytest.raises(OutOfMemoryError, match=r"sr has 0\.0 GB, and [\d.]+ GB are free"):
        store.model(str(sr_checkpoint), cpu)
    assert store.held == ()  # all others went first


def test_recordings_are_freed_before_a_model_goes(
    checkpoint: Path, sr_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = 10**12
    store = ModelStore(free=lambda device: free)
    cpu = torch.device("cpu")
    base = store.model(str(checkpoint), cpu)
    store.begin()
    free = 0

    def forget() -> bool:
        nonlocal free
        free = 10**12
        return True

    monkeypatch.setattr(base, "forget", forget)
    store.model(str(sr_checkpoint), cpu)
    assert [Path(held.name).name for held in store.held] == ["base", "sr"]
