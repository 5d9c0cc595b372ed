"""What the tests of this folder share: tiny checkpoints, and a user who has an engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fourm_tui.engine.job import Models
from fourm_tui.engine.jobs import OPEN, read_jobs
from fourm_tui.model.loading import load_model
from fourm_tui.tokenizers.text import TextTokenizer
from tests.engine.processes import end_engine
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


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folders of a user who has an engine, which is ended afterwards."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name in ("XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            (folder / name).mkdir()
            monkeypatch.setenv(name, str(folder / name))
        monkeypatch.setenv("FOURM_ENGINE_IDLE", "2")
        # Several threads that wait for each other stand still where other tests have the cores.
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        yield folder
        end_engine()


@pytest.fixture
def with_engine(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.delenv("FOURM_NO_ENGINE", raising=False)
    yield home
    if any(job.status in OPEN for job in read_jobs()):  # a test that failed leaves nothing behind for the next
        end_engine()
        for file in home.rglob("queue/*.json"):
            file.unlink()
