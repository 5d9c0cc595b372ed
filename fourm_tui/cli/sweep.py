"""`fourm-tui run --sweep temps.2=0.5,1,2`: a run for each value, sharing the rows before, and a sheet of them all."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.text import Text

from fourm_tui.chain.sweep import Cell, parse, rows_of, sheet_name, sheet_of
from fourm_tui.cli.console import make_console
from fourm_tui.cli.following import CANCELLED, Stop
from fourm_tui.cli.run import go, prepared
from fourm_tui.errors import FourmError, InputError, printable
from fourm_tui.pictures.png import png_bytes
from fourm_tui.runs import Run, open_run, replace_file


def sweep(options: argparse.Namespace) -> int:
    """Runs all values one after the other; one that fails leaves the others alone.

    Raises:
        InputError: the sweep cannot be read, or its first run does not go together.
    """
    key, row, values = parse(options.sweep)
    if options.detach:
        raise InputError("--detach and --sweep do not go together yet: a sweep begins with its first run")
    console = make_console(stderr=options.json)
    cells: list[Cell] = []
    first: Run | None = None
    code = 0
    with Stop() as stop:
        for value in values:
            console.print(Text(f"{key} = {value}", "bold"))
            if first is None:
                options.set = [*options.set, f"{key}={value}"]
            else:
                _only(options, key, value, row)
            try:
                folder, panels = prepared(options, first)
                folder = folder.save(swept=f"{key}={value}")
            except FourmError as error:
                if first is None:
                    raise
                cells.append(_failed(value, error, console))
                continue
            try:
                code = go(folder, panels, options, stop)
            except FourmError as error:
                cells.append(_failed(value, error, console))
            else:
                cells.append(Cell(value, open_run(folder.folder)))
            first = first or open_run(folder.folder)
            if code == CANCELLED:
                break
    assert first is not None
    for number in rows_of(row, cells):
        sheet = first.folder.parent / sheet_name(first, number)
        replace_file(sheet, png_bytes(sheet_of(key, cells, number), {"sweep": options.sweep}))
        console.print(Text(str(sheet), "bold" if number == row else "dim"))
    return code or int(any(cell.error for cell in cells))


def _only(options: argparse.Namespace, key: str, value: str, row: int) -> None:
    """Leaves nothing in the options but the value: the rest is the first run's."""
    for name in ("settings", "gen_config", "sr", "models", "seed", "num_variations", "branch"):
        setattr(options, name, None)
    options.input, options.set, options.row = [], [f"{key}={value}"], row


def _failed(value: str, error: FourmError, console: Console) -> Cell:
    console.print(Text(printable(error, 500), "red"))
    return Cell(value, None, str(error))
