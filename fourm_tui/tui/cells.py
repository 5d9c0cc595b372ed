"""The schedule as a grid of cells: what each shows, what may be typed into it, what a step up or down makes of it.

Without Textual. A cell is a column of a row, or one of the values that hold for a chain (`top_p`, `top_k`, whether
guidance grows, seed, variations).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fourm_tui.chain.variations import check_variations
from fourm_tui.curves import parse_onex
from fourm_tui.errors import InputError, printable
from fourm_tui.modalities import MODALITIES
from fourm_tui.schedule.columns import COLUMNS
from fourm_tui.schedule.rows import Part, Row
from fourm_tui.schedule.values import format_value, parse_cell
from fourm_tui.tui.workspace import Workspace

Look = Literal["own", "shared", "none"]
"""own: the row's value. shared: given once for all rows, or a default. none: nothing that counts for this row."""

ROW_KEYS = (
    "target_domains", "autoregression_schemes", "decoding_steps", "tokens_per_target", "token_decoding_schedules",
    "temps", "temp_schedules", "cfg_scales",
)  # fmt: skip
"""Columns of the table, from left to right."""
CHAIN_KEYS = ("top_p", "top_k", "cfg_grow_conditioning", "cfg_schedules")
"""What stands below the rows of a chain, unless its rows differ in it."""
OPTION_KEYS = ("seed", "num_variations")
TITLES: Mapping[str, str] = {
    **{key: column.title for key, column in COLUMNS.items()},
    "cfg_grow_conditioning": "grow", "seed": "seed", "num_variations": "variations",
}  # fmt: skip
_STEPS: Mapping[str, float] = {
    "decoding_steps": 1, "tokens_per_target": 1, "temps": 0.1, "cfg_scales": 0.5, "top_p": 0.05, "top_k": 1,
    "seed": 1, "num_variations": 1,
}  # fmt: skip
_LEAST: Mapping[str, float] = {
    "decoding_steps": 1, "tokens_per_target": 1, "temps": 0, "cfg_scales": -1e9, "top_p": 0, "top_k": 0, "seed": 0,
    "num_variations": 1,
}  # fmt: skip
_MOST: Mapping[str, float] = {"top_p": 1.0}
NOTHING = "–"
_TEMPERATURES = ("constant", "linear", "onex:0.5:0.5")


@dataclass(frozen=True)
class Cell:
    """One cell."""

    key: str
    """The settings key without `sr_`, or an option."""
    text: str
    """What is shown."""
    row: int = 0
    """Number of its row, from 1; 0: it holds for a chain."""
    prefix: str = ""
    """Of its chain."""
    look: Look = "own"

    @property
    def title(self) -> str:
        return TITLES[self.key]

    @property
    def is_number(self) -> bool:
        return self.key in _STEPS

    @property
    def place(self) -> tuple[int, str]:
        return self.row, self.key


@dataclass(frozen=True)
class Line:
    """A line of the grid: a row of the schedule, or what holds for a chain."""

    cells: tuple[Cell, ...]
    part: str
    """`""` or `"sr_"`."""
    row: int = 0
    """0 for the line of a chain."""


def grid(workspace: Workspace) -> tuple[Line, ...]:
    """The lines of the schedule, part by part: its rows, then what holds for them all."""
    lines: list[Line] = []
    schedule = workspace.schedule
    first = 1
    for part in schedule.parts:
        for index, row in enumerate(part.rows):
            lines.append(Line(tuple(_row_cells(part, index, row, first + index)), part.prefix, first + index))
        first += len(part.rows)
        cells = [Cell(key, _chain_text(part, key), 0, part.prefix) for key in CHAIN_KEYS if _is_one(part, key)]
        if part.prefix == schedule.parts[0].prefix:
            cells += [Cell("seed", str(workspace.seed)), Cell("num_variations", str(workspace.variations))]
        if cells:
            lines.append(Line(tuple(cells), part.prefix))
    return tuple(lines)


def _is_one(part: Part, key: str) -> bool:
    return key not in COLUMNS or len({value_of(row, key) for row in part.rows}) <= 1


def _row_cells(part: Part, index: int, row: Row, number: int) -> list[Cell]:
    keys = [key for key in (*ROW_KEYS, *CHAIN_KEYS) if key in ROW_KEYS or not _is_one(part, key)]
    cells = []
    for key in keys:
        shared = (key in part.broadcast and index > 0) or key in part.defaults
        look: Look = "none" if _is_idle(row, key) else "shared" if shared else "own"
        cells.append(
            Cell(key, NOTHING if look == "none" else shown(key, value_of(row, key)), number, part.prefix, look)
        )
    return cells


def _is_idle(row: Row, key: str) -> bool:
    """Whether a column means nothing to a row's scheme."""
    if row.scheme == "autoregressive":
        return key in ("decoding_steps", "token_decoding_schedules", "temp_schedules")
    return key == "token_decoding_schedules" and row.scheme == "roar"


def value_of(row: Row, key: str) -> Any:
    return getattr(row, COLUMNS[key].attribute)


def shown(key: str, value: Any) -> str:
    """A value as the table shows it: short, `onex .5 .5`, weights by the beginnings of their names."""
    if value is None:
        return "?"
    if key == "temp_schedules" and str(value).startswith("onex"):
        try:
            return "onex " + " ".join(short(number) for number in parse_onex(value))
        except InputError:
            return printable(value, 20)
    if isinstance(value, Mapping):
        return " ".join(f"{_abbreviated(name)} {short(weight)}" for name, weight in value.items())
    if key == "top_k":
        return "off" if value == 0 else str(value)
    if key == "top_p":
        return "off" if value == 0 else short(value)
    return printable(value, 40)


def _abbreviated(name: str) -> str:
    return printable(name.removeprefix("tok_").partition("@")[0], 12)


def short(number: float) -> str:
    """A number in few characters: `.5`."""
    text = f"{number:g}"
    return text[1:] if text.startswith("0.") else text


def _chain_text(part: Part, key: str) -> str:
    if key == "cfg_grow_conditioning":
        return "yes" if part.cfg_grow_conditioning else "no"
    return shown(key, value_of(part.rows[0], key)) if part.rows else NOTHING


# -- values ------------------------------------------------------------------------------------------------------------


def source(workspace: Workspace, cell: Cell) -> str:
    """The cell's value as it is typed."""
    value = current(workspace, cell)
    if cell.key == "cfg_grow_conditioning":
        return "yes" if value else "no"
    if cell.key in COLUMNS:
        return format_value(COLUMNS[cell.key], value).strip("'\"") if value is not None else ""
    return str(value)


def current(workspace: Workspace, cell: Cell) -> Any:
    """The cell's value."""
    if cell.key == "seed":
        return workspace.seed
    if cell.key == "num_variations":
        return workspace.variations
    part = next(part for part in workspace.schedule.parts if part.prefix == cell.prefix)
    if cell.key == "cfg_grow_conditioning":
        return part.cfg_grow_conditioning
    if cell.row:
        return next(value_of(row, cell.key) for number, _, row in workspace.schedule.rows() if number == cell.row)
    return value_of(part.rows[0], cell.key)


def choices(workspace: Workspace, cell: Cell) -> tuple[str, ...]:
    """The values that there are for a cell; none for numbers."""
    if cell.key == "cfg_grow_conditioning":
        return ("yes", "no")
    if cell.key == "target_domains":
        return targets(workspace, cell.prefix)
    if cell.key == "autoregression_schemes":
        modality = MODALITIES.get(str(_target(workspace, cell.row)))
        return modality.schemes if modality and modality.schemes else COLUMNS[cell.key].choices
    if cell.key == "temp_schedules":
        return _TEMPERATURES
    if cell.key in COLUMNS:
        return COLUMNS[cell.key].choices
    return ()


def targets(workspace: Workspace, prefix: str = "") -> tuple[str, ...]:
    """What the model of a chain can generate; of an unknown model all that 4M knows."""
    try:
        model = workspace.inputs.architecture("sr_model" if prefix else "model")
    except InputError:
        model = None
    if model is not None:
        return model.outputs
    return tuple(name for name, modality in MODALITIES.items() if modality.is_target)


def _target(workspace: Workspace, number: int) -> str | None:
    return next((row.target for found, _, row in workspace.schedule.rows() if found == number), None)


def read(cell: Cell, text: str) -> Any:
    """What was typed, as a value of the cell.

    Raises:
        InputError: it is none; the message says what is.
    """
    text = text.strip()
    if cell.key == "cfg_grow_conditioning":
        if text.lower() not in ("yes", "no", "true", "false"):
            raise InputError("grow: is to be yes or no")
        return text.lower() in ("yes", "true")
    if cell.key in OPTION_KEYS:
        least = int(_LEAST[cell.key])
        if not text.isdecimal() or not least <= int(text) < 2**63:
            raise InputError(f"{cell.title}: {printable(text, 20)} is no whole number from {least} on")
        if cell.key == "num_variations":
            check_variations(int(text))
        return int(text)
    if text.lower() == "off" and cell.key in ("top_p", "top_k"):
        text = "0.0"
    if not text:
        raise InputError(f"{cell.title}: a value is missing")
    value = parse_cell(COLUMNS[cell.key], text)
    if cell.key == "temp_schedules" and isinstance(value, str) and value.startswith("onex"):
        parse_onex(value)
    return value


def tried(workspace: Workspace, cell: Cell, text: str) -> Workspace:
    """Another workspace that has what was typed; the given one stays as it is.

    Raises:
        InputError: it is no value of the cell, or one with which the chain could not run.
    """
    trial = workspace.trial()
    put(trial, cell, read(cell, text))
    try:
        problems, before = trial.check.findings.problems, set(workspace.check.findings.problems)
    except InputError:  # without its models a schedule can be edited all the same
        return trial
    rows = {number for number, part, _ in trial.schedule.rows() if part.prefix == cell.prefix and not cell.row}
    for each in problems:
        here = each.row == cell.row or each.row in rows if each.row else each not in before
        if each.column == cell.key and here:
            raise InputError(f"{cell.title}: {each.message}" + (f"; {each.fix}" if each.fix else ""))
    return trial


def put(workspace: Workspace, cell: Cell, value: Any) -> None:
    """Sets a cell, as one step.

    Raises:
        InputError: it cannot hold the value.
    """
    if cell.key in OPTION_KEYS:
        workspace.set_option(cell.key, value)
    elif cell.row:
        row = cell.row

        def change(editor: Any) -> None:
            editor.set_cell(row, cell.key, value)
            if cell.key == "target_domains":
                suit(editor, row, str(value))

        workspace.edit(f"{cell.title} of row {cell.row}", change)
    else:
        workspace.edit(cell.title, lambda editor: editor.set_chain(cell.key, value, cell.prefix))


def suit(editor: Any, row: int, target: str) -> None:
    """Another target takes the scheme, the tokens and the steps along that it needs."""
    modality = MODALITIES.get(target)
    found = next(each for number, _, each in editor.schedule.rows() if number == row)
    if modality is None or not modality.schemes:
        return
    if found.scheme not in modality.schemes:
        editor.set_cell(row, "autoregression_schemes", modality.schemes[-1])
    if modality.kind == "sequence" or (found.tokens or 0) > modality.max_tokens:
        editor.set_cell(row, "tokens_per_target", modality.max_tokens)
    if modality.kind == "image" and not found.steps:
        editor.set_cell(row, "decoding_steps", 8)


def stepped(workspace: Workspace, cell: Cell, by: int) -> Any:
    """The value one step up (`by` 1) or down (-1); the same where there is none.

    Raises:
        InputError: the cell has no steps, as weights have none.
    """
    value = current(workspace, cell)
    if not cell.is_number:
        every = choices(workspace, cell)
        now = source(workspace, cell)
        if cell.key == "temp_schedules":
            return _TEMPERATURES[(_kind(now) + by) % len(_TEMPERATURES)]
        at = every.index(now) if now in every else (-1 if by > 0 else 0)
        return read(cell, every[(at + by) % len(every)]) if every else value
    if isinstance(value, Mapping):
        raise InputError("weights are edited one by one: press enter")
    start = value if isinstance(value, int | float) else _LEAST[cell.key]
    size = _STEPS[cell.key]
    if cell.key == "top_k" and isinstance(start, float) and 0 < start < 1:
        size = 0.05
    moved = round(start + by * size, 6)
    moved = min(max(moved, _LEAST[cell.key]), _MOST.get(cell.key, _limit(workspace, cell)))
    whole = size == 1
    return int(moved) if whole and not (cell.key == "top_k" and moved == 0) else float(moved)


def _limit(workspace: Workspace, cell: Cell) -> float:
    modality = MODALITIES.get(str(_target(workspace, cell.row)))
    if cell.key == "tokens_per_target" and modality and modality.kind == "image":
        return modality.max_tokens
    if cell.key == "decoding_steps" and cell.row:
        tokens = next(row.tokens for number, _, row in workspace.schedule.rows() if number == cell.row)
        return tokens or 1e9
    return 1e9


def _kind(spec: str) -> int:
    return 0 if spec == "constant" else 1 if spec == "linear" else 2


def widths(lines: Sequence[Line]) -> dict[str, int]:
    """Columns that each column of the table needs, its title included."""
    found: dict[str, int] = {}
    for line in lines:
        for cell in line.cells if line.row else ():
            found[cell.key] = max(found.get(cell.key, len(cell.title)), len(cell.text))
    return found
