"""One process of a bulk run: reads its chunks, generates them, hands them to be saved."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fourm_tui.batch.ahead import Ahead, Loaded
from fourm_tui.batch.begin import Bulk
from fourm_tui.batch.collect import Collected
from fourm_tui.batch.manifest import Line, Part, items_to_do
from fourm_tui.batch.progress import Gauge
from fourm_tui.batch.saving import Made, Saver, Where
from fourm_tui.batch.work import Item, Work
from fourm_tui.conditions.condition import Condition
from fourm_tui.engine.job import Job, Models
from fourm_tui.engine.run import run
from fourm_tui.errors import InputError
from fourm_tui.events import Note, RunCancelled, StepDone
from fourm_tui.runs import effective_seed

_SENTINEL = re.compile(r"\[S_\d+\]")


class StoppedError(Exception):
    """The user asked to stop."""


@dataclass
class Waits:
    """How long the device had nothing to do, in seconds."""

    reading: float = 0.0
    saving: float = 0.0
    working: float = 0.0
    """All the time from the first chunk to the last, waits included."""


@dataclass(eq=False)
class RankRun:
    """What one rank does.

    Args:
        bulk, work: the whole run.
        models: loaded.
        where: items go.
        gauge: what this rank says about itself.
        stop: asked before every step.
        strict: a sample that cannot be used ends the run.
        note: for what the user should know.
        watch: called with each item that is made, before it is saved.
    """

    bulk: Bulk
    work: Work
    models: Models
    where: Where
    gauge: Gauge
    stop: Callable[[], bool] = lambda: False
    strict: bool = False
    note: Callable[[str], None] = lambda text: None
    watch: Callable[[Sequence[Made]], None] = lambda made: None
    waits: Waits = field(default_factory=Waits)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _began: float = 0.0
    _handed: int = 0
    """Items that are generated and not saved yet."""

    def run(self, chunks: Sequence[int], lines: Mapping[Item, Line]) -> None:
        """Makes chunks.

        Args:
            chunks: their numbers.
            lines: of items that are there already.

        Raises:
            StoppedError: `stop` said so; what is finished is saved.
            FourmError: a file cannot be written, or, if strict, a sample cannot be used.
        """
        ahead = Ahead(self.bulk.dataset, dict(self.bulk.extra), self.bulk.data.num_workers)
        part = Part(self.where.folder, self.where.rank)
        saver = Saver(self.where, part, max(1, self.bulk.data.num_workers), self._saved)
        self._began = time.monotonic()
        self._tell(state="generating")
        try:
            for loaded in ahead.chunks(chunks, lambda number: items_to_do(self.work.chunk(number), lines)):
                if self.stop():
                    raise StoppedError
                started = time.monotonic()
                made, skipped = self._chunk(loaded)
                if not (made or loaded.broken or lines or self.gauge.now.done or self._handed):
                    raise InputError(skipped[0].skipped or "")  # nothing is wrong with the first samples, but with all
                self.watch(made)
                with self._lock:
                    self._handed += len(loaded.items)
                saver.save(made, skipped, time.monotonic() - started)
            self._tell(state="saving")
        finally:
            ahead.close()
            saver.close()
            part.close()
            self.waits = Waits(ahead.waited, saver.waited, time.monotonic() - self._began)
        self._tell(state="done", under_way=0.0)

    def _chunk(self, loaded: Loaded) -> tuple[list[Made], list[Line]]:
        made: list[Made] = []
        skipped = [self._skipped(item, loaded.broken[item.sample]) for item in loaded.items
                   if item.sample in loaded.broken]  # fmt: skip
        for group in groups(loaded):
            for result in self._group(group, loaded, len(made)):
                if isinstance(result, Made):
                    made.append(result)
                else:
                    skipped.append(result)
        return made, skipped

    def _group(self, items: Sequence[Item], loaded: Loaded, before: int) -> Iterator[Made | Line]:
        """Generates items together; where one of them is not fit for it, each by itself."""
        try:
            yield from self._together(items, loaded, before)
        except InputError as error:
            if len(items) > 1:
                for item in items:
                    yield from self._group([item], loaded, before)
            else:
                yield self._skipped(items[0], str(error))

    def _together(self, items: Sequence[Item], loaded: Loaded, before: int) -> list[Made]:
        seeds = [effective_seed(self.bulk.seed, item.sample, item.variation) for item in items]
        conditions = [loaded.conditions[item.sample] for item in items]
        collected = Collected(seeds, self.models.tokenizers is not None)
        schedule = self.bulk.inputs.editor.schedule
        job = Job(schedule, conditions, seeds, self.where.folder.name, together=len(items))
        for event in run(self.models, job, collected, self.stop):
            if isinstance(event, RunCancelled):
                raise StoppedError
            if isinstance(event, Note) and event.warning:
                self.note(event.message)
            if isinstance(event, StepDone):
                share = before + len(items) * (event.total_step + 1) / event.total_steps
                self._tell(at_once=False, under_way=self._handed + share)
        return [
            Made(item, self.bulk.dataset.name(item.sample), seed, given, collected.found.get(place, []))
            for place, (item, seed, given) in enumerate(zip(items, seeds, conditions, strict=True))
        ]

    def _skipped(self, item: Item, why: str) -> Line:
        name = self.bulk.dataset.name(item.sample)
        if self.strict:
            raise InputError(f"sample {item.sample} ({name}): {why}")
        self.note(f"sample {item.sample} ({name}) is left out: {why}")
        seed = effective_seed(self.bulk.seed, item.sample, item.variation)
        return Line(item.sample, item.variation, seed, name, rank=self.where.rank, skipped=why)

    def _saved(self, lines: Sequence[Line]) -> None:
        skipped = sum(line.skipped is not None for line in lines)
        with self._lock:
            self._handed -= len(lines)
        now = self.gauge.now
        self._tell(done=now.done + len(lines) - skipped, skipped=now.skipped + skipped)

    def _tell(self, at_once: bool = True, **changes: Any) -> None:
        """From the thread that generates and the one that saves."""
        with self._lock:
            self.gauge.tell(at_once, working=time.monotonic() - self._began, **changes)


def groups(loaded: Loaded) -> list[list[Item]]:
    """The items of a chunk that can be generated together: same conditions, as much given of each, same sentinels."""
    found: dict[tuple[object, ...], list[Item]] = {}
    for item in loaded.items:
        conditions = loaded.conditions.get(item.sample)
        if conditions is not None:
            found.setdefault(tuple(map(_kind, conditions.values())), []).append(item)
    return list(found.values())


def _kind(condition: Condition) -> tuple[object, ...]:
    known = condition.known
    return (
        condition.name,
        None if known is None else int(known.sum()),
        tuple(_SENTINEL.findall(condition.text or "")),
    )
