"""A run folder with pictures, and its events, made without an engine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from fourm_tui.events import Event, RowFacts, RowStarted, RunDone, RunStarted, StepDone, TargetDone, TextPiece
from fourm_tui.events.packed import Packed, PackedProbabilities
from fourm_tui.runs import Run, RunRecord, SampleRecord, SettingsText, create_run
from fourm_tui.runs.record import RowRecord
from fourm_tui.tui.run_state import RunState

STEPS = 4
ROWS = (
    RowFacts(1, "tok_semseg@224", "roar", STEPS, 196),
    RowFacts(2, "tok_rgb@224", "roar", STEPS, 196),
    RowFacts(3, "caption", "autoregressive", 8, 9),
)
SETTINGS = "cond_domains: caption\ntarget_domains: tok_rgb@224\ntemps: {temperature}\n"


def kept(out: Path, samples: int = 2, temperature: float = 0.5, shade: int = 90) -> Run:
    """A finished run with pictures of its first two rows and a text of its third."""
    record = RunRecord(
        "test", settings=(SettingsText("settings", SETTINGS.format(temperature=temperature)),), status="done",
        samples=tuple(map(SampleRecord, range(samples))), rows=tuple(RowRecord(**vars(row), state="done") for row in ROWS),
    )  # fmt: skip
    run = create_run(out, record)
    for sample in range(samples):
        for row in ROWS[:2]:
            path = run.path_for(row.number, row.target, sample, ".png")
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (64, 64), (shade, 40 * row.number, 100)).save(path)
        run.path_for(3, "caption", sample, ".txt").write_text("a red fox\n")
    return run


def steps(row: int, samples: int = 2, count: int = STEPS) -> list[Event]:
    """The events of a row of a grid: a quarter of the positions each step."""
    facts, every = ROWS[row - 1], 196 // STEPS
    events: list[Event] = [RowStarted(row, facts.target, STEPS, tuple(range(samples)))]
    for step in range(count):
        at = np.tile(np.arange(step * every, (step + 1) * every), (samples, 1))
        events.append(
            StepDone(
                row, facts.target, step, STEPS, (row - 1) * STEPS + step, 16, tuple(range(samples)),
                Packed.of(at), Packed.of(at + 7), PackedProbabilities.of(np.full(at.shape, 0.61, np.float32)),
            )
        )  # fmt: skip
    return events


def done(run: Run, row: int, samples: int = 2) -> list[Event]:
    ending = ".txt" if row == 3 else ".png"
    target = ROWS[row - 1].target
    return [
        TargetDone(row, target, sample, (run.relative(run.path_for(row, target, sample, ending)),), 1.0)
        for sample in range(samples)
    ]


def words(samples: int = 2) -> list[Event]:
    events: list[Event] = [RowStarted(3, "caption", 8, tuple(range(samples)))]
    for step, so_far in enumerate(("a", "a red", "a red fox")):
        at = np.full((samples, 1), step)
        sure = PackedProbabilities.of(np.full(at.shape, (step + 1) / 4, np.float32))
        events.append(
            StepDone(
                3, "caption", step, 8, 8 + step, 16, tuple(range(samples)), Packed.of(at), Packed.of(at + 5), sure
            )
        )  # fmt: skip
        events += [TextPiece(3, "caption", sample, so_far, step) for sample in range(samples)]
    return events


def state(run: Run, events: list[Event]) -> RunState:
    """The run as far as these events tell it."""
    made = RunState(run.folder, run.name)
    for event in [RunStarted(run.name, ROWS, tuple(range(len(run.record.samples)))), *events]:
        made.apply(event)
    return made


def finished(run: Run) -> RunState:
    """The run to its end."""
    samples = len(run.record.samples)
    told = [*steps(1, samples), *done(run, 1, samples), *steps(2, samples), *done(run, 2, samples)]
    return state(run, [*told, *words(samples), *done(run, 3, samples), RunDone(3.0)])
