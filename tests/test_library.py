"""What the README shows notebook users works as it stands there, on a tiny model."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fourm_tui as fm
from fourm_tui.errors import InputError
from fourm_tui.runs import open_run
from tests.tiny import tiny_checkpoint

ROOT = Path(__file__).parents[1]
SETTINGS = ROOT / "schedules" / "settings_base" / "T2CR_roar49-25_cfg3_t6-0.5.yaml"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint(tmp_path_factory.mktemp("models") / "base")


def quick(folder: Path) -> Path:
    """The schedule with few steps."""
    file = folder / "quick.yaml"
    file.write_text(SETTINGS.read_text().replace("49-25", "2-2"))
    return file


def test_the_notebook_example_of_the_readme(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len([line for line in code.splitlines() if line]) <= 10
    code = code.replace("EPFL-VILAB/4M-7_B_CC12M", str(checkpoint)).replace(
        'device="cuda", dtype="bf16"', 'device="cpu"'
    )
    code = code.replace("schedules/settings_base/T2CR_roar49-25_cfg3_t6-0.5.yaml", str(quick(tmp_path)))
    names: dict[str, object] = {}
    exec(code, names)
    out = capsys.readouterr().out
    assert "run_started" in out
    assert "run_done" in out
    generation = names["generation"]
    assert isinstance(generation, fm.Generation)
    assert generation.tokens["tok_rgb@224"][0].shape == (196,)


def test_variations_texts_and_a_run_folder(checkpoint: Path, tmp_path: Path) -> None:
    settings = tmp_path / "caption.yaml"
    settings.write_text(
        "cond_domains: tok_rgb@224\ntarget_domains: caption\ntokens_per_target: 9\nautoregression_schemes: autoregressive\n"
        "decoding_steps: null\ntoken_decoding_schedules: null\ntemps: 1.0\ntemp_schedules: constant\ncfg_scales: 1.0\n"
        "cfg_schedules: constant\n"
    )
    model = fm.load_model(str(checkpoint))
    conditions = {"tok_rgb@224": np.arange(196) % 64}
    generation = fm.generate(model, fm.load_schedule(settings), conditions, num_variations=3, out=tmp_path).finish()
    assert len(generation.texts["caption"]) == len(generation.tokens["caption"]) == 3
    assert generation.folder is not None
    assert open_run(generation.folder).finished() == {(1, 0), (1, 1), (1, 2)}


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ({}, "no value for the condition caption"),
        ({"captoin": "x"}, "did you mean caption"),
        ({"caption": "x", "tok_rgb@224": np.zeros(7, int)}, "196 token ids"),
        ({"caption": "x", "tok_rgb@224": np.full(196, 64)}, "expected are 0 to 63"),
        ({"caption": "x", "t5_caption": np.zeros((3, 5))}, "4096"),
    ],
)
def test_what_does_not_fit_is_said(checkpoint: Path, conditions: dict[str, object], words: str) -> None:
    model = fm.load_model(str(checkpoint))
    with pytest.raises(InputError, match=words):
        fm.generate(model, fm.load_schedule(SETTINGS), conditions)


def test_importing_is_cheap_and_names_are_known() -> None:
    assert {"load_model", "load_schedule", "load_conditions", "generate"} <= set(dir(fm))
    with pytest.raises(AttributeError, match="no attribute 'loud_model'"):
        _ = fm.loud_model
    code = "import fourm_tui, sys; print('torch' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
