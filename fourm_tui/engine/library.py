"""The engine for notebooks and scripts: `fourm_tui.generate` and what comes out of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourm_tui.conditions.loading import Condition, load_conditions
from fourm_tui.engine.keep import run_in_folder
from fourm_tui.engine.loading import needs_text
from fourm_tui.engine.run import Job, Models, Target, run
from fourm_tui.errors import InputError
from fourm_tui.events import Event
from fourm_tui.model.fourm import FourM
from fourm_tui.runs import Run, RunRecord, SampleRecord, create_run, effective_seed
from fourm_tui.schedule.rows import Schedule
from fourm_tui.schedule.validation import validate
from fourm_tui.tokenizers.text import TextTokenizer, find_text_tokenizer


class Generation:
    """A generation under way: iterate over its events; `tokens` and `texts` fill as targets are finished."""

    def __init__(self, models: Models, job: Job, folder: Run | None) -> None:
        self.tokens: dict[str, list[NDArray[np.int64]]] = {}
        """Token ids by target, one array `[N]` per variation."""
        self.texts: dict[str, list[str]] = {}
        """Text by target, one per variation."""
        self.folder = folder.folder if folder else None
        """The run folder, if there is one."""
        self._events = (
            run_in_folder(folder, models, job, also=self._finished)
            if folder
            else run(models, job, finished=self._finished)
        )

    def __iter__(self) -> Iterator[Event]:
        return self._events

    def finish(self) -> Generation:
        """Runs to the end without looking at the events."""
        for _ in self._events:
            pass
        return self

    def _finished(self, target: Target, sample: int) -> tuple[str, ...]:
        self.tokens.setdefault(target.row.row.target, []).append(target.tokens[sample])
        if target.texts:
            self.texts.setdefault(target.row.row.target, []).append(target.texts[sample])
        return ()


def generate(
    model: FourM,
    schedule: Schedule,
    conditions: Mapping[str, Condition | Any] | None = None,
    *,
    seed: int = 0,
    num_variations: int = 1,
    sr_model: FourM | None = None,
    text_tokenizer: TextTokenizer | str | Path | None = None,
    out: str | Path | None = None,
) -> Generation:
    """Generates the targets of a schedule.

    Args:
        model: from `load_model`.
        schedule: from `load_schedule`.
        conditions: from `load_conditions`, or what it takes: text, paths, arrays by name.
        seed: of the first variation; the others have hashes of it.
        num_variations: outputs, made in one batch.
        sr_model: for the super-resolution chain, if the schedule has one.
        text_tokenizer: or its file; None: beside the model, in the Hub's cache, or on the Hub.
        out: folder in which a run folder is made; None keeps everything in memory.

    Returns:
        An iterable of events, which also holds the results.

    Raises:
        InputError: the schedule has problems (all of them are listed) or something does not fit.
    """
    loaded = load_conditions(conditions or {}, model.architecture.modalities)
    sr_architecture = sr_model.architecture if sr_model else None
    given = {name: condition.complete for name, condition in loaded.items()}
    findings = validate(schedule, model.architecture, sr_architecture, given)
    if findings.problems:
        raise InputError("\n".join(str(problem) for problem in findings.problems))
    names = [*loaded, *(row.target for _, _, row in schedule.rows())]
    if text_tokenizer is None and needs_text(names):
        text_tokenizer = find_text_tokenizer(model.source)
    text = TextTokenizer(Path(text_tokenizer)) if isinstance(text_tokenizer, str | Path) else text_tokenizer
    seeds = [effective_seed(seed, 0, variation) for variation in range(num_variations)]
    folder = None
    if out is not None:
        samples = tuple(SampleRecord(s, 0, variation) for variation, s in enumerate(seeds))
        folder = create_run(Path(out), RunRecord("run", samples=samples))
    job = Job(schedule, [loaded] * num_variations, seeds, folder.name if folder else "")
    return Generation(Models(model, sr_model, text), job, folder)
