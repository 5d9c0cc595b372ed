"""`fourm-tui check`: what it prints, what it answers as data, and how it fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fourm_tui.cli import main
from fourm_tui.cli.check_view import spark
from fourm_tui.paths import schedules_dir

SETTINGS = sorted(schedules_dir().glob("settings_*/*.yaml"))
MODELS = sorted(schedules_dir().glob("models/*.yaml"))
BASE = schedules_dir() / "settings_base" / "T2CR_roar49-25_cfg3_t6-0.5.yaml"
SR = schedules_dir() / "settings_sr" / "x2CR_mg8_cfg3_t1const.yaml"


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize("width", ["80", "160"])
@pytest.mark.parametrize("file", [*SETTINGS, *MODELS, *schedules_dir().glob("data/*.yaml")], ids=lambda path: path.name)
def test_every_shipped_file_checks_out_and_fits_the_terminal(
    file: Path, width: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    models = "4m-b_mod21+sr_4m-l_mod7.yaml"
    code, out, err = run(capsys, "check", file, "-c", schedules_dir() / "models" / models)
    assert (code, err) == (0, "")
    lines = [line for line in out.splitlines() if str(file) not in line]
    assert max(len(line) for line in lines) <= int(width)
    if file in SETTINGS:
        assert "no problems" in out
        assert ("runs in ml-4m  yes" in out) == ("weighted" not in file.name and "U2CR" not in file.name)


def test_the_page_tells_the_whole_story(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "check", BASE, "--sr", SR, "-c", "4M-7_B_CC12M")
    assert code == 0
    for words in (
        "Caption → CLIP features → RGB", "super resolution", "onex 0.5 0.5", "90 steps", "180 passes", "TFLOP",
        "● dropped", "4M-7-SR_L_CC12M", "4M_tokenizers_rgb_16k_224-448", "runs in ml-4m  yes",
    ):  # fmt: skip
        assert words in out


def test_json_has_the_expanded_steps(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "check", BASE, "--sr", SR, "-c", "EPFL-VILAB/4M-7_B_CC12M", "--json")
    data = json.loads(out)
    assert code == 0
    assert data["schema"] == 1
    assert [row["target"] for row in data["rows"]] == ["tok_clip@224", "tok_rgb@224", "tok_clip@448", "tok_rgb@448"]
    assert len(data["steps"]) == 90
    assert data["steps"][0]["num_tokens"] == 4
    assert data["steps"][0]["temperature"] == pytest.approx(5.887755102040816)
    assert data["steps"][-1]["guided"] == ["caption", "tok_clip@224", "tok_rgb@224", "tok_clip@448"]
    assert data["problems"] == []
    assert {load["name"] for load in data["loads"]} >= {"EPFL-VILAB/4M-7_B_CC12M", "EPFL-VILAB/4M-7-SR_L_CC12M"}


def test_problems_are_listed_with_place_and_fix_and_the_exit_code_is_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    file = tmp_path / "broken.yaml"
    file.write_text(BASE.read_text().replace("tok_rgb@224", "tok_rgb").replace("49-25", "300-0"))
    code, out, _ = run(capsys, "check", file)
    assert code == 2
    assert "did you mean tok_rgb@224?" in out
    assert "300 steps for 196 tokens" in out
    assert "3 problems" in out
    code, out, _ = run(capsys, "check", file, "--json")
    assert code == 2
    problems = json.loads(out)["problems"]
    assert [(p["row"], p["column"]) for p in problems] == [
        (1, "decoding_steps"), (2, "target_domains"), (2, "decoding_steps"),
    ]  # fmt: skip
    assert all(p["line"] and p["file"] == str(file) for p in problems)


@pytest.mark.parametrize(
    ("assignment", "shown"),
    [("temps=1.5", "1.5"), ("decoding_steps.2=30", "30"), ("cfg_scales.1={caption: 2.0}", "weighted"),
     ("cfg_scales=[3.0, -1.0]", "-1.0")],
)  # fmt: skip
def test_set_overrides_without_touching_the_file(
    assignment: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    before = BASE.read_bytes()
    code, out, _ = run(capsys, "check", BASE, "--set", assignment)
    assert code == 0
    assert shown in out
    assert BASE.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check"], "no settings file is given"),
        (["check", "nowhere.yaml"], "nowhere.yaml"),
        (["check", str(BASE), "--set", "temps"], "is to be KEY=VALUE"),
        (["check", str(BASE), "--set", "temps.9=1.0"], "there is no row 9"),
        (["check", str(BASE), "--set", "temps.1=warm"], "'warm' is no number"),
        (["check", str(BASE), "--set", "temps=[1"], "temps"),
        (["check", str(BASE), "-c", "4M-9_B"], "no such folder or file, and no published model"),
        (["check", str(BASE), "-c", "./nowhere"], "no such folder or file"),
        (["check", str(BASE), "-i", "captoin=x"], "did you mean caption?"),
        (["check", str(BASE), "-i", "caption"], "NAME=VALUE"),
        (["check", str(BASE), "-i", "caption=@/nowhere.txt"], "cannot be read"),
    ],
)
def test_wrong_options_give_one_message_and_exit_code_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert err.startswith("fourm-tui: ")


def test_given_conditions_count(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "check", BASE, "-i", "caption=a red fox")[0] == 0
    code, out, _ = run(capsys, "check", BASE, "-i", "det=v0=1")
    assert code == 2
    assert "no value for the condition caption" in out


def test_a_schedule_by_itself_is_not_wrong_for_having_no_conditions_yet_but_it_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, _ = run(capsys, "check", BASE, "--json")
    said = json.loads(out)
    assert (code, said["problems"]) == (0, [])
    assert said["hints"][0]["message"] == "there is no value for the condition caption"


def test_conditions_without_a_value_keep_nothing_from_being_worked_out(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "check", BASE, "-i", "det=v0=1", "--json")
    said = json.loads(out)
    assert code == 2
    assert len(said["problems"]) == 1
    assert len(said["rows"]) == 2


def test_controlnet_is_said_to_be_unsupported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = tmp_path / "models.yaml"
    models.write_text("model: 4M-7_B_CC12M\nactivate_controlnet: True\n")
    code, out, _ = run(capsys, "check", BASE, "-c", models)
    assert code == 0
    assert "ControlNet decoding of RGB tokens is not supported" in " ".join(out.split())


def test_the_synonyms_of_ml4m_are_taken(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "check", "-gc", BASE, "-src", SR, "-c", MODELS[0])
    assert code == 0
    assert "super resolution" in out


def test_control_characters_never_reach_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "evil\x1b[2J.yaml"
    file.write_text('target_domains: "x\\e[31m\\x07"\nname: "\\e]0;hi\\a"\n"k\\e": 1\n')
    for arguments in (("check", file), ("check", tmp_path / "no\x1b[0m.yaml")):
        code, out, err = run(capsys, *arguments)
        assert code == 2
        assert "\x1b" not in out + err
        assert "\x07" not in out + err


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutations_of_a_good_file_never_give_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str], data: st.DataObject
) -> None:
    text = BASE.read_text() + SR.read_text()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        length = data.draw(st.integers(0, 6))
        junk = data.draw(
            st.text(max_size=4) | st.sampled_from(["-", ": ", "\n", "[", "{", "'", "&a ", "*a", "- ", "!"])
        )
        text = text[:at] + junk + text[at + length :]
    file = tmp_path_factory.getbasetemp() / "mutated.yaml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    code = main(["check", str(file), "-c", "4M-7_B_CC12M", *data.draw(st.sampled_from([[], ["--json"]]))])
    out, err = capsys.readouterr()
    assert code in (0, 2)
    assert out or err
    assert "Traceback" not in err


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_a_terminal_without_utf8_and_a_closed_pipe_are_no_error(encoding: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "LC_ALL": "C"}
    command = [sys.executable, "-m", "fourm_tui", "check", str(BASE)]
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    closed = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    assert closed.stdout and closed.stderr
    closed.stdout.close()
    assert (closed.wait(), closed.stderr.read()) == (0, b"")
    closed.stderr.close()


def test_curves_are_drawn_from_their_values() -> None:
    assert spark([1, 2, 3, 4], 4) == "▃▅▆█"
    assert spark([1, 4], 4) == "▃▃██"
    assert spark([0, 0, 8, 8], 2) == "▁█"
    assert spark([5, 5, 5], 9) == "─" * 9
