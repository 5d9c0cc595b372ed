"""The folder of a run that can begin: inputs checked and recorded, the first rows of a branch taken over."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fourm_tui.chain.branch import branched
from fourm_tui.chain.inputs import Inputs
from fourm_tui.chain.record import record_of
from fourm_tui.chain.variations import check_variations
from fourm_tui.conditions.condition import Condition
from fourm_tui.engine.asked import check_dense, check_models
from fourm_tui.errors import InputError, printable
from fourm_tui.runs import Run, SampleRecord, Variations, copy_rows, create_run
from fourm_tui.schedule.rows import ScheduleError
from fourm_tui.schedule.validation import validate

RUNS = Path("runs")
"""Where runs are kept unless the user says otherwise."""


@dataclass(frozen=True)
class Begun:
    """A run that can be given to the engine."""

    run: Run
    conditions: Mapping[str, Condition]
    """By name, loaded."""
    notes: tuple[str, ...] = ()
    """What the user should know."""


def begin(
    inputs: Inputs, out: Path, options: Mapping[str, Any], parent: Run | None = None, row: int | None = None
) -> Begun:
    """Checks that everything goes together and makes the folder.

    Args:
        inputs: of the run.
        out: where runs are kept.
        options: those of `KEPT_OPTIONS`, as far as they are given.
        parent: that it branches off.
        row: from which on it is made anew, with a parent; None: from the first that differs.

    Raises:
        InputError: something does not go together; nothing has been written then.
        FourmError: the folder cannot be written.
    """
    from fourm_tui.conditions.loading import load_conditions  # pictures need time to be imported

    schedule = inputs.editor.schedule
    conditions = load_conditions(inputs.given, inputs.modalities)
    given = {name: condition.complete for name, condition in conditions.items()}
    findings = validate(schedule, inputs.architecture("model"), inputs.architecture("sr_model"), given)
    if findings.problems:
        raise ScheduleError(findings.problems)
    check_models(inputs.models, schedule)
    _check_device(options.get("device"))
    check_dense(options.get("sam_dense") or 0, [row.target for _, _, row in schedule.rows()])
    record = record_of(inputs, options, _samples(options, schedule.settings, parent))
    notes = inputs.models.notes
    if parent is not None:
        record, note = branched(record, parent, schedule, row)
        notes = (*notes, note) if note else notes
    run = create_run(out, record)
    if parent is not None:
        copy_rows(parent, run)
    return Begun(run, conditions, notes)


def _samples(
    options: Mapping[str, Any], settings: Mapping[str, Any], parent: Run | None
) -> Sequence[SampleRecord]:  # fmt: skip
    """All variations: the parent's, unless seed or variations are asked for."""
    asked = {name: options.get(name) for name in ("seed", "num_variations")}
    if parent is not None and set(asked.values()) == {None}:
        before = parent.record.samples
        if isinstance(before, Variations):
            return Variations(before.seed, before.total)
        return tuple(SampleRecord(sample.seed, 0, variation) for variation, sample in enumerate(before))
    seed, variations = (settings.get(name) if value is None else value for name, value in asked.items())
    count = whole_number(variations, 1, 1, "num_variations")
    check_variations(count)
    return Variations(whole_number(seed, 0, 0, "seed"), count)


def _check_device(name: str | None) -> None:
    if name is not None and not re.fullmatch(r"(cpu|mps|cuda(:\d{1,3})?)(,cuda:\d{1,3})*", name):
        raise InputError(f"--device {printable(name, 40)}: is to be cpu, mps, cuda, cuda:1, or cuda:0,cuda:1")


def whole_number(value: Any, default: int, least: int, name: str) -> int:
    """A whole number as given; the default for None.

    Raises:
        InputError: it is none, or below the least.
    """
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InputError(f"{name}: {printable(value, 40)} is no whole number from {least} on")
    return value
