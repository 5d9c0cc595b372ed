"""A bulk run from its first look at the folder to its manifest, on every rank."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from fourm_tui.batch.begin import Bulk, begin
from fourm_tui.batch.estimate import items_at_once
from fourm_tui.batch.launch import Group, Rank
from fourm_tui.batch.manifest import Line, items_to_do, left_to_do, read_lines, write_manifest
from fourm_tui.batch.progress import Gauge, Monitor, forget_ranks
from fourm_tui.batch.rank import RankRun, StoppedError, Waits
from fourm_tui.batch.saving import Where
from fourm_tui.batch.scores import Scores
from fourm_tui.batch.work import Item, Work, share
from fourm_tui.chain.check import Check
from fourm_tui.engine.job import Progress
from fourm_tui.engine.keep import facts_of, kind_of
from fourm_tui.engine.loading import choose_device, load_models, use_cores
from fourm_tui.engine.memory import free_bytes
from fourm_tui.events import BatchProgress, Event, EventLog, Note, RunCancelled, RunDone, RunFailed, RunStarted
from fourm_tui.metrics.networks import load_networks
from fourm_tui.metrics.wanted import Wanted, measured
from fourm_tui.runs import RowRecord, Run, open_run


@dataclass(frozen=True)
class Wishes:
    """How a bulk run is to be done; of which only the number type changes what comes out."""

    out: Path
    batch: int | None = None
    """Items at once; None: as memory allows."""
    device: str | None = None
    strict: bool = False
    dtype: str | None = None
    plots: int | None = 0
    """Samples of which a sheet is drawn; None: all."""
    metrics: Wanted | None = None
    """Figures that are computed."""
    metric_weights: Path | None = None
    """Folder of their networks; None: where they are kept."""


@dataclass(frozen=True)
class Ended:
    """How a bulk run went."""

    run: Run
    work: Work
    lines: dict[Item, Line]
    """Of all items, earlier ones included; of the first rank only."""
    waits: Waits
    """Of this rank."""
    figures: dict[str, dict[str, float]] = field(default_factory=dict)
    """By target; of the first rank only."""
    cancelled: bool = False


def run_bulk(
    bulk: Bulk,
    check: Check,
    wishes: Wishes,
    rank: Rank,
    stop: Callable[[], bool] = lambda: False,
    tell: Callable[[BatchProgress], None] = lambda progress: None,
    note: Callable[[str], None] = lambda text: None,
) -> Ended:
    """Generates what is left to do of a bulk run.

    Args:
        bulk: the run.
        check: of its chain, without problems.
        wishes: how.
        rank: which process this is; each of them calls this.
        stop: asked before every step.
        tell: called by the first rank with the sum of all, about once a second.
        note: for what the user should know.

    Raises:
        FourmError: something is missing, does not fit, or cannot be written.
    """
    device = choose_device(wishes.device or rank.device)
    use_cores(ranks=rank.local_world)
    folder = wishes.out / bulk.name
    with ExitStack() as stack:
        group = Group(rank, device)
        stack.callback(group.close)
        log, batch, todo = None, 0, []
        if rank.is_first:
            made, batch = begin(bulk, wishes.out, wishes.batch, lambda: _fitting(check, device, rank))
            log = stack.enter_context(EventLog(made.events))  # keeps others off the folder meanwhile
            forget_ranks(folder)
            todo = left_to_do(bulk.work(batch), read_lines(folder))
        batch, count = group.from_first([batch, len(todo)], 2)
        todo = group.from_first(todo, count)
        start = _Start(open_run(folder), bulk.work(batch), read_lines(folder), share(todo, rank.rank, rank.world))
        story = _Story(start.run, log, tell, note)
        story.begins(check, device, resumed=bool(start.lines))
        waits = Waits()
        monitor = scores = None
        try:
            gauge = Gauge(folder, rank.rank, start.items, str(device))
            _all_here(group, stop)  # nobody writes lines before all have read them
            if rank.is_first:
                monitor = Monitor(folder, rank.world, start.made, len(start.work), story.progress)
                stack.callback(monitor.close)
            if wishes.metrics:
                scores = _scores(bulk, wishes, wishes.metrics, folder, device)
            if todo:
                waits = _make(bulk, wishes, start, gauge, rank, group, stop, story.note, scores)
            gauge.tell(state="done")
            if monitor is not None:
                monitor.wait(stop)
            _all_here(group, stop)
        except StoppedError:
            story.was_cancelled()
            return Ended(start.run, start.work, read_lines(folder), waits, cancelled=True)
        except BaseException as error:
            story.failed(error)
            raise
        lines = read_lines(folder)
        if rank.is_first:
            write_manifest(folder, start.work, lines)
        if monitor is not None:
            monitor.close()  # its last word comes before the run's
        figures = scores.compute() if scores is not None and rank.is_first else {}
        story.is_done()
        return Ended(start.run, start.work, lines, waits, figures)


@dataclass(frozen=True)
class _Start:
    """What a rank knows when it begins."""

    run: Run
    work: Work
    lines: dict[Item, Line]
    """Of items from before."""
    chunks: list[int]
    """That this rank has to make."""

    @property
    def items(self) -> int:
        """That this rank has to make."""
        return sum(len(items_to_do(self.work.chunk(number), self.lines)) for number in self.chunks)

    @property
    def made(self) -> int:
        """Items that are not to be made again."""
        left = {item for number in left_to_do(self.work, self.lines) for item in
                items_to_do(self.work.chunk(number), self.lines)}  # fmt: skip
        return len(self.work) - len(left)


def _make(
    bulk: Bulk, wishes: Wishes, start: _Start, gauge: Gauge, rank: Rank, group: Group, stop: Callable[[], bool],
    note: Callable[[str], None], scores: Scores | None,
) -> Waits:  # fmt: skip
    """Loads the models and makes this rank's chunks."""

    def told(what: str, fraction: float) -> None:
        if stop():
            raise StoppedError

    if rank.local_rank > 0:
        _all_here(group, stop)  # what has to be downloaded is downloaded once a machine
    schedule = bulk.inputs.editor.schedule
    models = load_models(
        bulk.inputs.models, schedule, group.device, wishes.dtype or bulk.inputs.models.dtype, bulk.inputs.base, told
    )
    if rank.local_rank == 0:
        _all_here(group, stop)
    modalities = dict(models.model.architecture.modalities)
    if models.sr_model is not None:
        modalities = {**models.sr_model.architecture.modalities, **modalities}
    plots = bulk.samples if wishes.plots is None else bulk.samples[: wishes.plots]
    where = Where(start.run.folder, modalities, facts_of(start.run), frozenset(plots), rank.rank)
    worker = RankRun(bulk, start.work, models, where, gauge, stop, wishes.strict, note)
    if scores is not None:
        worker.watch = scores.add
    worker.run(start.chunks, start.lines)
    return worker.waits


def _all_here(group: Group, stop: Callable[[], bool]) -> None:
    if not group.wait(stop) or stop():
        raise StoppedError


def _scores(bulk: Bulk, wishes: Wishes, wanted: Wanted, folder: Path, device: torch.device) -> Scores:
    networks = load_networks(wanted, device, wishes.metric_weights)
    targets, size = measured(bulk.inputs.editor.schedule), bulk.data.image_size_metrics
    return Scores(wanted, targets, networks, size, folder, bulk.dataset, bulk.variations)


def _fitting(check: Check, device: torch.device, rank: Rank) -> int:
    """How many items at once fit into what is free, shared with the ranks on the same device."""
    on_cpu = device.type != "cuda"
    sharing = rank.local_world if on_cpu else -(-rank.local_world // max(1, torch.cuda.device_count()))
    return items_at_once(check, free_bytes(device) // sharing, on_cpu)


class _Story:
    """The first rank's log and record of the run; the other ranks have none.

    Args:
        run: as it is when it begins.
        log: None: of another rank.
    """

    def __init__(
        self, run: Run, log: EventLog | None, tell: Callable[[BatchProgress], None], note: Callable[[str], None]
    ) -> None:
        self._run, self._log, self._tell, self._note = run, log, tell, note
        self._began = time.monotonic() - (run.record.seconds or 0)

    def begins(self, check: Check, device: torch.device, resumed: bool) -> None:
        if self._log is None or check.plan is None:
            return
        rows = Progress.of(check.plan).rows
        self._log.append(RunStarted(self._run.name, rows, (), resumed, str(device), check.dtype))
        self._run = self._run.save(status="running", rows=tuple(RowRecord(**vars(row)) for row in rows), error=None)

    def progress(self, progress: BatchProgress) -> None:
        if self._log is not None:
            self._tell(self._log.append(progress))

    def note(self, text: str) -> None:
        if self._log is not None:
            self._log.append(Note(text, True))
        self._note(text)

    def was_cancelled(self) -> None:
        self._end(RunCancelled(), status="cancelled")

    def failed(self, error: BaseException) -> None:
        text = str(error) or type(error).__name__
        self._end(RunFailed(text, kind_of(error)), status="failed", error=text)

    def is_done(self) -> None:
        self._end(RunDone(time.monotonic() - self._began), status="done")

    def _end(self, event: Event, **changes: Any) -> None:
        if self._log is not None:
            self._log.append(event)
            self._run = self._run.save(seconds=time.monotonic() - self._began, **changes)
