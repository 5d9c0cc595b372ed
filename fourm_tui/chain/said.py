"""What a run says about itself in few words, and whether it is meant by some."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fourm_tui.errors import printable
from fourm_tui.runs import Run, RunRecord


def has_words(run: Run, words: Sequence[str]) -> bool:
    """Whether a run has all of these words somewhere: in its name, conditions, models."""
    text = "\n".join(said(run)).lower()
    return all(word.lower() in text for word in words)


def said(run: Run) -> Iterator[str]:
    """Its name, conditions and models."""
    record = run.record
    yield from (run.folder.name, record.chain)
    for condition in record.conditions:
        yield from (condition.name, condition.text or "", condition.path or "")
    for model in record.models.values():
        yield from (model.name, model.revision or "")


def given_words(run: Run) -> str:
    """The conditions in one line: the texts, else the names of files."""
    words = []
    for condition in run.record.conditions:
        if condition.text is not None:
            words.append(" ".join(condition.text.split()))
        elif condition.path is not None:
            words.append(f"{condition.name}={condition.path.rpartition('/')[2]}")
    return printable(" + ".join(words), 300)


def swept_words(record: RunRecord) -> str:
    """Of a run of a sweep the cell and its value, `temps.2 = 0.5`; else nothing."""
    key, _, value = record.swept.partition("=")
    return printable(f"{key.strip()} = {value.strip()}", 60) if key else ""
