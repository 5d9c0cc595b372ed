"""The words of the string formats, and what looks like one and is none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fourm_tui.errors import InputError
from fourm_tui.formats.native import native_string
from fourm_tui.formats.reading import native_text
from fourm_tui.formats.vocabulary import (
    CONTROL_WORDS,
    OBJECT_CLASSES,
    SENTINELS,
    broken_sentinel,
    codebook_tokens,
    codebook_word,
    value_of,
    value_word,
)
from fourm_tui.tokenizers.text import TextTokenizer
from tests.text.reference import cases

FACTS = cases("special_tokens")


def test_control_words_and_sentinels_have_the_ids_of_the_reference() -> None:
    families = FACTS["families"]
    assert {word: CONTROL_WORDS.index(word) for word in families["control"]["tokens"]} == families["control"]["tokens"]
    sentinel = families["sentinel"]
    assert (SENTINELS[0], SENTINELS[-1]) == (sentinel["first_id"], sentinel["last_id"])
    assert (CONTROL_WORDS[SENTINELS[0]], CONTROL_WORDS[-1]) == (sentinel["first"], sentinel["last"])


def test_object_classes_are_those_of_the_reference_in_the_order_of_their_ids() -> None:
    family = FACTS["families"]["object_class"]
    assert {name: family["first_id"] + i for i, name in enumerate(OBJECT_CLASSES)} == family["tokens"]


def test_every_value_token_of_the_reference_is_read_and_written() -> None:
    for axis in range(4):
        family = FACTS["families"][f"coord_v{axis}"]
        assert (value_word(axis, 0), value_word(axis, 999)) == (family["first"], family["last"])
        assert (value_of(family["first"]), value_of(family["last"])) == ((axis, 0), (axis, 999))


@pytest.mark.parametrize("word", ["v0=1000", "v0=05", "V0=5", "v4=1", "v0=-1", "v0=", "v0=1.0", "cup", "v0=٣"])
def test_what_is_no_value_token_has_no_value(word: str) -> None:
    assert value_of(word) is None


def test_values_beyond_the_tokens_are_held_at_the_ends() -> None:
    assert (value_word(0, -3), value_word(3, 1200)) == ("v0=0", "v3=999")


@pytest.mark.parametrize("token", [0, 511, 512, 1023])
def test_codebook_tokens_survive_the_way_through_words(token: int) -> None:
    assert codebook_tokens([codebook_word(token)]) == (token,)


@pytest.mark.parametrize("word", ["v1=512", "v2=3", "none"])
def test_words_beyond_the_codebook_are_no_tokens_of_it(word: str) -> None:
    assert codebook_tokens([word]) is None


@given(st.lists(st.sampled_from(["[S_1]", "[S_12]", "[S_300]", "[s_1]", "a", "é", "_", " ", ".", "]"]), max_size=8))
@settings(max_examples=200, deadline=None)
def test_sentinels_called_sound_are_exactly_those_that_the_tokenizer_reads(
    tiny: TextTokenizer, parts: list[str]
) -> None:
    text = "".join(parts)
    written = sum(part.lower().startswith("[s_") for part in parts)
    read = sum(token in SENTINELS for token in tiny.encode(text))
    assert (broken_sentinel(text) is None) == (written == read)


def test_a_native_string_stays_with_single_blanks() -> None:
    assert native_text(" v0=1  v1=2\nv2=3 v3=4 dog [S_1]", "det") == "v0=1 v1=2 v2=3 v3=4 dog [S_1]"


def test_other_text_is_not_native() -> None:
    assert native_text("dog 0.1 0.2 0.3 0.4", "det") is None


@pytest.mark.parametrize("word", ["v0=1000", "V0=5", "v1=02", "v7=1"])
def test_a_native_string_with_a_word_that_is_no_token_is_refused(word: str) -> None:
    with pytest.raises(InputError, match=f"-i det: {word} is no value token"):
        native_text(f"v0=1 v1=2 v2=3 v3=4 dog {word}", "-i det")


def test_each_modality_has_its_string() -> None:
    assert native_string("det", "dog 0 0 1 1", "-i") == "v0=0 v1=0 v2=999 v3=999 dog"
    assert native_string("color_palette", "#ff0000", "-i") == "v1=1 v0=255 v0=0 v0=0"
    assert native_string("metadata", "n_humans: 2", "-i") == "v1=5 v0=2"
    assert native_string("caption", "a  red cup", "-i") == "a  red cup"
    assert native_string("human_poses", "none", "-i") == "none"
    assert native_string("sam_instance", "point v0=1 v1=2 none", "-i") == "point v0=1 v1=2 none"


@pytest.mark.parametrize("modality", ["human_poses", "sam_instance"])
def test_poses_and_instances_are_taken_in_their_native_form_only(modality: str) -> None:
    with pytest.raises(InputError, match=f"-i x: {modality} is to be its native string"):
        native_string(modality, "two people", "-i x")
