"""Which runs are meant: by words, by status; and what a run says about itself in few words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import get_args

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
        said = "\n".join(_said(run)).lower()
        if (not statuses or run.record.status in statuses) and all(word.lower() in said for word in words):
            yield run


def _said(run: Run) -> Iterator[str]:
    record = run.record
    yield from (run.folder.name, record.chain)
    for condition in record.conditions:
        yield from (condition.name, condition.text or "", condition.path or "")
    for model in record.models.values():
        yield from (model.name, model.revision or "")


def given_words(run: Run) -> str:
    """The conditions in one line: the texts, else the names of files."""
    said = []
    for condition in run.record.conditions:
        if condition.text is not None:
            said.append(" ".join(condition.text.split()))
        elif condition.path is not None:
            said.append(f"{condition.name}={condition.path.rpartition('/')[2]}")
    return printable(" + ".join(said), 300)


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
