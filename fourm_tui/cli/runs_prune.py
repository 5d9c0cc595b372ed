"""`fourm-tui runs --prune`: what would be removed, and after a `yes` its removal."""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.text import Text

from fourm_tui.chain.times import moment
from fourm_tui.cli.console import make_console
from fourm_tui.cli.runs import SCHEMA, run_data
from fourm_tui.cli.runs_view import show_problems, show_runs
from fourm_tui.cli.runs_which import STATUS_STYLES, chosen, parse_statuses
from fourm_tui.errors import FourmError, InputError, printable
from fourm_tui.hub import size_text
from fourm_tui.runs import Listing, Run, list_runs
from fourm_tui.runs.removal import is_running, remove_remainders, remove_run

CANCELLED = 130


@dataclass(frozen=True)
class Removal:
    """A run that is to be removed."""

    run: Run
    bytes: int
    children: tuple[str, ...]
    """Names of the runs that branched off it and are kept."""

    @property
    def is_done(self) -> bool:
        return not self.run.folder.exists()


def prune(options: argparse.Namespace, folder: Path) -> int:
    if options.limit is not None:
        raise InputError("--limit is for the list; --keep N says how many --prune leaves")
    listing = list_runs(folder)
    removals = plan(listing, options, datetime.now().astimezone())
    problems: list[str] = []
    if options.json:
        if options.yes:
            problems = _remove(removals, folder)
        print(json.dumps(_as_data(removals, folder, [*listing.problems, *problems]), indent=1))
        return 1 if problems else 0
    console = make_console()
    by_folder = {removal.run.folder: removal for removal in removals}
    columns = {
        "status": lambda run: Text(run.record.status, STATUS_STYLES[run.record.status]),
        "size": lambda run: Text(size_text(by_folder[run.folder].bytes)),
    }
    runs = [removal.run for removal in removals]
    show_runs(console, folder, runs, columns, lambda run: _warning(by_folder[run.folder]))
    show_problems(console, listing.problems)
    if not removals:
        console.print(Text(f"{printable(folder)}: nothing to remove"))
        return 0
    total, left = sum(removal.bytes for removal in removals), len(listing.runs) - len(removals)
    console.print(Text(f"{_count(len(removals))} with {size_text(total)}; {_count(left)} would be left", "bold"))
    if not options.yes and not _is_wanted():
        console.print(Text("nothing was removed", "yellow"))
        return CANCELLED
    problems = _remove(removals, folder)
    gone = [removal for removal in removals if removal.is_done]
    freed = sum(removal.bytes for removal in gone)
    console.print(Text(f"removed {_count(len(gone))}, {size_text(freed)} freed", "green"))
    if problems:
        raise FourmError("\n".join(problems))
    return 0


def _as_data(removals: Sequence[Removal], folder: Path, problems: Sequence[str]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "folder": str(folder.absolute()),
        "bytes": sum(removal.bytes for removal in removals),
        "runs": [
            {
                **run_data(removal.run),
                "bytes": removal.bytes,
                "children": list(removal.children),
                "removed": removal.is_done,
            }
            for removal in removals
        ],
        "problems": list(problems),
    }


def plan(listing: Listing, options: argparse.Namespace, now: datetime) -> list[Removal]:
    """What the options mean to have removed, the newest first.

    Raises:
        InputError: an option is wrong, or none says what is meant.
    """
    statuses, keep, older = parse_statuses(options.status), options.keep, options.older
    if keep is not None and keep < 0:
        raise InputError(f"--keep {keep}: is to be a number of runs from 0 on")
    if older is not None and not (math.isfinite(older) and 0 <= older < 36500):
        raise InputError(f"--older {older}: is to be a number of days from 0 on")
    if keep is None and older is None and not statuses and not options.words:
        raise InputError(
            "--prune: say which runs: --keep N (the newest stay), --older DAYS, --status failed,cancelled, or words"
        )
    gone = [
        run
        for run in chosen(listing.runs[keep or 0 :], options.words, statuses)
        # What waits for its turn is no rubbish, unless it is asked for.
        if not is_running(run) and (run.record.status != "pending" or "pending" in statuses)
        if older is None or _began_before(run, now - timedelta(days=older))
    ]
    folders = {run.folder for run in gone}
    kept = [run for run in listing.runs if run.folder not in folders]
    return [Removal(run, _bytes(run.folder), tuple(_children(run, kept))) for run in gone]


def _children(parent: Run, runs: Sequence[Run]) -> Iterator[str]:
    for run in runs:
        if run.record.parent and run.record.parent.run == parent.name:
            yield run.folder.name


def _began_before(run: Run, limit: datetime) -> bool:
    began = moment(run.record.created)
    return began is not None and began < limit


def _warning(removal: Removal) -> Sequence[Text]:
    if not removal.children:
        return ()
    names = ", ".join(printable(name) for name in removal.children)
    return (Text(f"  ! parent of {names}, which is kept and has its own copies of the rows it took over", "yellow"),)


def _is_wanted() -> bool:
    try:
        return input("type yes to remove: ").strip().lower() == "yes"
    except (EOFError, RuntimeError):  # the end of the input, or none at all
        print()
        return False


def _count(number: int) -> str:
    return f"{number} run{'s' * (number != 1)}"


def _bytes(folder: Path) -> int:
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                total += (Path(place) / name).lstat().st_size
    return total


def _remove(removals: Sequence[Removal], folder: Path) -> list[str]:
    """Removes runs one after the other; what kept it from removing some of them."""
    problems = [problem for removal in removals if (problem := remove_run(removal.run.folder))]
    remove_remainders(folder)
    return problems
