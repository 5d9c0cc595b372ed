"""Sweeps: one cell with several values, the runs that come of it, and a labelled sheet of them all."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from fourm_tui.errors import InputError, printable
from fourm_tui.modalities import MODALITIES
from fourm_tui.pictures.contact import Panel, Section, contact_sheet
from fourm_tui.runs import Run
from fourm_tui.schedule.columns import COLUMNS


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
