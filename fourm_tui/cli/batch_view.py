"""How a bulk run looks: a line per rank and a total, what was left out, where everything lies."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Self

from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from fourm_tui.batch.begin import Bulk
from fourm_tui.batch.bulk import Ended, Wishes
from fourm_tui.batch.estimate import Estimate, estimate, items_at_once
from fourm_tui.batch.manifest import MANIFEST
from fourm_tui.chain.calibration import Timing
from fourm_tui.chain.check import Check
from fourm_tui.chain.times import lasting
from fourm_tui.cli.console import make_console
from fourm_tui.errors import printable
from fourm_tui.events import BatchProgress
from fourm_tui.hub import size_text

_PLAIN = 10.0
"""Seconds between two lines where the output is no terminal."""
_NAMED = 5
"""Samples left out that are named at the end."""


class View:
    """Shows how far a bulk run is.

    Args:
        quiet: shows nothing, as ranks other than the first.
        json_lines: prints the events instead.
        out: the run's folder.
    """

    def __init__(self, quiet: bool, json_lines: bool, out: Path) -> None:
        self._quiet, self._json, self._out = quiet, json_lines, out
        self._console = make_console(stderr=json_lines)
        self._live = None
        if not quiet and not json_lines and self._console.is_terminal:
            self._live = Live(console=self._console, refresh_per_second=4, transient=True)
        self._said = float("-inf")

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        elif not self._quiet and not self._json:
            self._console.print(Text(f"into {printable(self._out)}"), soft_wrap=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def tell(self, progress: BatchProgress) -> None:
        if self._json:
            print(json.dumps(progress.to_json(), ensure_ascii=True), flush=True)
        elif self._live is not None:
            self._live.update(drawn(progress))
        elif time.monotonic() >= self._said + _PLAIN or progress.done + progress.skipped == progress.total:
            self._said = time.monotonic()
            self._console.print(Text(in_words(progress)))

    def note(self, text: str, rank: int) -> None:
        print(f"rank {rank}: {printable(text)}" if rank else printable(text), file=sys.stderr, flush=True)


def drawn(progress: BatchProgress) -> Table:
    """A line per rank and a total."""
    table = Table.grid(padding=(0, 1))
    for _ in range(3):
        table.add_column(no_wrap=True)
    if len(progress.ranks) > 1:
        for rank in progress.ranks:
            name = f"rank {rank.rank} {printable(rank.device, 12)}"
            facts = f"{rank.done} of {rank.total}  {rank.per_second:.2f}/s  {printable(rank.state, 12)}"
            table.add_row(name, ProgressBar(max(1, rank.total), rank.done + rank.under_way, width=30), facts)
    done = progress.done + sum(rank.under_way for rank in progress.ranks)
    table.add_row("total", ProgressBar(max(1, progress.total), done, width=30), in_words(progress))
    return table


def in_words(progress: BatchProgress) -> str:
    """`1,234 of 5,000  3.2/s  19:30 min left  2 left out`."""
    parts = [f"{progress.done:,} of {progress.total:,}"]
    if progress.per_second:
        parts.append(f"{progress.per_second:.2f}/s")
    if progress.left is not None and progress.done < progress.total:
        parts.append(f"{lasting(progress.left)} left")
    if progress.skipped:
        parts.append(f"{progress.skipped} left out")
    return "  ".join(parts)


def ended(result: Ended, as_json: bool) -> None:
    """Says how it went."""
    lines = result.lines.values()
    skipped = [line for line in lines if line.skipped is not None]
    made = len(result.lines) - len(skipped)
    folder = result.run.folder
    if as_json:
        facts = {"type": "batch_ended", "folder": str(folder), "made": made, "skipped": len(skipped),
                 "cancelled": result.cancelled, "waits": asdict(result.waits), "figures": result.figures}  # fmt: skip
        print(json.dumps(facts), flush=True)
        return
    console = make_console()
    if result.cancelled:
        console.print(Text(f"stopped; {made:,} of {len(result.work):,} are finished. The same command goes on with it"))
    else:
        console.print(
            Text(f"{made:,} of {len(result.work):,} finished; {printable(folder / MANIFEST)}"), soft_wrap=True
        )
    for target, figures in result.figures.items():
        named = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
        console.print(Text(f"{target}: {named or 'too few pictures for figures'}"))
    for line in skipped[:_NAMED]:
        console.print(Text(f"left out: {printable(line.source)}: {printable(line.skipped or '')}"), style="yellow")
    if len(skipped) > _NAMED:
        console.print(Text(f"and {len(skipped) - _NAMED} more; see `skipped` in the manifest"), style="yellow")


def show_estimate(bulk: Bulk, check: Check, wishes: Wishes, as_json: bool) -> None:
    """What would be done, and what it would take."""
    from fourm_tui.engine.loading import choose_device
    from fourm_tui.engine.memory import free_bytes

    device = choose_device(wishes.device)
    batch = wishes.batch or items_at_once(check, free_bytes(device), device.type != "cuda")
    found = estimate(check, bulk.items, batch, Timing.kept(), str(device))
    if as_json:
        facts = {"data": bulk.dataset.title, "samples": len(bulk.samples), "variations": bulk.variations,
                 "targets": [row.row.target for row in check.plan.rows] if check.plan else [],
                 "folder": str(wishes.out / bulk.name), **asdict(found)}  # fmt: skip
        print(json.dumps(facts, indent=1))
        return
    console = make_console()
    table = Table.grid(padding=(0, 2))
    targets = ", ".join(row.row.target for row in check.plan.rows) if check.plan else ""
    rows = {
        "data": printable(bulk.dataset.title),
        "items": f"{len(bulk.samples):,} samples x {bulk.variations} = {bulk.items:,}",
        "targets": targets,
        "at once": f"{found.batch}",
        "passes": f"{found.passes:,}" if found.passes is not None else "not known: a model is not here",
        "memory": size_text(found.memory) if found.memory is not None else "not known",
        "time": _time(found),
        "disk": f"about {size_text(found.disk)}",
        "folder": printable(wishes.out / bulk.name),
    }
    for name, value in rows.items():
        table.add_row(Text(name, style="dim"), Text(value))
    console.print(table)


def _time(found: Estimate) -> str:
    if found.seconds is None:
        return "not known: a model is not here"
    told = f"about {lasting(found.seconds)} on one device"
    return told if found.is_measured else f"{told}, if it is an ordinary one: no run of the model was measured here"
