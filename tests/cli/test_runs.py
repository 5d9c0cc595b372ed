"""`fourm-tui runs`: the list, two runs side by side, and the removal of old ones."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fourm_tui.chain.times import ago, lasting, moment
from fourm_tui.cli import main
from fourm_tui.cli.runs_which import beginnings
from fourm_tui.errors import FourmError
from fourm_tui.events import EventLog
from fourm_tui.runs import ModelRecord, ParentRecord, Run, SettingsText, condition_record, find_run, list_runs
from tests.cli.kept_runs import ROWS, SETTINGS, kept_run, record, settings_file
from tests.test_imports import modules_after

RUNS = Path("runs")
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    return settings_file(tmp_path)


@pytest.fixture
def runs(settings: Path) -> list[Run]:
    """Four of them, the newest first."""
    fox = (condition_record("caption", text="a Fox in deep snow"),)
    large = {"model": ModelRecord("EPFL-VILAB/4M-21_XL")}
    failed = {"status": "failed", "error": "no memory\nat all", "rows": (ROWS[0], replace(ROWS[1], state="pending"))}
    made = [
        record(settings, 2),
        record(settings, conditions=fox, **failed),
        record(settings, models=large, status="cancelled"),
        record(settings, conditions=fox, chain="another"),
    ]
    return [kept_run(RUNS, each, age * DAY) for age, each in enumerate(made)]


def listed(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    assert main(["runs", *map(str, words), "--json"]) == 0
    data: dict[str, Any] = json.loads(capsys.readouterr().out)
    return data


def names(capsys: pytest.CaptureFixture[str], *words: object) -> list[str]:
    return [run["name"] for run in listed(capsys, *words)["runs"]]


def shown(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main(["runs", *map(str, words)]) == 0
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main(["runs", *map(str, words)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err


# -- the list ---------------------------------------------------------------------------------------------------


def test_runs_are_listed_the_newest_first(runs: list[Run], capsys: pytest.CaptureFixture[str]) -> None:
    data = listed(capsys)
    assert [run["name"] for run in data["runs"]] == [run.name for run in runs]
    facts = [(run["status"], run["rows_done"], len(run["rows"]), run["samples"]) for run in data["runs"]]
    assert facts == [("done", 2, 2, 2), ("failed", 1, 2, 1), ("cancelled", 2, 2, 1), ("done", 2, 2, 1)]
    assert data["runs"][0]["seconds"] == 1.5
    assert data["problems"] == []


def test_the_list_fits_80_columns_and_says_what_was_run(runs: list[Run], capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys)
    assert max(map(len, out.splitlines())) <= 80
    for word in ("a red sphere", "a Fox in deep snow", "another", "failed", "1/2", "1.5 s", "24 h ago", "no memory at"):
        assert word in out


def test_what_the_list_calls_a_run_finds_it(
    settings: Path, runs: list[Run], capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(3):  # in one second, most likely
        runs.append(kept_run(RUNS, record(settings)))
    (RUNS / "best_of_all").mkdir()
    shutil.copy(runs[0].folder / "run.json", RUNS / "best_of_all")
    lines = [line for line in shown(capsys).splitlines()[1:] if not line.startswith(" ")]
    found = {find_run(line.split()[0], RUNS).name for line in lines}
    assert found == {run.name for run in runs} | {"best_of_all"}


def test_names_are_as_short_as_tells_them_apart() -> None:
    first, second, third = (f"2026-11-20_101503_T2{rest}" for rest in ("CR_aaaaaa", "CR_ab0000", "SDR_aaaaaa"))
    other = "2026-11-20_101504_T2CR_aaaaaa"
    assert beginnings([first, second, third, other, "own name", f"{other}_more"]) == {
        first: "2026-11-20_101503_T2CR_aa", second: "2026-11-20_101503_T2CR_ab", third: "2026-11-20_101503_T2S",
        other: other, f"{other}_more": f"{other}_", "own name": "own name",
    }  # fmt: skip


def test_a_wide_terminal_has_whole_names_and_times(
    runs: list[Run], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    lines = shown(capsys).splitlines()
    for run in runs:
        (line,) = (line for line in lines if line.startswith(f"{run.name} "))
        assert f"{moment(run.record.created):%Y-%m-%d %H:%M}" in line


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["fox"], [1, 3]),
        (["FOX", "another"], [3]),
        (["4m-21"], [2]),
        (["caption"], [0, 1, 2, 3]),
        (["--status", "failed,cancelled"], [1, 2]),
        (["fox", "--status", "done"], [3]),
        (["--limit", "1"], [0]),
        (["fox", "--limit", "1"], [1]),
        (["--limit", "0"], [0, 1, 2, 3]),
        (["nothing like it"], []),
    ],
)
def test_the_list_can_be_narrowed(
    words: list[str], found: list[int], runs: list[Run], capsys: pytest.CaptureFixture[str]
) -> None:
    assert names(capsys, *words) == [runs[number].name for number in found]


def test_a_narrowed_list_says_how_many_more_there_are(runs: list[Run], capsys: pytest.CaptureFixture[str]) -> None:
    assert "1 of 2 that fit" in shown(capsys, "fox", "--limit", 1)
    assert "no run fits" in shown(capsys, "zebra")


def test_a_folder_without_runs_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no such folder" in shown(capsys)
    Path("empty").mkdir()
    assert "no runs yet" in shown(capsys, "--runs", "empty")
    assert listed(capsys, "--runs", "empty")["runs"] == []


def test_a_damaged_run_is_one_line_and_hides_no_other(runs: list[Run], capsys: pytest.CaptureFixture[str]) -> None:
    (runs[1].folder / "run.json").write_text('{"schema"')
    (RUNS / "a\x1b[31m").mkdir()
    (RUNS / "a\x1b[31m" / "run.json").write_text("[]")
    out = shown(capsys)
    assert sum(line.startswith("! ") for line in out.splitlines()) == 2
    assert "\x1b" not in out
    data = listed(capsys)
    assert [run["name"] for run in data["runs"]] == [runs[number].name for number in (0, 2, 3)]
    assert len(data["problems"]) == 2


def test_no_control_character_reaches_the_terminal(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = "a\x1b[31m\x07\u202e b"
    given = (condition_record("caption", text=bad),)
    a = kept_run(RUNS, record(settings, conditions=given, status="failed", error=bad, version=bad))
    b = kept_run(RUNS, replace(record(settings), chain=bad, models={bad: ModelRecord(bad)}, options={bad: bad}))
    for words in ([], ["--compare", a.name, b.name], ["--prune", "--keep", "1", "--yes"]):
        assert not set("\x1b\x07\u202e") & set(shown(capsys, *words))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--status", "finished"], "finished: is none of done"),
        (["--status", ""], "none of"),
        (["--limit", "-1"], "--limit"),
        (["--keep", "3"], "--prune"),
        (["--older", "3"], "--prune"),
        (["--yes"], "--prune"),
        (["--all"], "--compare"),
        (["--compare", "a", "b", "--limit", "3"], "--compare"),
        (["--compare", "a", "b", "--prune"], "--compare"),
        (["--compare", "a", "b"], "a: no such run"),
        (["--prune"], "say which"),
        (["--prune", "--keep", "-1"], "--keep"),
        (["--prune", "--older", "nan"], "--older"),
        (["--prune", "--older", "-1"], "--older"),
        (["--prune", "--limit", "3"], "--keep"),
    ],
)
def test_options_that_mean_nothing_are_refused(
    words: list[str], said: str, runs: list[Run], capsys: pytest.CaptureFixture[str]
) -> None:
    err = refused(capsys, *words)
    assert said in err
    assert len(err.splitlines()) == 1


def test_times_are_short() -> None:
    now = datetime(2026, 11, 21, 12).astimezone()
    spans = (-5, 3, 40, 200, 5 * 3600, 12 * 86400, 40 * 86400)
    assert [ago(now - timedelta(seconds=span), now) for span in spans] == [
        "now", "now", "40 s ago", "3 min ago", "5 h ago", "12 d ago", "2026-10-12",
    ]  # fmt: skip
    assert [lasting(span) for span in (None, 0.83, 12.3, 59.7, 185, 3725)] == [
        "–", "0.8 s", "12 s", "1:00 min", "3:05 min", "1:02 h",
    ]  # fmt: skip
    assert moment("yesterday") is None


# -- two side by side -------------------------------------------------------------------------------------------


def pairs(capsys: pytest.CaptureFixture[str], a: Run, b: Run, *more: str) -> dict[tuple[str, str], tuple[Any, Any]]:
    data = listed(capsys, "--compare", a.name, b.name, *more)
    return {(pair["group"], pair["what"]): (pair["a"], pair["b"]) for pair in data["pairs"]}


def test_only_cells_that_differ_are_shown(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = kept_run(RUNS, record(settings))
    b = kept_run(RUNS, record(settings, overrides=("decoding_steps.2=3", "temps=0.7"), seconds=9.0))
    found = pairs(capsys, a, b)
    assert found == {
        ("run", "time"): ("1.5 s", "9.0 s"),
        ("row 1: tok_semseg@224", "temps"): ("1.0", "0.7"),
        ("row 2: tok_rgb@224", "decoding_steps"): ("2", "3"),
        ("row 2: tok_rgb@224", "temps"): ("0.5", "0.7"),
    }
    everything = pairs(capsys, a, b, "--all")
    assert everything.items() > found.items()
    assert everything["row 1: tok_semseg@224", "cfg_scales"] == ("2.0", "2.0")


def test_an_override_and_the_same_value_in_the_file_are_the_same(
    tmp_path: Path, settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = settings_file(tmp_path / "other", SETTINGS.replace("12-4", "12-2"))
    a, b = kept_run(RUNS, record(settings)), kept_run(RUNS, record(written, overrides=()))
    assert pairs(capsys, a, b) == {}
    assert "no difference" in shown(capsys, "--compare", a.name, b.name)


def test_conditions_seeds_and_models_are_compared(
    tmp_path: Path, settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here, there, other = (tmp_path / name for name in ("here.png", "there.png", "other.png"))
    for path in (here, there, other):
        path.write_bytes(b"other" if path == other else b"one")

    def run(name: str, **more: Any) -> Run:
        return kept_run(RUNS, record(settings, conditions=(condition_record("rgb@224", path=tmp_path / name),), **more))

    one = run("here.png")
    assert pairs(capsys, one, run("there.png")) == {}  # the same file in another place
    assert ("conditions", "rgb@224") in pairs(capsys, one, run("other.png"))
    found = pairs(capsys, one, run("here.png", variations=2, models={"model": ModelRecord("another", "v2")}))
    assert found["models", "model"] == ("EPFL-VILAB/4M-7_B_CC12M", "another@v2")
    assert found["run", "seeds"][0] == "7"
    assert found["run", "seeds"][1].startswith("7, ")


def test_one_name_for_two_files_is_a_difference(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = (kept_run(RUNS, record(settings, models={"model": ModelRecord("m", weights=w)})) for w in ("/1/w", "/2/w"))
    assert pairs(capsys, a, b) == {("models", "model"): ("/1/w", "/2/w")}


def test_rows_are_side_by_side_by_their_targets(
    tmp_path: Path, settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = SETTINGS.replace("tok_semseg@224-tok_rgb@224", "tok_rgb@224").replace("12-4", "4").replace("1.0-0.5", "0.5")
    shorter = settings_file(tmp_path, text, "shorter.yaml")
    a, b = kept_run(RUNS, record(settings, overrides=())), kept_run(RUNS, record(shorter, overrides=()))
    found = pairs(capsys, a, b)
    assert found.pop(("run", "chain")) == ("mine", "shorter")
    assert found == {("row 1: tok_semseg@224", "target_domains"): ("tok_semseg@224", None)}


def test_chains_with_and_without_super_resolution_are_compared(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = record(settings)
    sr = SettingsText("sr", "sr_target_domains: tok_rgb@448\nsr_cond_domains:\nsr_decoding_steps: 2\n")
    a, b = kept_run(RUNS, made), kept_run(RUNS, replace(made, settings=(*made.settings, sr)))
    found = pairs(capsys, a, b)
    assert found["super resolution", "sr_cond_domains"] == (None, "null")
    assert found["row 3: tok_rgb@448", "target_domains"] == (None, "tok_rgb@448")


def test_settings_that_cannot_be_read_do_not_hide_the_rest(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = record(settings)
    torn = replace(made, settings=(SettingsText("settings", "[", None),), seconds=3.0)
    a, b = kept_run(RUNS, made), kept_run(RUNS, torn)
    data = listed(capsys, "--compare", a.name, b.name)
    assert data["pairs"]
    assert len(data["problems"]) == 1


def test_the_comparison_fits_80_columns(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "a very long caption that says much about a scene, " * 4
    a = kept_run(RUNS, record(settings, conditions=(condition_record("caption", text=text),)))
    b = kept_run(RUNS, record(settings))
    assert max(map(len, shown(capsys, "--compare", a.name, b.name, "--all").splitlines())) <= 80


# -- removal ----------------------------------------------------------------------------------------------------


def answer(monkeypatch: pytest.MonkeyPatch, text: str | None) -> None:
    def answered(prompt: str) -> str:
        if text is None:
            raise EOFError
        return text

    monkeypatch.setattr("builtins.input", answered)


def left() -> set[str]:
    return {path.name for path in RUNS.iterdir()}


@contextmanager
def running(settings: Path) -> Iterator[Run]:
    run = kept_run(RUNS, record(settings, status="running"), 9 * DAY)
    with EventLog(run.events):
        yield run


def test_a_yes_removes_what_was_listed(
    runs: list[Run], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, " Yes ")
    out = shown(capsys, "--prune", "--status", "failed,cancelled")
    assert "2 runs with" in out
    assert "2 runs would be left" in out
    assert left() == {runs[0].name, runs[3].name}


@pytest.mark.parametrize("said", ["y", "no", "", None])
def test_anything_else_removes_nothing(
    said: str | None, runs: list[Run], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, said)
    assert main(["runs", "--prune", "--keep", "0"]) == 130
    assert "nothing was removed" in capsys.readouterr().out
    assert left() == {run.name for run in runs}


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (["--keep", "1"], [0]),
        (["--keep", "0"], []),
        (["--keep", "9"], [0, 1, 2, 3]),
        (["--older", "1.5"], [0, 1]),
        (["--keep", "2", "--status", "failed,done"], [0, 1, 2]),
        (["--older", "0.5", "--status", "done"], [0, 1, 2]),
        (["fox"], [0, 2]),
        (["fox", "--keep", "2"], [0, 1, 2]),
    ],
)
def test_what_is_removed_is_what_all_options_mean(
    words: list[str], kept: list[int], runs: list[Run], capsys: pytest.CaptureFixture[str]
) -> None:
    shown(capsys, "--prune", "--yes", *words)
    assert left() == {runs[number].name for number in kept}


def test_data_says_what_would_be_removed_and_removes_only_with_yes(
    runs: list[Run], capsys: pytest.CaptureFixture[str]
) -> None:
    data = listed(capsys, "--prune", "--keep", 3)
    assert [(run["name"], run["removed"]) for run in data["runs"]] == [(runs[3].name, False)]
    assert data["bytes"] == sum(file.stat().st_size for file in runs[3].folder.rglob("*") if file.is_file())
    assert left() == {run.name for run in runs}
    assert listed(capsys, "--prune", "--keep", 3, "--yes")["runs"][0]["removed"]
    assert left() == {run.name for run in runs[:3]}


def test_a_run_that_runs_stays(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(settings) as run:
        shown(capsys, "--prune", "--keep", 0, "--yes")
        shown(capsys, "--prune", "--status", "running", "--yes")
        assert left() == {run.name}
    shown(capsys, "--prune", "--keep", 0, "--yes")  # interrupted now
    assert left() == set()


def test_a_run_that_begins_while_one_is_asked_stays(
    settings: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = kept_run(RUNS, record(settings, status="cancelled"))
    with EventLog(run.events) as log:
        log.close()

        def answered(prompt: str) -> str:
            run.save(status="running")
            monkeypatch.setattr("fourm_tui.runs.folder.being_written", lambda path: True)
            return "yes"

        monkeypatch.setattr("builtins.input", answered)
        assert main(["runs", "--prune", "--status", "cancelled"]) == 1
    assert "runs by now" in capsys.readouterr().err
    assert left() == {run.name}


def test_a_run_that_waits_stays_unless_it_is_named(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = kept_run(RUNS, record(settings, status="pending"))
    assert "nothing to remove" in shown(capsys, "--prune", "--keep", 0, "--yes")
    assert left() == {run.name}
    shown(capsys, "--prune", "--status", "pending", "--yes")
    assert left() == set()


def test_the_parent_of_a_run_that_stays_is_pointed_out(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parent = kept_run(RUNS, record(settings), 2 * DAY)
    child = kept_run(RUNS, record(settings, parent=ParentRecord(parent.name, str(parent.folder), 2)))
    data = listed(capsys, "--prune", "--keep", 1)
    assert data["runs"][0]["children"] == [child.name]
    assert f"parent of {child.name}" in " ".join(shown(capsys, "--prune", "--keep", 1, "--yes").split())
    assert left() == {child.name}


def test_parent_and_child_go_together_without_a_word(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parent = kept_run(RUNS, record(settings), 2 * DAY)
    kept_run(RUNS, record(settings, parent=ParentRecord(parent.name, str(parent.folder), 2)))
    assert "parent of" not in shown(capsys, "--prune", "--keep", 0, "--yes")


def test_others_see_a_run_whole_or_not_at_all(
    runs: list[Run], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    remove = shutil.rmtree

    def watched(path: Path, **more: Any) -> None:
        seen.append((left() - {run.name for run in runs}, [run.name for run in list_runs(RUNS).runs]))
        remove(path, **more)

    monkeypatch.setattr(shutil, "rmtree", watched)
    shown(capsys, "--prune", "--keep", 3, "--yes")
    ((beside, listed_then),) = seen
    assert all(name.startswith(".") for name in beside)
    assert listed_then == [run.name for run in runs[:3]]
    assert left() == {run.name for run in runs[:3]}


def test_a_removal_that_fails_is_said_and_the_others_go_on(
    runs: list[Run], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def stubborn(self: Path, target: Path) -> Path:
        if self.name == runs[2].name:
            raise PermissionError(13, "Permission denied", str(self))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", stubborn)
    assert main(["runs", "--prune", "--keep", "1", "--yes"]) == FourmError.exit_code
    out, err = capsys.readouterr()
    assert "removed 2 runs" in out
    assert "Permission denied" in err
    assert left() == {runs[0].name, runs[2].name}


def test_damaged_folders_are_reported_and_stay(runs: list[Run], capsys: pytest.CaptureFixture[str]) -> None:
    (runs[3].folder / "run.json").write_text("{")
    out = shown(capsys, "--prune", "--keep", 0, "--yes")
    assert sum(line.startswith("! ") for line in out.splitlines()) == 1
    assert left() == {runs[3].name}


def test_what_a_killed_removal_left_goes_with_the_next_one(runs: list[Run], capsys: pytest.CaptureFixture[str]) -> None:
    old, new = RUNS / ".removed-old", RUNS / ".removed-new"
    for folder in (old, new):
        (folder / "run").mkdir(parents=True)
    os.utime(old, (1, 1))
    shown(capsys, "--prune", "--keep", 3, "--yes")
    assert not old.exists()
    assert new.exists()  # another process may be at it


def test_a_link_to_a_run_is_removed_and_not_what_it_points_to(
    settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = kept_run(tmp_path / "elsewhere", record(settings))
    RUNS.mkdir()
    (RUNS / "link").symlink_to(run.folder)
    shown(capsys, "--prune", "--keep", 0, "--yes")
    assert left() == set()
    assert (run.folder / "run.json").exists()


def test_neither_torch_nor_textual_is_imported(runs: list[Run]) -> None:
    folder = RUNS.absolute()
    for more in (["--compare", runs[0].name, runs[1].name], ["--prune", "--keep", "9"], []):
        code = f"from fourm_tui.cli import main\nmain(['runs', '--runs', '{folder}', *{more}])"
        assert not {"torch", "textual"} & modules_after(code)
