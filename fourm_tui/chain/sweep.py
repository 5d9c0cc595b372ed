"""Sweeps: one cell with several values, the runs that come of it, and a labelled sheet of them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from fourm_tui.errors import InputError, printable
from fourm_tui.modalities import MODALITIES
from fourm_tui.pictures.contact import Panel, Section, contact_sheet
from fourm_tui.runs import Run
from fourm_tui.schedule.columns import COLUMNS

_MOST_SAMPLES = 32  # that a sheet shows


@dataclass(frozen=True)
class Cell:
    """One value of a sweep and what came of it."""

    value: str
    run: Run | None
    error: str = ""


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


def rows_of(row: int, cells: Sequence[Cell]) -> list[int]:
    """The rows of which there are sheets: that which was swept, and those behind it, which it changes."""
    known = {each.number for cell in cells if cell.run for each in cell.run.record.rows if each.number >= row}
    return sorted(known) or [row]


def sheet_name(first: Run, row: int) -> str:
    """What the sheet of a row is called, which lies beside the runs."""
    return f"sweep_{first.name}_{row:02d}.png"


def sheet_of(key: str, cells: Sequence[Cell], row: int) -> Image.Image:
    """The target of a row for each value, a line for each sample as far as there is room."""
    samples = max((len(cell.run.record.samples) for cell in cells if cell.run), default=1)
    sections = [
        Section([_panel(key, cell, sample, row) for cell in cells], f"sample {sample + 1}")
        for sample in range(min(samples, _MOST_SAMPLES))
    ]
    return contact_sheet(sections if samples > 1 else list(sections[0].panels), f"{target_of(cells, row)}  by {key}")


def target_of(cells: Sequence[Cell], number: int) -> str:
    """What a row of the runs makes, as people call it."""
    found = (row for cell in cells if cell.run for row in cell.run.record.rows if row.number == number)
    name = next((row.target for row in found), f"row {number}")
    return MODALITIES[name].title if name in MODALITIES else printable(name, 40)


def _panel(key: str, cell: Cell, sample: int, number: int) -> Panel:
    # The column alone, with a gap: `temps.11.0` would be no value of anything. The row stands above all panels.
    title = f"{key.partition('.')[0]} {cell.value}"
    row = next((row for row in cell.run.record.rows if row.number == number), None) if cell.run else None
    if cell.run is None or row is None:
        return Panel(title, "failed", None, cell.error or "was not made")
    picture, text = cell.run.path_for(row.number, row.target, sample, ".png"), ""
    words = picture.with_suffix(".txt")
    if words.is_file():
        text = words.read_text(encoding="utf-8").strip()
    if not picture.is_file():
        return Panel(title, "generated" if text else "failed", None, text or cell.error or "was not made")
    with Image.open(picture) as image:
        return Panel(title, "generated", image.convert("RGB"), text)
