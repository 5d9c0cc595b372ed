"""`fourm-tui run`: one generation, with progress, kept in a run folder."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fourm_tui.cli.console import make_console
from fourm_tui.cli.inputs import Inputs, read_inputs
from fourm_tui.conditions.loading import load_conditions
from fourm_tui.errors import InputError, printable
from fourm_tui.runs import (
    ModelRecord,
    Run,
    RunRecord,
    SampleRecord,
    SettingsText,
    condition_record,
    create_run,
    effective_seed,
)
from fourm_tui.schedule.validation import validate

if TYPE_CHECKING:
    from rich.console import Console

    from fourm_tui.engine.job import Job, Models
    from fourm_tui.terminal.preview import Previewer

CANCELLED = 130
RUNS = Path("runs")


def main(options: argparse.Namespace) -> int:
    inputs = read_inputs(options)
    schedule = inputs.editor.schedule
    conditions = load_conditions(inputs.given, inputs.modalities)
    given = {name: condition.complete for name, condition in conditions.items()}
    findings = validate(schedule, inputs.architecture("model"), inputs.architecture("sr_model"), given)
    if findings.problems:
        raise InputError("\n".join(str(problem) for problem in findings.problems))
    for note in inputs.models.notes:
        print(f"fourm-tui: {note}", file=sys.stderr)
    settings = schedule.settings
    seed = _whole(_first(options.seed, settings.get("seed")), 0, 0, "seed")
    variations = _whole(_first(options.num_variations, settings.get("num_variations")), 1, 1, "num_variations")
    seeds = tuple(effective_seed(seed, 0, variation) for variation in range(variations))

    with _Stop() as stop:
        models = _load(inputs, options, stop.asked)
        if models is None:
            return CANCELLED
        from fourm_tui.engine.job import Job, plan_job
        from fourm_tui.engine.keep import run_in_folder

        title = inputs.files[0].path.stem if inputs.files[0].path else ""
        job = Job(schedule, [conditions] * variations, seeds, title=title, sam_dense=options.sam_dense or 0)
        plan_job(models, job)  # complains before a folder is made
        folder = create_run(Path(options.out) if options.out else RUNS, _record(inputs, options, seeds))
        job = replace(job, name=folder.name)
        events = run_in_folder(folder, models, job, stop.asked)
        return _json(events) if options.json else _show(events, folder, models, job, options.preview)


def _load(inputs: Inputs, options: argparse.Namespace, stopped: Callable[[], bool]) -> Models | None:
    """The models, with a bar per checkpoint; None if the user stopped it."""
    from fourm_tui.cli.run_view import LoadingBars
    from fourm_tui.engine.loading import choose_device, load_models

    class StoppedError(Exception):
        pass

    with LoadingBars(quiet=options.json) as bars:

        def progress(what: str, fraction: float) -> None:
            bars.update(what, fraction)
            if stopped():
                raise StoppedError

        try:
            device, dtype = choose_device(options.device), options.dtype or inputs.models.dtype
            return load_models(inputs.models, inputs.editor.schedule, device, dtype, inputs.base, progress)
        except StoppedError:
            return None


def _record(inputs: Inputs, options: argparse.Namespace, seeds: tuple[int, ...]) -> RunRecord:
    documents = inputs.files
    texts = [
        SettingsText(role, document.text, str(document.path.absolute()) if document.path else None)
        for role, document in zip(("settings", "sr"), documents, strict=False)
    ]
    if inputs.config:
        texts.append(SettingsText("models", inputs.config.text, str(inputs.config.path)))
    return RunRecord(
        chain=documents[0].path.stem if documents[0].path else "run",
        settings=tuple(texts),
        overrides=tuple(options.set),
        options={
            name: value
            for name in ("seed", "num_variations", "device", "dtype", "sam_dense")
            if (value := getattr(options, name)) is not None
        },
        conditions=tuple(
            condition_record(given.name, text=given.text, path=given.path, mask=given.mask, options=given.options)
            for given in inputs.given.values()
        ),
        models={
            role: ModelRecord(found.name, found.revision, str(found.weights.absolute()) if found.weights else None)
            for role, found in inputs.checkpoints.items()
            if role in ("model", "sr_model")
        },
        samples=tuple(SampleRecord(seed, 0, variation) for variation, seed in enumerate(seeds)),
    )  # fmt: skip


def _show(events: Iterator[Any], folder: Run, models: Models, job: Job, preview: bool | None) -> int:
    from fourm_tui.cli.run_view import show_run

    console = make_console()
    return 0 if show_run(events, folder, models, job, console, _previewer(console, preview)) else CANCELLED


def _previewer(console: Console, wanted: bool | None) -> Previewer | None:
    """What shows pictures while the run goes on; by default on a terminal only."""
    from fourm_tui.terminal.choice import choose
    from fourm_tui.terminal.preview import Previewer
    from fourm_tui.terminal.probe import probe

    if wanted is False or (wanted is None and not console.is_terminal):
        return None
    asked = None if console.is_terminal else "blocks"
    choice = choose(os.environ, probe(os.environ), asked, encoding=sys.stdout.encoding)
    return Previewer(console, choice)


def _json(events: Iterator[Any]) -> int:
    import json

    from fourm_tui.events import RunCancelled

    code = 0
    for event in events:
        print(json.dumps(event.to_json(), ensure_ascii=True), flush=True)
        code = CANCELLED if isinstance(event, RunCancelled) else code
    return code


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _whole(value: Any, default: int, least: int, name: str) -> int:
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InputError(f"{name}: {printable(value, 40)} is no whole number from {least} on")
    return value


class _Stop:
    """Ctrl-C: the first asks the run to stop at its next step, the second ends the program."""

    def __init__(self) -> None:
        self._asked = False

    def asked(self) -> bool:
        return self._asked

    def __enter__(self) -> _Stop:
        self._before = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: object) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        print("stopping at the next step; again to end at once", file=sys.stderr)
