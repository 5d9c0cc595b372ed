"""`fourm-tui runs --compare A B`: in what two runs differ, cell by cell."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fourm_tui.chain.compare import Pair, compared
from fourm_tui.chain.recorded import schedule_of
from fourm_tui.cli.console import make_console
from fourm_tui.errors import printable
from fourm_tui.runs import find_run, open_run

SCHEMA = 1
_NONE = "–"
_NAME = 40  # characters of what is compared


def compare(a: str, b: str, folder: Path, *, everything: bool, as_json: bool) -> int:
    runs = [open_run(find_run(name, folder)) for name in (a, b)]
    pairs = [pair for pair in compared(*runs) if everything or not pair.same]
    unreadable = [run.name for run in runs if run.record.settings and schedule_of(run.record) is None]
    if as_json:
        data = {"schema": SCHEMA, "runs": [run.name for run in runs], "pairs": [vars(pair) for pair in pairs],
                "problems": [f"{name}: its settings cannot be read" for name in unreadable]}  # fmt: skip
        print(json.dumps(data, indent=1))
        return 0
    console = make_console()
    for letter, run in zip("AB", runs, strict=True):
        console.print(Text.assemble((f"{letter}  ", "bold"), printable(run.name)), soft_wrap=True)
    for name in unreadable:
        console.print(Text(f"! {printable(name)}: its settings cannot be read, so they were not compared", "yellow"))
    if not pairs:
        console.print(Text("no difference; --all shows what was compared", "green"))
        return 0
    _show(console, pairs)
    return 0


def _show(console: Console, pairs: Sequence[Pair]) -> None:
    names = max(len(printable(pair.what, _NAME)) for pair in pairs) + 2
    widths = (names, *[max((console.width - names - 4) // 2, 10)] * 2)
    console.print(_table(widths, [(Text(), Text("A", "bold"), Text("B", "bold"))]))
    for group, inside in groupby(pairs, lambda pair: pair.group):
        console.print(Text(printable(group), "bold"))
        console.print(_table(widths, [_cells(pair) for pair in inside]))


def _table(widths: Sequence[int], rows: Sequence[Sequence[Text]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for width in widths:
        table.add_column(overflow="fold", width=width)
    for row in rows:
        table.add_row(*row)
    return table


def _cells(pair: Pair) -> tuple[Text, ...]:
    style = "dim" if pair.same else "yellow"
    values = [Text(_shown(value), "dim" if value is None else style) for value in (pair.a, pair.b)]
    return Text(f"  {printable(pair.what, _NAME)}", "dim" if pair.same else ""), *values


def _shown(value: str | None) -> str:
    if value is None:
        return _NONE
    return "\n".join(printable(line, len(line) + 1) for line in value.splitlines()) or "''"
