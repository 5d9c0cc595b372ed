"""How long a chain takes on this machine, by what earlier runs took. Without Textual.

The costs of a run's rows are turned into seconds by the figures of an ordinary machine; what the run really took,
divided by that, is the machine's factor. The median over the newest runs of a model is kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from fourm_tui.chain.check import check_chain
from fourm_tui.cost import Calibration, Cost
from fourm_tui.errors import FourmError
from fourm_tui.paths import cache_dir
from fourm_tui.runs import Run, list_runs, replace_file

ORDINARY: Mapping[str, Calibration] = {
    "cuda": Calibration(2e14, 1.5e12, 4e-3),
    "mps": Calibration(5e12, 2e11, 8e-3),
    "cpu": Calibration(1e11, 2e10, 4e-3),
}
"""Rough figures of each kind of device, for where nothing has run yet."""
_NEWEST = 20


class Timing:
    """Estimates seconds.

    Args:
        factors: measured time over estimated time, by model and kind of device.
    """

    def __init__(self, factors: Mapping[str, float] | None = None) -> None:
        self.factors = dict(factors or {})

    @classmethod
    def kept(cls) -> Timing:
        """What was found out before."""
        try:
            found = json.loads(_file().read_text(encoding="utf-8"))
            return cls({str(k): float(v) for k, v in found.items() if 0 < float(v) < 1e6})
        except (OSError, ValueError, AttributeError, TypeError):
            return cls()

    def seconds(self, cost: Cost, model: str, device: str, batch: int = 1) -> float:
        """Of a cost, for a batch of samples."""
        kind = _kind(device)
        return cost.seconds(ORDINARY[kind], batch) * self.factors.get(f"{model} {kind}", 1.0)

    def knows(self, model: str, device: str) -> bool:
        """Whether such a run was measured."""
        return f"{model} {_kind(device)}" in self.factors


def _kind(device: str) -> str:
    kind = device.partition(":")[0]
    return kind if kind in ORDINARY else "cpu"


def measured(folder: Path) -> Timing:
    """What the newest runs in a folder took; kept for the next time, too."""
    found: dict[str, list[float]] = {}
    for run in list_runs(folder, _NEWEST).runs:
        factor = _factor(run)
        if factor is not None:
            found.setdefault(factor[0], []).append(factor[1])
    timing = Timing.kept()
    timing.factors |= {key: median(values) for key, values in found.items()}
    if found:
        path = _file()
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, json.dumps(timing.factors, indent=1).encode())
    return timing


def _factor(run: Run) -> tuple[str, float] | None:
    """Model and kind of device of a finished run, and how much longer than estimated its rows took."""
    from fourm_tui.chain.branch import inputs_from
    from fourm_tui.events import RunStarted, read_events

    record = run.record
    took = [row.seconds for row in record.rows]
    if record.status != "done" or not took or None in took or record.parent is not None:
        return None
    try:
        check = check_chain(inputs_from(run), None, _text(record.options.get("dtype")))
        device = next((each.device for each in read_events(run.events) if isinstance(each, RunStarted)), "cpu")
    except (FourmError, StopIteration):
        return None
    kind = device.partition(":")[0]
    if kind not in ORDINARY or not check.costs or None in check.costs:
        return None
    costs = [cost for cost in check.costs if cost is not None]
    estimated = sum(cost.seconds(ORDINARY[kind], max(len(record.samples), 1)) for cost in costs)
    total = sum(seconds for seconds in took if seconds is not None)
    if estimated <= 0 or total <= 0:
        return None
    return f"{check.inputs.models.model} {kind}", total / estimated


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _file() -> Path:
    return cache_dir() / "calibration.json"
