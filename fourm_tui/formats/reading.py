"""Reading what people write by hand: native strings, JSON, numbers, with messages that name the place."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from fourm_tui.errors import InputError, printable
from fourm_tui.formats.vocabulary import BINS, broken_sentinel, has_sentinel, value_of

_VALUE_LIKE = re.compile(r"v\d=\S*", re.IGNORECASE)


def check_sentinels(text: str, where: str) -> None:
    """Lets a text pass whose sentinels are all tokens.

    Raises:
        InputError: something in the text looks like a sentinel, but would fall apart into ordinary words.
    """
    broken = broken_sentinel(text)
    if broken:
        raise InputError(
            f"{where}: {printable(broken)} is no sentinel as it stands; they are [S_0] to [S_199], with a capital S "
            "and a blank on both sides"
        )


def native_text(text: str, where: str) -> str | None:
    """The text, with single blanks, if it is in a native string format already; None if it holds no value tokens.

    Raises:
        InputError: a value token or a sentinel in it is malformed and would fall apart into ordinary words.
    """
    words = text.split()
    if not has_sentinel(text) and not any(_VALUE_LIKE.fullmatch(word) for word in words):
        return None
    check_sentinels(text, where)
    for word in words:
        if "=" in word and value_of(word) is None:
            raise InputError(f"{where}: {printable(word)} is no value token; they are v0=0 to v3={BINS - 1}")
    return " ".join(words)


def looks_like_json(text: str) -> bool:
    return text.lstrip()[:1] in ("[", "{")


def read_json(text: str, where: str) -> Any:
    """What a JSON text holds.

    Raises:
        InputError: the text is no JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: is no JSON: {printable(error)}") from None


def entries(text: str, separators: str = "\n;") -> Iterator[tuple[int, str]]:
    """The entries of a text with their number from 1: lines, or what other separators part. Empty ones and comments
    (from a `#` at the start of an entry) are left out but counted."""
    for number, entry in enumerate(re.split(f"[{re.escape(separators)}]", text), start=1):
        if entry.strip() and not entry.lstrip().startswith("#"):
            yield number, entry.strip()


def number(value: Any, where: str) -> float:
    """A number, also one written as text.

    Raises:
        InputError: the value is no finite number.
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        result = float(value)
    except (TypeError, ValueError, OverflowError):
        result = math.nan
    if not math.isfinite(result):
        raise InputError(f"{where}: {printable(value, 40)} is no number")
    return result
