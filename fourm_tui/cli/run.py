"""`fourm-tui run`: one generation, with progress, kept in a run folder."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from itertools import chain
from pathlib import Path
from typing import Any

from fourm_tui.cli.branch import branched, inputs_of
from fourm_tui.cli.console import make_console
from fourm_tui.cli.following import Stop, followed, given_panel, show_events
from fourm_tui.cli.inputs import read_inputs
from fourm_tui.cli.run_record import record_of
from fourm_tui.conditions.loading import load_conditions
from fourm_tui.engine.asked import check_models
from fourm_tui.errors import InputError, printable
from fourm_tui.runs import Run, copy_rows, create_run, effective_seed, find_run, open_run
from fourm_tui.schedule.rows import Schedule
from fourm_tui.schedule.validation import validate
from fourm_tui.terminal.panels import Panel

RUNS = Path("runs")


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
    if parent is None and options.branch:
        parent = open_run(find_run(options.branch, _out(options)))
    inputs = read_inputs(options) if parent is None else inputs_of(parent, options)
    schedule = inputs.editor.schedule
    conditions = load_conditions(inputs.given, inputs.modalities)
    given = {name: condition.complete for name, condition in conditions.items()}
    findings = validate(schedule, inputs.architecture("model"), inputs.architecture("sr_model"), given)
    if findings.problems:
        raise InputError("\n".join(str(problem) for problem in findings.problems))
    check_models(inputs.models, schedule)
    _check_device(options.device)
    _check_dense(options.sam_dense or 0, schedule)
    for note in inputs.models.notes:
        print(f"fourm-tui: {note}", file=sys.stderr)
    if parent is not None and options.seed is None and options.num_variations is None:
        seeds = tuple(sample.seed for sample in parent.record.samples)
    else:
        seed = _whole(_first(options.seed, schedule.settings.get("seed")), 0, 0, "seed")
        variations = _first(options.num_variations, schedule.settings.get("num_variations"))
        seeds = tuple(effective_seed(seed, 0, i) for i in range(_whole(variations, 1, 1, "num_variations")))
    record = record_of(inputs, options, seeds)
    if parent is not None:
        record = branched(record, parent, schedule, options.row)
    folder = create_run(_out(options), record)
    if parent is not None:
        copy_rows(parent, folder)
    return folder, [given_panel(condition) for condition in conditions.values()]


def go(folder: Run, panels: list[Panel], options: argparse.Namespace, stop: Stop) -> int:
    """Runs a folder, by the engine or in this process, and shows it; an exit code."""
    if options.no_engine or os.environ.get("FOURM_NO_ENGINE"):
        return _inside(folder, panels, options, stop)
    return _by_engine(folder, panels, options, stop)


def _out(options: argparse.Namespace) -> Path:
    return Path(options.out) if options.out else RUNS


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
        return show_events(events, folder, panels, json_lines=options.json, preview=options.preview)


def _inside(folder: Run, panels: list[Panel], options: argparse.Namespace, stop: Stop) -> int:
    """Runs it in this process."""
    from fourm_tui.cli.run_view import LoadingBars
    from fourm_tui.engine.execute import execute
    from fourm_tui.engine.store import ModelStore

    if options.detach:
        raise InputError("--detach needs the engine; leave --no-engine out")
    with LoadingBars(quiet=options.json) as bars:
        events = execute(folder, ModelStore(), stop.asked, options.device, bars.update)
        first = next(events)  # what comes before is loading
        bars.close()
        return show_events(chain([first], events), folder, panels, json_lines=options.json, preview=options.preview)


def _check_device(name: str | None) -> None:
    if name is not None and not re.fullmatch(r"(cpu|mps|cuda(:\d{1,3})?)(,cuda:\d{1,3})*", name):
        raise InputError(f"--device {printable(name, 40)}: is to be cpu, mps, cuda, cuda:1, or cuda:0,cuda:1")


def _check_dense(passes: int, schedule: Schedule) -> None:
    targets = [row.target for _, _, row in schedule.rows()]
    if passes and (not targets or targets[-1] != "sam_instance"):
        raise InputError(
            "dense SAM instances are too many tokens to be a condition of later rows: make sam_instance the last row"
            if "sam_instance" in targets
            else "dense SAM instances need a row with the target sam_instance"
        )


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _whole(value: Any, default: int, least: int, name: str) -> int:
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InputError(f"{name}: {printable(value, 40)} is no whole number from {least} on")
    return value
