"""In which cells the schedule that is edited differs from that of a run. Without Textual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fourm_tui.chain.recorded import schedule_of
from fourm_tui.runs import RunRecord
from fourm_tui.schedule.columns import COLUMNS
from fourm_tui.schedule.rows import Row, Schedule
from fourm_tui.schedule.values import format_value
from fourm_tui.tui.workspace import Workspace

_TARGET = "target_domains"


@dataclass(frozen=True)
class Change:
    """A cell that is another; of a row that only one of them has, its target."""

    row: int
    """From 1."""
    column: str
    """Its key."""
    before: str
    """As text; empty for a row that was not there."""
    after: str

    def words(self, ascii: bool = False) -> str:
        """`temps.2 0.5 → 0.7`, `row 3 added`."""
        if not self.before:
            return f"row {self.row} added"
        if not self.after:
            return f"row {self.row} deleted"
        return f"{self.column}.{self.row} {self.before} {'->' if ascii else '→'} {self.after}"


def changes(record: RunRecord, workspace: Workspace) -> tuple[Change, ...]:
    """All cells that differ between a run and what is edited, row by row."""
    before = schedule_of(record)
    return changed_cells(before, workspace.schedule) if before is not None else ()


def differs(record: RunRecord, workspace: Workspace) -> frozenset[tuple[int, str]]:
    """Row and column of the cells that differ."""
    return frozenset((each.row, each.column) for each in changes(record, workspace))


def changed_cells(before: Schedule, after: Schedule) -> tuple[Change, ...]:
    """The cells in which two schedules differ."""
    old, new = ({number: row for number, _, row in each.rows()} for each in (before, after))
    found: list[Change] = []
    for number in sorted({*old, *new}):
        one, other = old.get(number), new.get(number)
        if one is None or other is None:
            found.append(Change(number, _TARGET, one.target if one else "", other.target if other else ""))
            continue
        cells = ((key, _text(key, one), _text(key, other)) for key in COLUMNS)
        found += [Change(number, *cell) for cell in cells if cell[1] != cell[2]]
    return tuple(found)


def _text(key: str, row: Row) -> str:
    return format_value(COLUMNS[key], getattr(row, COLUMNS[key].attribute))


def in_words(found: Sequence[Change], ascii: bool = False) -> str:
    """Changes in a line: the first of them, and how many more."""
    if not found:
        return ""
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return f"edited since: {found[0].words(ascii)}{more}"
