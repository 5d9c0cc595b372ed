"""Editing a schedule: cells and rows in, smallest possible changes of the files out, every edit undoable."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

from fourm_tui.errors import InputError, printable
from fourm_tui.schedule.columns import COLUMNS, SCHEDULE_KEYS, Column
from fourm_tui.schedule.document import Document
from fourm_tui.schedule.history import History
from fourm_tui.schedule.reading import read_schedule
from fourm_tui.schedule.rows import Part, Row, Schedule
from fourm_tui.schedule.values import format_column, format_value, pieces, quoted, read_value

Documents = tuple[Document, ...]


class Editor:
    """A schedule being edited. Rows count from 1 over both parts; keys are given without `sr_`.

    A value given once for all rows becomes one value per row as soon as a row gets its own. Text that an edit does not
    concern stays as it was, byte for byte.
    """

    def __init__(self, documents: Sequence[Document]) -> None:
        self._saved: Documents = tuple(documents)
        self._history: History[Documents] = History.start(self._saved)

    @property
    def documents(self) -> Documents:
        return self._history.state

    @cached_property
    def schedule(self) -> Schedule:
        """The schedule as it stands now."""
        return read_schedule(self.documents)

    @property
    def changed(self) -> bool:
        """Whether something differs from what was last read or saved."""
        return self.documents != self._saved

    def save(self) -> None:
        """Writes every file that was changed, each beside its place and renamed.

        Raises:
            InputError: a file cannot be written.
        """
        for document, before in zip(self.documents, self._saved, strict=True):
            if document != before:
                document.write()
        self._saved = self.documents

    # -- undo ---------------------------------------------------------------------------------------------------

    @property
    def can_undo(self) -> bool:
        return self._history.can_undo

    @property
    def can_redo(self) -> bool:
        return self._history.can_redo

    def undo(self) -> None:
        """Takes the last edit back; nothing happens if there is none."""
        self._go(self._history.undo())

    def redo(self) -> None:
        """Makes the edit last taken back again; nothing happens if there is none."""
        self._go(self._history.redo())

    def _go(self, history: History[Documents]) -> None:
        self._history = history
        self.__dict__.pop("schedule", None)

    def _commit(self, documents: Documents, label: str) -> None:
        self._go(self._history.push(documents, label))

    # -- cells --------------------------------------------------------------------------------------------------

    def set_cell(self, row: int, key: str, value: Any) -> None:
        """Gives one row its own value of a column.

        Args:
            row: number of the row, from 1.
            key: `temps`, `cfg_scales`, ...
            value: of the column's type; None is written as `null`; a mapping weighs conditions (`cfg_scales`).

        Raises:
            InputError: there is no such row or column, or the column cannot hold the value.
        """
        column = _column(key)
        part, index = self._row(row)
        documents = self._with_cell(self.documents, part, index, column, value)
        self._commit(documents, f"{column.title} of row {row}")

    def fill_down(self, row: int, key: str) -> None:
        """Gives all rows below, within the part, the value that `row` has."""
        column = _column(key)
        part, index = self._row(row)
        documents = self.documents
        value = getattr(part.rows[index], column.attribute)
        for below in range(index + 1, len(part.rows)):
            documents = self._with_cell(documents, part, below, column, value)
            part = _part(documents, part.prefix)
        self._commit(documents, f"fill {column.title} down from row {row}")

    def set_chain(self, key: str, value: Any, prefix: str = "") -> None:
        """Sets what holds for a whole chain: a column for all its rows, `cond_domains`, `cfg_grow_conditioning`, or
        any other key of the files (`seed`, `num_variations`).

        Raises:
            InputError: the key cannot hold the value.
        """
        full = prefix + key if prefix + key in SCHEDULE_KEYS else key
        if key in COLUMNS:
            text = format_column(COLUMNS[key], [_checked(COLUMNS[key], value)])
        elif key == "cond_domains":
            text = format_conditions(value)
        else:
            text = _plain(value)
        self._commit(_replaced(self.documents, full, text), key)

    def set_text(self, key: str, text: str) -> None:
        """Sets a key, `sr_` and all, to YAML source as it would stand in the file.

        Raises:
            InputError: the text is no YAML value on one line.
        """
        try:
            documents = _replaced(self.documents, key, text)
        except InputError as error:
            raise InputError(f"{printable(key, 40)}: {error}") from None
        self._commit(documents, key)

    # -- rows ---------------------------------------------------------------------------------------------------

    def duplicate_row(self, row: int, target: str | None = None) -> None:
        """Adds a copy of a row after it, for another target if that is given."""
        part, index = self._row(row)
        source = part.rows[index]
        self.insert_row(row, source if target is None else _retarget(source, target), f"duplicate row {row}")

    def insert_row(self, after: int, values: Row, label: str = "add a row") -> None:
        """Adds a row after another; columns given once for all rows stay so where they have the same value."""
        part, index = self._row(after)
        documents = self.documents
        for column in COLUMNS.values():
            text = format_value(column, getattr(values, column.attribute))
            if "-" in text or text[0] in "'\"{[":  # no piece of a string: starts as a copy, corrected below
                text = format_value(column, getattr(part.rows[index], column.attribute))
            documents = self._shared(documents, part, column, partial(_insert, index=index + 1, text=text))
        part = _part(documents, part.prefix)
        for column in COLUMNS.values():
            value = getattr(values, column.attribute)
            if getattr(part.rows[index + 1], column.attribute) != value:
                documents = self._with_cell(documents, part, index + 1, column, value)
                part = _part(documents, part.prefix)
        self._commit(documents, label)

    def delete_row(self, row: int) -> None:
        """Removes a row.

        Raises:
            InputError: it is the part's only one.
        """
        part, index = self._row(row)
        if len(part.rows) == 1:
            raise InputError(f"row {row} is the only one of its chain; change its target instead")
        documents = self.documents
        for column in COLUMNS.values():
            documents = self._shared(documents, part, column, partial(_remove, index=index))
        self._commit(documents, f"delete row {row}")

    def move_row(self, row: int, by: int) -> None:
        """Moves a row up (`by` below 0) or down within its part, as far as it goes."""
        part, index = self._row(row)
        to = max(0, min(len(part.rows) - 1, index + by))
        if to == index:
            return
        documents = self.documents
        for column in COLUMNS.values():
            documents = self._shared(documents, part, column, partial(_move, index=index, to=to))
        self._commit(documents, f"move row {row}")

    # -- how ----------------------------------------------------------------------------------------------------

    def _row(self, number: int) -> tuple[Part, int]:
        first = 1
        for part in self.schedule.parts:
            if first <= number < first + len(part.rows):
                return part, number - first
            first += len(part.rows)
        raise InputError(f"there is no row {number}; the schedule has {first - 1}")

    def _shared(
        self, documents: Documents, part: Part, column: Column, edit: Callable[[Document, str], Document]
    ) -> Documents:  # fmt: skip
        """Applies a change of the list of rows to one column, unless one value holds for all rows."""
        if column.key in part.broadcast:
            return documents
        if column.key in part.defaults:
            values = [getattr(row, column.attribute) for row in part.rows]
            documents = _replaced(documents, part.prefix + column.key, format_column(column, values))
        key = part.prefix + column.key
        at = _owner(documents, key)
        document = documents[at]
        if len(part.rows) == 1 and column.key != "target_domains" and document.node_kind(key) == "scalar":
            return documents
        return (*documents[:at], edit(document, key), *documents[at + 1 :])

    def _with_cell(self, documents: Documents, part: Part, index: int, column: Column, value: Any) -> Documents:
        value = _checked(column, value)
        if getattr(part.rows[index], column.attribute) == value and column.key not in part.defaults:
            return documents
        key, text = part.prefix + column.key, format_value(column, value)
        if column.key in part.broadcast or column.key in part.defaults:
            values = [getattr(row, column.attribute) for row in part.rows]
            values[index] = value
            same = all(other == value for other in values)
            return _replaced(documents, key, format_column(column, values, broadcast=same))
        at = _owner(documents, key)
        document = documents[at]
        raws = pieces(document[key])
        if len(raws) == 1 and len(part.rows) == 1 and document.node_kind(key) == "scalar":
            return _replaced(documents, key, format_column(column, [value]))
        if document.node_kind(key) != "scalar" or not ("-" in text or text[0] in "'\"{["):
            return (*documents[:at], document.replace_item(key, index, text), *documents[at + 1 :])
        # A hyphen-separated string cannot hold this value: the column becomes a list.
        texts = [_as_item(column, raw) for raw in raws]
        texts[index] = text
        return _replaced(documents, key, "[" + ", ".join(texts) + "]")


def _insert(document: Document, key: str, index: int, text: str) -> Document:
    return document.insert_item(key, index, text)


def _remove(document: Document, key: str, index: int) -> Document:
    return document.remove_item(key, index)


def _move(document: Document, key: str, index: int, to: int) -> Document:
    return document.move_item(key, index, to)


def _column(key: str) -> Column:
    if key not in COLUMNS:
        raise InputError(f"{printable(key, 40)} is no column; there are {', '.join(COLUMNS)}")
    return COLUMNS[key]


def _part(documents: Documents, prefix: str) -> Part:
    schedule = read_schedule(documents)
    part = schedule.super_resolution if prefix else schedule.base
    assert part is not None
    return part


def _owner(documents: Documents, key: str) -> int:
    """Which file a key is in, or belongs into: the last that has it, else the last with keys of the same part."""
    for at in reversed(range(len(documents))):
        if key in documents[at]:
            return at
    is_sr = key.startswith("sr_")
    for at in reversed(range(len(documents))):
        if any(other in SCHEDULE_KEYS and other.startswith("sr_") == is_sr for other in documents[at].keys()):  # noqa: SIM118
            return at
    return 0


def _replaced(documents: Documents, key: str, text: str) -> Documents:
    at = _owner(documents, key)
    return (*documents[:at], documents[at].replace(key, text), *documents[at + 1 :])


def _checked(column: Column, value: Any) -> Any:
    read = read_value(column, value, in_string=False)
    if read.problem:
        raise InputError(f"{column.key}: {read.problem} ({read.fix})")
    return read.value


def _as_item(column: Column, raw: Any) -> str:
    """A piece of a hyphen-separated string as an item of a list; one that could not be read is kept as text."""
    read = read_value(column, raw, in_string=True)
    return quoted(str(raw)) if read.problem else format_value(column, read.value)


def _retarget(row: Row, target: str) -> Row:
    return replace(row, target=target)


def format_conditions(names: Sequence[str]) -> str:
    """`cond_domains` as YAML source: hyphen-separated, `[]` for unconditional."""
    if not names:
        return "[]"
    if any("-" in name for name in names):
        return "[" + ", ".join(quoted(name) for name in names) + "]"
    return "-".join(names)


def _plain(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "True", False: "False"}[value]
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping | list | tuple):
        raise InputError("a list or a mapping cannot stand here")
    return quoted(str(value))
