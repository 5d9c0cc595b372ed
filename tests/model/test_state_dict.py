"""The state dict of every published config equals the published one, name by name, shape by shape."""

from __future__ import annotations

import json

import pytest
import torch

from fourm_tui.architecture import Architecture
from fourm_tui.model.fourm import FourM
from tests.fm.reference import DATA

CONFIGS = sorted(path.parent for kind in ("configs", "published") for path in (DATA / kind).glob("*/config.json"))


@pytest.mark.parametrize("folder", CONFIGS, ids=lambda folder: folder.name)
def test_names_shapes_and_buffers(folder) -> None:  # type: ignore[no-untyped-def]
    expected = json.loads((folder / "state_dict.json").read_text())
    with torch.device("meta"):
        model = FourM(Architecture.from_config(json.loads((folder / "config.json").read_text()), folder.name))
    assert {name: list(value.shape) for name, value in model.state_dict().items()} == {
        name: shape for name, (shape, _, _) in expected.items()
    }
    assert set(dict(model.named_buffers())) == {name for name, (_, _, is_buffer) in expected.items() if is_buffer}


def test_parameters_are_those_that_the_architecture_counts() -> None:
    for folder in CONFIGS:
        architecture = Architecture.from_config(json.loads((folder / "config.json").read_text()))
        with torch.device("meta"):
            model = FourM(architecture)
        assert sum(parameter.numel() for parameter in model.parameters()) == architecture.parameters
