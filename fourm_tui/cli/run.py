"""`fourm-tui run`: one generation, with progress, kept in a run folder."""

from __future__ import annotations

import argparse
import json
import os
import sys
from itertools import chain
from pathlib import Path

from fourm_tui.chain.begin import RUNS, begin
from fourm_tui.cli.console import make_console
from fourm_tui.cli.following import LeftError, Stop, followed, given_panel, left, show_events
from fourm_tui.cli.inputs import inputs_for
from fourm_tui.errors import InputError
from fourm_tui.runs import Run, find_run, open_run
from fourm_tui.terminal.panels import Panel


def main(options: argparse.Namespace) -> int:
    if options.sweep:
        from fourm_tui.cli.sweep import sweep

        return sweep(options)
    folder, panels = prepared(options)
    with Stop() as stop:
        return go(folder, panels, options, stop)


def prepared(options: argparse.Namespace, parent: Run | None = None) -> tuple[Run, list[Panel]]:
    """The folder of a run that can begin, and what its conditions look like; a branch has taken its first rows over.

    Args:
        parent: that it branches off, in place of the one in the options.

    Raises:
        InputError: something does not go together; nothing has been written then.
    """
    out = Path(options.out) if options.out else RUNS
    if parent is None and options.branch:
        parent = open_run(find_run(options.branch, out))
    if parent is not None and options.decode is None:
        options.decode = parent.record.options.get("decode")
    inputs = inputs_for(options, parent)
    begun = begin(inputs, out, vars(options), parent, options.row)
    for note in begun.notes:
        print(f"fourm-tui: {note}", file=sys.stderr)
    return begun.run, [given_panel(condition) for condition in begun.conditions.values()]


def go(folder: Run, panels: list[Panel], options: argparse.Namespace, stop: Stop) -> int:
    """Runs a folder, by the engine or in this process, and shows it; an exit code."""
    if options.no_engine or os.environ.get("FOURM_NO_ENGINE"):
        return _inside(folder, panels, options, stop)
    return _by_engine(folder, panels, options, stop)


def _by_engine(folder: Run, panels: list[Panel], options: argparse.Namespace, stop: Stop) -> int:
    """Has the engine run it, and follows."""
    from fourm_tui.engine.client import Engine

    with make_console(stderr=True).status("reaching the engine"):  # on a terminal; seconds where it is to be started
        found = Engine.start()
    with found as engine:
        job = engine.ask("submit", run=str(folder.folder.resolve()), device=options.device)
        if options.detach:
            if options.json:
                print(json.dumps({"run": folder.name, "folder": str(folder.folder.resolve()), "job": job["id"]}))
            else:
                print(f"{folder.folder}\nfourm-tui attach {folder.name}")
            return 0
        events = followed(engine, folder, job["id"], stop)
        try:
            return show_events(events, folder, panels, json_lines=options.json, preview=options.preview)
        except LeftError:
            return left(folder)


def _inside(folder: Run, panels: list[Panel], options: argparse.Namespace, stop: Stop) -> int:
    """Runs it in this process."""
    from fourm_tui.cli.run_view import LoadingBars
    from fourm_tui.engine.execute import execute
    from fourm_tui.engine.loading import use_cores
    from fourm_tui.engine.store import ModelStore

    if options.detach:
        raise InputError("--detach needs the engine; leave --no-engine out")
    use_cores()
    with LoadingBars(quiet=options.json) as bars:
        events = execute(folder, ModelStore(), stop.asked, options.device, bars.update)
        first = next(events)  # what comes before is loading
        bars.close()
        return show_events(chain([first], events), folder, panels, json_lines=options.json, preview=options.preview)
