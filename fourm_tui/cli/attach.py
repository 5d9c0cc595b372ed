"""`fourm-tui attach [RUN]`: a run followed from any terminal, from its beginning, then live."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterable
from pathlib import Path

from fourm_tui.cli.following import CANCELLED, followed, given_panel, left, show_events
from fourm_tui.conditions.loading import load_conditions
from fourm_tui.engine.client import Engine, NoEngineError
from fourm_tui.engine.jobs import read_jobs
from fourm_tui.errors import FourmError
from fourm_tui.events import BatchProgress, Event, Note, RunCancelled
from fourm_tui.runs import LATEST, Run, find_run, is_bulk, open_run
from fourm_tui.terminal.panels import Panel


def main(options: argparse.Namespace) -> int:
    folder = _which(options.run, Path(options.runs))
    engine: Engine | None = None
    with contextlib.suppress(NoEngineError):
        engine = Engine.find()
    try:
        events = followed(engine, folder)
        if is_bulk(folder.record):
            return _show_bulk(events, folder, options.json)
        panels = [] if options.json else _given(folder)
        return show_events(events, folder, panels, json_lines=options.json, preview=options.preview)
    except KeyboardInterrupt:
        return left(folder)
    finally:
        if engine is not None:
            engine.close()


def _show_bulk(events: Iterable[Event], folder: Run, json_lines: bool) -> int:
    from fourm_tui.cli.batch_view import View

    cancelled = False
    with View(quiet=False, json_lines=json_lines, out=folder.folder) as view:
        for event in events:
            if isinstance(event, BatchProgress):
                view.tell(event)
            elif isinstance(event, Note):
                view.note(event.message, 0)
            cancelled = isinstance(event, RunCancelled)
    return CANCELLED if cancelled else 0


def _which(name: str | None, runs: Path) -> Run:
    """The run named; without a name the one that runs, else the newest."""
    jobs = read_jobs()
    if name is None:
        running = [job for job in jobs if job.status in ("running", "paused")]
        if running:
            return open_run(Path(running[0].run))
    for job in reversed(jobs):
        if name in (job.id, job.run, Path(job.run).name):
            return open_run(Path(job.run))
    return open_run(find_run(name or LATEST, runs))


def _given(folder: Run) -> list[Panel]:
    """The conditions as panels; nothing if a file of them is not there any more."""
    from fourm_tui.engine.asked import Asked

    try:
        return [given_panel(condition) for condition in load_conditions(Asked.of(folder.record).given).values()]
    except FourmError:
        return []
