"""What an output can be compared with: that of another run, another variation, another target. Without Textual."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fourm_tui.chain.compare import Pair, named, settings_differ
from fourm_tui.errors import FourmError, printable
from fourm_tui.runs import Run, list_runs, open_run
from fourm_tui.tui.before import Before, compared_with
from fourm_tui.tui.earlier import when
from fourm_tui.tui.outputs import Item, items_of
from fourm_tui.tui.run_state import RunState

_RUNS = 40
_CELLS = 2  # in which a run differs that are told


@dataclass(frozen=True)
class Side:
    """What stands on the other side."""

    title: str
    path: Path | None = None
    """Of a picture of the same run."""
    labels: bool = False
    run: Run | None = None
    """Another run, whose picture of the same target is compared."""


def sides_of(state: RunState, item: Item, out: Path) -> list[Side]:
    """All that an output can be compared with: outputs of the same run first, then other runs, the newest first."""
    found = [
        Side(f"this run, variation {sample + 1}", each.path, each.labels)
        for sample in range(len(state.seeds))
        if sample != item.key[1]
        for each in items_of(state, sample)
        if each.key[0] == item.key[0] and each.kind == "picture"
    ]
    found += [
        Side(f"this run, {each.title}", each.path, each.labels)
        for each in items_of(state, item.key[1])
        if each.key != item.key and each.kind == "picture"
    ]
    try:
        runs = list_runs(out, _RUNS).runs
    except FourmError:
        runs = ()
    name = state.folder.resolve().name
    return found + [Side(printable(run.name, 90), run=run) for run in runs if run.name != name]


def against(state: RunState, target: str, sample: int, side: Side) -> tuple[Path | None, tuple[Pair, ...]]:
    """The picture on the other side, if it has one, and in what the settings differ.

    Raises:
        FourmError: the run that is shown cannot be read any more.
    """
    if side.run is None:
        return side.path, ()
    found: Before = compared_with(open_run(state.folder), side.run)
    path = found.pictures.get((target, sample)) or found.pictures.get((target, 0))
    return path, found.pairs


def told(side: Side, shown: Run, now: datetime, ascii: bool = False) -> str:
    """Another run to choose, as people tell it from others: how old it is, and in what it differs from the one that is
    shown, its values first."""
    if side.run is None:
        return side.title
    pairs = [pair for pair in settings_differ(side.run, shown) if pair.what != "chain"]
    words = [named([pair], "->" if ascii else "→") for pair in pairs[:_CELLS]]
    if len(pairs) > _CELLS:
        words.append(f"{len(pairs) - _CELLS} more")
    return f"{when(side.run, now):>10}  {', '.join(words) or 'the same settings'}"


def difference_lines(pairs: tuple[Pair, ...], width: int, ascii: bool = False) -> list[tuple[str, str]]:
    """Differences as lines: what, and from which value to which."""
    arrow = "->" if ascii else "→"
    lines = []
    for pair in pairs:
        row = f"{pair.group.partition(':')[0]} " if pair.group.startswith("row ") else ""
        values = [printable(" ".join((value or "none").split()), max(width // 3, 10)) for value in (pair.a, pair.b)]
        lines.append((printable(f"{row}{pair.what}", 40), f"{values[0]} {arrow} {values[1]}"))
    return lines
