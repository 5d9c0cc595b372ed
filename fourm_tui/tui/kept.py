"""What a schedule was edited with, kept beside it: conditions, models, options; and which one was edited last.

A settings file holds no conditions, as they belong to a run. They come back with it all the same. Without Textual.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from fourm_tui.conditions.given import Given
from fourm_tui.errors import FourmError
from fourm_tui.paths import state_dir
from fourm_tui.runs import replace_file
from fourm_tui.tui.workspace import State

SCHEMA = 1
_LARGEST = 2**23  # bytes that are read
_MOST = 500  # schedules of which something is kept


@dataclass(frozen=True)
class Kept:
    """What one or two settings files were edited with."""

    paths: tuple[Path, ...]
    """Of the files, absolute."""
    given: Mapping[str, Given] = field(default_factory=dict)
    models: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, state: State) -> Kept | None:
        """What is to be kept; None where a file has no name."""
        paths = tuple(each.path.absolute() for each in state.documents if each.path)
        if len(paths) < len(state.documents):
            return None
        given = {name: _from_anywhere(each) for name, each in state.given.items()}
        return cls(paths, given, state.models, state.options)


def keep(kept: Kept | None) -> None:
    """Writes it down, as what was edited last; where that cannot be done, nobody is kept from editing."""
    if kept is None:
        return
    data = {
        "schema": SCHEMA,
        "files": [str(path) for path in kept.paths],
        "given": [given_as_data(each) for each in kept.given.values()],
        "models": kept.models,
        "options": dict(kept.options),
    }
    with contextlib.suppress(OSError, FourmError):
        path = _file(kept.paths)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            _make_room(path.parent)
        replace_file(path, json.dumps(data).encode())
        replace_file(_last_file(), path.name.encode())


def kept_of(paths: tuple[Path, ...]) -> Kept | None:
    """What these files were edited with; None if they never were."""
    return _read(_file(tuple(path.absolute() for path in paths)))


def last() -> Kept | None:
    """What was edited last; None if nothing ever was."""
    try:
        with _last_file().open("rb") as file:
            name = file.read(80).decode().strip()
    except (OSError, ValueError):
        return None
    return _read(_folder() / name) if name.endswith(".json") and "/" not in name else None


def _read(path: Path) -> Kept | None:
    try:
        with path.open("rb") as file:
            data = json.loads(file.read(_LARGEST))
        if data["schema"] > SCHEMA:
            return None
        given = {each["name"]: given_from_data(each) for each in data["given"]}
        models = data["models"]
        if not (models is None or isinstance(models, str)):
            return None
        return Kept(tuple(map(Path, data["files"])), given, models, dict(data["options"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _folder() -> Path:
    return state_dir() / "kept"


def _last_file() -> Path:
    return state_dir() / "edited_last"


def _file(paths: tuple[Path, ...]) -> Path:
    return _folder() / f"{digest(paths)}.json"


def _make_room(folder: Path) -> None:
    """Forgets what was not touched for the longest time."""
    found = list(folder.iterdir())
    if len(found) >= _MOST:
        for path in sorted(found, key=lambda each: each.stat().st_mtime)[: len(found) - _MOST + 1]:
            path.unlink(missing_ok=True)


def _from_anywhere(given: Given) -> Given:
    """The same, found from any folder."""
    return replace(
        given,
        path=given.path.absolute() if given.path else None,
        mask=given.mask.absolute() if given.mask else None,
    )


def digest(paths: Sequence[Path | None]) -> str:
    """By what some files are told from others."""
    names = "\n".join(str(path.absolute()) if path else "" for path in paths)
    return hashlib.sha256(names.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def given_as_data(given: Given) -> dict[str, Any]:
    """A condition as JSON has it."""
    return {key: str(value) if isinstance(value, Path) else value for key, value in asdict(given).items()}


def given_from_data(data: Mapping[str, Any]) -> Given:
    """A condition back from JSON.

    Raises:
        KeyError, TypeError: it is none.
    """
    values = {each.name: data[each.name] for each in fields(Given) if each.name in data}
    for name in ("path", "mask"):
        values[name] = Path(values[name]) if values.get(name) else None
    values["crop"] = tuple(values["crop"]) if values.get("crop") else None
    return Given(**values)
