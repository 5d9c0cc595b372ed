"""The model in the box, end to end: every shipped schedule and example file, and what it can do at the least."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from fourm_tui.cli import main
from fourm_tui.demo import examples
from fourm_tui.demo.evaluate import BOXES, CHAIN, Evaluation, cases, settings
from fourm_tui.demo.scorer import score
from fourm_tui.paths import bundled_dir, schedules_dir

SCENE = schedules_dir() / "demo" / "scene"
CAPTION = "a large red sphere left of a small blue box on grey ground under a clear sky"
LIMIT = 25_000_000
"""Bytes that the weights may take in a checkout."""


def ran(capsys: pytest.CaptureFixture[str], tmp_path: Path, *words: str) -> Path:
    """The folder of a run that is expected to succeed."""
    assert main(["run", *words, "--out", str(tmp_path / "runs"), "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[-1]["type"] == "run_done"
    (folder,) = (tmp_path / "runs").iterdir()
    return folder


def test_the_box_is_small_and_has_no_secrets() -> None:
    files = [file for file in bundled_dir().rglob("*") if file.is_file()]
    assert {file.suffix for file in files} == {".json", ".safetensors"}
    assert sum(file.stat().st_size for file in files) <= LIMIT


def test_a_caption_becomes_a_picture_of_what_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = ran(capsys, tmp_path, "demo/T2SDR", "-i", f"caption={CAPTION}", "--num-variations", "4")
    pictures = sorted(folder.glob("samples/*/03_tok_rgb@224.png"))
    assert len(pictures) == 4
    scores = [score(np.asarray(Image.open(file).convert("RGB")), ["red sphere", "blue box"]) for file in pictures]
    assert sum(found.present for found in scores) >= 6  # of 8
    record = json.loads((folder / "run.json").read_text())
    assert record["models"]["model"]["name"] == "demo"


@pytest.mark.parametrize("schedule", sorted(schedules_dir().glob("demo/*.yaml")), ids=lambda path: path.stem)
def test_every_demo_schedule_has_nothing_wrong_and_says_so(schedule: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(schedule), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["problems"] == []
    assert {load["role"]: load["name"] for load in said["loads"]}["model"] == "demo"


@pytest.mark.parametrize(
    ("schedule", "given"),
    [
        ("demo/RGB2all", ["tok_rgb@224=photo.png"]),
        ("demo/RGB2TB", ["tok_rgb@224=photo.png"]),
        ("demo/TB2SR", ["caption=@caption.txt", "det=@boxes.txt"]),
        ("demo/T2R", ["caption=@caption.txt", "color_palette=@palette.txt", "metadata=@metadata.txt"]),
        ("demo/T2R", ["tok_semseg@224=classes.png", "tok_depth@224=depth.png", "tok_normal@224=normals.png"]),
        ("demo/T2R", ["caption=@caption.txt", "tok_rgb@224=photo.png,mask=mask.png"]),
    ],
    ids=["everything", "texts", "boxes", "palette", "maps", "mask"],
)
def test_every_example_file_is_a_condition(
    schedule: str, given: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = []
    for one in given:
        name, _, value = one.partition("=")
        value = re.sub(r"(^@?|mask=)(\w+\.)", lambda m: f"{m[1]}{SCENE}/{m[2]}", value)
        words += ["-i", f"{name}={value}"]
    names = [one.partition("=")[0] for one in given if "mask" not in one]
    folder = ran(
        capsys, tmp_path, schedule, *words, "--set", f"cond_domains={'-'.join(names)}", "--set", "decoding_steps=2"
    )
    assert list(folder.glob("samples/000/*.png"))


def test_example_files_are_those_that_the_world_makes(tmp_path: Path) -> None:
    examples.write(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(file.name for file in SCENE.iterdir())
    for file in tmp_path.iterdir():
        other = SCENE / file.name
        if file.suffix == ".txt":
            assert file.read_text() == other.read_text()
        else:
            mine, shipped = np.asarray(Image.open(file)).astype(int), np.asarray(Image.open(other)).astype(int)
            assert np.abs(mine - shipped).max() <= 1


def test_ready_made_schedules_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("demo/T2SDR", "T2SDR", "schedules/demo/T2SDR", "T2SDR_roar16-4-8_cfg4-1-2_t0.5-0.3.yaml"):
        assert main(["check", name]) == 0
    capsys.readouterr()
    assert main(["check", "T2R"]) == 2
    assert "several ready-made ones: demo/T2R_roar16_cfg3_t0.5, settings_base/T2R_" in capsys.readouterr().err
    (tmp_path / "T2SDR").write_text("target_domains: 5\n")
    assert main(["check", "T2SDR"]) == 2  # a file that is there comes first
    assert main(["check", "demo/none"]) == 2


def test_without_a_model_the_one_in_the_box_is_taken_if_it_fits(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "settings_base/T2CR_roar49-25_cfg3_t6-0.5"]) == 0
    assert "does not have tok_clip@224" in capsys.readouterr().out.replace("\n", " ")
    assert main(["run", "settings_base/T2CR_roar49-25_cfg3_t6-0.5", "-i", "caption=x"]) == 2
    assert "does not have tok_clip@224; name one with -c" in capsys.readouterr().err
    assert main(["check", "T2CR", "-c", "demo"]) == 2
    assert "tok_clip@224" in capsys.readouterr().out


def test_words_that_a_modality_does_not_have_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "demo/T2R", "-i", "caption=a v0=5 sphere", "--out", str(tmp_path)]) == 2
    assert "caption: the model does not know 'v0=5'" in capsys.readouterr().err


def test_the_models_config_names_what_is_in_the_box() -> None:
    config = yaml.safe_load((schedules_dir() / "models" / "demo.yaml").read_text())
    for name in ("model", "rgb_tok_id", "depth_tok_id", "normal_tok_id", "semseg_tok_id"):
        folder = bundled_dir() / (config[name].partition("/")[2] or "model")
        assert {file.name for file in folder.iterdir()} >= {"config.json", "model.safetensors"}


def test_it_can_do_what_it_is_for() -> None:
    """Looser bounds than the recipe's, on fewer scenes; `python -m fourm_tui.demo.evaluate` measures all."""
    chosen = cases(24)
    evaluation = Evaluation(device="cpu")
    found = evaluation.reconstruction(chosen) | evaluation.perception(chosen)
    chain = evaluation.imagination(settings(CHAIN), chosen)
    boxed = evaluation.imagination(settings(BOXES), chosen, with_boxes=True)
    assert found["RGB object PSNR"] > 31
    assert found["RGB → segmentation mIoU"] > 0.8
    assert found["RGB → depth error"] < 0.04
    assert found["RGB → caption colours"] > 0.9
    assert found["RGB → caption shapes"] > 0.9
    assert chain["pairs"] > 0.85
    assert chain["spurious"] < 0.25
    assert boxed["pairs"] > 0.9


def test_evaluation_prints_its_figures() -> None:
    command = [sys.executable, "-m", "fourm_tui.demo.evaluate", "--scenes", "2", "--json", "--device", "cpu"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    figures = json.loads(done.stdout)
    assert figures["scorer on true pictures: pairs"] == 1
    assert all(np.isfinite(value) for value in figures.values())
