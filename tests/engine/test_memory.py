"""What is told of the memory of a device."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from fourm_tui.engine.memory import device_memory
from fourm_tui.engine.protocol import parse
from fourm_tui.engine.worker import Voice


def test_a_gpu_tells_what_is_free_and_what_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (70_123_456_789, 84_987_654_321))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 7_345_678_901)
    found = device_memory(torch.device("cuda:1"))
    assert found == {"free": 70_120_000_000, "total": 84_980_000_000, "own": 7_340_000_000}


def test_the_processor_tells_the_memory_of_the_machine_and_of_the_process() -> None:
    found = device_memory(torch.device("cpu"))
    if found is None:
        pytest.skip("this system does not tell its memory")
    assert 0 < found["own"] < found["total"]
    assert 0 < found["free"] < found["total"]


def test_a_system_that_does_not_tell_its_memory_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fourm_tui.engine.memory.said_bytes", lambda file, name: None)
    assert device_memory(torch.device("cpu")) is None


class Ear:
    """Hears what a worker says."""

    def __init__(self, enough: int) -> None:
        self.heard: list[dict[str, Any]] = []
        self._enough, self.is_full = enough, threading.Event()

    def write(self, data: bytes, /) -> None:
        self.heard.append(parse(data))
        if len(self.heard) == self._enough:
            self.is_full.set()


def test_memory_is_told_while_there_is_work_whenever_it_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fourm_tui.engine.worker._MEMORY", 0.0)
    looks: Iterator[int] = iter([5, 5, 5, 4, 4, 3])
    ear = Ear(3)
    voice = Voice(ear)

    def look() -> dict[str, int] | None:
        found = next(looks, None)
        return {"free": found} if found is not None else voice.works(False)

    voice.tell_memory(look)
    voice.works(True)
    assert ear.is_full.wait(10)
    assert [message["memory"]["free"] for message in ear.heard] == [5, 4, 3]
