"""`KEY=VALUE`: one setting changed from the command line."""

from __future__ import annotations

from fourm_tui.errors import InputError, printable
from fourm_tui.schedule.columns import COLUMNS
from fourm_tui.schedule.editor import Editor
from fourm_tui.schedule.values import parse_cell


def override(editor: Editor, assignment: str) -> None:
    """Applies `KEY=VALUE` (as it would stand in YAML) or `KEY.ROW=VALUE` (one row's own value).

    Raises:
        InputError: it is neither, or the value does not fit the key.
    """
    key, equals, text = assignment.partition("=")
    key = key.strip()
    if not equals or not key:
        raise InputError(f"--set {printable(assignment)}: is to be KEY=VALUE, such as --set temps=1.0")
    name, dot, row = key.rpartition(".")
    if dot and name in COLUMNS:
        if not row.isdecimal():
            raise InputError(f"--set {printable(key)}: the row after the point is to be a number from 1")
        editor.set_cell(int(row), name, parse_cell(COLUMNS[name], text))
    else:
        editor.set_text(key, text)
