"""A run folder executed: from what its `run.json` says to its outputs, in whatever process this is called."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fourm_tui.conditions.loading import load_conditions
from fourm_tui.engine.asked import Asked
from fourm_tui.engine.job import Job, Models
from fourm_tui.engine.keep import recorded, run_job
from fourm_tui.engine.loading import choose_device, load_models
from fourm_tui.engine.resume import clear_unfinished, taken_over
from fourm_tui.engine.row import StoppedError
from fourm_tui.engine.store import ModelStore
from fourm_tui.events import Event, EventLog, Loading, RunCancelled
from fourm_tui.runs import Run

_STEP = 0.1
"""How much further a checkpoint is before that is logged again."""


def execute(
    folder: Run,
    store: ModelStore,
    stop: Callable[[], bool] = lambda: False,
    device: str | None = None,
    loading: Callable[[str, float], None] = lambda what, fraction: None,
    skipped: Callable[[], frozenset[int]] = frozenset,
) -> Iterator[Event]:
    """Runs what a folder asks for, from the beginning or from its last finished target on.

    Args:
        folder: of the run.
        store: of loaded models.
        stop: asked before every step, and while models are loaded.
        device: in place of the one that the run names.
        loading: called with the name of what is loaded and from 0 to 1; the log says so, too.
        skipped: samples that are to be left out, asked before every step.

    Raises:
        FourmError: something is missing or does not go together; the folder says so, too.
    """
    with EventLog(folder.events) as log:
        clear_unfinished(folder)
        folder = taken_over(folder)
        store.begin()
        last: dict[str, float] = {}

        def told(what: str, fraction: float) -> None:
            loading(what, fraction)
            if stop():
                raise StoppedError
            if fraction >= last.get(what, -1) + _STEP or fraction == 1:
                last[what] = fraction
                log.append(Loading(what, fraction))

        yield from recorded(folder, log, _events(folder, store, stop, device, told, skipped))


def _events(
    folder: Run,
    store: ModelStore,
    stop: Callable[[], bool],
    device: str | None,
    told: Callable[[str, float], None],
    skipped: Callable[[], frozenset[int]],
) -> Iterator[Event]:
    asked = Asked.of(folder.record)
    try:
        where = choose_device(device or asked.device)
        models = load_models(asked.models, asked.schedule, where, asked.dtype, None, told, store)
    except StoppedError:
        yield RunCancelled()
        return
    yield from run_job(folder, models, job_of(folder, asked, models), stop, skipped=skipped)


def job_of(folder: Run, asked: Asked, models: Models) -> Job:
    """The job that a run folder asks for."""
    conditions = load_conditions(asked.given, models.model.architecture.modalities)
    return Job(
        asked.schedule,
        [conditions] * len(asked.seeds),
        asked.seeds,
        name=folder.name,
        title=asked.title,
        sam_dense=asked.sam_dense,
        preview_every=asked.preview_every,
        decode=asked.decode,
        skipped=frozenset(number for number, sample in enumerate(folder.record.samples) if sample.skipped),
    )
