"""A run kept in its folder: every event logged, every finished target written, `run.json` always true."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from fourm_tui.engine.run import Finished, Job, Models, Target, run, target_file
from fourm_tui.errors import FourmError
from fourm_tui.events import (
    Event,
    EventLog,
    RowStarted,
    RunCancelled,
    RunDone,
    RunFailed,
    RunStarted,
    TargetDone,
)
from fourm_tui.runs import RowRecord, RowState, Run, write_new, write_tokens


def run_in_folder(
    folder: Run,
    models: Models,
    job: Job,
    stop: Callable[[], bool] = lambda: False,
    also: Finished = lambda target, sample: (),
) -> Iterator[Event]:
    """Runs a job and keeps it in `folder`; the events are those of `run`, with their place in the log.

    However it ends, the folder says so and what is finished can be read. An error is logged and raised again. `also` is
    called, too, with every finished target.

    Raises:
        FourmError: the job does not go together, or the folder cannot be written.
    """
    began = time.monotonic()
    with EventLog(folder.events) as log:

        def finished(target: Target, sample: int) -> tuple[str, ...]:
            return (*keep_target(folder, target, sample, job.seeds[sample]), *also(target, sample))

        try:
            for event in run(models, job, finished, stop):
                logged = log.append(event)
                folder = _noted(folder, event, time.monotonic() - began)
                yield logged
        except GeneratorExit:
            log.append(RunCancelled())
            folder.save(status="cancelled", seconds=time.monotonic() - began)
            raise
        except BaseException as error:
            failed = RunFailed(str(error) or type(error).__name__, _kind(error))
            log.append(failed)
            folder.save(status="failed", error=failed.message, seconds=time.monotonic() - began)
            raise


def keep_target(folder: Run, target: Target, sample: int, seed: int) -> tuple[str, ...]:
    """Writes the tokens of a finished target, and its text if it has one; gives the names of the files.

    The tokens go first: they say that the target is finished, and the rest can be made of them again.
    """
    row, name = target.row.number, target.row.row.target
    path = folder.path_for(row, name, sample, ".safetensors")
    write_tokens(path, target_file(target, sample, seed))
    files = [folder.relative(path)]
    if target.texts:
        path = folder.path_for(row, name, sample, ".txt")
        write_new(path, (target.texts[sample] + "\n").encode())
        files.append(folder.relative(path))
    return tuple(files)


def _noted(folder: Run, event: Event, seconds: float) -> Run:
    """The folder's record after an event."""
    if isinstance(event, RunStarted):
        rows = tuple(RowRecord(**vars(facts)) for facts in event.rows)
        return folder.save(status="running", rows=rows)
    if isinstance(event, RowStarted):
        return folder.save(rows=_with_state(folder, event.row, "running"))
    if isinstance(event, TargetDone):
        return folder.save(rows=_with_state(folder, event.row, "done", event.seconds))
    if isinstance(event, RunDone):
        return folder.save(status="done", seconds=seconds)
    if isinstance(event, RunCancelled):
        return folder.save(status="cancelled", seconds=seconds)
    return folder


def _with_state(
    folder: Run, number: int, state: RowState, seconds: float | None = None
) -> tuple[RowRecord, ...]:  # fmt: skip
    return tuple(
        replace(row, state=state, seconds=seconds) if row.number == number else row for row in folder.record.rows
    )


def _kind(error: BaseException) -> str:
    if isinstance(error, FourmError):
        return "input" if error.exit_code == 2 else "disk"
    return "memory" if isinstance(error, MemoryError) or "out of memory" in str(error) else "bug"
