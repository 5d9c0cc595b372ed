"""The table of modalities says what the published checkpoints say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fourm_tui.errors import InputError
from fourm_tui.modalities import MODALITIES, suggest, with_overrides

PUBLISHED = json.loads((Path(__file__).parent / "data" / "modalities.json").read_text())
KINDS = {"pixels": "img", "image": "img", "sequence": "seq", "embeddings": "seq_emb"}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_modality_has_its_published_facts(name: str) -> None:
    ours, published = MODALITIES[name], PUBLISHED[name]
    assert KINDS[ours.kind] == published["kind"]
    assert ours.vocab_size == published.get("vocab_size", 0)
    assert ours.max_tokens == published["max_tokens"]
    assert ours.is_target == published["target"]
    assert ours.max_length == published["embedding"].get("max_length", 0)
    assert ours.learned_positions == (published["embedding"].get("sincos_pos_emb") is False)
    if "grid" in published:
        assert ours.grid == tuple(published["grid"])
    if "patch_size" in published:
        assert ours.patch_size == published["patch_size"]
    if "input_size" in published:
        assert ours.input_size == published["input_size"]


def test_the_table_has_all_published_modalities_and_no_other() -> None:
    assert set(MODALITIES) == set(PUBLISHED)
    assert len({modality.title for modality in MODALITIES.values()}) > 15
    assert all(modality.files for modality in MODALITIES.values())


@pytest.mark.parametrize(
    ("name", "size", "meant"),
    [("tok_rgb", 224, "tok_rgb@224"), ("tok_rgb", 448, "tok_rgb@448"), ("captoin", None, "caption"),
     ("TOK_DEPTH@224", None, "tok_depth@224"), ("banana", None, None)],
)  # fmt: skip
def test_suggestions(name: str, size: int | None, meant: str | None) -> None:
    assert suggest(name, size=size) == meant


def test_a_model_may_override_vocabulary_length_and_classes() -> None:
    table = with_overrides(
        {"tok_rgb@224": {"vocab_size": 1024, "max_tokens": 49}, "tok_semseg@224": {"classes": ["a", "b"]}}
    )
    assert (table["tok_rgb@224"].vocab_size, table["tok_rgb@224"].grid) == (1024, (7, 7))
    assert table["tok_semseg@224"].classes == ("a", "b")
    assert table["caption"] == MODALITIES["caption"]
    assert with_overrides(None) is MODALITIES


@pytest.mark.parametrize(
    ("overrides", "words"),
    [({"tok_x": {}}, "no 4M modality"), ({"caption": {"size": 3}}, "cannot be overridden"),
     ({"caption": {"max_tokens": -1}}, "positive whole number"), ({"tok_rgb@224": {"max_tokens": 50}}, "square number"),
     ({"tok_semseg@224": {"classes": 3}}, "a list of names"), ([], None), (["x"], "mapping")],
)  # fmt: skip
def test_wrong_overrides_say_where(overrides: object, words: str | None) -> None:
    if words is None:
        assert with_overrides(overrides) is MODALITIES  # type: ignore[arg-type]
        return
    with pytest.raises(InputError, match=words):
        with_overrides(overrides, "folder/config.json")  # type: ignore[arg-type]
