"""`fourm-tui run --sweep temps.2=0.5,1,2`: a run for each value, sharing the rows before, and a sheet of them all."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from PIL import Image
from rich.console import Console
from rich.text import Text

from fourm_tui.cli.console import make_console
from fourm_tui.cli.following import CANCELLED, Stop
from fourm_tui.cli.run import go, prepared
from fourm_tui.errors import FourmError, InputError, printable
from fourm_tui.modalities import MODALITIES
from fourm_tui.pictures.contact import Panel, Section, contact_sheet
from fourm_tui.pictures.png import png_bytes
from fourm_tui.runs import Run, open_run, replace_file
from fourm_tui.schedule.columns import COLUMNS


@dataclass(frozen=True)
class Cell:
    """One value of a sweep and what came of it."""

    value: str
    run: Run | None
    error: str = ""


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
    sheet = first.folder.parent / f"sweep_{first.name}.png"
    replace_file(sheet, png_bytes(sheet_of(key, cells), {"sweep": options.sweep}))
    console.print(Text(str(sheet), "bold"))
    return code or int(any(cell.error for cell in cells))


def _only(options: argparse.Namespace, key: str, value: str, row: int) -> None:
    """Leaves nothing in the options but the value: the rest is the first run's."""
    for name in ("settings", "gen_config", "sr", "models", "seed", "num_variations", "branch"):
        setattr(options, name, None)
    options.input, options.set, options.row = [], [f"{key}={value}"], row


def parse(text: str) -> tuple[str, int, list[str]]:
    """Key, the first row that it changes, and the values, of `KEY.ROW=A,B,C` or `KEY=A,B,C`.

    Raises:
        InputError: it is neither.
    """
    key, equals, listed = text.partition("=")
    name, dot, row = key.strip().rpartition(".")
    values = [value.strip() for value in listed.split(",") if value.strip()]
    if not equals or not values or (dot and not (name in COLUMNS and row.isdecimal() and int(row))):
        raise InputError(f"--sweep {printable(text)}: is to be KEY.ROW=A,B,C, such as --sweep temps.2=0.5,1,2")
    if len(set(values)) < len(values):
        raise InputError(f"--sweep {printable(text)}: a value is there twice")
    return key.strip(), int(row) if dot else 1, values


def _failed(value: str, error: FourmError, console: Console) -> Cell:
    console.print(Text(printable(error, 500), "red"))
    return Cell(value, None, str(error))


def sheet_of(key: str, cells: list[Cell]) -> Image.Image:
    """The last target of each value, a line for each sample."""
    samples = max((len(cell.run.record.samples) for cell in cells if cell.run), default=1)
    sections = [Section([_panel(key, cell, sample) for cell in cells], f"sample {sample}") for sample in range(samples)]
    return contact_sheet(sections if samples > 1 else list(sections[0].panels), f"{key}")


def _panel(key: str, cell: Cell, sample: int) -> Panel:
    title = f"{key} {cell.value}"
    if cell.run is None or not cell.run.record.rows:
        return Panel(title, "failed", None, cell.error or "was not made")
    row = cell.run.record.rows[-1]
    picture, text = cell.run.path_for(row.number, row.target, sample, ".png"), ""
    words = picture.with_suffix(".txt")
    if words.is_file():
        text = words.read_text(encoding="utf-8").strip()
    note = MODALITIES[row.target].title if row.target in MODALITIES else ""
    if not picture.is_file():
        return Panel(title, "generated" if text else "failed", None, text or "was not made", note)
    with Image.open(picture) as image:
        return Panel(title, "generated", image.convert("RGB"), text, note)
