"""The files of run_generation.py, as they are: every model, data set and settings file loads and plans."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fourm_tui.cli import main
from fourm_tui.paths import schedules_dir

MODELS = sorted(path.stem for path in (schedules_dir() / "models").glob("4m-*.yaml"))
DATA = {"cc12m_30k": 30_000, "coco_30k": 30_000, "parti_3x": None}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A few captions in the simple hierarchical format."""
    folder = tmp_path / "val" / "caption" / "all"
    folder.mkdir(parents=True)
    for number in range(3):
        (folder / f"{number}.txt").write_text(f"a picture of {number} foxes\n")
    return tmp_path / "val"


def planned(words: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    code = main([*words, "--dry-run", "--json", "--device", "cpu"])
    said = capsys.readouterr()
    assert code == 0, said.err
    found: dict[str, object] = json.loads(said.out)
    return found


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("models", MODELS)
def test_every_model_and_data_set_plans(
    models: str, data: str, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "PartiPrompts.tsv").write_text("Prompt\tCategory\na red fox\tAnimals\na blue door\tThings\n")
    where = [] if data == "parti_3x" else ["--data-path", str(tree)]
    words = ["batch", "-gc", "settings_base/T2CR", "-c", f"models/{models}", "-src", "settings_sr/x2CR_mg8",
             "-dc", f"data/{data}", *where]  # fmt: skip
    found = planned(words, capsys)
    assert found["targets"] == ["tok_clip@224", "tok_rgb@224", "tok_clip@448", "tok_rgb@448"]
    items = 2 * 3 if data == "parti_3x" else 3
    assert found["items"] == items
    assert found["passes"] == items * 2 * (49 + 25 + 8 + 8)
    assert found["memory"] > 1e9  # type: ignore[operator]


def test_a_path_that_is_only_an_example_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["batch", "settings_base/T2CR", "-c", "4M-7_B_CC12M", "--data", "data/coco_30k", "--dry-run"]) == 2
    assert "data_path" in capsys.readouterr().err
