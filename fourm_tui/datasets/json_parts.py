"""Values in JSON objects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fourm_tui.datasets.parts import FilePart, Part, TextPart
from fourm_tui.datasets.slots import split_ending


def value_part(value: str, literal: bool, folder: Path | None, shown: str) -> Part:
    """A value of a row: a text, or a path below the folder of the file that says so.

    Args:
        value: without blanks around it.
        literal: the text itself counts, unless `@` stands before a path.
        folder: None: no paths are followed.
        shown: where it stands, for messages.
    """
    if folder is None or (literal and not value.startswith("@")):
        return TextPart(value, shown)
    path = Path(value.removeprefix("@")).expanduser()
    return FilePart(folder / path, split_ending(path.name)[1])


def json_part(value: Any, literal: bool, folder: Path | None, shown: str) -> Part | None:
    """A value of a JSON object: a text as above, anything else as JSON; None if it is null or blank."""
    if isinstance(value, str):
        return value_part(value.strip(), literal, folder, shown) if value.strip() else None
    if value is None:
        return None
    return TextPart(json.dumps(value), shown, ".json")
