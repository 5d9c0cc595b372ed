"""Which runs are meant: by words, by status."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import get_args

from fourm_tui.chain.said import has_words
from fourm_tui.errors import InputError, printable
from fourm_tui.runs import Run, Status

STATUS_STYLES: Mapping[Status, str] = {
    "done": "green", "running": "cyan", "failed": "red", "cancelled": "yellow", "interrupted": "yellow",
    "pending": "dim",
}  # fmt: skip
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}_\d{6}(?=_)")


def parse_statuses(text: str | None) -> frozenset[str]:
    """The statuses in `failed,cancelled`; none for None.

    Raises:
        InputError: there is no such status.
    """
    found = frozenset(word.strip() for word in (text or "").split(",") if word.strip())
    unknown = sorted(found - set(get_args(Status)))
    if unknown or (text is not None and not found):
        what = printable(", ".join(unknown) or text)
        raise InputError(f"--status {what}: is none of {', '.join(STATUS_STYLES)}")
    return found


def chosen(runs: Iterable[Run], words: Sequence[str], statuses: frozenset[str]) -> Iterator[Run]:
    """The runs with all of these words and one of these statuses."""
    for run in runs:
        if (not statuses or run.record.status in statuses) and has_words(run, words):
            yield run


def beginnings(names: Iterable[str]) -> dict[str, str]:
    """For every name the shortest beginning that fits no other: at least its time, for a run so named."""
    ordered = sorted(set(names))
    found = {}
    for at, name in enumerate(ordered):
        time = _TIME.match(name)
        if time is None:
            found[name] = name
            continue
        length = time.end()
        for other in ordered[max(at - 1, 0) : at] + ordered[at + 1 : at + 2]:
            while other.startswith(name[:length]) and length < len(name):
                length += 1
        found[name] = name[:length]
    return found
