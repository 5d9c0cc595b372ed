"""Frozen dataclasses as JSON and back, for what outlives a process: events, run.json, whatever else says `schema`.

Reading is strict about types and lenient about fields: unknown ones are ignored, missing ones take their default.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from fourm_tui.errors import InputError, printable

SCHEMA = 1
"""Of everything that is written; what says more is refused."""

T = TypeVar("T")
_PLAIN: Mapping[type, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def check_schema(value: Mapping[str, Any], where: str) -> None:
    """Refuses what a newer version wrote, and what is not of this program at all.

    Raises:
        InputError: `schema` is missing, no number, or newer than `SCHEMA`.
    """
    schema = value.get("schema")
    if type(schema) is not int or schema < 1:
        raise InputError(f"{where}: says no schema, so it was not written by fourm-tui")
    if schema > SCHEMA:
        raise InputError(
            f"{where}: was written by a newer fourm-tui (schema {schema}, this one reads up to {SCHEMA}); update it"
        )


def to_text(value: Any) -> str:
    """JSON on one line, in ASCII, so that file names that are no UTF-8 survive and no line break stands inside."""
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def parse_object(text: str | bytes) -> dict[str, Any]:
    """A JSON object.

    Raises:
        ValueError: it is something else, or torn.
    """
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("no JSON object")
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def to_json(value: Any) -> Any:
    """What `json` can write: dataclasses become mappings, tuples lists; `to_json` of other classes is called."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        own = getattr(value, "to_json", None)
        return own() if own else fields_to_json(value)
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [to_json(item) for item in value]
    return value


def fields_to_json(record: Any) -> dict[str, Any]:
    """The fields of a dataclass by name."""
    return {field.name: to_json(getattr(record, field.name)) for field in dataclasses.fields(record)}


def from_json(cls: type[T], value: Any, where: str) -> T:
    """A dataclass from the mapping that `to_json` makes of it.

    Args:
        cls: the dataclass; a field may be a bool, int, float, str, `Literal`, `X | None`, `tuple[X, ...]`,
            `Sequence[X]`, `Mapping[str, X]`, another such dataclass, a class with `from_json(value, where)`, or `Any`.
        value: from JSON.
        where: begins the message of an error.

    Raises:
        InputError: a field is missing or of another type.
    """
    if not isinstance(value, dict):
        raise InputError(f"{where}: is to be a mapping, not {printable(value, 40)}")
    found = {}
    kind: Any = cls
    for name, hint, required in _fields(kind):
        if name in value:
            found[name] = _read(hint, value[name], f"{where}: {name}")
        elif required:
            raise InputError(f"{where}: lacks {name}")
    try:
        return cls(**found)
    except ValueError as error:
        raise InputError(f"{where}: {error}") from None


@cache
def _fields(cls: Any) -> tuple[tuple[str, Any, bool], ...]:
    """Name, type, and whether it has no default, of each field."""
    hints, missing = get_type_hints(cls), dataclasses.MISSING
    return tuple(
        (field.name, hints[field.name], field.default is missing and field.default_factory is missing)
        for field in dataclasses.fields(cls)
    )


def _read(hint: Any, value: Any, where: str) -> Any:
    if hint is Any:
        return value
    if hint in _PLAIN:
        return _plain(hint, value, where)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return None if value is None else _read(next(a for a in arguments if a is not NoneType), value, where)
    if origin is Literal:
        if value not in arguments:
            raise InputError(f"{where}: {printable(value, 40)} is none of {', '.join(map(str, arguments))}")
        return value
    if origin in (tuple, Sequence):
        if not isinstance(value, list):
            raise InputError(f"{where}: is to be a list, not {printable(value, 40)}")
        return tuple(_read(arguments[0], item, where) for item in value)
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, dict):
            raise InputError(f"{where}: is to be a mapping, not {printable(value, 40)}")
        return {key: _read(arguments[1], item, f"{where}.{printable(key, 40)}") for key, item in value.items()}
    own = getattr(hint, "from_json", None)
    return own(value, where) if own else from_json(hint, value, where)


def _plain(hint: type, value: Any, where: str) -> Any:
    # A bool is an int to Python, and a whole number is a float to JSON.
    fits = type(value) is hint or (hint is float and type(value) is int)
    try:
        return hint(value) if fits else _refuse(hint, value, where)
    except OverflowError:
        return _refuse(hint, value, where)


def _refuse(hint: type, value: Any, where: str) -> Any:
    raise InputError(f"{where}: is to be {_PLAIN[hint]}, not {printable(value, 40)}")
