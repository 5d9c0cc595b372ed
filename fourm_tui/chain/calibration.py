"""How long a chain takes on this machine, by what earlier runs took.

The costs of a run's rows are turned into seconds by the figures of an ordinary machine; what their steps really
took, divided by that, is the machine's factor. Pictures and loading are measured by themselves. The medians over the
newest runs of a model are kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Self

from fourm_tui.chain.check import check_chain
from fourm_tui.cost import Calibration, Cost
from fourm_tui.engine.asked import TOGETHER
from fourm_tui.errors import FourmError, InputError
from fourm_tui.events import Event, Loading, RowStarted, RunStarted, StepDone, TargetDone
from fourm_tui.events.records import from_json, parse_object, to_json
from fourm_tui.paths import cache_dir
from fourm_tui.runs import Run, list_runs, replace_file

ORDINARY: Mapping[str, Calibration] = {
    "cuda": Calibration(2e14, 1.5e12, 4e-3),
    "mps": Calibration(5e12, 2e11, 8e-3),
    "cpu": Calibration(1e11, 2e10, 4e-3),
}
"""Rough figures of each kind of device, for where nothing has run yet."""
_NEWEST = 20
_MOST_SAMPLES = 256  # of a run whose log is read for this


@dataclass(frozen=True)
class Pace:
    """How a model fares on a kind of device."""

    factor: float
    """Measured time of the steps over the estimated one."""
    picture: float = 0.0
    """Seconds from a target's last step to its picture, for each sample."""
    loading: float | None = None
    """Seconds until the models are there; None: no run had to load them."""


class Timing:
    """Estimates seconds.

    Args:
        paces: by model and kind of device.
    """

    def __init__(self, paces: Mapping[str, Pace] | None = None) -> None:
        self.paces = dict(paces or {})

    @classmethod
    def kept(cls) -> Timing:
        """What was found out before."""
        try:
            found = parse_object(_file().read_bytes())
            return cls({key: from_json(Pace, value, key) for key, value in found.items() if key != "schema"})
        except (OSError, ValueError, InputError):
            return cls()

    def seconds(self, cost: Cost, model: str, device: str, batch: int = 1) -> float:
        """Of a row with this cost, for a number of samples, pictures included."""
        kind = _kind(device)
        pace = self.paces.get(f"{model} {kind}", Pace(1.0))
        return _steps(cost, kind, batch) * pace.factor + batch * pace.picture

    def loading(self, model: str, device: str) -> float | None:
        """Seconds until the models are there, if they are not; None: not known."""
        pace = self.paces.get(f"{model} {_kind(device)}")
        return pace.loading if pace else None

    def knows(self, model: str, device: str) -> bool:
        """Whether such a run was measured."""
        return f"{model} {_kind(device)}" in self.paces


def _steps(cost: Cost, kind: str, samples: int) -> float:
    """Seconds of the steps of so many samples on an ordinary machine, which are made some at a time."""
    whole, rest = divmod(samples, TOGETHER)
    each = cost.seconds(ORDINARY[kind], TOGETHER) if whole else 0.0
    return whole * each + (cost.seconds(ORDINARY[kind], rest) if rest else 0.0)


def _kind(device: str) -> str:
    kind = device.partition(":")[0]
    return kind if kind in ORDINARY else "cpu"


def measured(folder: Path) -> Timing:
    """What the newest runs in a folder took; kept for the next time, too."""
    found: dict[str, list[Pace]] = {}
    for run in list_runs(folder, _NEWEST).runs:
        pace = _pace(run)
        if pace is not None:
            found.setdefault(pace[0], []).append(pace[1])
    timing = Timing.kept()
    for key, paces in found.items():
        loading = [each.loading for each in paces if each.loading is not None]
        before = timing.paces[key].loading if key in timing.paces else None
        timing.paces[key] = Pace(
            median(each.factor for each in paces),
            median(each.picture for each in paces),
            median(loading) if loading else before,
        )
    if found:
        path = _file()
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, json.dumps(to_json(timing.paces), indent=1).encode())
    return timing


def _pace(run: Run) -> tuple[str, Pace] | None:
    """Model and kind of device of a finished run, and how it fared; None if that cannot be told."""
    from fourm_tui.chain.branch import inputs_from
    from fourm_tui.events import read_events

    record = run.record
    if record.status != "done" or record.parent is not None or len(record.samples) > _MOST_SAMPLES:
        return None
    try:
        clock = Clock.of(read_events(run.events))
        check = check_chain(inputs_from(run), None, _text(record.options.get("dtype")))
    except FourmError:
        return None
    kind = clock.device.partition(":")[0]
    if kind not in ORDINARY or not check.costs or None in check.costs or clock.is_resumed:
        return None
    samples = max(len(record.samples), 1)
    estimated = sum(_steps(cost, kind, samples) for cost in check.costs if cost is not None)
    if estimated <= 0 or clock.steps <= 0:
        return None
    picture = clock.pictures / (samples * len(check.costs))
    return f"{check.inputs.models.model} {kind}", Pace(clock.steps / estimated, picture, clock.loading or None)


@dataclass
class Clock:
    """Where the time of a run went, by the times of its events. What is loaded on the way counts as loading alone: in
    the time of a row it made the first run of a day several times as long as all that follow."""

    device: str = ""
    loading: float = 0.0
    """Seconds, of models before it began and of tokenizers later."""
    steps: float = 0.0
    pictures: float = 0.0
    is_resumed: bool = False

    @classmethod
    def of(cls, events: Iterable[Event]) -> Self:
        clock = cls()
        began: float | None = None  # loading
        last = 0.0  # the end of what was told before
        row_ended: tuple[int, float] | None = None
        took: list[list[float]] = []  # of the steps of each row
        for event in events:
            match event:
                case Loading():
                    began = event.time if began is None else began
                    if event.fraction == 1 and clock.device:
                        clock.loading, last, began = clock.loading + event.time - began, event.time, None
                case RunStarted():
                    clock.is_resumed |= event.resumed or bool(clock.device)
                    clock.loading += event.time - began if began is not None else 0.0
                    clock.device, began, last = event.device or "cpu", None, event.time
                case RowStarted():
                    last = event.time
                    took.append([])
                case StepDone() if took:
                    took[-1].append(event.time - last)
                    last = event.time
                case TargetDone() if row_ended is None or row_ended[0] != event.row or event.time > row_ended[1] + 1:
                    clock.pictures, last = clock.pictures + event.time - last, event.time
                    row_ended = event.row, event.time
                case _:
                    pass
        # The median: the first steps after loading take much longer, and so does whatever else the machine was at.
        clock.steps = sum(median(each) * len(each) for each in took if each)
        if clock.loading and took and took[0]:
            clock.loading += max(took[0][0] - median(took[0]), 0.0)
        return clock


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _file() -> Path:
    return cache_dir() / "calibration.json"
