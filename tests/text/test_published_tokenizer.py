"""Ids and texts equal those of the reference; these need the published tokenizer's file."""

from __future__ import annotations

from typing import Any

import pytest

from fourm_tui.formats.vocabulary import EOS
from fourm_tui.tokenizers.text import TextTokenizer, span_ends
from tests.text.reference import cases

ENCODE = cases("encode_cases")
CUSTOM = cases("custom_text_cases")


@pytest.mark.parametrize("case", ENCODE, ids=[ascii(case["text"])[:40] for case in ENCODE])
def test_a_text_is_encoded_and_decoded_as_by_the_reference(published: TextTokenizer, case: dict[str, Any]) -> None:
    ids = published.encode(case["text"])
    assert ids == case["ids"]
    assert ids == [published.token_to_id(token) for token in case["tokens"]]
    assert published.decode(ids) == case["decoded"]
    assert published.decode(ids, skip_special_tokens=True) == case["decoded_skip_special"]


@pytest.mark.parametrize("case", cases("decode_cases"), ids=lambda case: case["decoded"][:40])
def test_ids_are_decoded_as_by_the_reference(published: TextTokenizer, case: dict[str, Any]) -> None:
    assert published.decode(case["ids"]) == case["decoded"]
    assert published.decode(case["ids"], skip_special_tokens=True) == case["decoded_skip_special"]


@pytest.mark.parametrize("case", cases("merge_cases"), ids=lambda case: f"{case['input']} + {case['generated']}")
def test_texts_with_spans_are_encoded_and_decoded_as_by_the_reference(
    published: TextTokenizer, case: dict[str, Any]
) -> None:
    assert published.encode(case["input"]) == case["input_ids"]
    assert published.encode(case["generated"]) == case["generated_ids"]
    assert published.decode(case["merged_ids"]) == case["merged"]


def _split(case: dict[str, Any]) -> tuple[list[int], list[int]]:
    """What the encoder sees, and what is to be generated."""
    seen = [int(t) for t, hidden in zip(case["tensor"], case["input_mask"], strict=True) if not hidden]
    target = [int(t) for t, hidden in zip(case["tensor"], case["target_mask"], strict=True) if not hidden]
    return seen, target


@pytest.mark.parametrize(
    "case", [case for case in CUSTOM if "[S_" in case["call"]["input_text"]], ids=lambda case: str(case["call"])
)
def test_a_text_with_open_parts_is_seen_as_in_custom_text(published: TextTokenizer, case: dict[str, Any]) -> None:
    seen, target = _split(case)
    ids = published.caption_ids(case["call"]["input_text"])
    ends = span_ends(ids)
    assert ids == seen
    assert ends is not None
    assert ends[0] == target[0]
    if case["call"]["eos_token"] != "[EOS]":  # else the caller let it stop at [EOS] instead of the next sentinel
        assert ends[1] == target[-1]


@pytest.mark.parametrize(
    "case", [case for case in CUSTOM if "[S_" not in case["call"]["input_text"]], ids=lambda case: str(case["call"])
)
def test_a_finished_text_ends_in_eos_which_custom_text_leaves_out(
    published: TextTokenizer, case: dict[str, Any]
) -> None:
    seen, _ = _split(case)
    assert published.encode(case["call"]["input_text"]) == seen
    assert published.caption_ids(case["call"]["input_text"]) == [*seen, EOS]


def test_the_strings_of_the_formats_have_the_ids_of_the_reference(published: TextTokenizer) -> None:
    formats = cases("formats")
    for name in ("det", "color_palette", "human_poses", "sam_instance"):
        example = formats[name]["example"]
        assert published.encode(example["text"]) == example["ids"], name
    whole = cases("metadata")["whole_string_example"]
    assert published.encode(whole["text"]) == whole["ids"]


def test_every_token_family_is_where_the_reference_has_it(published: TextTokenizer) -> None:
    facts = cases("special_tokens")
    assert published.vocab_size == facts["totals"]["vocab_size"]
    for family in facts["families"].values():
        assert published.token_to_id(family["first"]) == family["first_id"]
        assert published.token_to_id(family["last"]) == family["last_id"]
    words = facts["ids_of_words_used_by_the_text_formats"]
    assert {word: published.token_to_id(word) for word in words} == words


def test_people_read_names_of_things_in_captions(published: TextTokenizer) -> None:
    ids = published.encode("[S_1] a cup of tea [EOS] [PAD] [S_2]")
    assert published.decode_text(ids) == "a cup of tea"
