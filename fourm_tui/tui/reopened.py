"""Runs as their folders tell them: rows that were planned, targets that are there. Without Textual; reads files."""

from __future__ import annotations

from typing import Any, TypeVar

from fourm_tui.chain.recorded import schedule_of
from fourm_tui.errors import printable
from fourm_tui.events import RowFacts
from fourm_tui.runs import Run, RunRecord
from fourm_tui.tui.outputs import recalled
from fourm_tui.tui.run_state import RunState, RunStatus

S = TypeVar("S", bound=RunState)
_STATUS: dict[str, RunStatus] = {"pending": "waiting"}


def planned_rows(record: RunRecord) -> tuple[RowFacts, ...]:
    """The rows of a run, before it begins those of its schedule; none if that cannot be read."""
    schedule = schedule_of(record)
    known = {row.number: RowFacts(*_facts(row)) for row in record.rows}
    if schedule is None:
        return tuple(known.values())
    found = []
    for number, part, row in schedule.rows():
        tokens = row.tokens or 0
        steps = row.steps or max(tokens - 1, 1)
        facts = RowFacts(number, row.target, str(row.scheme), steps, tokens, bool(part.prefix))
        found.append(known.get(number, facts))
    return tuple(found)


def _facts(row: RowFacts) -> tuple[Any, ...]:
    return row.number, row.target, row.scheme, row.steps, row.tokens, row.super_resolution


def load_finished(run: Run, kind: type[S] | type[RunState] = RunState) -> Any:
    """A run with all targets that are finished, from `run.json` and the tokens in its folder."""
    record = run.record
    rows = planned_rows(record)
    state = kind(run.folder, run.name, _STATUS.get(record.status, record.status), rows)  # type: ignore[arg-type]
    state.seeds = tuple(sample.seed for sample in record.samples)
    state.skipped = {number for number, sample in enumerate(record.samples) if sample.skipped}
    state.dtype = str(record.options.get("dtype") or "")
    state.error = printable(record.error or "", 2000)
    state.seconds = record.seconds
    state.total_steps = sum(row.steps for row in rows)
    seconds = {row.number: row.seconds for row in record.rows}
    done = run.finished()
    for facts in rows:
        for sample in range(len(state.seeds)):
            target = recalled(run, facts, sample) if (facts.number, sample) in done else None
            if target is not None:
                target.seconds = seconds.get(facts.number) or target.seconds
                state.targets[facts.number, sample] = target
    state.total_step = sum(facts.steps for facts in rows if state.is_row_done(facts.number))
    return state
