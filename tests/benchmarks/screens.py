"""How fast the screens are: `python -m tests.benchmarks.screens [--json]`. Figures, no verdicts.

First paint, idle load and memory; the answer to a key while a run writes 500 events a second and the bundled model has
the cores; and the same over a line of 1 Mbit/s with 100 ms each way. A key counts as answered when the message that it
makes (`undone`, `done again`) has arrived, so an answer includes checking and costing the schedule anew.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tests.benchmarks.terminal import Line, Terminal

COMMAND = [sys.executable, "-m", "fourm_tui"]
SLOW_LINE = Line(1e6 / 8, 0.1)
KEYS = 200
ROWS, STEPS, RATE = 4, 4000, 500


def environment(home: Path) -> dict[str, str]:
    """Of a user of whom nothing is known yet."""
    keep = {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH", "VIRTUAL_ENV") if name in os.environ}
    xdg = {name: str(home / name.lower()) for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")}
    runtime = home / "run"
    runtime.mkdir(mode=0o700, exist_ok=True)
    return {
        **keep, **xdg, "HOME": str(home), "XDG_RUNTIME_DIR": str(runtime), "TERM": "xterm-256color",
        "COLORTERM": "truecolor", "PYTHONUTF8": "1",
    }  # fmt: skip


@contextmanager
def screens(home: Path, line: Line | None = None, size: tuple[int, int] = (120, 40)) -> Iterator[Terminal]:
    env = environment(home) | ({"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"} if line else {})
    terminal = Terminal(COMMAND, size, env, home, line)
    try:
        yield terminal
    finally:
        terminal.close()


def first_paint(home: Path) -> float:
    """Seconds from the command to the last line of the first picture."""
    with screens(home) as terminal:
        return terminal.wait_for(b"quit") - terminal.began


def idle(home: Path, seconds: float = 10.0) -> tuple[float, int]:
    """Share of a core while nothing happens, and resident bytes."""
    with screens(home) as terminal:
        terminal.wait_for(b"quit")
        time.sleep(6)  # the engine is warm then
        before, began = terminal.cpu_seconds(), time.monotonic()
        time.sleep(seconds)
        return (terminal.cpu_seconds() - before) / (time.monotonic() - began), terminal.resident_bytes()


def answers(terminal: Terminal, keys: int = KEYS) -> list[float]:
    """Seconds from each of many key presses to its answer: a change undone and done again."""
    terminal.press(b"\x1bOQ")  # F2: the schedule
    time.sleep(0.5)
    terminal.press(b"d")
    time.sleep(0.5)
    terminal.press(b"\x1b")
    time.sleep(0.5)
    terminal.press(b"\x1b[C\x1b[C+")  # a cell's value is stepped, so that there is something to undo
    time.sleep(1.0)
    found = []
    for number in range(keys):
        since = terminal.count
        key, text = (b"u", b"undone") if number % 2 == 0 else (b"U", b"done again")
        pressed = terminal.press(key)
        found.append(terminal.wait_for(text, since) - pressed)
        time.sleep(0.03)
    return found


def write_events(folder: Path) -> None:
    """A process that plays the engine: a run whose events come at a fixed rate."""
    from fourm_tui.events import EventLog, RowFacts, RowStarted, RunDone, RunStarted, StepDone
    from fourm_tui.events.packed import Packed, PackedProbabilities

    rows = tuple(RowFacts(n, "tok_rgb@224", "roar", STEPS, 196) for n in range(1, ROWS + 1))
    draw = np.random.default_rng(0)
    with EventLog(folder / "events.jsonl") as log:
        log.append(RunStarted(folder.name, rows, (0,)))
        began, number = time.monotonic(), 0
        for row in rows:
            log.append(RowStarted(row.number, row.target, STEPS, (0,)))
            for step in range(STEPS):
                some = draw.permutation(196)[:8][None]
                log.append(
                    StepDone(
                        row.number, row.target, step, STEPS, number, ROWS * STEPS, (0,), Packed.of(some),
                        Packed.of(some), PackedProbabilities.of(draw.random((1, 8))),
                    )
                )  # fmt: skip
                number += 1
                time.sleep(max(0.0, began + number / RATE - time.monotonic()))
        log.append(RunDone(1.0))


def fake_run(home: Path) -> Path:
    """A run folder and a job that says it is running."""
    from fourm_tui.engine.jobs import Queue
    from fourm_tui.runs import RunRecord, SampleRecord, create_run

    run = create_run(home / "runs", RunRecord("many_events", samples=(SampleRecord(0),), status="running"))
    os.environ.update(environment(home))
    queue = Queue()
    queue.change(queue.add(run.folder), status="running")
    return run.folder


def under_load(home: Path, line: Line | None) -> dict[str, float]:
    """Keys while events rain and the bundled model works."""
    env = environment(home)
    settings = ["demo/T2SDR", "-i", "caption=a large red sphere on grey ground under a clear sky"]
    subprocess.run([*COMMAND, "run", *settings, "--num-variations", "48", "--detach"], env=env, cwd=home, check=True,
                   capture_output=True)  # fmt: skip
    folder = fake_run(home)
    writer = subprocess.Popen([sys.executable, "-m", "tests.benchmarks.screens", "--write", str(folder)])
    try:
        with screens(home, line) as terminal:
            terminal.wait_for(b"quit")
            time.sleep(1.0)
            terminal.press(b"\x1bOR")  # F3: the run and its queue
            time.sleep(0.5)
            terminal.press(b"\r")  # follow it
            time.sleep(1.5)
            since = terminal.count
            terminal.worst_backlog = 0.0  # the first picture of the screen has gone through
            began = time.monotonic()
            found = answers(terminal)
            written = len(terminal.written(since)) / (time.monotonic() - began)
            return {
                "median_ms": 1000 * float(np.median(found)),
                "p99_ms": 1000 * float(np.percentile(found, 99)),
                "kilobytes_per_second": written / 1000,
                "worst_backlog_kb": terminal.worst_backlog / 1000,
            }
    finally:
        writer.kill()


def end_engine(home: Path) -> None:
    subprocess.run([*COMMAND, "engine", "stop"], env=environment(home), cwd=home, capture_output=True, check=False)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        write_events(Path(options.write))
        return 0
    found: dict[str, object] = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        try:
            paints = [first_paint(home) for _ in range(6)][1:]  # the first one compiles
            found["first_paint_s"] = {"median": float(np.median(paints)), "worst": max(paints)}
            load, resident = idle(home)
            found["idle"] = {"cpu_percent": 100 * load, "resident_mb": resident / 1e6}
            found["keys_at_500_events"] = under_load(home, None)
            found["keys_over_1_mbit"] = under_load(home, SLOW_LINE)
        finally:
            end_engine(home)
    if options.json:
        print(json.dumps(found, indent=1))
    else:
        for name, figures in found.items():
            print(f"{name:22}", "  ".join(f"{key} {value:.3g}" for key, value in figures.items()))  # type: ignore[attr-defined]
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
