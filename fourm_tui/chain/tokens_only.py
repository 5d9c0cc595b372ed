"""What a run left as tokens: finished targets whose pictures can be made later."""

from __future__ import annotations

from collections.abc import Sequence

from fourm_tui.errors import InputError, printable
from fourm_tui.modalities import MODALITIES
from fourm_tui.pictures.save import last_ending
from fourm_tui.runs import RowRecord, Run, is_bulk
from fourm_tui.runs.folder import TOKENS


def tokens_only(run: Run, named: Sequence[str] = ()) -> tuple[int, ...]:
    """Numbers of the rows with targets that are there as tokens alone.

    Args:
        run: that is not under way.
        named: targets or numbers of rows that are meant; none: all.

    Raises:
        InputError: the run is under way or has none, or a target that is named is not one of it or cannot be decoded.
    """
    name = printable(run.name)
    if run.record.status == "running":
        raise InputError(f"{name}: is still running; its pictures can be made when it has ended")
    if is_bulk(run.record):
        raise InputError(f"{name}: goes over a data set, and such runs decode all that they make")
    if run.record.status == "pending" or not run.record.rows:
        raise InputError(f"{name}: has not begun, so there is nothing to decode")
    rows = _named(run, named) if named else run.record.rows
    if named:
        for row in rows:
            _check(run, row)
    return tuple(row.number for row in rows if _has_tokenizer(run, row) and _lacks_picture(run, row))


def _named(run: Run, named: Sequence[str]) -> list[RowRecord]:
    found = []
    for word in named:
        rows = [row for row in run.record.rows if word in (row.target, str(row.number))]
        if not rows:
            there = ", ".join(f"{row.number} {printable(row.target, 40)}" for row in run.record.rows)
            raise InputError(f"{printable(word, 60)}: is no target of {printable(run.name)}; it has {there}")
        found += [row for row in rows if row not in found]
    return found


def _check(run: Run, row: RowRecord) -> None:
    where = f"{row.number} {printable(row.target, 40)}"
    if not _has_tokenizer(run, row):
        raise InputError(f"{where}: {printable(run.name)} names no tokenizer for it, so its tokens stay tokens")
    if not _samples(run, row):
        raise InputError(f"{where}: {printable(run.name)} has not finished it, so there is nothing to decode")


def _has_tokenizer(run: Run, row: RowRecord) -> bool:
    """Text alone is made a picture by a run that has any tokenizers."""
    tokenizers = set(run.record.models) - {"model", "sr_model"}
    modality = MODALITIES.get(row.target)
    if modality is None or modality.tokenizer_key is None:
        return modality is not None and bool(tokenizers)
    return modality.tokenizer_key in tokenizers


def _samples(run: Run, row: RowRecord) -> list[int]:
    """Numbers of the samples in which a row is finished."""
    every = range(len(run.record.samples))
    return [sample for sample in every if run.path_for(row.number, row.target, sample, TOKENS).is_file()]


def _lacks_picture(run: Run, row: RowRecord) -> bool:
    ending = last_ending(row.target)
    return any(not run.path_for(row.number, row.target, sample, ending).is_file() for sample in _samples(run, row))
