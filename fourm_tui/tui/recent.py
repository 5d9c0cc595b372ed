"""Files that were chosen of late, the newest first, kept over sessions."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from fourm_tui.errors import FourmError
from fourm_tui.paths import state_dir
from fourm_tui.runs import replace_file

_LARGEST = 2**20


def _file(kind: str) -> Path:
    return state_dir() / f"recent_{kind}.json"


def recent(kind: str, most: int) -> list[Path]:
    """The files; those that are gone stay in the list until others take their places.

    Args:
        kind: of what: `conditions`, `masks`.
        most: how many are wanted.
    """
    try:
        with _file(kind).open("rb") as file:
            found = json.loads(file.read(_LARGEST))
    except (OSError, ValueError, RecursionError):
        return []
    paths = [each for each in found if isinstance(each, str)] if isinstance(found, list) else []
    return [Path(each) for each in paths if each.startswith("/") and "\0" not in each][:most]


def remember(kind: str, path: Path, most: int) -> None:
    """Puts a file first. A list that cannot be written is no reason to stop."""
    path = path.absolute()
    paths = [path, *(each for each in recent(kind, most) if each != path)][: max(most, 0)]
    with contextlib.suppress(OSError, FourmError):
        _file(kind).parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps([str(each) for each in paths], indent=0)  # lone surrogates of odd names are escaped
        replace_file(_file(kind), text.encode())
