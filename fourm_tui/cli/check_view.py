"""How `fourm-tui check` looks. Dim is computed, normal is the user's, cyan can be acted on, red is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fourm_tui.chain.check import Check, roles_loaded
from fourm_tui.cli.console import make_console
from fourm_tui.cost import Cost
from fourm_tui.errors import printable
from fourm_tui.modalities import MODALITIES
from fourm_tui.published import OWNER
from fourm_tui.schedule.columns import COLUMNS
from fourm_tui.schedule.rows import Part, Problem, Row

if TYPE_CHECKING:
    from fourm_tui.checkpoints import Checkpoint
    from fourm_tui.plan import RowPlan
    from fourm_tui.schedule.configs import DataConfig, ModelsConfig
    from fourm_tui.schedule.document import Document

_BARS = "▁▂▃▄▅▆▇█"
_FLAT = "─"


def show(check: Check, console: Console | None = None) -> None:
    """Prints everything about a schedule, as wide as the terminal."""
    console = console or make_console()
    console.print(Group(*_sections(check, console.width)))


def show_config(
    document: Document, config: ModelsConfig | DataConfig, checkpoints: Mapping[str, Checkpoint]
) -> None:  # fmt: skip
    """Prints a models or data config: its checkpoints with size and place, or where its samples come from."""
    console = make_console()
    body: list[RenderableType] = [_title(document.path.stem if document.path else "config", [str(document.path)])]
    if checkpoints:
        body.append(_section("", _loads({role: _role(role) for role in checkpoints}, checkpoints)))
    facts = {name: value for name, value in vars(config).items() if not isinstance(value, Mapping)}
    for role in ("model", "sr_model"):
        facts.pop(role, None)
    grid = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        shown = {None: "–", "all": "all"}.get(value, printable(value)) if value is None else printable(value)
        grid.add_row(Text(name.replace("_", " "), "dim"), shown)
    body.append(_section("", grid))
    console.print(Group(*body))


def _sections(check: Check, width: int) -> list[RenderableType]:
    schedule = check.schedule
    documents = check.inputs.editor.documents
    name = documents[0].path.stem if documents[0].path else "settings"
    out: list[RenderableType] = [_title(name, [str(document.path) for document in documents])]
    first = 1
    for part in schedule.parts:
        out.append(_section(_chain(part), _rows_table(part, first, _wrong_cells(check), width)))
        out.append(Padding(_chain_values(part, _wrong_cells(check), first), (0, 0, 0, 4)))
        first += len(part.rows)
    if check.plan:
        out.append(_steps(check, width))
    out.append(_section("what is loaded", _loads(roles_loaded(check), check.inputs.checkpoints)))
    out.append(_verdict(check))
    return out


def _title(name: str, files: Sequence[str]) -> RenderableType:
    return Padding(
        Group(Text(printable(name), "bold"), *(Text(printable(file, 400), "dim") for file in files)), (1, 0, 0, 1)
    )


def _section(title: str, body: RenderableType) -> RenderableType:
    inner = Group(Text.from_markup(title), body) if title else body
    return Padding(inner, (1, 0, 0, 1))


def _chain(part: Part) -> str:
    start = " + ".join(_title_of(name) for name in part.conditions)
    if part.all_base_conditions:
        start = "all base conditions and targets"
    chain = " → ".join([start or "nothing", *(_title_of(row.target) for row in part.rows)])
    label = "[bold]super resolution[/]  " if part.prefix else ""
    return label + chain


def _title_of(name: str) -> str:
    modality = MODALITIES.get(name)
    return (modality.title if modality else printable(name, 40)).replace("[", r"\[")


# -- the table --------------------------------------------------------------------------------------------------


def _rows_table(part: Part, first: int, wrong: set[tuple[int, str]], width: int) -> Table:
    gap = (0, 1) if width >= 90 else 0
    table = Table(
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=gap, collapse_padding=True, header_style="dim"
    )
    table.add_column("", justify="right", style="dim")
    shown = [key for key in COLUMNS if key not in ("cfg_schedules", "top_p", "top_k")]
    if any(row.cfg_schedule not in ("constant", None) for row in part.rows):
        shown.append("cfg_schedules")
    shown += [key for key in ("top_p", "top_k") if key not in part.broadcast and len(part.rows) > 1]
    for key in shown:
        column = COLUMNS[key]
        right = column.kind not in ("name",)
        table.add_column(column.title, justify="right" if right else "left", overflow="fold", no_wrap=not right)
    for index, row in enumerate(part.rows):
        cells = [_cell(row, key, part, index, (first + index, key) in wrong) for key in shown]
        table.add_row(str(first + index), *cells)
    return table


def _cell(row: Row, key: str, part: Part, index: int, wrong: bool) -> Text:
    value = getattr(row, COLUMNS[key].attribute)
    text = _value(key, value)
    if row.scheme == "roar" and key == "token_decoding_schedules":
        text, computed = "linear", True
    elif row.scheme == "autoregressive" and key in ("decoding_steps", "token_decoding_schedules", "temp_schedules"):
        text, computed = "–", True
    else:
        computed = (index > 0 and key in part.broadcast) or key in part.defaults
    if wrong:
        return Text(text if text != "–" else "?", "bold red")
    return Text(text, "dim" if computed else "")


def _value(key: str, value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, Mapping):
        return "weighted"
    if key == "temp_schedules" and str(value).startswith("onex:"):
        return printable(str(value).replace(":", " "), 30)
    if key in ("top_p", "top_k") and value == 0:
        return "off"
    return printable(value, 30)


def _chain_values(part: Part, wrong: set[tuple[int, str]], first: int) -> Text:
    text = Text()
    for key in ("top_p", "top_k"):
        if part.rows and (key in part.broadcast or len(part.rows) == 1):
            style = "bold red" if (first, key) in wrong else ""
            text.append(f"{key} ", "dim").append(_value(key, getattr(part.rows[0], key)), style).append("   ")
    grow = "bold red" if (first, "cfg_grow_conditioning") in wrong else ""
    return text.append("cfg_grow_conditioning ", "dim").append("yes" if part.cfg_grow_conditioning else "no", grow)


def _wrong_cells(check: Check) -> set[tuple[int, str]]:
    wrong: set[tuple[int, str]] = set()
    numbers = [number for number, _, _ in check.schedule.rows()]
    for problem in check.findings.problems:
        if problem.column:
            wrong |= {(row, problem.column) for row in ([problem.row] if problem.row else numbers)}
    return wrong


# -- curves, guidance, cost ---------------------------------------------------------------------------------------


def spark(values: Sequence[float] | np.ndarray, width: int, low: float = 0.0) -> str:
    """A curve as a line of bars at most `width` cells long.

    Few values are widened so that each keeps the same number of cells; many are averaged over equal spans. The lowest
    bar stands for `low`, the highest for the greatest value; what never changes is a plain line.
    """
    values = np.asarray(values, dtype=float)
    if len(values) > width:
        edges = np.linspace(0, len(values), width + 1)
        values = np.array([values[int(a) : max(int(a) + 1, int(b))].mean() for a, b in pairwise(edges)])
    else:
        values = np.repeat(values, max(1, width // len(values)))
    if len(values) > 1 and np.ptp(values) <= 1e-9 * np.abs(values).max():
        return _FLAT * len(values)
    span = float(values.max()) - low
    levels = np.zeros(len(values)) if span <= 0 else np.clip((values - low) / span, 0, 1) * (len(_BARS) - 1)
    return "".join(_BARS[round(level)] for level in levels)


_SIDE_BY_SIDE = 140
"""Columns from which on curves and guidance stand beside each other."""


def _steps(check: Check, width: int) -> RenderableType:
    guided = _guidance(check)
    wide = width >= _SIDE_BY_SIDE and guided is not None
    curves = _section("what the steps do", _curves(check, width // 2 if wide else width))
    if guided is None:
        return curves
    drops = _section("what guidance drops in its second pass", guided)
    if not wide:
        return Group(curves, drops)
    grid = Table.grid(padding=(0, 4))
    grid.add_row(curves, drops)
    return grid


def _curves(check: Check, width: int) -> RenderableType:
    assert check.plan is not None
    table = Table(box=None, show_edge=False, pad_edge=False, padding=(0, 1), header_style="dim")
    has_cost = any(check.costs)
    span = max(8, min(32, (width - (56 if has_cost else 46)) // 2))
    table.add_column("", justify="right", style="dim")
    table.add_column("tokens per step")
    table.add_column("")
    table.add_column("temperature")
    table.add_column("")
    table.add_column("passes", justify="right")
    if has_cost:
        table.add_column("FLOP", justify="right")
    for row_plan, cost in zip(check.plan.rows, check.costs, strict=True):
        tokens, temps = row_plan.tokens, row_plan.temperature
        counts = _span(tokens.min(), tokens.max(), "–")
        if row_plan.is_sequence:
            counts, token_curve, temp_curve = f"≤ {row_plan.open_tokens - 1}", "one by one", ""
        elif len(tokens) == 1:
            token_curve, temp_curve = "all at once", ""
        else:
            token_curve, temp_curve = spark(tokens, span), spark(temps, span)
        cells = [
            Text(token_curve, "cyan" if temp_curve else "dim"),
            Text(counts),
            Text(temp_curve, "magenta"),
            Text(_span(temps[0], temps[-1], " → ") if len(temps) else _number(row_plan.row.temp)),
            Text(_count(sum(int(n) for n in row_plan.passes)), "dim"),
        ]
        table.add_row(str(row_plan.number), *cells, *([Text(_flops(cost), "dim")] if has_cost else []))
    return Group(table, Padding(_total(check), (1, 0, 0, 0)))


def _total(check: Check) -> Text:
    assert check.plan is not None
    steps = sum(len(row_plan.passes) for row_plan in check.plan.rows)
    passes = sum(int(n) for row_plan in check.plan.rows for n in row_plan.passes)
    text = Text("chain  ", "dim").append(
        f"{_count(steps)} step{'s' * (steps != 1)}   {_count(passes)} pass{'es' * (passes != 1)}"
    )
    known = [cost for cost in check.costs if cost]
    if known and len(known) == len(check.costs):
        text.append(f"   {_amount(sum(cost.flops for cost in known), 'FLOP')}")
    if check.peak_bytes:
        text.append(f"   {_amount(check.peak_bytes, 'B')} of memory in {check.dtype}")
    if not known:
        text.append("   (name a model with -c to see what it costs)", "dim")
    return text


def _guidance(check: Check) -> RenderableType | None:
    assert check.plan is not None
    if all(int(n) == 1 for row_plan in check.plan.rows for n in row_plan.passes):
        return None
    rows = check.plan.rows
    numbers = {row_plan.row.target: str(row_plan.number) for row_plan in rows}
    names = list(dict.fromkeys(name for row_plan in rows for name in row_plan.visible))
    table = Table(box=None, show_edge=False, pad_edge=False, padding=(0, 1), header_style="dim")
    table.add_column("", justify="right", style="dim")
    table.add_column("target")
    table.add_column("cfg", justify="right")
    for name in names:
        table.add_column(numbers.get(name, printable(name, 12)), justify="center")
    for row_plan in rows:
        cells = [_drop(row_plan, name) for name in names]
        table.add_row(str(row_plan.number), row_plan.row.target, _cfg(row_plan), *cells)
    key = Text("● dropped   ○ seen in every pass   1, 2, … the target of that row", "dim")
    if any(isinstance(row_plan.row.cfg_scale, Mapping) for row_plan in rows):
        key.append("   +2 weight   – not seen", "dim")
    return Group(table, key)


def _cfg(row_plan: RowPlan) -> Text:
    scale = row_plan.row.cfg_scale
    if isinstance(scale, Mapping):
        return Text("weighted")
    shape = "" if row_plan.row.cfg_schedule in ("constant", None) else f" {row_plan.row.cfg_schedule}"
    return Text(_number(scale) + shape, "dim" if scale == 1.0 else "")


def _drop(row_plan: RowPlan, name: str) -> Text:
    scale = row_plan.row.cfg_scale
    if name not in row_plan.visible:
        return Text("")
    if isinstance(scale, Mapping) and name in scale:
        return Text(f"{scale[name]:+g}", "cyan")
    if isinstance(scale, Mapping):
        return Text("–", "dim")
    dropped = name in row_plan.guided and scale != 1.0
    return Text("●", "cyan") if dropped else Text("○", "dim")


# -- what is loaded, what is wrong --------------------------------------------------------------------------------


def _loads(roles: Mapping[str, str], checkpoints: Mapping[str, Checkpoint]) -> RenderableType:
    if not checkpoints:
        return Text("no model is named: -c takes a models config, a Hub id, a folder or a .safetensors file", "dim")
    table = Table.grid(padding=(0, 1))
    total = missing = 0
    to_get: list[str] = []
    for role, why in roles.items():
        checkpoint = checkpoints.get(role)
        if checkpoint is None:
            table.add_row(Text(why, "dim"), Text("not named", "dim"))
            continue
        size = checkpoint.bytes or 0
        total += size
        if checkpoint.weights is None:
            missing += size
            to_get.append(printable(checkpoint.name).removeprefix(f"{OWNER}/"))
        state = Text("on disk", "green") if checkpoint.weights else Text("on Hub", "cyan")
        name = printable(checkpoint.name).removeprefix(f"{OWNER}/")
        table.add_row(Text(why, "dim"), name, Text(_amount(size, "B") if size else "", "dim"), state)
    line = Text(f"{_amount(total, 'B')} in all", "dim")
    if to_get:
        line.append(f", {_amount(missing, 'B')} of it to be downloaded: ")
        line.append(f"fourm-tui models pull {' '.join(to_get)}", "cyan not dim")
    return Group(table, line)


def _role(role: str) -> str:
    return role.removesuffix("_tok_id").replace("_", " ")


def _verdict(check: Check) -> RenderableType:
    findings = check.findings
    lines: list[RenderableType] = []
    if findings.runs_in_ml4m:
        lines.append(Text("runs in ml-4m  ", "dim").append("yes", "green"))
    else:
        lines.append(Text("runs in ml-4m  ", "dim").append("no"))
        lines += [_finding(problem, "·", "") for problem in findings.incompatible]
    for problem in findings.hints:
        lines.append(_finding(problem, "hint", "yellow"))
    for problem in findings.problems:
        lines.append(_finding(problem, "✗", "bold red"))
    count = len(findings.problems)
    if count:
        lines.append(Text(f"{count} problem{'s' if count > 1 else ''}", "bold red"))
    else:
        lines.append(Text("no problems", "green"))
    return Padding(Group(*lines), (1, 0, 1, 1))


def _finding(problem: Problem, mark: str, style: str) -> RenderableType:
    row = f"row {problem.row}  " if problem.row else ""
    column = f"{problem.column}  " if problem.column else ""
    line = problem.place.line
    text = Text(f"{row}{column}", "bold" if style == "bold red" else "").append(problem.message, "not bold")
    if problem.fix:
        text.append(f"  {problem.fix}", "cyan not bold")
    if line:
        text.append(f"  line {line}", "dim not bold")
    grid = Table.grid(padding=(0, 1))
    grid.add_row(Text(mark, style), text)
    return grid


def _number(value: Any) -> str:
    return "–" if value is None else f"{value:.3g}" if isinstance(value, float) and value % 1 else f"{value}"


def _span(low: Any, high: Any, between: str) -> str:
    a, b = (f"{float(x):.2f}".rstrip("0").rstrip(".") for x in (low, high))
    return a if a == b else f"{a}{between}{b}"


def _count(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def _flops(cost: Cost | None) -> str:
    return _amount(cost.flops, "") if cost else "–"


def _amount(number: float, unit: str) -> str:
    """`1.78 GB`, `12.4 TFLOP`: three digits and a decimal prefix."""
    for prefix in ("", "k", "M", "G", "T", "P"):
        if number < 999.5 or prefix == "P":
            return f"{number:.3g} {prefix}{unit}".rstrip()
        number /= 1000
    raise AssertionError
