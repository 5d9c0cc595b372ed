"""Errors as the screens say them: what is wrong first, in the words of the screens rather than of a command line.
Without Textual."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fourm_tui.errors import FourmError, printable
from fourm_tui.schedule.rows import Problem, ScheduleError

if TYPE_CHECKING:
    from fourm_tui.tui.workspace import State

_SHELL: tuple[tuple[str, str], ...] = (
    (r"name one with -c, such as \S+", "M chooses one"),
    (r"; say with --row from where it is made anew", ""),
    (r"^--(device|row|sweep|set|seed)\b", r"\1"),
)
"""What is said of a command line, and what instead."""
_CONDITION = re.compile(r"^-i (?P<name>[^\s:]+):? ?")
_FOLDERS = re.compile(r"^/(?:[^\s/:]+/)+(?=[^\s/:])")
"""Those of the file that a message begins with."""


def in_words(error: FourmError, state: State | None = None) -> str:
    """An error as a message, a line for each problem; the file of a schedule is in the title, and not said again.

    Args:
        error: whatever there is to be said.
        state: of what is edited: its files are known here by their names.
    """
    if isinstance(error, ScheduleError):
        return "\n".join(here(problem).in_schedule for problem in error.problems)
    return plain(str(error), state)


def plain(message: str, state: State | None = None) -> str:
    """A message without options of a command line and without the folders of files that are known by their names."""
    for path in _files(state):
        message = message.replace(printable(path), printable(path.name))
    return "\n".join(map(_plain_line, message.split("\n")))


def _plain_line(line: str) -> str:
    found = _CONDITION.match(line)
    if found:
        from fourm_tui.tui.conditions_list import title_of

        rest = _FOLDERS.sub("", line[found.end() :])
        line = f"{title_of(found['name'])}: {rest}"
    for pattern, instead in _SHELL:
        line = re.sub(pattern, instead, line)
    return _FOLDERS.sub("", line)


def _files(state: State | None) -> list[Path]:
    if state is None:
        return []
    given = [path for each in state.given.values() for path in (each.path, each.mask)]
    found = [path for path in (*given, *(each.path for each in state.documents)) if path is not None]
    return sorted(found, key=lambda path: -len(str(path)))


def here(problem: Problem) -> Problem:
    """A problem with what to do about it in the screens, where that is something else than in a shell."""
    if problem.column == "cond_domains" and problem.fix.startswith("give one with -i "):
        return replace(problem, fix="press F1, then enter", column=None)
    return replace(problem, message=plain(problem.message), fix=plain(problem.fix))
