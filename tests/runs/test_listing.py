"""Finding runs: the newest, one by its name, and none where there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fourm_tui.errors import InputError
from fourm_tui.runs import Run, RunRecord, create_run, find_run, list_runs, open_run

NOON = datetime(2026, 11, 20, 10, 15, 3, tzinfo=UTC)


def at(runs: Path, seconds: float, chain: str = "T2CR") -> Run:
    return create_run(runs, RunRecord(chain), NOON + timedelta(seconds=seconds))


def test_the_newest_runs_come_first_also_within_a_second(tmp_path: Path) -> None:
    names = [at(tmp_path, seconds).name for seconds in (5, 0.3, 0.1, 0.2, 3600, 0.4)]
    expected = [names[i] for i in (4, 0, 5, 1, 3, 2)]
    assert [run.name for run in list_runs(tmp_path).runs] == expected
    assert [run.name for run in list_runs(tmp_path, limit=4).runs] == expected[:4]
    assert list_runs(tmp_path, limit=0).runs == ()


def test_old_runs_are_not_opened_for_a_short_list(tmp_path: Path) -> None:
    old, new = at(tmp_path, 0), at(tmp_path, 1)
    (old.folder / "run.json").write_text("torn")
    assert list_runs(tmp_path, limit=1).problems == ()
    listing = list_runs(tmp_path)
    assert listing.runs == (new,)
    assert [problem.partition(": ")[0] for problem in listing.problems] == [str(old.folder / "run.json")]


def test_a_folder_with_another_name_is_listed_by_the_time_of_its_file(tmp_path: Path) -> None:
    first, second = at(tmp_path, 0), at(tmp_path, 20)
    renamed = tmp_path / "the good one"
    at(tmp_path, 10).folder.rename(renamed)
    moment = datetime(2026, 11, 20, 10, 15, 13).timestamp()  # local time, as in the names
    os.utime(renamed / "run.json", (moment, moment))
    assert [run.name for run in list_runs(tmp_path).runs] == [second.name, "the good one", first.name]


def test_other_things_in_the_folder_are_no_runs(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "2026-11-20_101503_T2CR_a1b2c3").mkdir()  # just being made
    assert list_runs(tmp_path) == list_runs(tmp_path / "gone")


def test_a_run_is_found_by_path_name_beginning_and_latest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = at(tmp_path, 0, "alone"), at(tmp_path, 60)
    for name in (str(old.folder), str(old.folder / "run.json"), old.name, old.name[:20]):
        assert find_run(name, tmp_path) == old.folder
    assert find_run("latest", tmp_path) == new.folder
    monkeypatch.chdir(old.folder)
    assert open_run(find_run(".", tmp_path)).name == old.name


def test_a_name_that_begins_another_is_found(tmp_path: Path) -> None:
    for name in ("fox", "fox 2"):
        at(tmp_path, 0).folder.rename(tmp_path / name)
    assert find_run("fox", tmp_path) == tmp_path / "fox"


def test_a_beginning_that_fits_several_lists_them(tmp_path: Path) -> None:
    runs = [at(tmp_path, seconds) for seconds in range(7)]
    with pytest.raises(InputError, match=r"2026: fits 7 runs: .* and 2 more; write more of the name") as caught:
        find_run("2026", tmp_path)
    assert [run.name in str(caught.value) for run in runs] == [True] * 5 + [False] * 2


@pytest.mark.parametrize("name", ["2027", "", "\0", "~nobody-of-this-name/x", "a" * 5000, "../.."])
def test_a_run_that_does_not_exist_is_said_to_be_none(tmp_path: Path, name: str) -> None:
    at(tmp_path, 0)
    with pytest.raises(InputError, match=r"no such run in .*lists them"):
        find_run(name, tmp_path)


def test_there_is_no_latest_of_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there are no runs yet"):
        find_run("latest", tmp_path / "runs")


def test_control_characters_in_names_do_not_reach_messages(tmp_path: Path) -> None:
    at(tmp_path, 0).folder.rename(tmp_path / "x\x1b[2J1")
    at(tmp_path, 0).folder.rename(tmp_path / "x\x1b[2J2")
    (tmp_path / "x\x1b[2J2" / "run.json").write_text("torn")
    with pytest.raises(InputError) as caught:
        find_run("x", tmp_path)
    assert "\x1b" not in str(caught.value) + "".join(list_runs(tmp_path).problems)


def test_a_folder_of_runs_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file: cannot be read: Not a directory"):
        list_runs(tmp_path / "file")


def test_runs_need_neither_torch_nor_numpy_to_be_listed() -> None:
    code = "import sys, fourm_tui.runs; print({'torch', 'numpy', 'textual'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
