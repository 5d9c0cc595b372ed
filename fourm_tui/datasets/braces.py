"""Names of shards in one word: `shard-{000000..000099}.tar`, `{rgb,caption}/shard-0.tar`."""

from __future__ import annotations

import re

from fourm_tui.errors import InputError, printable

MOST = 100_000
_BRACES = re.compile(r"\{(?:(\d{1,12})\.\.(\d{1,12})|([^{}]*,[^{}]*))\}")


def has_braces(text: str) -> bool:
    return bool(_BRACES.search(_curly(text)))


def expanded(text: str) -> list[str]:
    """The names that a pattern means, in its order; ml-4m's `[rgb,caption]` is as good as `{rgb,caption}`.

    Raises:
        InputError: they are far too many.
    """
    names = [_curly(text)]
    while match := _BRACES.search(names[0]):
        options = _options(match)
        if len(options) * len(names) > MOST:
            raise InputError(f"data_path: {printable(text)} means more than {MOST:,} shards")
        # All names have the same braces at the same step, though at other places.
        names = [name.replace(match.group(), option, 1) for name in names for option in options]
    return names


def _options(match: re.Match[str]) -> list[str]:
    first, last, listed = match.groups()
    if listed is not None:
        return list(dict.fromkeys(listed.split(",")))
    width = len(first) if first.startswith("0") or len(first) == len(last) else 0
    low, high = int(first), int(last)
    if abs(high - low) >= MOST:
        raise InputError(f"data_path: {printable(match.group())} means more than {MOST:,} shards")
    return [f"{number:0{width}d}" for number in range(low, high + 1)] or [
        f"{number:0{width}d}" for number in range(low, high - 1, -1)
    ]


def _curly(text: str) -> str:
    """`[rgb,caption]` in curly braces."""
    return re.sub(r"\[([^\[\]{}]*,[^\[\]{}]*)\]", r"{\1}", text)
