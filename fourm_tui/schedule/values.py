"""Values of settings: from what YAML gives to what a row holds, and back to text.

run_generation.py writes several values as one string, separated by hyphens (`6.0-0.5`), so a negative number, an
exponent or a name with a hyphen cannot stand in such a string; YAML lists and mappings can hold them and are ours.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import yaml

from fourm_tui.errors import InputError, printable
from fourm_tui.schedule.columns import Column

NOTHING = ("null", "none", "~", "")
"""How a hyphen-separated string says that a target has no such value (steps of an autoregressive target)."""


@dataclass(frozen=True)
class Value:
    """One value as read. `problem` says why there is none, `differs` what ml-4m would make of it instead."""

    value: Any = None
    problem: str = ""
    fix: str = ""
    differs: str = ""


def pieces(raw: Any) -> list[Any]:
    """The values of a column: one for all targets, or one per target."""
    if isinstance(raw, list):
        return raw
    if isinstance(raw, str):
        return list(raw.split("-"))
    return [raw]


def read_value(column: Column, raw: Any, *, in_string: bool) -> Value:
    """What one piece means. `in_string`: it comes from a hyphen-separated string, where everything is text."""
    if raw is None or (in_string and str(raw).lower() in NOTHING):
        if in_string and raw == "":
            return Value(
                problem="a value is missing beside a hyphen, which separates values",
                fix="a negative number needs a YAML list, such as [-1.0, 2.0]",
            )
        return Value(None)
    if isinstance(raw, bool) or (isinstance(raw, list | Mapping) and column.kind != "guidance"):
        return Value(problem=f"{_kind_of(raw)} is no {_EXPECTED[column.kind]}", fix=_fix(column))
    if column.kind == "name":
        if not isinstance(raw, str):
            return Value(problem=f"{printable(raw)} is no {_EXPECTED['name']}", fix=_fix(column))
        return Value(raw.strip())
    if column.kind == "guidance" and isinstance(raw, Mapping):
        return _weights(raw)
    if isinstance(raw, str | int | float):
        return _number(column, raw)
    return Value(problem=f"{_kind_of(raw)} is no {_EXPECTED[column.kind]}", fix=_fix(column))


def _number(column: Column, raw: str | int | float) -> Value:
    try:
        number = float(raw)
    except (ValueError, OverflowError):
        return Value(problem=f"{printable(raw, 40)!r} is no {_EXPECTED[column.kind]}", fix=_fix(column))
    if not math.isfinite(number):
        return Value(problem=f"{raw} is not a finite number", fix=_fix(column))
    if column.kind == "count":
        if not number.is_integer():
            return Value(problem=f"{raw} is no whole number", fix=_fix(column))
        text = isinstance(raw, str) and not raw.strip().lstrip("+-").isdigit()
        return Value(int(number), differs="ml-4m reads no whole number here" if text or isinstance(raw, float) else "")
    if column.kind == "top_k" and (isinstance(raw, int) or (isinstance(raw, str) and raw.strip().isdigit())):
        return Value(int(number))
    differs = "an integer guidance scale crashes ml-4m" if column.kind == "guidance" and isinstance(raw, int) else ""
    return Value(number, differs=differs)


def _weights(raw: Mapping[Any, Any]) -> Value:
    weights: dict[str, float] = {}
    for name, weight in raw.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not math.isfinite(weight):
            return Value(problem=f"the weight of {printable(name, 40)} is no number", fix="write {caption: 2.0}")
        weights[str(name)] = float(weight)
    if not weights:
        return Value(problem="no condition is weighted", fix="name conditions, {caption: 2.0}, or write 1.0 for none")
    return Value(weights, differs="weights per condition are ours")


_EXPECTED = {
    "name": "name",
    "count": "whole number",
    "number": "number",
    "guidance": "guidance scale",
    "share": "number from 0 to 1",
    "top_k": "count or share",
}


def _fix(column: Column) -> str:
    if column.choices:
        return "use " + ", ".join(column.choices[:-1]) + f" or {column.choices[-1]}"
    return {
        "count": "write a whole number such as 25",
        "number": "write a number such as 1.0",
        "guidance": "write a number such as 3.0, or weights such as {caption: 2.0}",
        "share": "write a number from 0 to 1 such as 0.8",
        "top_k": "write a count such as 50, a share such as 0.1, or 0.0 for off",
    }.get(column.kind, "")


def _kind_of(raw: Any) -> str:
    if isinstance(raw, bool):
        return str(raw).lower()
    if isinstance(raw, Mapping):
        return "a mapping"
    return "a list" if isinstance(raw, list) else printable(raw, 40)


def parse_cell(column: Column, text: str) -> Any:
    """What someone typed into one cell: `0.5`, `-1.0`, `onex:0.5:0.5`, `{caption: 2.0}`, `null`.

    Raises:
        InputError: it is no value of this column.
    """
    text = text.strip()
    raw: Any = text
    if text.startswith("{"):
        try:
            raw = yaml.safe_load(text) if len(text) < 2000 else None
        except (yaml.YAMLError, ValueError, RecursionError):
            raw = None
        if not isinstance(raw, dict):
            raise InputError(f"{column.key}: {printable(text, 60)} is not of the form {{caption: 2.0}}")
    read = Value(None) if text.lower() in NOTHING else read_value(column, raw, in_string=False)
    if read.problem:
        raise InputError(f"{column.key}: {read.problem} ({read.fix})")
    return read.value


def format_value(column: Column, value: Any) -> str:
    """One value as YAML source, in run_generation.py's form: `3.0`, never `3`, for what it reads as a float."""
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        inner = ", ".join(f"{quoted(name)}: {_float(weight)}" for name, weight in value.items())
        return "{" + inner + "}"
    if column.kind == "count" or (column.kind == "top_k" and isinstance(value, int)):
        return str(int(value))
    if column.kind == "name":
        return quoted(str(value))
    return _float(float(value))


def format_column(column: Column, values: Sequence[Any], *, broadcast: bool = False) -> str:
    """A whole column as YAML source: one value, a hyphen-separated string where that can hold it, or a list."""
    if broadcast or len(values) == 1:
        text = format_value(column, values[0])
        return f"[{text}]" if column.kind == "name" and "-" in text else text
    texts = [format_value(column, value) for value in values]
    if column.key in ("top_p", "top_k") or any("-" in text or text[0] in "{'\"" for text in texts):
        return "[" + ", ".join(texts) + "]"
    joined = "-".join(texts)
    return f"'{joined}'" if _DATE.fullmatch(joined) else joined


_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")
"""YAML takes 1024-16-16 for a day."""


def _float(number: float) -> str:
    text = repr(number)
    # YAML 1.1 takes 1e-05 for text, and the exponent's hyphen would separate values.
    plain = format(Decimal(text), "f") if "e" in text else text
    return plain if "." in plain else f"{plain}.0"


_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@:.")


def quoted(text: str) -> str:
    """Text as YAML source, bare where YAML reads it back as the same text."""
    bare = bool(text) and set(text) <= _BARE and text[0].isalpha() and not text.endswith(":")
    if bare and text.lower() not in ("null", "none", "true", "false", "yes", "no", "on", "off", "y", "n"):
        return text
    return "'" + text.replace("'", "''") + "'"
