"""`fourm-tui queue`: the runs that wait, run and have ended; pausing, moving, cancelling, retrying."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from fourm_tui.cli.console import make_console
from fourm_tui.engine.client import Engine, NoEngineError
from fourm_tui.engine.jobs import OPEN, QueuedJob, read_jobs
from fourm_tui.errors import FourmError, InputError, printable
from fourm_tui.runs import Run, find_run, open_run

_STYLES = {"running": "green", "waiting": "cyan", "paused": "yellow", "failed": "red", "interrupted": "yellow"}
_SHOWN = 15  # that have ended
_MOVES = {"up": -1, "down": 1, "first": -(10**6), "last": 10**6}


def main(options: argparse.Namespace) -> int:
    if options.action is None:
        jobs = read_jobs()
        if options.json:
            print(json.dumps([asdict(job) for job in jobs], indent=1))
        else:
            _show(jobs)
        return 0
    if options.action == "retry":
        return _retry(options.names)
    try:
        engine = Engine.find()
    except NoEngineError:
        # Whatever waits runs as soon as there is an engine again.
        engine = Engine.start()
    with engine:
        return _steer(engine, options)


def _steer(engine: Engine, options: argparse.Namespace) -> int:
    action = options.action
    if action == "cancel" and options.others:
        jobs = engine.ask("cancel_others")
    elif not options.names:
        raise InputError(f"queue {action}: name the job, or its run")
    elif action in _MOVES:
        jobs = [engine.ask("move", job=name, places=_MOVES[action]) for name in options.names]
    elif action == "skip":
        jobs = [engine.ask("skip", job=options.names[0], sample=options.sample)]
    else:
        jobs = [engine.ask(action, job=name) for name in options.names]
    for job in jobs:
        print(f"{job['id']}  {_word(action, job)}  {printable(Path(job['run']).name, 60)}")
    return 0


def _word(action: str, job: dict[str, Any]) -> str:
    if action == "skip" and job["skip"]:
        return f"goes on without {', '.join(map(str, job['skip']))}"
    action = "cancel" if action == "skip" else action
    if action == "cancel" and job["status"] == "running":
        return "ends at its next step"
    return str(job["status"])


def _retry(names: list[str]) -> int:
    """Puts runs that ended early into the queue again; they go on after their last finished target."""
    if not names:
        raise InputError("queue retry: name the job, or its run")
    folders = [_folder(name) for name in names]
    with Engine.start() as engine:
        for folder, decode in folders:
            job = engine.ask("submit", run=str(folder.folder.resolve()), decode=list(decode))
            print(f"{job['id']}  {job['status']}  {printable(folder.name, 60)}")
    return 0


def _folder(name: str) -> tuple[Run, tuple[int, ...]]:
    """The run of a job, and which of its rows were to become pictures."""
    for job in reversed(read_jobs()):
        if name in (job.id, job.run, Path(job.run).name):
            run = open_run(Path(job.run))
            if job.decode and job.status != "done":
                return run, job.decode
            break
    else:
        run = open_run(find_run(name, Path("runs")))
    if run.record.status == "done":
        raise FourmError(f"{printable(run.name)}: is done, so there is nothing to go on with")
    return run, ()


def _show(jobs: tuple[QueuedJob, ...]) -> None:
    console = make_console()
    if not jobs:
        console.print(Text("nothing is waiting; `fourm-tui run --detach` puts runs here", "dim"))
        return
    table = Table.grid(padding=(0, 2))
    ended = [job for job in jobs if job.status not in OPEN]
    for job in (*ended[-_SHOWN:], *(job for job in jobs if job.status in OPEN)):
        style = _STYLES.get(job.status, "dim")
        table.add_row(Text(job.id, "dim"), Text(job.status, style), Text(_name(job)), _done(job))
        if job.error and job.status not in OPEN:
            table.add_row("", "", Text(printable(job.error, 300), "dim"), "")
    console.print(table)


def _name(job: QueuedJob) -> str:
    return printable(Path(job.run).name, 70) + (" (its pictures)" if job.decode else "")


def _done(job: QueuedJob) -> Text:
    """How many of its rows are finished."""
    try:
        rows = open_run(Path(job.run)).record.rows
    except FourmError:
        return Text("its folder is gone", "red")
    return Text(f"{sum(row.state == 'done' for row in rows)}/{len(rows)}" if rows else "", "dim")
