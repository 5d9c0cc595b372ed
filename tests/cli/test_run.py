"""`fourm-tui run`: from the command line to a run folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fourm_tui.cli import main
from fourm_tui.paths import schedules_dir
from fourm_tui.runs import list_runs, open_run, read_tokens
from tests.tiny import tiny_checkpoint, tiny_sr_checkpoint

SETTINGS = schedules_dir() / "settings_base" / "T2CR_roar49-25_cfg3_t6-0.5.yaml"
SR = schedules_dir() / "settings_sr" / "x2CR_mg8_cfg3_t1const.yaml"
QUICK = ["--set", "decoding_steps=3-2"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 255, (90, 120, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.jpg")
    return tmp_path / "photo.jpg"


def test_a_run_leaves_its_folder_and_says_where(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["run", SETTINGS, "-c", checkpoint, "-i", "caption=a red fox", "--out", tmp_path, "--seed", 5, *QUICK]
    assert main([str(word) for word in command]) == 0
    out = capsys.readouterr().out
    (listed,) = list_runs(tmp_path).runs
    assert str(listed.folder) in out.replace("\n", "")
    assert "CLIP features" in out
    assert "done in" in out
    run = open_run(listed.folder)
    assert run.record.status == "done"
    assert run.record.settings[0].text == SETTINGS.read_text()
    assert run.record.overrides == ("decoding_steps=3-2",)
    assert run.record.conditions[0].text == "a red fox"
    assert [sample.seed for sample in run.record.samples] == [5]
    assert len(read_tokens(run.path_for(2, "tok_rgb@224", 0, ".safetensors")).tokens) == 196


def test_photo_to_text_with_super_resolution_and_variations_as_json(
    checkpoint: Path, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sr = tiny_sr_checkpoint(tmp_path / "sr")
    models = tmp_path / "models.yaml"
    models.write_text(f"model: {checkpoint}\nsr_model: {sr}\n")
    settings = tmp_path / "photo.yaml"
    settings.write_text(SETTINGS.read_text().replace("cond_domains: caption", "cond_domains: rgb@224"))
    command = ["run", settings, "--sr", SR, "-c", models, "-i", f"rgb@224={photo}", "--out", tmp_path / "runs",
               "--num-variations", 2, "--json", "--set", "sr_decoding_steps=2", *QUICK]  # fmt: skip
    assert main([str(word) for word in command]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[0]["type"] == "run_started"
    assert events[-1]["type"] == "run_done"
    done = [(event["row"], event["target"], event["sample"]) for event in events if event["type"] == "target_done"]
    assert done == [
        (row, name, sample)
        for row, name in ((1, "tok_clip@224"), (2, "tok_rgb@224"), (3, "tok_clip@448"), (4, "tok_rgb@448"))
        for sample in (0, 1)
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-i", "caption=x"], "no model is named, and the one in the box does not have tok_clip@224"),
        (["-c", "CHECKPOINT"], "there is no value for the condition caption"),
        (["-c", "CHECKPOINT", "-i", "caption=x", "--set", "temps=hot"], "'hot' is no number"),
        (["-c", "CHECKPOINT", "-i", "caption=x", "--device", "abacus"], "--device abacus"),
        (["-c", "CHECKPOINT", "-i", "caption=x", "--seed", "-1"], "seed"),
        (["-c", "CHECKPOINT", "-i", "caption=x", "--num-variations", "0"], "num_variations"),
        (
            ["-c", "CHECKPOINT", "-i", "caption=x", "--num-variations", "10001"],
            "10001 are more than the 10000 of one run",
        ),
        (["-c", "CHECKPOINT", "-i", "caption=x", "-i", "rgb@224=/nowhere.png"], "No such file"),
        (["-c", "CHECKPOINT", "-i", "caption=x", "--sr", str(SR)], "sr_model"),
        (["-c", "CHECKPOINT", "-i", "caption=x", "--sam-dense", "3"], "sam_instance"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(
    arguments: list[str], words: str, checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(checkpoint) if word == "CHECKPOINT" else word for word in arguments]
    assert main(["run", str(SETTINGS), "--out", str(tmp_path / "runs"), *given]) == 2
    out, err = capsys.readouterr()
    assert words in err
    assert out == ""
    assert not (tmp_path / "runs").exists()


def test_a_runs_folder_that_cannot_be_made_is_one_message(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    command = ["run", str(SETTINGS), "-c", str(checkpoint), "-i", "caption=x", "--out", str(tmp_path / "file"), *QUICK]
    assert main(command) == 1
    assert "file" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_at_the_next_step_and_keeps_what_is_finished(
    checkpoint: Path, tmp_path: Path, number: signal.Signals
) -> None:
    command = [sys.executable, "-m", "fourm_tui", "run", SETTINGS, "-c", checkpoint, "-i", "caption=x", "--out", tmp_path,
               "--json", "--set", "decoding_steps=3-196"]  # fmt: skip
    process = subprocess.Popen(
        [str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert process.stdout
    for line in process.stdout:
        if json.loads(line)["type"] == "target_done":
            break
    asked = time.monotonic()
    process.send_signal(number)
    rest = process.stdout.read()
    assert process.wait(60) == 130
    assert time.monotonic() - asked < 30
    assert json.loads(rest.splitlines()[-1])["type"] == "run_cancelled"
    process.communicate()
    (listed,) = list_runs(tmp_path).runs
    run = open_run(listed.folder)
    assert run.record.status == "cancelled"
    assert run.finished() == {(1, 0)}
