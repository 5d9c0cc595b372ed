"""Branches: a run that takes the rows before K over from another, then goes its own way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from fourm_tui.chain.inputs import Inputs, find_all, models_of
from fourm_tui.conditions.given import parse_conditions
from fourm_tui.engine.asked import Asked
from fourm_tui.errors import InputError, printable
from fourm_tui.modalities import MODALITIES
from fourm_tui.runs import ConditionRecord, Run, RunRecord, branch_off, without
from fourm_tui.schedule.document import Document
from fourm_tui.schedule.editor import Editor
from fourm_tui.schedule.overrides import override
from fourm_tui.schedule.rows import Part, Row, Schedule
from fourm_tui.schedule.shipped import find_file


def inputs_from(
    parent: Run,
    *,
    settings: str | None = None,
    sr: str | None = None,
    models: str | None = None,
    conditions: Iterable[str] = (),
    overrides: Iterable[str] = (),
) -> Inputs:
    """What a run was started with, and in its place whatever else is given; the arguments are those of `read_inputs`.

    Raises:
        InputError: the run or a value is wrong.
    """
    record = parent.record
    asked = Asked.of(record)
    texts = [each for role in ("settings", "sr") for each in record.settings if each.role == role]
    documents = [Document.parse(each.text, Path(each.file) if each.file else None) for each in texts]
    before = record.overrides
    if settings:
        documents[0], before = Document.read(find_file(settings)), ()
    if sr:
        documents[1:] = [Document.read(find_file(sr))]
    editor = Editor(documents)
    overrides = (*before, *overrides)
    for assignment in overrides:
        override(editor, assignment)
    config, found = None, asked.models
    if models:
        config, found = models_of(models, editor.schedule, editor.documents)
    given = {**asked.given, **parse_conditions(conditions, MODALITIES)}
    checkpoints = find_all(found, config.path.parent if config and config.path else None)
    return Inputs(editor, found, None, checkpoints, given, config, tuple(documents), overrides)


def branched(
    record: RunRecord, parent: Run, schedule: Schedule, row: int | None
) -> tuple[RunRecord, str]:  # fmt: skip
    """The record of a branch, which says its parent and which rows it has already; and a note, if it begins earlier
    than asked.

    Args:
        record: of the new run.
        schedule: of the new run.
        row: from which on it is to be made anew; None: from the first that differs.

    Raises:
        InputError: nothing differs and no row is named, or there is no such row.
    """
    differing = _first_difference(record, parent, schedule)
    total = sum(1 for _ in schedule.rows())
    if row is not None and not 1 <= row <= total:
        raise InputError(f"--row {row}: the schedule has the rows 1 to {total}")
    if row is None and differing is None:
        raise InputError(f"nothing differs from {printable(parent.name)}; say with --row from where it is made anew")
    start = min(each for each in (row, differing) if each is not None)
    note = ""
    if row is not None and start < row:
        what = "its conditions, models or seeds differ" if start == 1 else f"row {start} was edited"
        note = f"it branches at row {start} instead of {row}, because {what}"
    finished = parent.finished()
    before = [known for known in parent.record.rows if known.number < start]
    # What the parent skipped before it had these rows cannot go on.
    skipped = {number for number, sample in enumerate(parent.record.samples) if sample.skipped}
    skipped = {number for number in skipped if any((known.number, number) not in finished for known in before)}
    samples = record.samples
    for number in skipped:
        samples = without(samples, number)
    wanted = [number for number in range(len(samples)) if number not in skipped]
    rows = []
    for known in before:
        if not all((known.number, number) in finished for number in wanted):
            break
        rows.append(replace(known, state="done"))
    # What the parent has still to make is taken over when the branch begins.
    own = start if parent.record.status in ("pending", "running") else len(rows) + 1
    return replace(record, samples=samples, parent=branch_off(parent, own), rows=tuple(rows)), note


def _first_difference(record: RunRecord, parent: Run, schedule: Schedule) -> int | None:
    """The first row whose outputs may be others than the parent's."""
    old = Asked.of(parent.record).schedule
    if (
        _keys(record.conditions) != _keys(parent.record.conditions)
        or record.models != parent.record.models
        or [s.seed for s in record.samples] != [s.seed for s in parent.record.samples][: len(record.samples)]
        or any(record.options.get(key) != parent.record.options.get(key) for key in ("dtype", "sam_dense"))
    ):
        return 1
    number = 0
    for mine, theirs in ((schedule.base, old.base), (schedule.super_resolution, old.super_resolution)):
        my_rows, their_rows = mine.rows if mine else (), theirs.rows if theirs else ()
        if mine and theirs and _chain(mine) != _chain(theirs):
            return number + 1
        for index in range(max(len(my_rows), len(their_rows))):
            if _at(my_rows, index) != _at(their_rows, index):
                return number + index + 1
        number += len(my_rows)
    return None


def _keys(conditions: Sequence[ConditionRecord]) -> list[tuple[object, ...]]:
    return [(c.name, c.text, c.sha256, c.mask_sha256, tuple(sorted(c.options.items()))) for c in conditions]


def _chain(part: Part) -> tuple[object, ...]:
    return part.conditions, part.cfg_grow_conditioning, part.all_base_conditions


def _at(rows: Sequence[Row], index: int) -> Row | None:
    return rows[index] if index < len(rows) else None
