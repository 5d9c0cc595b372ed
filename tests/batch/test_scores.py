"""Figures of a bulk run: the same however it was cut into chunks, ranks and starts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fourm_tui.batch.collect import Finished
from fourm_tui.batch.saving import Made
from fourm_tui.batch.scores import Scores
from fourm_tui.batch.work import Item
from fourm_tui.cli import main
from fourm_tui.conditions.condition import Condition
from fourm_tui.errors import InputError
from fourm_tui.metrics.networks import Networks
from fourm_tui.metrics.wanted import Wanted
from fourm_tui.modalities import MODALITIES
from fourm_tui.pictures.save import Output
from fourm_tui.runs import TargetTokens
from tests.batch.scenes import captions, command

TARGET = "tok_rgb@224"
CLIP_ONLY = Wanted(fid=False, inception=False, clip=True)


class Data:
    """Real pictures of one colour each."""

    def picture(self, number: int) -> Image.Image:
        return Image.new("RGB", (300, 300), (10 * number, 0, 0))


def brightness(pictures: torch.Tensor, texts: list[str]) -> torch.Tensor:
    return pictures.float().mean(dim=(1, 2, 3)) + torch.tensor([float(len(text)) for text in texts])


def made(sample: int, variation: int = 0) -> Made:
    array = np.full((3, 224, 224), sample / 10 - 0.5, dtype=np.float32)
    zeros = np.zeros(196)
    tokens = TargetTokens(TARGET, 1, 0, zeros, zeros, zeros)
    condition = Condition("caption", text="a" * sample)
    return Made(Item(sample, variation), f"{sample}", 0, {"caption": condition},
                [Finished(tokens, output=Output(MODALITIES[TARGET], array))])  # fmt: skip


def scores(folder: Path) -> Scores:
    return Scores(CLIP_ONLY, [TARGET], Networks(similarity=brightness), 256, folder, Data(), 1)  # type: ignore[arg-type]


def test_chunks_and_starts_change_nothing(tmp_path: Path) -> None:
    whole = scores(tmp_path / "whole")
    whole.add([made(n) for n in range(6)])
    parts = scores(tmp_path / "parts")
    parts.add([made(4), made(5)])
    parts.add([made(0), made(1)])  # of a start that was killed before its lines were written
    again = scores(tmp_path / "parts")
    again.add([made(0), made(1)])
    again.add([made(2), made(3)])
    assert again.compute() == whole.compute()
    assert whole.compute()[TARGET]["clip_score"] > 0


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    found = scores(tmp_path)
    found.add([made(1)])
    (path,) = (tmp_path / "metrics").glob("*.safetensors")
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(InputError, match=path.name):
        found.compute()


def test_what_figures_lack_is_said_before_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = captions(tmp_path / "p.txt", 1)
    words = command(data, tmp_path / "out", "--metrics", "--metric-weights", str(tmp_path / "nowhere"))
    assert main(words) == 2
    assert "metrics" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
