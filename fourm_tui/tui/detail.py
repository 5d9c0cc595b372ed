"""What stands below the schedule: curves, what guidance drops, what it costs, what is wrong. Without Textual."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from rich.text import Text

from fourm_tui.chain.check import Check
from fourm_tui.cost import Cost
from fourm_tui.errors import InputError, printable
from fourm_tui.modalities import MODALITIES
from fourm_tui.plan import Plan, RowPlan
from fourm_tui.schedule.rows import Problem
from fourm_tui.tui.troubles import here
from fourm_tui.tui.workspace import Workspace

BARS, ASCII_BARS = "▁▂▃▄▅▆▇█", "_.-=+*#@"
_NAME = 12
_SHORT = 0.05  # seconds of loading that are not told
_HEAD = 9
_TRIANGLE = "▸"

Seconds = Callable[[Cost], tuple[float, bool]]
"""Estimates the time of a cost, and says whether it is a mere guess, as nothing was measured yet."""


def curve(values: ArrayLike, width: int, *, ascii: bool = False, top: float | None = None) -> str:
    """Values as bars in at most `width` columns, from 0 to their highest or to `top`; several steps to a bar where
    there are more steps than columns."""
    array = np.asarray(values, dtype=float).reshape(-1)
    if not len(array) or width < 1:
        return ""
    if len(array) > width:
        array = np.array([part.mean() for part in np.array_split(array, width)])
    else:
        array = array.repeat(max(1, min(width // len(array), 4)))
    bars = ASCII_BARS if ascii else BARS
    highest = max(float(array.max()) if top is None else top, 1e-12)
    index = np.clip(np.ceil(array / highest * len(bars)) - 1, 0, len(bars) - 1).astype(int)
    return "".join(bars[i] for i in index)


def duration(seconds: float) -> str:
    """A time for people: `0.4 s`, `12 s`, `3:20 min`, `1:05 h`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{int(seconds // 60)}:{int(seconds % 60):02d} min"
    return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02d} h"


def size(count: float) -> str:
    """Bytes for people."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


@dataclass(frozen=True)
class Piece:
    """Something that is said, in one line or as many as it needs."""

    text: Text
    matters: int
    """0 matters most: where there is too little room, what matters least is left out first."""
    group: str = ""
    """Pieces of one group are seen together or not at all."""


WRONG, CHAIN, CURVES, ROW, MORE_PROBLEMS, GUIDANCE, HINTS, OTHER_ROWS, NO_PROBLEMS = range(9)
"""What matters, from what matters most on."""


def fitting(heights: Sequence[int], pieces: Sequence[Piece], room: int) -> list[int]:
    """How many lines of each piece are shown in `room` lines, given those it needs."""
    shown = [0] * len(pieces)
    groups: dict[tuple[int, str], list[int]] = {}
    for at, piece in enumerate(pieces):
        groups.setdefault((piece.matters, piece.group or f"{at:9}"), []).append(at)
    for _, members in sorted(groups.items()):
        needed = sum(heights[at] for at in members)
        if len(members) > 1 and needed > room:
            continue
        for at in members:
            shown[at] = min(heights[at], room)
            room -= shown[at]
    return shown


def pieces(
    workspace: Workspace,
    row: int,
    width: int,
    seconds: Seconds | None,
    styles: Mapping[str, str],
    ascii: bool = False,
    loading: float | None = None,
) -> list[Piece]:
    """All there is to say, in the order in which it is read.

    Args:
        workspace: possibly with an edit that is not taken yet.
        row: the one that is selected, from 1.
        width: columns.
        seconds: estimates the time of a cost; None: nothing is known of this machine.
        styles: `dim`, `error`, `warning`, `accent`, as styles of rich.
    """
    try:
        check = workspace.check
    except InputError as error:
        return [Piece(Text(printable(error, 500), styles["error"]), WRONG)]
    found: list[Piece] = []
    plan = check.plan
    if plan is not None and plan.rows:
        number = min(max(row, 1), len(plan.rows))
        chosen = plan.rows[number - 1]
        head, *curves = _curves(chosen, check.costs[number - 1], width, seconds, styles, ascii)
        found += [Piece(head, ROW), *(Piece(each, CURVES) for each in curves)]
        for at, line in enumerate(matrix(plan, number, width, styles, ascii)):
            is_mine = at in (0, number)
            found.append(Piece(line, GUIDANCE if is_mine else OTHER_ROWS, "guidance" if is_mine else ""))
        found.append(Piece(_chain(check, seconds, workspace.variations, styles, loading), CHAIN))
    return found + _findings(check, styles, ascii)


def _curves(
    row: RowPlan, cost: Cost | None, width: int, seconds: Seconds | None, styles: Mapping[str, str], ascii: bool
) -> list[Text]:
    modality = MODALITIES.get(row.row.target)
    head = Text(f"row {row.number} ", "bold")
    head.append(printable(modality.title if modality else row.row.target, 30))
    head.append("   " + _cost(cost, seconds), styles["dim"])
    if row.is_sequence:
        return [
            head,
            Text(f"up to {row.open_tokens} tokens, one after the other, at {row.temperature[0]:g}", styles["dim"]),
        ]
    named = [("tokens", row.tokens, _span(row.tokens)), ("temp", row.temperature, _span(row.temperature))]
    scales = [step if isinstance(step, int | float) else None for step in row.guidance]
    if None not in scales and len(set(scales)) > 1:
        named.append(("guidance", np.abs(np.asarray(scales, dtype=float)), _span(scales)))  # type: ignore[arg-type]
    room = (width // 2 if width >= 70 else width) - _HEAD - 2 - max(len(span) for _, _, span in named)
    parts = [(name, curve(values, max(8, room), ascii=ascii), span) for name, values, span in named]
    drawn = [
        Text.assemble((f"{name:{_HEAD}}", styles["dim"]), (bars, styles["accent"]), (f" {span}", styles["dim"]))
        for name, bars, span in parts
    ]
    if width >= 70 and len(drawn) >= 2:
        first = drawn[0].copy()
        first.pad_right(max(1, width // 2 - first.cell_len))
        drawn = [first + drawn[1], *drawn[2:]]
    return [head, *drawn]


def _span(values: ArrayLike) -> str:
    array = np.asarray(values, dtype=float)
    low, high = float(array.min()), float(array.max())
    return f"{low:g}" if low == high else f"{array[0]:.3g} → {array[-1]:.3g}"


def _cost(cost: Cost | None, seconds: Seconds | None) -> str:
    if cost is None:
        return "the cost is not known without its model"
    time = ""
    if seconds is not None:
        estimated, is_guess = seconds(cost)
        time = f"  {'~' if is_guess else ''}{duration(estimated)}"
    steps = "1 step" if cost.steps == 1 else f"{cost.steps} steps"
    return f"{steps}  {cost.passes} {'pass' if cost.passes == 1 else 'passes'}{time}"


def _of_rows(costs: Sequence[Cost], seconds: Seconds) -> Seconds:
    """The time of all rows: each has pictures of its own."""
    found = [seconds(cost) for cost in costs]
    return lambda _: (sum(each for each, _ in found), any(is_guess for _, is_guess in found))


def _chain(
    check: Check, seconds: Seconds | None, variations: int, styles: Mapping[str, str], loading: float | None
) -> Text:  # fmt: skip
    known = [cost for cost in check.costs if cost is not None]
    line = Text("chain ", "bold")
    if len(known) == len(check.costs):
        line.append(_cost(Cost.total(known), _of_rows(known, seconds) if seconds else None), styles["dim"])
        if loading is not None and seconds is not None:
            line.append(f" + loading{f' {duration(loading)}' if loading >= _SHORT else ''}", styles["dim"])
        if variations > 1:
            line.append(f"  × {variations}", styles["dim"])
    if check.peak_bytes:
        line.append(f"  {size(check.peak_bytes)}", styles["dim"])
    ours = check.findings.incompatible
    line.append("   runs in ml-4m: ", styles["dim"])
    if not ours:
        line.append("yes")
    else:
        cells = ", ".join(dict.fromkeys(f"{each.column or '?'}{f'.{each.row}' if each.row else ''}" for each in ours))
        line.append(f"no ({printable(cells, 60)})", styles["warning"])
    return line


def matrix(plan: Plan, row: int, width: int, styles: Mapping[str, str], ascii: bool = False) -> list[Text]:
    """Which conditions the unconditional pass of each row does not see: a line a row, a column a condition."""
    names = list(dict.fromkeys(name for each in plan.rows for name in each.visible))
    if not names:
        return []
    dropped, seen, weighed = ("x", ".", "w") if ascii else ("●", "·", "◆")
    columns = [printable(name.removeprefix("tok_"), _NAME) for name in names]
    kept = 0
    used = 19
    while kept < len(columns) and used + len(columns[kept]) + 2 <= width:
        used += len(columns[kept]) + 2
        kept += 1
    head = Text(
        "guidance drops     " + "  ".join(columns[:kept]) + (" …" if kept < len(columns) else ""), styles["dim"]
    )
    found = [head]
    for each in plan.rows:
        line = Text(f"{_TRIANGLE if each.number == row and not ascii else '>' if each.number == row else ' '}")
        line.append(
            f"{each.number:>2} {printable(each.row.target, 14):15}", "" if each.number == row else styles["dim"]
        )
        guided = bool((each.passes > 1).any())
        for name, title in zip(names[:kept], columns[:kept], strict=True):
            weights = each.row.cfg_scale if isinstance(each.row.cfg_scale, Mapping) else {}
            if name not in each.visible:
                mark, style = " ", ""
            elif name in weights:
                mark, style = weighed, styles["accent"]
            elif guided and name in each.guided and not weights:
                mark, style = dropped, styles["accent"]
            else:
                mark, style = seen, styles["dim"]
            line.append(f"{mark:<{len(title) + 2}}", style)
        found.append(line)
    return found


def problems_of(workspace: Workspace) -> Sequence[Problem]:
    """Problems, then hints, then what only ml-4m cannot read: the order in which one goes through them."""
    try:
        findings = workspace.check.findings
    except InputError:
        return ()
    return (*findings.problems, *findings.hints, *findings.incompatible)


def said(check: Check, each: Problem) -> str:
    """A problem in one sentence, with what to do about it here."""
    fix = "runs here, not in ml-4m" if each in check.findings.incompatible else here(each).fix
    at = f"row {each.row} " if each.row else ""
    return f"{at}{here(each).column or ''} {here(each).message}".strip() + (f": {fix}" if fix else "")


def _findings(check: Check, styles: Mapping[str, str], ascii: bool) -> list[Piece]:
    findings = check.findings
    if not findings.problems and not findings.hints:
        return [Piece(Text("no problems", styles["dim"]), NO_PROBLEMS)]
    found = []
    for kind, mark, style, matters in (
        (findings.problems, "!" if ascii else "✗", styles["error"], MORE_PROBLEMS),
        (findings.hints, "-" if ascii else "›", styles["warning"], HINTS),
    ):
        for at, each in enumerate(kind):
            text = Text.assemble((f"{mark} ", style), said(check, each))
            found.append(Piece(text, WRONG if kind is findings.problems and not at else matters))
    return found
