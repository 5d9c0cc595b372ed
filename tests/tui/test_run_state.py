"""What is known of a run: how far, how fast, how long yet; also after it was stopped, taken up again, branched off."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fourm_tui.events import (
    Decoding,
    Event,
    Loading,
    RowFacts,
    RowStarted,
    RunFailed,
    RunStarted,
    SampleSkipped,
    StepDone,
    TargetDone,
)
from fourm_tui.events.packed import Packed, PackedProbabilities
from fourm_tui.runs import Run, RunRecord, SampleRecord, SettingsText, TargetTokens, create_run, write_tokens
from fourm_tui.runs.record import RowRecord
from fourm_tui.tui.run_state import RunState
from tests.tui import kept_run

ROWS = (
    RowFacts(1, "tok_clip@224", "roar", 10, 196),
    RowFacts(2, "tok_rgb@224", "maskgit", 4, 196),
    RowFacts(3, "tok_depth@224", "roar", 10, 196),
)
STARTED = RunStarted("run", ROWS, (0,))


def step(row: int, number: int, time: float) -> StepDone:
    before = sum(facts.steps for facts in ROWS if facts.number < row)
    facts, at = ROWS[row - 1], Packed.of([[number]])
    return StepDone(
        row, facts.target, number, facts.steps, before + number, 24, (0,), at, at, PackedProbabilities.of([[0.5]]),
        time=time,
    )  # fmt: skip


def row(number: int, count: int, began: float, each: float) -> list[Event]:
    started = RowStarted(number, ROWS[number - 1].target, ROWS[number - 1].steps, (0,), time=began)
    return [started, *(step(number, at, began + each * (at + 1)) for at in range(count))]


def told(*events: Event) -> RunState:
    state = RunState(Path("runs/run"), "run")
    for event in events:
        state.apply(event)
    return state


def done(number: int, time: float, seconds: float = 1.0) -> TargetDone:
    return TargetDone(number, ROWS[number - 1].target, 0, (), seconds, time=time)


def test_the_speed_is_that_of_the_row_under_way() -> None:
    state = told(STARTED, *row(1, 10, 0.0, 0.1), done(1, 1.0), *row(2, 3, 1.0, 0.5))
    assert state.speed == pytest.approx(2.0)


def test_what_is_left_counts_each_scheme_at_its_own_speed() -> None:
    state = told(STARTED, *row(1, 10, 0.0, 0.1), done(1, 1.0), *row(2, 2, 1.0, 0.5))
    assert state.seconds_left == pytest.approx(2 * 0.5 + 10 * 0.1)


def test_what_is_left_counts_the_pictures_to_come_as_long_as_the_last_one_took() -> None:
    state = told(STARTED, *row(1, 10, 0.0, 0.1), done(1, 3.0), *row(2, 2, 3.0, 0.5))
    assert state.seconds_left == pytest.approx(2 * 0.5 + 10 * 0.1 + 2 * 2.0)


def test_rows_finished_before_a_resumed_run_are_not_waited_for() -> None:
    state = told(replace(STARTED, resumed=True), *row(3, 5, 100.0, 0.2))
    assert state.seconds_left == pytest.approx(5 * 0.2)


def test_a_resumed_run_is_as_far_as_its_finished_rows() -> None:
    state = told(replace(STARTED, resumed=True), RowStarted(3, "tok_depth@224", 10, (0,)))
    assert state.fraction == pytest.approx(14 / 24)


def test_nothing_is_left_to_say_before_two_steps() -> None:
    assert told(STARTED, *row(1, 1, 0.0, 0.1)).seconds_left is None


def test_a_row_begun_anew_has_an_empty_map() -> None:
    state = told(STARTED, *row(1, 5, 0.0, 0.1), STARTED, RowStarted(1, "tok_clip@224", 10, (0,)))
    assert state.targets[1, 0].decoded == 0


def test_a_failed_run_that_loads_again_is_waited_for() -> None:
    state = told(STARTED, RunFailed("out of memory", "memory"), Loading("model", 0.2))
    assert (state.status, state.error) == ("waiting", "")


def test_a_run_that_nobody_is_at_is_interrupted() -> None:
    state = told(STARTED, *row(1, 5, 0.0, 0.1))
    state.interrupt()
    assert state.status == "interrupted"


def test_a_row_is_done_without_the_samples_that_were_left_out() -> None:
    state = told(replace(STARTED, seeds=(0, 1)), RowStarted(1, "tok_clip@224", 10, (0, 1)), SampleSkipped(1))
    state.apply(done(1, 1.0))
    assert state.is_row_done(1)


@pytest.fixture
def branch(tmp_path: Path) -> Run:
    """A run that took its first row over and has not begun."""
    text = "cond_domains: caption\ntarget_domains: tok_clip@224-tok_rgb@224\ndecoding_steps: 7-4\n"
    record = RunRecord(
        "test", settings=(SettingsText("settings", text),), samples=(SampleRecord(0),),
        rows=(RowRecord(1, "tok_clip@224", "roar", 10, 196, state="done", seconds=2.5),),
    )  # fmt: skip
    run = create_run(tmp_path, record)
    path = run.path_for(1, "tok_clip@224", 0, ".safetensors")
    path.parent.mkdir(parents=True)
    at = np.arange(196)
    write_tokens(path, TargetTokens("tok_clip@224", 1, 0, at, at % 10, np.full(196, 0.5)))
    return run


def test_a_row_taken_over_shows_its_map(branch: Run) -> None:
    assert RunState.of_run(branch).targets[1, 0].decoded == 196


def test_a_row_taken_over_keeps_the_steps_it_had(branch: Run) -> None:
    assert [facts.steps for facts in RunState.of_run(branch).rows] == [10, 4]


def test_a_run_that_has_not_begun_says_which_rows_it_will_have(branch: Run) -> None:
    assert [facts.target for facts in RunState.of_run(branch).rows] == ["tok_clip@224", "tok_rgb@224"]


def test_what_the_folder_says_does_not_undo_what_events_said(branch: Run) -> None:
    state = told(STARTED, *row(1, 5, 0.0, 0.1))
    state.take(RunState.of_run(branch))
    assert state.targets[1, 0].decoded == 5


def test_the_next_samples_of_many_go_on_where_the_count_was_and_their_time_is_foreseen(tmp_path: Path) -> None:
    state = RunState(tmp_path)
    state.apply(RunStarted("r", (RowFacts(1, "tok_clip@224", "roar", 4, 196),), tuple(range(6)), time=0.0))
    time = 0.0
    for group in range(2):
        state.apply(RowStarted(1, "tok_clip@224", 4, (2 * group, 2 * group + 1), time=time))
        for step in range(4 if group == 0 else 1):
            time += 1
            state.apply(_step(step, group * 4 + step, (2 * group, 2 * group + 1), time))
        if group == 0:
            state.apply(TargetDone(1, "tok_clip@224", 0, (), 4.0, time=time))
    assert (state.total_step, state.total_steps, state.samples) == (5, 12, (2, 3))
    assert state.seconds_left == pytest.approx(3 + 4, abs=1.5)


def _step(step: int, total: int, samples: tuple[int, ...], time: float) -> StepDone:
    at = np.array([[step]] * len(samples))
    return StepDone(
        1, "tok_clip@224", step, 4, total, 12, samples, Packed.of(at), Packed.of(at),
        PackedProbabilities.of(at / 4.0), time=time,
    )  # fmt: skip


def test_a_picture_made_later_changes_no_times(tmp_path: Path) -> None:
    run = kept_run.kept(tmp_path)
    state = kept_run.finished(run)
    before = state.times.seconds_of(1), state.targets[1, 0].seconds
    later = TargetDone(1, "tok_semseg@224", 0, ("samples/000/01_tok_semseg@224.png",), 99.0, seq=-1, time=1e9)
    state.apply(Decoding(1, "tok_semseg@224", (0,), 3, 25))
    state.apply(later)
    assert (state.times.seconds_of(1), state.targets[1, 0].seconds) == before
    assert state.targets[1, 0].files == later.files
    state.apply(Decoding(1, "tok_semseg@224", (0,), 3, 25))  # and was stopped
    state.apply(RunStarted(run.name, kept_run.ROWS, (0, 1)))
    assert state.decoding is None
