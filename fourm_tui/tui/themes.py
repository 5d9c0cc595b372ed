"""Colour themes: YAML files with the keys of a Textual theme, those that ship with the program and the user's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from textual.color import Color, ColorParseError
from textual.theme import Theme

from fourm_tui.errors import printable
from fourm_tui.paths import config_dir, themes_dir

_COLOURS = (
    "primary", "secondary", "warning", "error", "success", "accent", "foreground", "background", "surface", "panel",
    "boost",
)  # fmt: skip
_ANSI = re.compile(r"ansi_(default|(bright_)?(black|red|green|yellow|blue|magenta|cyan|white))")


def read_themes() -> tuple[dict[str, Theme], tuple[str, ...]]:
    """All themes by name, the user's in place of shipped ones of the same name, and what is wrong with files that are
    none."""
    found: dict[str, Theme] = {}
    problems: list[str] = []
    for folder in (themes_dir(), config_dir() / "themes"):
        for path in sorted(folder.glob("*.yaml")):
            theme = read_theme(path)
            if isinstance(theme, Theme):
                found[theme.name] = theme
            else:
                problems.append(f"{printable(path)}: {theme}")
    return found, tuple(problems)


def read_theme(path: Path) -> Theme | str:
    """A theme, or what is wrong with its file."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        return f"cannot be read: {printable(error, 100)}"
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        return f"line {mark.line + 1}: {printable(getattr(error, 'problem', ''), 100)}" if mark else "is no YAML"
    if not isinstance(values, dict) or not isinstance(values.get("primary"), str):
        return "is to be a mapping of colours, with a primary one at least"
    problem = _problem(values)
    if problem:
        return problem
    name = printable(values.get("name") or path.stem, 40)
    colours = {key: values[key] for key in _COLOURS if key in values}
    variables = {str(k): str(v) for k, v in (values.get("variables") or {}).items()}
    return Theme(
        name=name, dark=bool(values.get("dark", True)), ansi=bool(values.get("ansi", False)), variables=variables,
        **colours,
    )  # fmt: skip


def _problem(values: Mapping[str, Any]) -> str | None:
    known = {*_COLOURS, "name", "dark", "ansi", "variables"}
    for key, value in values.items():
        if key not in known:
            return f"{printable(key, 40)} is no key of a theme; there are {', '.join(sorted(known))}"
        if key == "variables" and not (value is None or isinstance(value, dict)):
            return "variables is to be a mapping"
        if key in _COLOURS:
            try:
                if not (isinstance(value, str) and _ANSI.fullmatch(value)):
                    Color.parse(value)
            except (ColorParseError, TypeError, AttributeError):
                return f"{key}: {printable(value, 40)} is no colour"
    return None
