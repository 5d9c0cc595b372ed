"""Runs that the tests make."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from fourm_tui.runs import (
    GIVEN,
    LEFT_OPEN,
    RowRecord,
    Run,
    RunRecord,
    SampleRecord,
    TargetTokens,
    effective_seed,
    write_tokens,
)

ROWS = (RowRecord(1, "tok_clip@224", "roar", 8, 196), RowRecord(2, "caption", "autoregressive", 255, 255))
T2CR = RunRecord("T2CR", rows=ROWS, samples=(SampleRecord(0), SampleRecord(effective_seed(0, 0, 1), variation=1)))


def tokens(run: Run, row: int, sample: int, first: int = 0) -> Path:
    """Finishes a target: the file with four tokens, numbered from `first`."""
    target = run.record.rows[row - 1].target
    numbers = np.arange(first, first + 4)
    path = run.path_for(row, target, sample, ".safetensors")
    write_tokens(path, TargetTokens(target, row, 2**64 - 1, numbers, np.array([GIVEN, LEFT_OPEN, 0, 1]), numbers / 8))
    return path


@contextmanager
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No file gets onto the disk meanwhile."""

    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        yield
