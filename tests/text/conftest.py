"""The published text tokenizer, where it is at hand, and a small one of our own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fourm_tui.published import TEXT_TOKENIZER_FILE, TEXT_TOKENIZER_REPO
from fourm_tui.tokenizers.text import TextTokenizer
from tests.text.reference import write_tiny_tokenizer

ROOT = Path(__file__).parents[2]


def _candidates() -> list[Path]:
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(TEXT_TOKENIZER_REPO, TEXT_TOKENIZER_FILE, repo_type="space")
    named = os.environ.get("FOURM_TEXT_TOKENIZER")
    return [
        *([Path(named)] if named else []),
        ROOT.parent / "shared" / "reference" / "text" / TEXT_TOKENIZER_FILE,
        *([Path(cached)] if isinstance(cached, str) else []),
    ]


@pytest.fixture(scope="session")
def published() -> TextTokenizer:
    """The published text tokenizer. It is not part of the repository."""
    found = next((path for path in _candidates() if path.is_file()), None)
    if found is None:
        pytest.skip(f"{TEXT_TOKENIZER_FILE} is not here; name it in FOURM_TEXT_TOKENIZER")
    return TextTokenizer(found)


@pytest.fixture(scope="session")
def tiny_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_tokenizer(tmp_path_factory.mktemp("tokenizer") / "tiny.json")


@pytest.fixture(scope="session")
def tiny(tiny_file: Path) -> TextTokenizer:
    return TextTokenizer(tiny_file)
