"""`bench` measures every stage; its limits are those of the plan's cost."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from fourm_tui.architecture import Architecture
from fourm_tui.bench.made import made_model
from fourm_tui.bench.stages import least_seconds
from fourm_tui.cli import main
from fourm_tui.cost import Calibration, row_cost
from fourm_tui.plan import plan
from fourm_tui.published import find
from fourm_tui.schedule.document import Document
from fourm_tui.schedule.editor import Editor
from fourm_tui.schedule.shipped import find_file
from tests.tiny import tiny_config

SPEED = Calibration(1e11, 1e10)


@pytest.mark.parametrize("settings", ["settings_base/T2CR", "settings_base/TD2CR_weighted", "settings_base/RGB2T"])
@pytest.mark.parametrize("batch", [1, 4])
def test_the_limits_of_all_steps_add_up_to_those_of_the_row(settings: str, batch: int) -> None:
    published = find("4M-7_B_CC12M")
    assert published is not None
    architecture = Architecture.from_config(published.config, "4M-7_B")
    for row in plan(Editor([Document.read(find_file(settings))]).schedule).rows:
        cost = row_cost(row, architecture)
        limits = least_seconds(row, cost, SPEED, batch)
        assert len(limits) == len(row.tokens)
        assert limits.sum() == pytest.approx(cost.seconds(SPEED, batch))
        if not row.is_sequence:
            assert (np.diff(limits) > 0).mean() > 0.9  # with every step the encoder sees more


def test_made_up_weights_are_the_same_each_time() -> None:
    first, second = (
        made_model(Architecture.from_config(tiny_config(), "tiny"), torch.device("cpu"), torch.float32)
        for _ in range(2)
    )
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert all(torch.isfinite(buffer).all() for buffer in first.buffers())


def test_every_stage_of_the_bundled_model_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "demo/T2R", "--set", "decoding_steps=2", "--device", "cpu", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [stage["detail"] for stage in found["stages"]][:2] == ["loaded", "roar, 2 of 2 steps"]
    assert found["stages"][1]["tokens"] == 196
    assert all(stage["seconds"] > 0 for stage in found["stages"])
    assert found["probe"]["flops_per_second"] > 0


def test_a_model_that_is_not_here_is_made_up(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def small(architecture: Architecture, device: torch.device, dtype: torch.dtype) -> object:
        made.append(architecture)
        raise KeyboardInterrupt  # the real one has 200 million weights

    monkeypatch.setattr("fourm_tui.bench.made.made_model", small)
    assert main(["bench", "-c", "4M-7_B_CC12M", "--device", "cpu", "--json"]) == 130
    assert made[0].dim == 768
