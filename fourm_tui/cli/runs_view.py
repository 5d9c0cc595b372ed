"""A list of runs on the terminal: a line of facts each, and below it what was run with what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from rich.console import Console
from rich.text import Text

from fourm_tui.chain.said import given_words
from fourm_tui.chain.times import ago, moment
from fourm_tui.cli.runs_which import beginnings
from fourm_tui.errors import InputError, printable
from fourm_tui.runs import Run

Cell: TypeAlias = Callable[[Run], Text]
_WIDE = 110
"""Columns from which whole names and times are shown."""
_GAP = "  "


def show_runs(
    console: Console, folder: Path, runs: Sequence[Run], columns: Mapping[str, Cell],
    below: Callable[[Run], Sequence[Text]] = lambda run: (),
) -> None:  # fmt: skip
    """Prints runs.

    Args:
        console: to print to.
        folder: where they lie; names are cut to what tells them from the others there.
        runs: in their order.
        columns: by heading, after name and time.
        below: further lines of a run.
    """
    if not runs:
        return
    wide, now = console.width >= _WIDE, datetime.now().astimezone()
    short = {} if wide else beginnings(_names(folder))
    names = [printable(run.folder.name if wide else short.get(run.folder.name, run.folder.name)) for run in runs]
    cells = {"when": [Text(_when(run, now, wide)) for run in runs]}
    cells |= {head: [cell(run) for run in runs] for head, cell in columns.items()}
    widths = {head: max(len(head), *(each.cell_len for each in column)) for head, column in cells.items()}
    room = console.width - sum(widths.values()) - len(_GAP) * len(widths)
    width = max([3, *(len(name) for name in names if len(name) <= room)])
    console.print(_line("run".ljust(width), [Text(head, "dim") for head in cells], widths, "dim"))
    for at, (run, name) in enumerate(zip(runs, names, strict=True)):
        if len(name) > width:  # as where several began in one second: on a line of its own
            console.print(Text(name), soft_wrap=True)
        console.print(_line((name if len(name) <= width else "").ljust(width), [c[at] for c in cells.values()], widths))
        what = Text(f"  {printable(run.record.chain, 60)}{_GAP}{given_words(run)}".rstrip(), "dim")
        _print_cut(console, what)
        if run.record.status == "failed" and run.record.error:
            _print_cut(console, Text(f"  {printable(' '.join(run.record.error.split()), 400)}", "red"))
        for line in below(run):
            console.print(line)


def show_problems(console: Console, problems: Sequence[str]) -> None:
    """A line for every folder that could not be read."""
    for problem in problems:
        console.print(Text(f"! {printable(problem, 400)}", "yellow"), soft_wrap=True)


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError as error:
        raise InputError(f"{printable(folder)}: cannot be read: {error.strerror}") from None


def _when(run: Run, now: datetime, wide: bool) -> str:
    began = moment(run.record.created)
    if began is None:
        return "–"
    relative = ago(began, now)
    return f"{began:%Y-%m-%d %H:%M}  {relative}" if wide and relative.endswith(("ago", "now")) else relative


def _line(name: str, cells: Sequence[Text], widths: Mapping[str, int], style: str = "") -> Text:
    line = Text().append(name, style or "bold")
    for cell, (head, width) in zip(cells, widths.items(), strict=True):
        pad = " " * (width - cell.cell_len)
        # Words to the left, numbers to the right.
        line = Text.assemble(line, _GAP, *((cell, pad) if head in ("when", "status") else (pad, cell)))
    line.rstrip()
    return line


def _print_cut(console: Console, text: Text) -> None:
    text.truncate(console.width, overflow="ellipsis")
    console.print(text, no_wrap=True)
