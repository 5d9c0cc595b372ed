"""run.json: says what a run was, is never seen half written, and is refused by name where it is wrong."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from fourm_tui.errors import InputError
from fourm_tui.events import EventLog
from fourm_tui.runs import (
    ModelRecord,
    Run,
    RunRecord,
    SettingsText,
    branch_off,
    changed_conditions,
    condition_record,
    create_run,
    open_run,
)
from tests.runs.made import ROWS, T2CR


def everything(tmp_path: Path) -> RunRecord:
    (tmp_path / "fox.jpg").write_bytes(b"fox")
    conditions = condition_record("caption", text="a fox\udc80"), condition_record("rgb@224", path=tmp_path / "fox.jpg")
    return dataclasses.replace(
        T2CR,
        settings=(SettingsText("settings", "# mine\r\ntemps: [1.0]\n", "/x/T2CR.yaml"), SettingsText("models", "{}")),
        overrides=("temps.2=0.5",),
        options={"seed": 2**64 - 1, "dtype": "bf16"},
        conditions=conditions,
        models={"model": ModelRecord("EPFL-VILAB/4M-7_B_CC12M", "main")},
        rows=(dataclasses.replace(ROWS[0], state="done", seconds=1.5), ROWS[1]),
        parent=None,
        seconds=0.25,
    )


def test_a_run_says_when_it_is_opened_what_was_written(tmp_path: Path) -> None:
    run = create_run(tmp_path, everything(tmp_path))
    run = run.save(parent=branch_off(run, 2), status="failed", error="out of memory")
    assert open_run(run.folder) == open_run(run.folder / "run.json") == run


def test_fields_of_a_later_version_are_ignored(tmp_path: Path) -> None:
    run = create_run(tmp_path, T2CR)
    changed(run, colour="red")
    assert open_run(run.folder) == run


def test_what_an_earlier_version_did_not_write_takes_its_default(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"schema": 1, "chain": "T2CR"}')
    assert open_run(tmp_path).record == RunRecord("T2CR")


def changed(run: Run, **fields: object) -> None:
    path = run.folder / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"schema": 2}, r"was written by a newer fourm-tui \(schema 2, this one reads up to 1\); update it$"),
        ({"schema": "1"}, "says no schema"),
        ({"rows": [{"number": "1"}]}, "rows: number: is to be a whole number"),
        ({"status": "paused"}, "status: paused is none of pending, running"),
        ({"models": {"model": {}}}, r"models\.model: lacks name"),
    ],
)
def test_a_wrong_run_json_is_refused_by_name(tmp_path: Path, fields: dict[str, object], message: str) -> None:
    run = create_run(tmp_path, T2CR)
    changed(run, **fields)
    with pytest.raises(InputError, match=rf"{run.name}/run\.json: {message}"):
        open_run(run.folder)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff\xfe\x00", b"[" * 100_000, b'{"schema": NaN}'])
def test_a_foreign_run_json_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(InputError, match=r"run\.json: is damaged or no run\.json"):
        open_run(tmp_path)


def test_a_run_json_cut_anywhere_is_refused(tmp_path: Path) -> None:
    run = create_run(tmp_path, T2CR)
    whole = (run.folder / "run.json").read_bytes().rstrip()
    for cut in range(len(whole)):
        (run.folder / "run.json").write_bytes(whole[:cut])
        with pytest.raises(InputError, match=r"run\.json"):
            open_run(run.folder)


def test_a_folder_without_a_run_is_refused_by_name(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone"):
        with pytest.raises(InputError, match=rf"{path}/run\.json: there is no such file"):
            open_run(path)


def test_a_run_whose_process_is_gone_is_interrupted(tmp_path: Path) -> None:
    run = create_run(tmp_path, T2CR)
    with EventLog(run.events):
        run.save(status="running")
        assert open_run(run.folder).record.status == "running"
    assert open_run(run.folder).record.status == "interrupted"


def test_who_is_reading_a_run_json_reads_it_to_its_end(tmp_path: Path) -> None:
    run = create_run(tmp_path, T2CR)
    before = (run.folder / "run.json").read_bytes()
    with (run.folder / "run.json").open("rb") as file:
        beginning = file.read(10)
        run.save(status="failed", error="x" * 1000)
        assert beginning + file.read() == before


SAVER = """
import sys
from pathlib import Path
from fourm_tui.runs import open_run
run = open_run(Path(sys.argv[1]))
for number in range(10**9):
    run = run.save(overrides=("x" * (number % 5) * 20_000,), options={"number": number})
    if number == 3:
        print("saved", flush=True)
"""


def test_a_run_json_is_whole_while_it_is_written_and_after_its_writer_was_killed(tmp_path: Path) -> None:
    run = create_run(tmp_path, T2CR)
    with subprocess.Popen([sys.executable, "-c", SAVER, run.folder], stdout=subprocess.PIPE) as saver:
        try:
            assert saver.stdout is not None and saver.stdout.readline() == b"saved\n"
            numbers = [open_run(run.folder).record.options["number"] for _ in range(100)]
        finally:
            saver.kill()
    assert numbers == sorted(numbers)
    assert open_run(run.folder).record.options["number"] >= numbers[-1]


def test_a_condition_file_that_changed_is_noticed(tmp_path: Path) -> None:
    photo, mask = tmp_path / "fox.jpg", tmp_path / "mask.png"
    photo.write_bytes(b"fox")
    mask.write_bytes(b"mask")
    record = RunRecord("x", conditions=(condition_record("tok_rgb@224", path=photo, mask=mask),))
    assert changed_conditions(record) == ()
    photo.write_bytes(b"wolf")
    mask.unlink()
    first, second = changed_conditions(record)
    assert first == f"tok_rgb@224: {photo} has changed since the run began"
    assert f"{mask}: cannot be read: No such file" in second


def test_a_condition_file_is_remembered_by_its_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fox.jpg").write_bytes(b"fox")
    monkeypatch.chdir(tmp_path)
    assert condition_record("rgb@224", path=Path("fox.jpg")).path == str(tmp_path / "fox.jpg")
