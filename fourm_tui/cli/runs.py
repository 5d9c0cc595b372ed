"""`fourm-tui runs`: the runs there are; `--compare` two of them; `--prune` old ones."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from rich.text import Text

from fourm_tui.chain.times import lasting
from fourm_tui.cli.console import make_console
from fourm_tui.cli.runs_view import Cell, show_problems, show_runs
from fourm_tui.cli.runs_which import STATUS_STYLES, chosen, parse_statuses
from fourm_tui.errors import InputError, printable
from fourm_tui.runs import Listing, Run, list_runs

SCHEMA = 1
RUNS = Path("runs")
_LIMIT = 20
_ONLY_WITH = {"all": "compare", "keep": "prune", "older": "prune", "yes": "prune"}


def main(options: argparse.Namespace) -> int:
    folder = Path(options.runs).expanduser() if options.runs else RUNS
    for name, command in _ONLY_WITH.items():
        if getattr(options, name) not in (None, False) and not getattr(options, command):
            raise InputError(f"--{name} goes with --{command} only")
    if options.compare:
        if options.words or options.status or options.prune or options.limit is not None:
            raise InputError("--compare takes two runs and nothing that narrows a list")
        from fourm_tui.cli.runs_compare import compare

        a, b = options.compare
        return compare(a, b, folder, everything=options.all, as_json=options.json)
    if options.prune:
        from fourm_tui.cli.runs_prune import prune

        return prune(options, folder)
    return _list(options, folder)


def _list(options: argparse.Namespace, folder: Path) -> int:
    limit = _LIMIT if options.limit is None else options.limit
    if limit < 0:
        raise InputError(f"--limit {limit}: is to be a number from 1 on, or 0 for all")
    statuses = parse_statuses(options.status)
    narrowed = bool(options.words or statuses)
    listing = list_runs(folder, None if narrowed or limit == 0 else limit)
    found = list(chosen(listing.runs, options.words, statuses))
    runs = found[:limit] if limit else found
    if options.json:
        print(json.dumps(_as_data(folder, runs, listing), indent=1))
        return 0
    console = make_console()
    show_runs(console, folder, runs, _COLUMNS)
    show_problems(console, listing.problems)
    if not runs:
        console.print(Text(_none(folder, narrowed, listing)))
    elif narrowed and len(runs) < len(found):
        console.print(Text(f"{len(runs)} of {len(found)} that fit; --limit 0 shows all", "dim"))
    return 0


def _none(folder: Path, narrowed: bool, listing: Listing) -> str:
    where = printable(folder)
    if narrowed and listing.runs:
        return f"{where}: no run fits"
    if not folder.is_dir():
        return f"{where}: there is no such folder, so no runs; fourm-tui run makes one, --runs names another"
    return f"{where}: there are no runs that can be read" if listing.problems else f"{where}: there are no runs yet"


def _status(run: Run) -> Text:
    return Text(run.record.status, STATUS_STYLES[run.record.status])


def _rows(run: Run) -> Text:
    rows = run.record.rows
    return Text(f"{sum(row.state == 'done' for row in rows)}/{len(rows)}" if rows else "–")


_COLUMNS: dict[str, Cell] = {
    "status": _status,
    "rows": _rows,
    "samples": lambda run: Text(str(len(run.record.samples))),
    "time": lambda run: Text(lasting(run.record.seconds)),
}


def _as_data(folder: Path, runs: list[Run], listing: Listing) -> dict[str, Any]:
    return {"schema": SCHEMA, "folder": str(folder.absolute()), "runs": [run_data(run) for run in runs],
            "problems": list(listing.problems)}  # fmt: skip


def run_data(run: Run) -> dict[str, Any]:
    """A run in `--json`."""
    record = run.record
    return {
        "name": run.folder.name,
        "folder": str(run.folder.absolute()),
        "created": record.created,
        "chain": record.chain,
        "status": record.status,
        "error": record.error,
        "rows_done": sum(row.state == "done" for row in record.rows),
        "rows": [row.target for row in record.rows],
        "samples": len(record.samples),
        "seconds": record.seconds,
        "conditions": {condition.name: condition.text or condition.path for condition in record.conditions},
        "models": {role: model.name for role, model in record.models.items()},
        "parent": record.parent.run if record.parent else None,
    }
