"""Which of the conditions that are given a chain uses, and how it comes to use another. Without Textual."""

from __future__ import annotations

from collections.abc import Mapping

from fourm_tui.conditions.given import Given
from fourm_tui.schedule.editor import Editor
from fourm_tui.schedule.rows import Schedule


def used(schedule: Schedule, given: Mapping[str, Given]) -> dict[str, Given]:
    """What a run takes of what is given: the conditions of the chain, and targets that are given partly."""
    conditions = {name for part in schedule.parts for name in part.conditions}
    targets = {row.target for part in schedule.parts for row in part.rows}
    return {name: each for name, each in given.items() if name in conditions or (name in targets and not each.complete)}


def rows_of(schedule: Schedule, name: str) -> tuple[int, ...]:
    """Numbers of the base rows that generate a modality."""
    return tuple(number for number, part, row in schedule.rows() if not part.prefix and row.target == name)


def condition_on(editor: Editor, names: tuple[str, ...]) -> None:
    """The base chain is conditioned on modalities, too."""
    base = editor.schedule.base
    new = tuple(name for name in names if base and name not in base.conditions)
    if base and new:
        editor.set_chain("cond_domains", (*base.conditions, *new))


def give_instead(editor: Editor, name: str) -> None:
    """The base chain no longer generates a modality, but is conditioned on it.

    Raises:
        InputError: it is all that the chain generates.
    """
    for number in reversed(rows_of(editor.schedule, name)):
        editor.delete_row(number)
    condition_on(editor, (name,))


def no_longer_made(before: Schedule, after: Schedule, given: Mapping[str, Given]) -> tuple[str, ...]:
    """What is given and was a target of the base chain until an edit: nothing else is wanted with it than to use it."""
    if before.base is None or after.base is None:
        return ()
    targets = {row.target for row in after.base.rows}
    gone = dict.fromkeys(row.target for row in before.base.rows if row.target not in targets)
    return tuple(name for name in gone if name in given and name not in after.base.conditions)
