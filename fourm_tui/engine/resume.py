"""Rows that a run finished before it was interrupted, read back from its folder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from fourm_tui.engine.job import Target
from fourm_tui.errors import InputError, printable
from fourm_tui.plan import RowPlan
from fourm_tui.runs import LEFT_OPEN, Run, read_tokens
from fourm_tui.runs.folder import TOKENS
from fourm_tui.sampling.state import ImageTokens, State
from fourm_tui.sampling.state import Sequence as TextSequence
from fourm_tui.tokenizers.text import TextTokenizer


def finished_rows(folder: Run, rows: Sequence[RowPlan], text: TextTokenizer | None) -> dict[int, Target]:
    """The first rows of a run whose targets are there for all samples, by number.

    What lies there of later rows is removed: it is made again, the same as before.

    Raises:
        InputError: a token file is there and cannot be read, or is that of another target.
        FourmError: a file cannot be removed.
    """
    samples = range(len(folder.record.samples))
    done = folder.finished()
    found: dict[int, Target] = {}
    for row in rows:
        whole = len(found) == row.number - rows[0].number and all((row.number, sample) in done for sample in samples)
        if whole:
            found[row.number] = _target(folder, row, text)
        else:
            folder.clear(row.number)
    return found


def _target(folder: Run, row: RowPlan, text: TextTokenizer | None) -> Target:
    target = Target(row)
    for sample in range(len(folder.record.samples)):
        path = folder.path_for(row.number, target.name, sample, TOKENS)
        stored = read_tokens(path)
        if stored.modality != target.name:
            raise InputError(f"{printable(path)}: holds {printable(stored.modality)}, not {target.name}")
        target.tokens.append(stored.tokens.astype(np.int64))
        target.step.append(stored.step)
        target.confidence.append(stored.confidence)
        if row.is_sequence:
            target.texts.append(text.decode_text(stored.tokens.tolist()) if text else "")
    return target


def recalled(state: State, target: Target) -> State:
    """The state with a finished target in it, as its row left it."""
    device = state.device
    if target.row.is_sequence:
        return state.having(target.name, TextSequence.of([tokens.tolist() for tokens in target.tokens], device))
    tokens = torch.from_numpy(np.stack(target.tokens)).to(device)
    known = torch.from_numpy(np.stack(target.step) != LEFT_OPEN).to(device)
    return state.having(target.name, ImageTokens.of(tokens, known))
