"""Colour themes: YAML files with the keys of a Textual theme, those that ship with the program and the user's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from textual.color import Color, ColorParseError
from textual.theme import BUILTIN_THEMES, Theme

from fourm_tui.errors import printable
from fourm_tui.paths import config_dir, themes_dir

_COLOURS = (
    "primary", "secondary", "warning", "error", "success", "accent", "foreground", "background", "surface", "panel",
    "boost",
)  # fmt: skip
_ANSI = re.compile(r"ansi_(default|(bright_)?(black|red|green|yellow|blue|magenta|cyan|white))")
_TRACKS = (
    "scrollbar-background", "scrollbar-background-hover", "scrollbar-background-active", "scrollbar-corner-color",
)  # fmt: skip
_STYLES = {"none", "bold", "dim", "italic", "underline", "reverse", "strike", "not"}


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


def find_theme(name: str) -> Theme | None:
    """The theme in the file that is named after it, without a look at any other; None if there is none."""
    for folder in (config_dir() / "themes", themes_dir()):
        path = folder / f"{Path(name).name}.yaml"
        theme = read_theme(path) if path.is_file() else None
        if isinstance(theme, Theme) and theme.name == name:
            return theme
    return None


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
    own = {str(k): str(v) for k, v in (values.get("variables") or {}).items()}
    variables = {**(_of_terminal() if values.get("ansi") else _shades(colours)), **own}
    return Theme(
        name=name, dark=bool(values.get("dark", True)), ansi=bool(values.get("ansi", False)), variables=variables,
        **colours,
    )  # fmt: skip


def _of_terminal() -> dict[str, str]:
    """Variables that Textual asks of themes in the terminal's own colours, as its own such theme has them."""
    theirs = next((theme for theme in BUILTIN_THEMES.values() if theme.ansi and theme.dark), None)
    muted = dict.fromkeys(("text-muted", "text-disabled"), "ansi_bright_black")  # theirs is a share, which there is not
    return {
        "ansi-background": "ansi_black", "ansi-foreground": "ansi_white", **(theirs.variables if theirs else {}),
        **muted,
    }  # fmt: skip


def _shades(colours: Mapping[str, str]) -> dict[str, str]:
    """What stands back, mixed from text and ground: Textual only lightens, which leaves nothing to be seen on a light
    ground, and says no colour for what is muted. Empty where the file leaves text or ground to Textual."""
    if not {"foreground", "background"} <= set(colours):
        return {}
    text, ground = Color.parse(colours["foreground"]), Color.parse(colours["background"])
    surface, panel = (Color.parse(colours.get(name, colours["background"])) for name in ("surface", "panel"))
    mixed = {
        "text-muted": ground.blend(text, 0.78),
        "text-disabled": ground.blend(text, 0.5),
        "panel-lighten-1": panel.blend(text, 0.1),
        "panel-lighten-2": ground.blend(text, 0.35),
        "surface-lighten-1": surface.blend(text, 0.08),
        "surface-lighten-2": surface.blend(text, 0.16),
        **dict.fromkeys(_TRACKS, surface),
        "scrollbar": ground.blend(text, 0.3),
        "scrollbar-hover": ground.blend(text, 0.45),
        "scrollbar-active": ground.blend(text, 0.6),
    }
    return {name: colour.hex6 for name, colour in mixed.items()}


def _problem(values: Mapping[str, Any]) -> str | None:
    known = {*_COLOURS, "name", "dark", "ansi", "variables"}
    for key, value in values.items():
        if key not in known:
            return f"{printable(key, 40)} is no key of a theme; there are {', '.join(sorted(known))}"
        if key == "variables":
            if not (value is None or isinstance(value, dict)):
                return "variables is to be a mapping"
            for name, each in (value or {}).items():
                if not str(name).endswith("-style") and not _is_colour(str(each).rpartition(" ")[0] or each):
                    return f"variables: {printable(name, 40)}: {printable(each, 40)} is no colour"
                if str(name).endswith("-style") and not set(str(each).split()) <= _STYLES:
                    return f"variables: {printable(name, 40)}: {printable(each, 40)} is no style of text"
        if key in _COLOURS:
            if not _is_colour(value):
                return f"{key}: {printable(value, 40)} is no colour"
    return None


def _is_colour(value: Any) -> bool:
    try:
        return bool(isinstance(value, str) and _ANSI.fullmatch(value)) or bool(Color.parse(value))
    except (ColorParseError, TypeError, AttributeError):
        return False
