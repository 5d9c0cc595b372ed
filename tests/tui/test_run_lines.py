"""What the pane of the run says, and how it shares its room."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len

from fourm_tui.engine.jobs import JobStatus, QueuedJob
from fourm_tui.events import BatchProgress, Decoding, Loading, Note, RankProgress, RowFacts, RunFailed, RunStarted
from fourm_tui.tui.changed import Change, changes, in_words
from fourm_tui.tui.notices import Stopwatch, memory_line, notice, parting_words
from fourm_tui.tui.run_layout import lay_out
from fourm_tui.tui.run_lines import (
    View,
    clock,
    in_queue,
    pace,
    queue_lines,
    row_lines,
    run_name,
    state_word,
    status_lines,
)
from fourm_tui.tui.run_state import RunState
from fourm_tui.tui.widgets.bars import bar
from tests.tui.conftest import demo
from tests.tui.kept_run import done, kept, state, steps, words


def job(id: str, status: JobStatus = "waiting", order: float = 1.0, error: str | None = None) -> QueuedJob:
    return QueuedJob(id, f"/runs/2026-11-20_10150{order:.0f}_T2CR_a1b2c3", order, status, error=error)


@pytest.fixture
def running(tmp_path: Path) -> RunState:
    run = kept(tmp_path)
    return state(run, [*steps(1), *done(run, 1), *steps(2, count=2)])


def said(view: View, width: int, height: int) -> list[str]:
    return ["".join(text for text, _ in line).rstrip() for line in lay_out(view, width, height)]


@pytest.mark.parametrize(("fraction", "full"), [(0.0, ""), (1.0, "█" * 8), (0.001, "▌"), (0.999, "█" * 7 + "▌")])
def test_a_bar_is_full_only_when_all_is_done(fraction: float, full: str) -> None:
    assert bar(8, fraction)[0] == full


def test_a_bar_in_ascii_has_its_width() -> None:
    assert "".join(bar(9, 0.5, ascii=True)) == "####....."


@pytest.mark.parametrize(("seconds", "shown"), [(2, "0:02"), (760, "12:40"), (3723, "1:02:03"), (-1, "0:00")])
def test_a_time_left_is_shown_as_a_clock(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


@pytest.mark.parametrize(("speed", "shown"), [(31.2, "31 it/s"), (2.5, "2.5 it/s"), (0.25, "4.0 s/it")])
def test_a_slow_step_is_told_in_seconds(speed: float, shown: str) -> None:
    assert pace(speed) == shown


@pytest.mark.parametrize(("width", "height"), [(28, 6), (20, 3), (1, 1), (76, 20), (120, 40), (24, 2)])
def test_lines_stay_in_their_room(running: RunState, width: int, height: int) -> None:
    jobs = tuple(job(str(at), order=at) for at in range(1, 9))
    lines = said(
        View(running, jobs[0], jobs, memory="cpu  1.0 GB", changed="edited since: temps.1 1 → 2"), width, height
    )
    assert len(lines) <= height
    assert max(map(cell_len, lines)) <= width


def test_in_the_least_room_the_row_under_way_is_there(running: RunState) -> None:
    lines = said(View(running), 28, 3)
    assert any(line.startswith("rgb") and line.endswith("2/4") for line in lines)


def test_six_lines_hold_rows_total_speed_and_queue(running: RunState) -> None:
    jobs = (job("a", "running", 1), job("b", order=2), job("c", order=3))
    lines = said(View(running, jobs[0], jobs), 28, 6)
    assert [line.split()[0] for line in lines[:4]] == ["semseg", "rgb", "caption", "total"]
    assert lines[-1] == "next: 2 in the queue"


def test_there_is_air_above_a_queue_that_could_fill_the_room(running: RunState) -> None:
    jobs = tuple(job(str(at), order=at) for at in range(1, 30))
    assert said(View(running, jobs[0], jobs, focused=True), 40, 18).count("") == 1


def test_with_room_each_row_says_how_it_stands(running: RunState) -> None:
    lines = said(View(running), 76, 20)
    assert next(line for line in lines if line.startswith("1 tok_semseg")).endswith("✓ 1.0 s")
    assert next(line for line in lines if line.startswith("3 caption")).endswith("waiting")


def test_a_finished_row_has_its_seconds(running: RunState) -> None:
    assert any("✓ 1.0 s" in line for line in said(View(running), 76, 20))


def test_ascii_has_no_other_signs(running: RunState) -> None:
    jobs = (job("a", "running", 1), job("b", "failed", 2, error="gone"))
    view = View(running, jobs[0], jobs, selected="a", focused=True, ascii=True)
    assert "".join(said(view, 60, 20)).isascii()


def test_a_sequence_streams_its_last_words(tmp_path: Path) -> None:
    run = kept(tmp_path)
    now = state(run, [*steps(1), *done(run, 1), *steps(2), *done(run, 2), *words()])
    assert "a red fox" in said(View(now), 40, 20)


def test_loading_says_what_and_how_much(running: RunState) -> None:
    running.apply(Loading("org/4M-7_B_CC12M", 0.43))
    line = status_lines(View(running), 60)[0]
    assert "".join(text for text, _ in line).startswith("loading 4M-7_B_CC12M")
    assert line[-1][0] == " 43%"


def test_decoding_has_a_bar_of_its_own(running: RunState) -> None:
    running.apply(Decoding(2, "tok_rgb@224", (0,), 20, 50))
    assert "".join(text for text, _ in status_lines(View(running), 60)[0]).endswith("20/50")


def test_a_paused_run_says_how_to_go_on(running: RunState) -> None:
    assert said(View(running, job("a", "paused")), 40, 6)[-1] == "paused  space goes on"


def test_a_failed_run_says_why_and_that_it_can_go_on(running: RunState) -> None:
    running.apply(RunFailed("out of memory on cuda:0", "memory"))
    lines = said(View(running), 40, 12)
    assert any("t goes on with it" in line for line in lines)
    assert any("out of memory on cuda:0" in line for line in lines)


def test_escape_sequences_of_others_are_not_drawn(running: RunState) -> None:
    running.apply(RunFailed("bad \x1b]0;name\a word", "bug"))
    running.apply(Note("note \x1b[31m"))
    assert "\x1b" not in "".join(said(View(running, jobs=(job("a", "failed", error="\x1b[2J"),)), 80, 30))


@pytest.mark.parametrize(
    ("status", "stopping", "word"),
    [
        ("running", False, "50%"),
        ("paused", False, "paused"),
        ("running", True, "stopping"),
        ("waiting", False, "waiting"),
    ],
)
def test_the_title_has_one_word_for_it(running: RunState, status: JobStatus, stopping: bool, word: str) -> None:
    running.total_step, running.total_steps = 8, 16
    assert state_word(running, job("a", status), stopping) == word


def test_what_runs_stands_before_what_waits_and_what_has_ended_last() -> None:
    jobs = (job("old", "done", 1), job("new", "failed", 2), job("second", order=3), job("first", "running", 4))
    assert [each.id for each in in_queue(jobs)] == ["first", "second", "new", "old"]


def test_the_selected_job_is_in_sight_however_little_room_there_is() -> None:
    jobs = tuple(job(str(at), order=at) for at in range(1, 9))
    lines = queue_lines(View(None, jobs=jobs, selected="7", focused=True), 40, 2)
    assert any(text.startswith("▸") for line in lines for text, _ in line)


def test_runs_are_told_apart_by_time_and_chain() -> None:
    assert run_name("2026-11-20_101503_T2CR_roar_a1b2c3") == "10:15:03 T2CR_roar"


def test_a_folder_of_another_name_is_called_by_it() -> None:
    assert run_name("my best run") == "my best run"


# -- beside the screens -----------------------------------------------------------------------------------------


def test_a_job_that_has_ended_is_told_once_with_its_time() -> None:
    watch = Stopwatch()
    watch.ended([job("a", "running")], 10.0)
    assert [(each.id, seconds) for each, seconds in watch.ended([job("a", "done")], 40.0)] == [("a", 30.0)]
    assert watch.ended([job("a", "done")], 50.0) == []


def test_a_notice_holds_nothing_from_outside() -> None:
    assert notice("osc9", "\x1b]evil") == "\x1b]9;fourm: the run is over\a"
    assert notice("osc9", "done", pictures=True) == "\x1b]9;fourm: decoding is done\a"


def test_a_notice_goes_through_tmux_as_it_is() -> None:
    assert notice("osc9", "done", in_tmux=True) == "\x1bPtmux;\x1b\x1b]9;fourm: the run is done\a\x1b\\"


def test_the_bell_needs_no_help_of_tmux() -> None:
    assert notice("bell", "done", in_tmux=True) == "\a"


def test_no_notice_where_none_is_wanted() -> None:
    assert notice("none", "done") == ""


HELD = [{"name": "m", "kind": "model", "bytes": 6_000_000_000}]
STATUS = {"idle": 900, "workers": [{"device": "cuda:0", "pid": 1, "held": HELD}]}


def test_leaving_says_what_goes_on_and_how_to_stop_it() -> None:
    said = parting_words([job("a1", "running"), job("b2")], STATUS)
    assert "and 1 more goes on" in said
    assert "queue cancel a1" in said


def test_leaving_says_what_stays_on_the_device_and_for_how_long() -> None:
    said = parting_words([job("a", "done")], STATUS)
    assert said == "1 model (6.0 GB) stays on cuda:0 for 15 minutes; `fourm-tui engine stop` frees it now"


def test_leaving_says_nothing_where_nothing_stays() -> None:
    assert parting_words([job("a", "done")], None) == ""


def test_a_status_that_makes_no_sense_is_passed_over() -> None:
    assert parting_words([], {"workers": "?", "idle": []}) == ""


def test_the_memory_line_says_what_is_held() -> None:
    assert memory_line(STATUS, 7_000_000_000) == "cuda:0  1 model 6.0 GB  7.0 GB in use"


MEMORY = {"free": 70_100_000_000, "total": 84_900_000_000, "own": 7_300_000_000}


def with_memory(*memories: object) -> dict[str, object]:
    return {"workers": [{"device": f"cuda:{at}", "pid": 1, "memory": each} for at, each in enumerate(memories)]}


def test_the_memory_line_says_what_is_free_on_the_device() -> None:
    assert memory_line(with_memory(MEMORY), 1) == "cuda:0  70.1 of 84.9 GB free  7.3 GB in use"


def test_the_memory_line_says_what_is_free_on_each_of_several_devices() -> None:
    said = memory_line(with_memory(MEMORY, {**MEMORY, "free": 12_000_000_000}), 0)
    assert said == "cuda:0 and cuda:1  70.1 and 12.0 of 84.9 and 84.9 GB free  14.6 GB in use"


@pytest.mark.parametrize("memory", [None, "much", {}, {**MEMORY, "free": -1}, {**MEMORY, "total": "\x1b[31m"}])
def test_memory_that_makes_no_sense_is_not_said(memory: object) -> None:
    assert memory_line(with_memory(memory), 0) == ""


# -- edited since -----------------------------------------------------------------------------------------------


def test_a_cell_that_was_edited_since_is_named() -> None:
    workspace = demo()
    record = workspace.begin(Path("runs")).run.record
    workspace.edit("temperature", lambda editor: editor.set_cell(2, "temps", 0.7))
    assert changes(record, workspace) == (Change(2, "temps", "0.3", "0.7"),)


def test_a_row_that_was_added_since_is_one_change() -> None:
    workspace = demo()
    record = workspace.begin(Path("runs")).run.record
    workspace.edit("delete", lambda editor: editor.delete_row(3))
    assert [each.words() for each in changes(record, workspace)] == ["row 3 deleted"]


def test_several_changes_are_counted() -> None:
    found = [Change(2, "temps", "0.3", "0.7"), Change(3, "temps", "0.3", "0.7")]
    assert in_words(found, ascii=True) == "edited since: temps.2 0.3 -> 0.7 and 1 more"


def test_a_bulk_run_has_a_bar_for_each_of_its_processes() -> None:
    state = RunState(Path("run"))
    state.apply(RunStarted("run", (RowFacts(1, "tok_rgb@224", "roar", 16, 196),), ()))
    ranks = tuple(RankProgress(n, "generating", done=6, total=15, working=3.0) for n in range(2))
    state.apply(BatchProgress(12, 30, 0, 3.0, 4.0, 4.5, ranks))
    lines = ["".join(words for words, _ in line) for line in row_lines(View(state), 60)]
    assert [line.split()[:2] for line in lines] == [["rank", "0"], ["rank", "1"]]
    assert all("6/15" in line and "2.0/s" in line for line in lines)
    assert (state.fraction, state.seconds_left) == (0.4, 4.5)
