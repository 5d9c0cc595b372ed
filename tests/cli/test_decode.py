"""`fourm-tui run --decode` and `fourm-tui decode`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from fourm_tui.cli import main
from fourm_tui.cli.options import DECODE
from fourm_tui.engine.asked import Decode, decode_of
from fourm_tui.events import EventLog
from fourm_tui.runs import RunRecord, create_run, list_runs

CHAIN = ["demo/T2SDR", "-i", "caption=a large red sphere on grey ground under a clear sky", "--no-preview"]
QUICK = ["--set", "decoding_steps=1"]


def pictures(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("samples/000/*@224.png"))


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs"


@pytest.fixture
def left(runs: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The folder of a run that left all but its last target as tokens."""
    assert main(["run", *CHAIN, *QUICK, "--decode", "last"]) == 0
    capsys.readouterr()
    (made,) = list_runs(runs).runs
    return made.folder


def test_a_branch_keeps_whose_tokens_become_pictures_unless_it_says_otherwise(left: Path, runs: Path) -> None:
    for more, options, files in (
        ([], {"decode": "last"}, ["03_tok_rgb@224.png"]),
        (
            ["--decode", "all"],
            {"decode": "all"},
            ["01_tok_semseg@224.png", "02_tok_depth@224.png", "03_tok_rgb@224.png"],
        ),
    ):
        assert main(["run", "--from", left.name, "--row", "3", "--no-preview", *more]) == 0
        made = list_runs(runs).runs[0]
        assert made.record.options == options
        assert pictures(made.folder) == files


def test_named_targets_are_decoded_and_told(left: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = (left / "contact.png").read_bytes()
    assert main(["decode", "latest", "tok_depth@224"]) == 0
    out = capsys.readouterr().out
    assert "2 Depth" in out
    assert "done in" in out
    assert pictures(left) == ["02_tok_depth@224.png", "03_tok_rgb@224.png"]
    assert (left / "contact.png").read_bytes() != sheet


def test_where_all_is_there_nothing_is_done_and_that_is_said(left: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "latest"]) == 0
    before = {path: path.stat().st_mtime_ns for path in left.rglob("*")}
    capsys.readouterr()
    assert main(["decode", "latest"]) == 0
    assert "nothing to decode" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in left.rglob("*")} == before


def test_events_are_printed_as_json(left: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "latest", "1", "--json"]) == 0
    types = [json.loads(line)["type"] for line in capsys.readouterr().out.splitlines()]
    assert types[0] == "loading"
    assert types[-2:] == ["target_done", "run_done"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "no such run"),
        (["latest", "tok_normal@224"], "is no target of"),
        (["latest", "--device", "abacus"], "--device abacus"),
    ],
)
def test_what_is_wrong_is_one_message(
    words: list[str], said: str, left: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["decode", *words]) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert len(err.splitlines()) == 1
    assert out == ""


def test_a_live_run_is_refused(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = create_run(runs, RunRecord("chain", status="running"))
    with EventLog(run.events):
        assert main(["decode", run.name]) == 2
    assert "is still running" in capsys.readouterr().err


def test_a_run_that_has_not_begun_is_refused(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", create_run(runs, RunRecord("chain")).name]) == 2
    assert "has not begun" in capsys.readouterr().err


def test_ctrl_c_leaves_no_half_written_files(left: Path) -> None:
    command = [sys.executable, "-m", "fourm_tui", "decode", str(left), "--json"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert process.stdout
    assert json.loads(process.stdout.readline())["type"] == "loading"
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=60)[0]
    assert process.returncode == 130
    assert json.loads(rest.splitlines()[-1])["type"] == "run_cancelled"
    assert not list(left.rglob("*.part"))
    assert main(["decode", str(left)]) == 0
    assert pictures(left) == ["01_tok_semseg@224.png", "02_tok_depth@224.png", "03_tok_rgb@224.png"]


def test_the_command_line_has_the_choices_of_the_engine_and_others_count_as_all() -> None:
    assert get_args(Decode) == DECODE
    assert [decode_of({"decode": each}) for each in (*DECODE, "first", None)] == [*DECODE, "all", "all"]
