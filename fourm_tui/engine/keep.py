"""A run kept in its folder: every event logged, every finished target written, `run.json` always true."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from PIL import Image

from fourm_tui.engine.job import Job, Models, Target, plan_job
from fourm_tui.engine.memory import OutOfMemoryError, is_out_of_memory
from fourm_tui.engine.outputs import ON_SHEET, Outputs
from fourm_tui.engine.resume import begun_until, finished_rows
from fourm_tui.engine.run import run
from fourm_tui.errors import FourmError
from fourm_tui.events import (
    Event,
    EventLog,
    RowFacts,
    RowStarted,
    RunCancelled,
    RunDone,
    RunFailed,
    RunStarted,
    SampleSkipped,
    TargetDone,
)
from fourm_tui.pictures.png import png_bytes
from fourm_tui.pictures.save import Output, save_output
from fourm_tui.runs import RowRecord, Run, TargetTokens, replace_file, without, write_new, write_tokens

CONTACT_SHEET = "contact.png"
_MOST_SEEDS = 100  # that every picture carries beside its own
_LOOK = 1.0
"""Seconds between two looks at whether the folder is still there."""
PREVIEW = ".preview.png"
"""Ending of the picture of a target that is not finished."""


class InFolder(Outputs):
    """Keeps tokens, text and, if they are wanted, pictures in a run folder.

    Args:
        folder: of the run.
        seeds: effective seeds of its samples.
        pictures: whether targets are to be decoded.
        facts: for the text chunks of PNGs, beside seed and target.
    """

    def __init__(self, folder: Run, seeds: Sequence[int], pictures: bool, facts: Mapping[str, str]) -> None:
        self.folder, self.seeds, self.facts, self.wants_pictures = folder, seeds, facts, pictures
        self.passed = -1
        """The last sample of the groups before that at which the run was interrupted."""

    def tokens(self, target: Target, sample: int) -> tuple[str, ...]:
        # The tokens go first: they say that the target is finished, and the rest can be made of them again.
        self.folder.check_there()
        row, name = target.row.number, target.name
        path = self.folder.path_for(row, name, sample, ".safetensors")
        if path.exists():  # from before an interruption; whatever else lies there may not be whole
            self.folder.clear(row, sample, keep=path)
        else:
            arrays = (target.tokens[sample], target.step[sample], target.confidence[sample])
            write_tokens(path, TargetTokens(name, row, self.seeds[sample], *arrays))
        files = [self.folder.relative(path)]
        if target.texts:
            path = self.folder.path_for(row, name, sample, ".txt")
            write_new(path, (target.texts[sample] + "\n").encode())
            files.append(self.folder.relative(path))
        return tuple(files)

    def picture(self, target: Target, sample: int, output: Output, picture: Image.Image | None) -> tuple[str, ...]:
        row, name = target.row.number, target.name
        stem = self.folder.path_for(row, name, sample, "")
        facts = {**self.facts, "seed": str(self.seeds[sample]), "target": name, "row": str(row)}
        files = tuple(self.folder.relative(stem.with_name(file)) for file in save_output(output, stem, facts))
        self.folder.path_for(row, name, sample, PREVIEW).unlink(missing_ok=True)
        return files

    def preview(self, row: int, target: str, sample: int, picture: Image.Image) -> str | None:
        self.folder.check_there()
        path = self.folder.path_for(row, target, sample, PREVIEW)
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, png_bytes(picture, {}))
        return self.folder.relative(path)

    def kept(self, target: Target, sample: int) -> Image.Image | None:
        path = self.folder.path_for(target.row.number, target.name, sample, ".png")
        if not self.is_whole(target, sample) or not path.is_file():
            return None
        with Image.open(path) as image:
            return image.convert("RGB")

    def is_whole(self, target: Target, sample: int) -> bool:
        """Whether the picture of a target, if it is there, was written to its end."""
        rows = self.folder.record.rows
        return sample <= self.passed or any(r.number == target.row.number and r.state == "done" for r in rows)

    def end(self, sheet: Image.Image) -> tuple[str, ...]:
        path = self.folder.folder / CONTACT_SHEET
        replace_file(path, png_bytes(sheet, dict(self.facts)))
        return (CONTACT_SHEET,)


def run_in_folder(
    folder: Run,
    models: Models,
    job: Job,
    stop: Callable[[], bool] = lambda: False,
    outputs: Outputs | None = None,
    skipped: Callable[[], frozenset[int]] = frozenset,
) -> Iterator[Event]:
    """Runs a job and keeps it in `folder`; the events are those of `run`, with their place in the log.

    A run that was stopped before, or that took rows over from its parent, goes on after its last finished target.
    However it ends, the folder says so and what is finished can be read. An error is logged and raised again. Outputs
    go into the folder unless others are given.

    Raises:
        FourmError: the job does not go together, or the folder cannot be written.
    """
    with EventLog(folder.events) as log:
        yield from recorded(folder, log, run_job(folder, models, job, stop, outputs, skipped))


def run_job(
    folder: Run,
    models: Models,
    job: Job,
    stop: Callable[[], bool],
    outputs: Outputs | None = None,
    skipped: Callable[[], frozenset[int]] = frozenset,
) -> Iterator[Event]:
    """The events of a job whose outputs go into `folder`; nothing is logged."""
    if outputs is None:
        outputs = InFolder(folder, job.seeds, models.tokenizers is not None, facts_of(folder))
    finished = None
    if folder.finished():
        rows = plan_job(models, job).rows
        until = begun_until(folder)
        passed = next((group.start - 1 for group in job.groups if until in group), -1)
        if isinstance(outputs, InFolder):
            outputs.passed = passed

        def finished(numbers: Sequence[int]) -> Mapping[int, Target] | None:
            # Of those on the sheet the pictures are wanted.
            if numbers[0] >= ON_SHEET and numbers[-1] <= passed:
                there = folder.finished(numbers)
                if all((row.number, number) in there for row in rows for number in numbers):
                    return None
            wanted = [number for number in numbers if number not in skipped()]
            return finished_rows(folder, rows, models.text, wanted)

    yield from run(models, job, outputs, stop, finished, skipped)


def recorded(folder: Run, log: EventLog, events: Iterator[Event]) -> Iterator[Event]:
    """The same events as they stand in the log, with `run.json` telling how far they are.

    Whatever `events` raises is logged and raised again; who stops listening cancels the run.
    """
    began = time.monotonic() - (folder.record.seconds or 0)
    looked = time.monotonic()
    try:
        for event in events:
            if time.monotonic() > looked + _LOOK:
                folder.check_there()  # the log can be written as long as it is open, wherever it has gone
                looked = time.monotonic()
            logged = log.append(event)
            folder = _noted(folder, event, time.monotonic() - began)
            yield logged
    except GeneratorExit:
        log.append(RunCancelled())
        folder.save(status="cancelled", seconds=time.monotonic() - began)
        raise
    except BaseException as error:
        failed = RunFailed(str(error) or type(error).__name__, kind_of(error))
        log.append(failed)
        folder.save(status="failed", error=failed.message, seconds=time.monotonic() - began)
        raise


def facts_of(folder: Run) -> dict[str, str]:
    """What every PNG of a run carries, so that the chain behind it can be had back from it."""
    record = folder.record
    return {
        "run": folder.name,
        "settings": json.dumps([{"role": each.role, "text": each.text} for each in record.settings]),
        "overrides": json.dumps(record.overrides),
        "models": json.dumps({role: model.name for role, model in record.models.items()}),
        "options": json.dumps(dict(record.options)),
        **({"seeds": json.dumps([s.seed for s in record.samples])} if len(record.samples) <= _MOST_SEEDS else {}),
        "conditions": json.dumps({each.name: each.text or each.path for each in record.conditions}),
        "version": record.version,
    }


def _noted(folder: Run, event: Event, seconds: float) -> Run:
    """The folder's record after an event."""
    if isinstance(event, RunStarted):
        before = {row.number: row for row in folder.record.rows}
        rows = tuple(_begun_again(facts, before.get(facts.number)) for facts in event.rows)
        return folder.save(status="running", rows=rows, error=None)
    if isinstance(event, RowStarted):
        return folder.save(rows=tuple(_row_begun(row, event.row) for row in folder.record.rows))
    if isinstance(event, SampleSkipped):
        return folder.save(samples=without(folder.record.samples, event.sample))
    if isinstance(event, TargetDone):
        rows = tuple(_row_done(row, event) for row in folder.record.rows)
        return folder if rows == folder.record.rows else folder.save(rows=rows)
    if isinstance(event, RunDone):
        return folder.save(status="done", seconds=seconds)
    if isinstance(event, RunCancelled):
        return folder.save(status="cancelled", seconds=seconds)
    return folder


def _begun_again(facts: RowFacts, known: RowRecord | None) -> RowRecord:
    if known is not None and known.state == "done":
        return known
    return RowRecord(**vars(facts), seconds=known.seconds if known else None)


def _row_begun(row: RowRecord, begun: int) -> RowRecord:
    """Rows behind the one that begins are still to come, for the samples that are in turn now."""
    if row.number < begun:
        return row
    return replace(row, state="running" if row.number == begun else "pending")


def _row_done(row: RowRecord, event: TargetDone) -> RowRecord:
    """The samples of a group end together, and the times of all groups are added up."""
    if row.number != event.row or row.state == "done":
        return row
    return replace(row, state="done", seconds=(row.seconds or 0.0) + event.seconds)


def kind_of(error: BaseException) -> str:
    """What `RunFailed` calls an error."""
    if isinstance(error, OutOfMemoryError):
        return "memory"
    if isinstance(error, FourmError):
        return "input" if error.exit_code == 2 else "disk"
    if is_out_of_memory(error):
        return "memory"
    return "device" if "CUDA" in str(error) else "bug"
