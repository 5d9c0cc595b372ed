"""Captions as ml-4m's data has them: a text, a list of texts, or objects with a `caption`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fourm_tui.errors import InputError
from fourm_tui.formats.reading import check_sentinels, read_json


def caption(text: str, path: Path | None, where: str, index: int = 0) -> str:
    """The caption in a text; that of a `.json` or `.json.gz` file is JSON, of which the one at `index` counts.

    Raises:
        InputError: the file holds no caption, or a sentinel in it is malformed.
    """
    if path is not None and path.name.lower().endswith((".json", ".json.gz")):
        text = caption_in(read_json(text, where), where, index)
    check_sentinels(text, where)
    return text


def caption_in(data: Any, where: str, index: int = 0) -> str:
    """The caption in JSON: a text, an object with `caption`, or a list of either."""
    if isinstance(data, list):
        if index >= len(data):
            raise InputError(f"{where} has {len(data)} captions; number {index + 1} is asked for")
        data = data[index]
    if isinstance(data, dict):
        data = data.get("caption")
    if not isinstance(data, str):
        raise InputError(f"{where}: is to be a caption, an object with `caption`, or a list of them")
    return data
