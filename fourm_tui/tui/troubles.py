"""Errors as the screens say them: what is wrong first, and where in the schedule that is looked at. Without Textual."""

from __future__ import annotations

from fourm_tui.errors import FourmError
from fourm_tui.schedule.rows import ScheduleError


def in_words(error: FourmError) -> str:
    """An error as a message, a line for each problem; the file of a schedule is in the title, and not said again."""
    if isinstance(error, ScheduleError):
        return "\n".join(problem.in_schedule for problem in error.problems)
    return str(error)
