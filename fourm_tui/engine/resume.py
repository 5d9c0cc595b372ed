"""Rows that a run finished before it was interrupted, read back from its folder."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from fourm_tui.engine.job import Target
from fourm_tui.errors import InputError, printable
from fourm_tui.plan import RowPlan
from fourm_tui.runs import LEFT_OPEN, Run, copy_rows, open_run, read_tokens
from fourm_tui.runs.folder import TOKENS
from fourm_tui.sampling.state import ImageTokens, State
from fourm_tui.sampling.state import Sequence as TextSequence
from fourm_tui.tokenizers.text import TextTokenizer


def clear_unfinished(folder: Run) -> None:
    """Removes what a process left that was killed while it wrote; only for who has the run's log open to write."""
    for file in folder.folder.glob("**/.*.part"):
        with contextlib.suppress(OSError):
            file.unlink()


def taken_over(folder: Run) -> Run:
    """The run with the rows that its parent has made since the run was asked for; those that are not there it makes
    itself, and says so.

    Raises:
        FourmError: a file cannot be read or written.
    """
    record, parent = folder.record, folder.record.parent
    if parent is None or len(record.rows) >= parent.row - 1:
        return folder
    rows = []
    with contextlib.suppress(InputError):  # it may be gone
        source = open_run(Path(parent.path))
        copy_rows(source, folder)
        done = source.finished()
        samples = [number for number, sample in enumerate(record.samples) if not sample.skipped]
        for row in source.record.rows:
            if row.number >= parent.row or not all((row.number, sample) in done for sample in samples):
                break
            rows.append(replace(row, state="done"))
    return folder.save(rows=tuple(rows), parent=replace(parent, row=len(rows) + 1))


def begun_until(folder: Run) -> int:
    """The number of the last sample of which the run has made anything itself; -1: none."""
    first = folder.record.parent.row if folder.record.parent else 1
    rows = [row for row in folder.record.rows if row.number >= first]
    for sample in reversed(range(len(folder.record.samples))):
        if any(folder.path_for(row.number, row.target, sample, TOKENS).is_file() for row in rows):
            return sample
    return -1


def finished_rows(
    folder: Run, rows: Sequence[RowPlan], text: TextTokenizer | None, samples: Sequence[int]
) -> dict[int, Target]:
    """The first rows of a run whose targets are there for all samples that are asked for, by number.

    What lies there of later rows is removed: it is made again, the same as before.

    Raises:
        InputError: a token file is there and cannot be read, or is that of another target.
        FourmError: a file cannot be removed.
    """
    done = folder.finished(samples)
    found: dict[int, Target] = {}
    for row in rows:
        whole = len(found) == row.number - rows[0].number and all((row.number, sample) in done for sample in samples)
        if whole:
            found[row.number] = read_target(folder, row, text, samples)
        else:
            for sample in samples:
                folder.clear(row.number, sample)
    return found


def read_target(folder: Run, row: RowPlan, text: TextTokenizer | None, samples: Sequence[int]) -> Target:
    """A finished target of some samples.

    Raises:
        InputError: a token file cannot be read, or is that of another target.
    """
    target = Target(row)
    for sample in samples:
        path = folder.path_for(row.number, target.name, sample, TOKENS)
        stored = read_tokens(path)
        if stored.modality != target.name:
            raise InputError(f"{printable(path)}: holds {printable(stored.modality)}, not {target.name}")
        target.tokens[sample] = stored.tokens.astype(np.int64)
        target.step[sample] = stored.step
        target.confidence[sample] = stored.confidence
        if row.is_sequence:
            target.texts[sample] = text.decode_text(stored.tokens.tolist()) if text else ""
    return target


def recalled(state: State, target: Target, samples: Sequence[int]) -> State:
    """The state of some samples with a finished target in it, as its row left it."""
    device = state.device
    if target.row.is_sequence:
        texts = [target.tokens[sample].tolist() for sample in samples]
        return state.having(target.name, TextSequence.of(texts, device))
    tokens = torch.from_numpy(np.stack([target.tokens[sample] for sample in samples])).to(device)
    known = torch.from_numpy(np.stack([target.step[sample] for sample in samples]) != LEFT_OPEN).to(device)
    return state.having(target.name, ImageTokens.of(tokens, known))
