"""Errors as the screens say them: what is wrong first, and where in the schedule that is looked at. Without Textual."""

from __future__ import annotations

from dataclasses import replace

from fourm_tui.errors import FourmError
from fourm_tui.schedule.rows import Problem, ScheduleError


def in_words(error: FourmError) -> str:
    """An error as a message, a line for each problem; the file of a schedule is in the title, and not said again."""
    if isinstance(error, ScheduleError):
        return "\n".join(here(problem).in_schedule for problem in error.problems)
    return str(error)


def here(problem: Problem) -> Problem:
    """A problem with what to do about it in the screens, where that is something else than in a shell."""
    if problem.column == "cond_domains" and problem.fix.startswith("give one with -i "):
        return replace(problem, fix="press F1, then enter", column=None)
    return problem
