"""The user's settings: `settings.yaml` in the configuration folder, every one with a default and what it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import yaml

from fourm_tui.errors import FourmError, InputError, printable
from fourm_tui.paths import config_dir
from fourm_tui.runs import replace_file


@dataclass(frozen=True)
class Settings:
    """What can be set. Each field may stand in the file under its name."""

    theme: str = "night"
    """Colour theme: one of `themes/`, or a file of yours in `themes/` beside the settings."""
    ascii: bool = False
    """Draw with ASCII characters only."""
    mouse: bool = True
    """Let the mouse choose cells and scroll; false leaves it to the terminal, for selecting text."""
    runs: str = "runs"
    """Folder in which runs are kept, relative to where the program is started."""
    graphics: str = "auto"
    """How the full-screen picture is drawn: auto, sixel, kitty or blocks."""
    preview_every: int = 0
    """Show a decoded picture of the unfinished target every so many steps; 0: only when it is done."""
    preview_rate: int = 40
    """Most kilobytes a second of pictures while a run goes on, over SSH."""
    warm_engine: bool = True
    """Start the engine with the screens, so that the first run begins sooner."""
    notify: str = "bell"
    """How the end of a long run is told: bell, osc9 (a notice; tmux needs `allow-passthrough on`), or none."""
    notify_after: float = 20.0
    """Seconds that a run must have taken for its end to be told."""
    editor: str = ""
    """Command that opens a file in an editor; empty: $VISUAL, then $EDITOR."""
    recent: int = 20
    """How many recent files are remembered."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Other keys for actions: `{app.start: ctrl+r, schedule.fill: D}`; several are parted by commas."""


_KINDS: Mapping[str, type | tuple[type, ...]] = {"str": str, "bool": bool, "int": int, "float": (int, float)}
_TYPES = {each.name: _KINDS.get(str(each.type), dict) for each in fields(Settings)}


CHOICES: Mapping[str, tuple[str, ...]] = {
    "graphics": ("auto", "sixel", "kitty", "blocks"),
    "notify": ("bell", "osc9", "none"),
}
"""What a setting can be, where that is one of a few words."""


def explained() -> dict[str, str]:
    """What each setting does: the text below its field."""
    import ast
    import inspect

    (made,) = ast.parse(inspect.getsource(Settings)).body
    assert isinstance(made, ast.ClassDef)
    found = {}
    for this, after in zip(made.body, made.body[1:], strict=False):
        if isinstance(this, ast.AnnAssign) and isinstance(this.target, ast.Name) and isinstance(after, ast.Expr):
            found[this.target.id] = inspect.cleandoc(ast.literal_eval(after.value))
    return found


def shown_setting(value: Any) -> str:
    """A value as it is typed."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {each}" for key, each in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)


def parse_setting(name: str, text: str) -> Any:
    """A value out of what was typed.

    Raises:
        InputError: it is none for this setting.
    """
    wanted = _TYPES[name]
    value: Any = text.strip()
    if wanted is not str:
        try:
            value = yaml.safe_load(f"{{{value}}}" if wanted is dict else value)
        except yaml.YAMLError:
            raise InputError(f"{printable(text, 40)} cannot be read") from None
        if isinstance(value, dict):
            value = {str(key): str(each) for key, each in value.items()}
    problem = _problem(name, value)
    if problem:
        raise InputError(problem)
    return value


def settings_file() -> Path:
    return config_dir() / "settings.yaml"


def read_settings(path: Path | None = None) -> tuple[Settings, tuple[str, ...]]:
    """The settings, and a sentence for each thing in the file that is not taken; a broken file leaves the defaults."""
    path = path or settings_file()
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings(), ()
    except (OSError, UnicodeDecodeError) as error:
        return Settings(), (f"{printable(path)}: cannot be read: {printable(error, 100)}",)
    try:
        values = yaml.safe_load(text) or {}
    except (yaml.YAMLError, RecursionError) as error:
        where = getattr(error, "problem_mark", None)
        line = f":{where.line + 1}:{where.column + 1}" if where else ""
        problem = printable(getattr(error, "problem", None) or "it cannot be read as YAML", 100)
        return Settings(), (f"{printable(path)}{line}: {problem}; the defaults hold",)
    if not isinstance(values, dict):
        return Settings(), (f"{printable(path)}: is to hold names with values; the defaults hold",)
    taken: dict[str, Any] = {}
    problems: list[str] = []
    for name, value in values.items():
        wrong = _problem(name, value)
        if wrong:
            problems.append(f"{printable(path)}: {wrong}")
        else:
            taken[name] = {str(k): str(v) for k, v in value.items()} if isinstance(value, dict) else value
    return replace(Settings(), **taken), tuple(problems)


def _problem(name: Any, value: Any) -> str | None:
    wanted = _TYPES.get(name) if isinstance(name, str) else None
    if wanted is None:
        return f"{printable(name, 40)} is no setting; there are {', '.join(_TYPES)}"
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        kinds = {str: "text", bool: "true or false", int: "a whole number", dict: "names with values"}
        return f"{name}: {printable(value, 40)} is to be {kinds.get(wanted, 'a number')}"  # type: ignore[arg-type]
    if name in CHOICES and value not in CHOICES[name]:
        return f"{name}: {printable(value, 40)} is none of {', '.join(CHOICES[name])}"
    if isinstance(value, int | float) and not isinstance(value, bool) and value < 0:
        return f"{name}: {value} is below 0"
    return None


def save_setting(name: str, value: Any, path: Path | None = None) -> None:
    """Writes one setting into the file; what else stands there stays, comments too.

    Raises:
        InputError: the file is broken.
        FourmError: it cannot be written.
    """
    from fourm_tui.schedule.document import Document
    from fourm_tui.schedule.literals import literal

    path = path or settings_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FourmError(f"{printable(path)}: cannot be written: {error.strerror}") from None
    document = Document.read(path) if path.exists() else Document.parse("", path)
    replace_file(path, document.replace(name, literal(value)).text.encode())
