"""Tiny checkpoints that the tests of this folder share."""

from __future__ import annotations

from pathlib import Path

import pytest

from fourm_tui.engine.job import Models
from fourm_tui.model.loading import load_model
from fourm_tui.tokenizers.text import TextTokenizer
from tests.tiny import tiny_checkpoint, tiny_sr_checkpoint


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture(scope="session")
def sr_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_sr_checkpoint(tmp_path_factory.mktemp("models") / "sr")


@pytest.fixture(scope="session")
def models(checkpoint: Path, sr_checkpoint: Path) -> Models:
    text = TextTokenizer(checkpoint / "text_tokenizer.json")
    return Models(load_model(str(checkpoint)), load_model(str(sr_checkpoint)), text)
