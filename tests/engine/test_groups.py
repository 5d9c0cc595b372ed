"""Many samples of one run: made some at a time, so that memory does not depend on how many there are."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fourm_tui.engine import run as engine_run
from fourm_tui.engine.job import Models, Target
from fourm_tui.engine.keep import run_in_folder
from fourm_tui.engine.outputs import Gallery, Outputs
from fourm_tui.engine.run import run
from fourm_tui.events import RunCancelled, RunDone, StepDone
from fourm_tui.pictures.contact import Panel
from fourm_tui.runs import Run, RunRecord, Variations, create_run, open_run, read_tokens
from tests.engine.small_jobs import SETTINGS, job

COUNT = 5


class Each(Outputs):
    """The tokens of every sample, and the targets as long as anybody holds them."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, int], list[int]] = {}
        self.targets: list[weakref.ref[Target]] = []
        self.alive = 0
        """Most targets that were there at once."""

    def tokens(self, target: Target, sample: int) -> tuple[str, ...]:
        self.found[target.name, sample] = target.tokens[sample].tolist()
        if all(each() is not target for each in self.targets):
            self.targets.append(weakref.ref(target))
        gc.collect()
        self.alive = max(self.alive, sum(each() is not None for each in self.targets))
        return ()


def asked(**more: Any) -> Any:
    return job(SETTINGS, [{"caption": "a b"}] * COUNT, [sample.seed for sample in Variations(3, COUNT)], **more)


def test_samples_are_the_same_in_groups_as_together(models: Models) -> None:
    together, apart = Each(), Each()
    list(run(models, asked(), together))
    list(run(models, asked(together=2), apart))
    assert len(apart.found) == 2 * COUNT
    assert apart.found == together.found


def test_no_state_is_made_of_samples_that_have_not_begun(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    made = engine_run.base_state

    def spy(model: Any, rows: Any, samples: Sequence[Any], text: Any) -> Any:
        sizes.append(len(samples))
        return made(model, rows, samples, text)

    monkeypatch.setattr(engine_run, "base_state", spy)
    list(run(models, asked(together=2)))
    assert sizes == [2, 2, 1]


def test_nothing_is_held_of_samples_that_are_finished(models: Models) -> None:
    outputs = Each()
    list(run(models, asked(together=1), outputs))
    assert len(outputs.targets) == 2 * COUNT
    assert outputs.alive <= 2


def test_steps_are_counted_over_all_groups(models: Models) -> None:
    steps = [event for event in run(models, asked(together=2)) if isinstance(event, StepDone)]
    assert [step.total_step for step in steps] == list(range(steps[0].total_steps))


def test_pictures_are_kept_of_the_sheet_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fourm_tui.engine.outputs.ON_SHEET", 3)
    gallery = Gallery([{}] * 6, {})
    for numbers in ([0, 1], [2, 3], [4, 5]):
        gallery.begin_group(numbers)
        for number in numbers:
            gallery.panels[number].append(Panel("RGB"))
        gallery.end_group(numbers)
    assert (list(gallery.panels), gallery.over, gallery.placed) == ([0, 1, 2], {}, {})


def _stopped_in_the_second_group(models: Models, folder: Run) -> None:
    seen = 0

    def stop() -> bool:
        nonlocal seen
        seen += 1
        return seen > 11  # a group has 7 steps

    events = list(run_in_folder(folder, models, asked(together=2), stop))
    assert isinstance(events[-1], RunCancelled)


def test_an_interrupted_run_goes_on_in_the_group_that_it_was_at(models: Models, tmp_path: Path) -> None:
    folder = create_run(tmp_path, RunRecord("test", samples=Variations(3, COUNT)))
    _stopped_in_the_second_group(models, folder)
    rest = list(run_in_folder(open_run(folder.folder), models, asked(together=2)))
    assert isinstance(rest[-1], RunDone)
    steps = [event.total_step for event in rest if isinstance(event, StepDone)]
    assert steps == list(range(10, 21))  # its first row was finished
    whole = Each()
    list(run(models, asked(), whole))
    done = open_run(folder.folder)
    for (name, sample), tokens in whole.found.items():
        row = next(each.number for each in done.record.rows if each.target == name)
        assert read_tokens(done.path_for(row, name, sample, ".safetensors")).tokens.tolist() == tokens


def test_rows_behind_the_one_under_way_are_to_come_for_the_samples_in_turn(models: Models, tmp_path: Path) -> None:
    folder = create_run(tmp_path, RunRecord("test", samples=Variations(3, COUNT)))
    _stopped_in_the_second_group(models, folder)
    assert [row.state for row in open_run(folder.folder).record.rows] == ["done", "running"]


def test_a_sample_that_is_left_out_before_its_group_is_not_made(models: Models) -> None:
    outputs = Each()
    events = list(run(models, asked(together=2), outputs, skipped=lambda: frozenset({2, 3})))
    assert isinstance(events[-1], RunDone)
    assert {sample for _, sample in outputs.found} == {0, 1, 4}


def test_memory_that_was_too_small_once_is_not_tried_again(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    decode = engine_run.RowDecoder.decode

    def small(self: Any, *arguments: Any) -> Any:
        sizes.append(len(self.numbers))
        if len(self.numbers) > 2:
            raise MemoryError
        return decode(self, *arguments)

    monkeypatch.setattr(engine_run.RowDecoder, "decode", small)
    list(run(models, replace(asked(), together=4)))
    assert sizes.count(4) == 1
