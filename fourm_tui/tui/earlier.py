"""Earlier runs as they are listed and looked at. Without Textual."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from fourm_tui.chain.compare import Pair, schedules_differ
from fourm_tui.chain.recorded import schedule_of
from fourm_tui.chain.said import given_words, said, swept_words
from fourm_tui.chain.times import ago, lasting, moment
from fourm_tui.conditions.given import Given
from fourm_tui.errors import printable
from fourm_tui.modalities import MODALITIES
from fourm_tui.runs import Run
from fourm_tui.schedule.rows import Schedule
from fourm_tui.tui.words import status_word

_DATA = ("_16bit.png",)
"""Ends of the names of pictures that are data rather than to look at."""
STATUS_COLOURS: Mapping[str, str] = {
    "done": "success", "running": "accent", "failed": "error", "cancelled": "warning", "interrupted": "warning",
    "pending": "text-muted",
}  # fmt: skip


@dataclass(frozen=True)
class Listed:
    """A run in the list. What is only wanted of those that are seen is found out when it is asked for."""

    run: Run

    @cached_property
    def swept(self) -> str:
        """Of a run of a sweep the cell and its value, `temps.1 = 3.0`."""
        return swept_words(self.run.record)

    @cached_property
    def picture(self) -> Path | None:
        """Of its last target that has one."""
        return last_picture(self.run)

    @cached_property
    def text(self) -> str:
        """What words are looked for in, in small letters."""
        targets = (row.target for row in self.run.record.rows)
        return "\n".join((*said(self.run), status_word(self.run.record.status), self.swept, *targets)).lower()

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """What it makes, one after the other, as people call it."""
        return targets(self.run)

    def fits(self, words: list[str]) -> bool:
        return all(word.lower() in self.text for word in words)


def last_picture(run: Run) -> Path | None:
    """The newest picture of the first sample that has any."""
    folder = run.folder / "samples"
    found = _last_picture(folder / "000")  # there may be thousands of them
    if found is not None:
        return found
    with contextlib.suppress(OSError):
        others = sorted(folder.iterdir(), key=lambda each: (len(each.name), each.name))
        return next((found for each in others if (found := _last_picture(each)) is not None), None)
    return None


def _last_picture(folder: Path) -> Path | None:
    try:
        pictures = [path for path in folder.glob("*.png") if not path.name.endswith(_DATA)]
    except OSError:
        return None
    return max(pictures, key=lambda path: (path.name[:2], path.name), default=None)


def is_label_map(path: Path) -> bool:
    return "semseg" in path.name


def when(run: Run, now: object) -> str:
    began = moment(run.record.created)
    return "–" if began is None else ago(began, now)  # type: ignore[arg-type]


def targets(run: Run) -> tuple[str, ...]:
    """What it makes, one after the other, as people call it."""
    names = [row.target for row in run.record.rows]
    if not names and (schedule := schedule_of(run.record)) is not None:
        names = [row.target for _, _, row in schedule.rows()]
    return tuple(MODALITIES[name].title if name in MODALITIES else printable(name, 30) for name in names)


def model(run: Run) -> str:
    found = run.record.models.get("model")
    return printable(found.name, 60).rpartition("/")[2] if found else "no model"


def facts(run: Run) -> Iterator[tuple[str, str]]:
    """What there is to know about a run: a heading and a line each."""
    record = run.record
    yield "status", f"{status_word(record.status)}  {lasting(record.seconds)}"
    began = moment(record.created)
    if began is not None:
        yield "begun", f"{began:%Y-%m-%d %H:%M:%S}"
    options = [str(record.options[name]) for name in ("dtype", "device") if record.options.get(name)]
    yield "model", "  ".join((model(run), *(printable(each, 20) for each in options)))
    seeds, count = [str(sample.seed) for sample in record.samples[:3]], len(record.samples)
    yield "seed", ", ".join(seeds) + (f" and {count - 3} more" if count > 3 else "")
    if record.parent:
        yield "parent", f"{printable(record.parent.run)} from row {record.parent.row}"
    for condition in record.conditions:
        text = condition.text if condition.text is not None else (condition.path or "")
        mask = " and a mask" if condition.mask else ""
        yield printable(condition.name, 24), printable(" ".join(text.split()), 400) + mask
    if record.error:
        yield "error", printable(" ".join(record.error.split()), 600)


def differs_from(run: Run, schedule: Schedule, given: Mapping[str, Given]) -> list[Pair] | None:
    """In what a run differs from what is edited, the run's values first; None if its settings cannot be read."""
    own = schedule_of(run.record)
    if own is None:
        return None
    pairs = schedules_differ(own, schedule)
    theirs = {each.name: each.text if each.text is not None else each.path for each in run.record.conditions}
    mine = {
        name: each.text if each.text is not None else str(each.path.absolute()) if each.path else None
        for name, each in given.items()
    }
    return [
        *(
            Pair("conditions", name, theirs.get(name), mine.get(name), False)
            for name in dict.fromkeys([*theirs, *mine])
            if theirs.get(name) != mine.get(name)
        ),
        *pairs,
    ]


def where_it_differs(pair: Pair) -> str:
    """The cell of a difference in a word: `temps.2`, `caption`."""
    row = pair.group.removeprefix("row ").partition(":")[0] if pair.group.startswith("row ") else ""
    return f"{pair.what}.{row}" if row.isdecimal() else pair.what


def in_one_line(run: Run) -> str:
    """What it was given."""
    return given_words(run)
