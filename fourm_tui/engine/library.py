"""The engine for notebooks and scripts: `fourm_tui.generate` and what comes out of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm_tui.conditions.condition import Condition
from fourm_tui.conditions.loading import load_conditions
from fourm_tui.engine.job import Job, Models, Target
from fourm_tui.engine.keep import InFolder, facts_of, run_in_folder
from fourm_tui.engine.loading import needs_text
from fourm_tui.engine.outputs import Outputs
from fourm_tui.engine.run import run
from fourm_tui.engine.tokenize import Tokenizers
from fourm_tui.events import Event
from fourm_tui.model.fourm import FourM
from fourm_tui.pictures.save import Output
from fourm_tui.published import TOKENIZERS
from fourm_tui.runs import Run, RunRecord, SampleRecord, create_run, effective_seed
from fourm_tui.schedule.configs import DETOKENIZER_STEPS
from fourm_tui.schedule.rows import Schedule, ScheduleError
from fourm_tui.schedule.validation import validate
from fourm_tui.tokenizers.text import TextTokenizer, find_text_tokenizer

PUBLISHED_TOKENIZERS: Mapping[str, str] = {tokenizer.key: tokenizer.id for tokenizer in TOKENIZERS.values()}


class Generation:
    """A generation under way: iterate over its events; `tokens` and `texts` fill as targets are finished."""

    def __init__(self, models: Models, job: Job, folder: Run | None) -> None:
        self.tokens: dict[str, list[NDArray[np.int64]]] = {}
        """Token ids by target, one array `[N]` per variation."""
        self.texts: dict[str, list[str]] = {}
        """Text by target, one per variation."""
        self.pictures: dict[str, list[Image.Image]] = {}
        """Pictures by target, one per variation, if tokenizers were given."""
        self.outputs: dict[str, list[Output]] = {}
        """Decoded arrays by target (`.array`), one per variation, if tokenizers were given."""
        self.sheet: Image.Image | None = None
        """The contact sheet, at the end."""
        self.folder = folder.folder if folder else None
        """The run folder, if there is one."""
        facts = facts_of(folder) if folder else {}
        outputs = _Collected(
            self, InFolder(folder, job.seeds, models.tokenizers is not None, facts) if folder else None
        )
        outputs.wants_pictures = models.tokenizers is not None
        self._events = run_in_folder(folder, models, job, outputs=outputs) if folder else run(models, job, outputs)

    def __iter__(self) -> Iterator[Event]:
        return self._events

    def finish(self) -> Generation:
        """Runs to the end without looking at the events."""
        for _ in self._events:
            pass
        return self


class _Collected(Outputs):
    """Puts what is finished into a `Generation`, and hands it on."""

    def __init__(self, generation: Generation, onward: Outputs | None) -> None:
        self.generation, self.onward = generation, onward or Outputs()

    def tokens(self, target: Target, sample: int) -> tuple[str, ...]:
        name = target.name
        self.generation.tokens.setdefault(name, []).append(target.tokens[sample])
        if target.texts:
            self.generation.texts.setdefault(name, []).append(target.texts[sample])
        return self.onward.tokens(target, sample)

    def picture(self, target: Target, sample: int, output: Output, picture: Image.Image | None) -> tuple[str, ...]:
        name = target.name
        self.generation.outputs.setdefault(name, []).append(output)
        if picture is not None:
            self.generation.pictures.setdefault(name, []).append(picture)
        return self.onward.picture(target, sample, output, picture)

    def end(self, sheet: Image.Image) -> tuple[str, ...]:
        self.generation.sheet = sheet
        return self.onward.end(sheet)


def generate(
    model: FourM,
    schedule: Schedule,
    conditions: Mapping[str, Condition | Any] | None = None,
    *,
    seed: int = 0,
    num_variations: int = 1,
    sr_model: FourM | None = None,
    text_tokenizer: TextTokenizer | str | Path | None = None,
    tokenizers: Mapping[str, str] | bool = False,
    detokenizer_steps: int = DETOKENIZER_STEPS,
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
        tokenizers: image tokenizers by their keys in a models config (`{"rgb_tok_id": ...}`), or True for those of the
            published models; with them pictures are encoded and targets decoded.
        detokenizer_steps: of the diffusion decoders.
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
        raise ScheduleError(findings.problems)
    used = [*loaded, *(row.target for _, _, row in schedule.rows())]
    if text_tokenizer is None and needs_text(used):
        text_tokenizer = find_text_tokenizer(model.source)
    text = TextTokenizer(Path(text_tokenizer)) if isinstance(text_tokenizer, str | Path) else text_tokenizer
    seeds = [effective_seed(seed, 0, variation) for variation in range(num_variations)]
    folder = None
    if out is not None:
        samples = tuple(SampleRecord(s, 0, variation) for variation, s in enumerate(seeds))
        folder = create_run(Path(out), RunRecord("run", samples=samples))
    job = Job(schedule, [loaded] * num_variations, seeds, folder.name if folder else "")
    names = PUBLISHED_TOKENIZERS if tokenizers is True else tokenizers or {}
    image = Tokenizers(names, model.device, steps=detokenizer_steps) if names else None
    return Generation(Models(model, sr_model, text, image), job, folder)
