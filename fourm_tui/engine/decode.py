"""Pictures of a run's targets made after it ended: the same files that the run itself would have made."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

from fourm_tui.architecture import Architecture
from fourm_tui.checkpoints import find_checkpoint
from fourm_tui.conditions.condition import Condition
from fourm_tui.conditions.loading import load_conditions
from fourm_tui.engine.asked import TOGETHER, Asked
from fourm_tui.engine.finish import Finisher
from fourm_tui.engine.job import Target, plan_of
from fourm_tui.engine.keep import InFolder, facts_of
from fourm_tui.engine.loading import choose_device
from fourm_tui.engine.outputs import ON_SHEET, Gallery
from fourm_tui.engine.pieces import pieces_of
from fourm_tui.engine.resume import clear_unfinished, read_target
from fourm_tui.engine.row import StoppedError
from fourm_tui.engine.store import ModelStore
from fourm_tui.engine.tokenize import Tokenizers
from fourm_tui.errors import InputError, printable
from fourm_tui.events import Decoding, Event, EventLog, RunCancelled, RunDone, TargetDone
from fourm_tui.modalities import MODALITIES, Modality
from fourm_tui.pictures.save import last_ending
from fourm_tui.plan import RowPlan
from fourm_tui.runs import Run
from fourm_tui.tokenizers.text import TextTokenizer, find_text_tokenizer


def decode(
    folder: Run,
    rows: Collection[int],
    stop: Callable[[], bool] = lambda: False,
    device: str | None = None,
    store: ModelStore | None = None,
) -> Iterator[Event]:
    """Makes what is lacking of some rows' pictures, and the contact sheet of a run that is done anew.

    Of the events `Decoding` and `TargetDone` go into the run's log, so that viewers find the files; the last one,
    `RunDone` or `RunCancelled`, is about this alone, and `run.json` stays as it is.

    Args:
        folder: of the run, which is not under way.
        rows: their numbers.
        stop: asked before every step of decoding.
        device: in place of the one that the run names.
        store: of loaded tokenizers; None: they are loaded for this once.

    Raises:
        FourmError: the run is being written, or something that it was made with is not there any more.
    """
    began = time.monotonic()
    with EventLog(folder.events) as log:
        clear_unfinished(folder)
        store = store or ModelStore()
        store.begin()
        try:
            for event in _Late(folder, rows, stop, device, store).events():
                yield log.append(event) if isinstance(event, Decoding | TargetDone) else event
        except StoppedError:
            yield RunCancelled()
        else:
            yield RunDone(time.monotonic() - began)


class _KeptAll(InFolder):
    """A folder in which all that lies there is whole."""

    def is_whole(self, target: Target, sample: int) -> bool:
        return True


class _Late:
    """The targets of a run that has ended."""

    def __init__(
        self, folder: Run, rows: Collection[int], stop: Callable[[], bool], device: str | None, store: ModelStore
    ) -> None:
        self.folder, self.rows = folder, rows
        asked = Asked.of(folder.record)
        models, self.title = asked.models, asked.title or folder.name
        self.modalities = _modalities(models.model)
        sr_modalities = _modalities(models.sr_model if asked.schedule.super_resolution else None)
        self.conditions: Mapping[str, Condition] = load_conditions(asked.given, self.modalities)
        worked_out = plan_of(asked.schedule, self.conditions, self.modalities, sr_modalities)
        self.plan = [(row, sr_modalities if row.prefix else self.modalities) for row in worked_out.rows]
        self.text: TextTokenizer | None = None
        if any(row.is_sequence and row.number in rows for row in worked_out.rows) and models.model:
            near = find_checkpoint(models.model).weights
            self.text = TextTokenizer(find_text_tokenizer(near, models.text_tokenizer))
        where, steps = choose_device(device or asked.device), models.detokenizer_steps
        self.tokenizers = Tokenizers(models.tokenizers, where, asked.dtype, steps=steps, load=store.tokenizer)
        self.outputs = _KeptAll(folder, asked.seeds, True, facts_of(folder))
        self.seeds, self.stop = asked.seeds, stop

    def events(self) -> Iterator[Event]:
        samples: Sequence[Mapping[str, Condition]] = [self.conditions] * len(self.seeds)
        if any(condition.untokenized is not None for condition in self.conditions.values()):
            for item in self.tokenizers.encode(samples):  # the sheet shows the text that they become
                if isinstance(item, Event):
                    yield item
                else:
                    samples = item
        gallery = Gallery(samples, self.modalities)
        finisher = Finisher(
            self.tokenizers, gallery, self.outputs, self.seeds, self.rows, self.stop, self.tokenizers.forget
        )
        for group in pieces_of(len(self.seeds), TOGETHER):
            numbers = [number for number in group if not self.folder.record.samples[number].skipped]
            if group.start >= ON_SHEET and not any(self._lacking(row, numbers) for row, _ in self.plan):
                continue
            gallery.begin_group(numbers)
            for row, modalities in self.plan:
                there = [number for number in numbers if self._path(row, number, ".safetensors").is_file()]
                if there:
                    yield from self._row(row, modalities[row.row.target], there, gallery, finisher)
            gallery.end_group(numbers)
        if self.folder.record.status == "done":
            self.outputs.end(gallery.sheet(self.title, self.seeds))

    def _row(
        self, row: RowPlan, modality: Modality, numbers: Sequence[int], gallery: Gallery, finisher: Finisher
    ) -> Iterator[Event]:
        finisher.check_stop()
        if self._lacking(row, numbers):
            target = read_target(self.folder, row, self.text, numbers)
            yield from finisher.keep(target, modality, time.monotonic(), TOGETHER)
            return
        for number in numbers:
            target = read_target(self.folder, row, None, [number])
            if self._path(row, number, last_ending(target.name)).is_file():
                output = gallery.output(target, number, modality, None)
                gallery.recall(output, number, self.outputs.kept(target, number))
            else:
                gallery.tokens_only(target, modality)

    def _lacking(self, row: RowPlan, numbers: Sequence[int]) -> bool:
        """Whether a row's pictures are to be made of any of these samples; then they are made of all, as in a run."""
        ending = last_ending(row.row.target)
        return row.number in self.rows and not all(self._path(row, number, ending).is_file() for number in numbers)

    def _path(self, row: RowPlan, number: int, ending: str) -> Path:
        return self.folder.path_for(row.number, row.row.target, number, ending)


def _modalities(name: str | None) -> Mapping[str, Modality]:
    """As a model sees them."""
    config = find_checkpoint(name).config if name else None
    if name and config is None:
        raise InputError(f"{printable(name)}: the model of this run is not on this machine any more")
    return Architecture.from_config(config, name).modalities if name and config else MODALITIES
