"""Events: what is written comes back, and a log can be read whatever happened to its writer."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from functools import reduce
from operator import or_
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fourm_tui.errors import FourmError, InputError
from fourm_tui.events import (
    KINDS,
    Event,
    EventLog,
    Loading,
    Note,
    Packed,
    PackedProbabilities,
    RowFacts,
    RunDone,
    RunStarted,
    StepDone,
    TextPiece,
    UnknownEvent,
    being_written,
    event_from_json,
    follow,
    read_events,
)

NAMES = st.text(st.characters(), max_size=8)  # with lone surrogates, as file names have them
FLOATS = st.floats(allow_nan=False, allow_infinity=False)


def packed(cls: type[Packed], batch: int, n: int) -> st.SearchStrategy[Packed]:
    size = 2 * batch * n
    return st.binary(min_size=size, max_size=size).map(lambda data: cls((batch, n), data))


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Whatever a field with this type can hold."""
    if dataclasses.is_dataclass(hint):
        return records(hint)
    if hint in (bool, int, float, str):
        return {bool: st.booleans(), int: st.integers(), float: FLOATS, str: NAMES}[hint]
    if get_origin(hint) is tuple:
        return st.lists(values(get_args(hint)[0]), max_size=3).map(tuple)
    return reduce(or_, [st.none() if part is NoneType else values(part) for part in get_args(hint)])


def records(cls: Any) -> st.SearchStrategy[Any]:
    hints = get_type_hints(cls)
    fields = {field.name: values(hints[field.name]) for field in dataclasses.fields(cls)}
    return st.builds(cls, **(fields | {"schema": st.just(1)} if "schema" in fields else fields))


@st.composite
def steps(draw: Any) -> StepDone:
    batch, n = draw(st.integers(0, 3)), draw(st.sampled_from([0, 1, 5, 40]))
    numbers = [draw(packed(cls, batch, n)) for cls in (Packed, Packed, PackedProbabilities)]
    return StepDone(1, "tok_rgb@224", 0, 8, 9, 16, tuple(range(batch)), *numbers, seq=draw(st.integers()))


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_every_event_comes_back_from_json(name: str, data: st.DataObject) -> None:
    event = data.draw(steps() if KINDS[name] is StepDone else records(KINDS[name]))
    assert event_from_json(json.loads(json.dumps(event.to_json()))) == event


def test_an_event_says_its_type_number_and_time() -> None:
    event = Loading("4M-7_B", 0.5, seq=3, time=12.25)
    assert event.to_json() == {"type": "loading", "seq": 3, "time": 12.25, "what": "4M-7_B", "fraction": 0.5}


def step(n: int = 3, batch: int = 2) -> StepDone:
    positions = np.arange(batch * n).reshape(batch, n)
    confidence = np.linspace(0, 1, batch * n).reshape(batch, n)
    return StepDone(
        2, "tok_rgb@224", 0, 8, 9, 16, tuple(range(batch)),
        Packed.of(positions), Packed.of(65_535 - positions), PackedProbabilities.of(confidence),
    )  # fmt: skip


def test_arrays_of_a_step_are_those_that_were_given() -> None:
    event = event_from_json(json.loads(json.dumps(step(n=300).to_json())))
    assert isinstance(event, StepDone)
    np.testing.assert_array_equal(event.tokens.array, 65_535 - np.arange(600).reshape(2, 300))
    np.testing.assert_allclose(event.confidence.array, np.linspace(0, 1, 600).reshape(2, 300), atol=1 / 65535)


def test_short_steps_can_be_read_by_people() -> None:
    written = step().to_json()
    assert written["positions"] == [[0, 1, 2], [3, 4, 5]]
    assert written["confidence"][0] == pytest.approx([0, 0.2, 0.4], abs=2e-5)


def test_dense_steps_take_three_bytes_a_number() -> None:
    event = step(n=784, batch=8)
    assert len(json.dumps(event.to_json())) < 3 * 784 * 8 * 2.8


def test_a_confidence_that_is_no_number_counts_as_none() -> None:
    assert PackedProbabilities.of([[np.nan, -0.1, 1.5]]).array.tolist() == [[0.0, 0.0, 1.0]]


@pytest.mark.parametrize("wrong", [[[70_000]], [[-1]], [1, 2], [[0.5]]])
def test_what_16_bits_cannot_hold_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"16 bits|\[B, n\]|whole numbers"):
        Packed.of(wrong)


def test_fields_of_a_later_version_are_ignored() -> None:
    later = {**Note("slow", seq=1).to_json(), "colour": "red"}
    assert event_from_json(later) == Note("slow", seq=1)


def test_fields_that_an_earlier_version_did_not_write_take_their_default() -> None:
    assert event_from_json({"type": "note", "seq": 1, "time": 0, "message": "slow"}) == Note("slow", seq=1)


def test_an_event_of_a_later_version_is_kept_as_it_came() -> None:
    written = {"type": "paused", "seq": 4, "time": 1.5, "until": [1, {"a": None}]}
    event = event_from_json(written)
    assert isinstance(event, UnknownEvent) and event.type == "paused" and event.seq == 4
    assert event.to_json() == written


def test_a_newer_schema_is_refused_in_one_sentence() -> None:
    newer = {**RunStarted("r", (), ()).to_json(), "schema": 2}
    with pytest.raises(InputError, match=r"^x: was written by a newer fourm-tui \(schema 2, .*\); update it$"):
        event_from_json(newer, "x")


@pytest.mark.parametrize(
    "change",
    [
        {"type": 3},
        {"row": True},
        {"row": 1.5},
        {"target": None},
        {"samples": {}},
        {"samples": ["0", "1"]},
        {"samples": [0]},
        {"tokens": [[1, 2, 3]]},
        {"tokens": [[1, 2, 3], [1, 2]]},
        {"tokens": [[1, 2, 3], [1, 2, 65536]]},
        {"tokens": {"shape": [2, 3], "u16": "AAAA"}},
        {"tokens": {"shape": [2, 3], "u16": "?"}},
        {"tokens": {"shape": [-2, -3], "u16": "AAAAAAAAAAAAAAAA"}},
        {"confidence": [[0, 0, 0], [0, 0, 1.1]]},
        {"confidence": [[0, 0, 0], [0, 0, [1]]]},
        {"time": "noon"},
        {"time": 10**400},
    ],
)
def test_an_event_with_a_wrong_field_is_refused(change: Mapping[str, Any]) -> None:
    with pytest.raises(InputError, match=r"^log:7: "):
        event_from_json({**step().to_json(), **change}, "log:7")


def test_messages_about_events_carry_no_control_characters() -> None:
    with pytest.raises(InputError) as caught:
        event_from_json({"type": "\x1b[2J", "seq": "\x1b[2J"}, "log:1")
    assert "\x1b" not in str(caught.value)


EVENTS: tuple[Event, ...] = (
    RunStarted("r", (RowFacts(1, "caption", "autoregressive", 255),), (0, 2**64 - 1)),
    step(),
    TextPiece(1, "caption", 0, "a fox\n\u2028\udc80"),
    RunDone(1.5),
)


def write(path: Path, events: tuple[Event, ...] = EVENTS) -> list[Event]:
    with EventLog(path) as log:
        return [log.append(event) for event in events]


def test_a_log_gives_back_what_was_appended_numbered_without_gaps(tmp_path: Path) -> None:
    written = write(tmp_path / "events.jsonl")
    assert list(read_events(tmp_path / "events.jsonl")) == written
    assert [event.seq for event in written] == [0, 1, 2, 3]


def test_each_event_is_a_line_of_ascii(tmp_path: Path) -> None:
    write(tmp_path / "events.jsonl")
    lines = (tmp_path / "events.jsonl").read_text("ascii").splitlines()
    assert [json.loads(line)["type"] for line in lines] == ["run_started", "step_done", "text_piece", "run_done"]


def test_each_event_is_one_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[bytes] = []
    write_once = os.write

    def recorded(file: int, data: bytes) -> int:
        lines.append(data)
        return write_once(file, data)

    monkeypatch.setattr(os, "write", recorded)
    write(tmp_path / "events.jsonl")
    assert len(lines) == 4 and all(line.endswith(b"\n") for line in lines)


def test_a_viewer_that_comes_back_asks_for_what_it_has_not_seen(tmp_path: Path) -> None:
    written = write(tmp_path / "events.jsonl")
    assert list(read_events(tmp_path / "events.jsonl", after=1)) == written[2:]


def test_numbers_go_on_when_a_run_is_resumed(tmp_path: Path) -> None:
    write(tmp_path / "events.jsonl")
    write(tmp_path / "events.jsonl")
    assert [event.seq for event in read_events(tmp_path / "events.jsonl")] == list(range(8))


def test_a_log_cut_at_any_byte_gives_the_events_before_and_can_be_continued(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    written = write(path)
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        complete = whole[:cut].count(b"\n")
        assert list(read_events(path)) == written[:complete]
        with EventLog(path) as log:
            log.append(Note("resumed"))
        events = list(read_events(path))
        assert [event.seq for event in events] == list(range(len(events)))
        assert events[:complete] == written[:complete]
        assert isinstance(events[-1], Note)


WRITER = """
import os, sys, time
from pathlib import Path
from fourm_tui.events import EventLog, Note
log = EventLog(Path(sys.argv[1]))
for i in range(3):
    log.append(Note(str(i)))
os.write(log._file, b'{"type":"note","seq":3,"ti')
print("torn", flush=True)
time.sleep(60)
"""


def test_a_writer_killed_in_the_middle_of_a_line_leaves_a_log_to_read_and_to_continue(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE) as writer:
        try:
            assert writer.stdout is not None and writer.stdout.readline() == b"torn\n"
            assert being_written(path)
        finally:
            writer.kill()
    assert not being_written(path)
    assert [event.seq for event in read_events(path)] == [0, 1, 2]
    with EventLog(path) as log:
        log.append(Note("resumed"))
    assert [event.seq for event in read_events(path)] == [0, 1, 2, 3]


def test_a_second_writer_is_kept_off(tmp_path: Path) -> None:
    with EventLog(tmp_path / "events.jsonl"), pytest.raises(FourmError, match="another process is working on this run"):
        EventLog(tmp_path / "events.jsonl")
    EventLog(tmp_path / "events.jsonl").close()


def test_threads_share_a_log(tmp_path: Path) -> None:
    with EventLog(tmp_path / "events.jsonl") as log:
        threads = [threading.Thread(target=lambda: [log.append(step()) for _ in range(50)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [event.seq for event in read_events(tmp_path / "events.jsonl")] == list(range(200))


def test_after_a_disk_was_full_the_event_can_be_appended_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "events.jsonl"
    write_once = os.write

    def half(file: int, data: bytes) -> int:
        monkeypatch.setattr(os, "write", full)
        return write_once(file, data[: len(data) // 2])

    def full(file: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with EventLog(path) as log:
        log.append(Note("before"))
        monkeypatch.setattr(os, "write", half)
        with pytest.raises(FourmError, match=r"events\.jsonl: cannot be written: No space left .*free some space"):
            log.append(Note("lost"))
        monkeypatch.setattr(os, "write", write_once)
        log.append(Note("after"))
    assert [event.to_json()["message"] for event in read_events(path)] == ["before", "after"]
    assert [event.seq for event in read_events(path)] == [0, 1]


def test_a_log_that_is_not_there_or_no_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    for path in (tmp_path / "events.jsonl", tmp_path):
        with pytest.raises(InputError, match=str(path)):
            list(read_events(path))
    with pytest.raises(FourmError, match=r"gone/events\.jsonl: cannot be written"):
        EventLog(tmp_path / "gone" / "events.jsonl")


def test_a_wrong_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"type":"note","seq":0,"time":0,"message":"x"}\n{"rows": 3}\n')
    with pytest.raises(InputError, match=r"events\.jsonl:2: says no type of event"):
        list(read_events(path))


def test_following_begins_before_the_file_exists_and_ends_with_all_that_was_written(tmp_path: Path) -> None:
    path, ended = tmp_path / "run" / "events.jsonl", threading.Event()
    seen: list[Event] = []
    viewer = threading.Thread(target=lambda: seen.extend(follow(path, ended.is_set, poll=0.001)))
    viewer.start()
    path.parent.mkdir()
    written = write(path, EVENTS * 20)
    ended.set()
    viewer.join(10)
    assert seen == written


def test_following_gives_each_event_as_soon_as_its_line_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    written = write(path)
    *_, last = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(last[:20])
    stopped = iter([False, False, False, True])

    def stop() -> bool:
        ended = next(stopped)
        if ended:
            with path.open("ab") as file:
                file.write(last[20:])
        return ended

    assert list(follow(path, stop, poll=0)) == written[-1:]


def test_following_a_run_that_never_begins_can_be_stopped(tmp_path: Path) -> None:
    stopped = iter([False, False, True])
    assert list(follow(tmp_path / "events.jsonl", lambda: next(stopped), poll=0)) == []


def test_events_need_neither_torch_nor_numpy_until_an_array_is_asked_for() -> None:
    code = "import sys, fourm_tui.events; print({'torch', 'numpy', 'textual'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
