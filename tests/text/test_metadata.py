"""Metadata: rules of every type, the string, what is generated, and what people write."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourm_tui.errors import InputError
from fourm_tui.formats.metadata import TYPES, decode, dequantize, describe, encode, native, quantize, read
from tests.text.reference import cases

CASES = cases("metadata")
TABLE = CASES["table"]
BINNED = [row["name"] for row in TABLE if row["rule"] == "min_max_bins"]
# Where the reference raises on a malformed part, the part is left out.
OURS: dict[str, dict[str, float]] = {"v1=30 v0=3": {}, "a dog v1=5 v0=1": {"n_humans": 1}}


def test_the_types_are_those_of_the_reference() -> None:
    for index, (kind, row) in enumerate(zip(TYPES.values(), TABLE, strict=True)):
        assert (kind.name, kind.rule, f"v1={index}") == (row["name"], row["rule"], row["type_token"])
        assert list(kind.bounds) == row.get("bounds", [])
        if kind.rule == "min_max_bins":
            assert (kind.vmin, kind.vmax, kind.bins) == (row["vmin"], row["vmax"], row["bins"])


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [(row["name"], value, text) for row in TABLE for value, text in row["examples"]],
)
def test_a_value_becomes_the_reference_string(name: str, value: float, text: str) -> None:
    assert encode({name: value}) == text


def test_values_stand_in_their_order() -> None:
    whole = CASES["whole_string_example"]
    assert encode(whole["metadata"]) == whole["text"]


def test_whole_numbers_given_as_floats_are_still_tokens() -> None:
    assert encode({"original_width": 640.0, "n_humans": 2.0}) == "v1=0 v0=20 v1=5 v0=2"


def _reference_bin(name: str, value: float) -> int:
    """The bin from a value as the reference decodes it, by the number of bins where it encodes by one less."""
    return round((value - TYPES[name].vmin) / (TYPES[name].vmax - TYPES[name].vmin) * TYPES[name].bins)


@pytest.mark.parametrize("case", CASES["decode_cases"], ids=lambda case: case["text"][:30] or "empty")
def test_a_generated_string_is_decoded_as_by_the_reference_but_for_the_middle_of_bins(case: dict[str, Any]) -> None:
    expected = OURS[case["text"]] if isinstance(case["decoded"], str) else case["decoded"]
    found = decode(case["text"])
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert found[name] == (dequantize(name, _reference_bin(name, value)) if name in BINNED else value)


@pytest.mark.parametrize("name", BINNED)
def test_a_decoded_bin_encodes_to_itself(name: str) -> None:
    assert [quantize(name, dequantize(name, level)) for level in range(50)] == list(range(50))


@given(st.sampled_from(BINNED), st.floats(0, 1))
def test_decoding_is_within_half_a_bin(name: str, part: float) -> None:
    value = part * TYPES[name].vmax
    half = TYPES[name].vmax / 49 / 2
    assert abs(dequantize(name, quantize(name, value)) - value) <= half * (1 + 1e-9)


def test_a_bin_beyond_the_last_is_the_greatest_value() -> None:
    assert decode("v1=9 v0=999") == {"colorfulness": 150}


def test_a_value_that_is_no_token_is_left_out() -> None:
    assert decode("v1=9 10 v1=5 v0=3") == {"n_humans": 3}


@given(st.lists(st.sampled_from(["v1=9", "v1=5", "v1=21", "v0=3", "v2=1", "dog", "[S_1]", "[EOS]"])).map(" ".join))
def test_any_words_can_be_decoded(text: str) -> None:
    assert set(decode(text)) <= {"colorfulness", "n_humans"}


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("original_width", 1024, "1024 px"),
        ("n_humans", 2, "2 people"),
        ("colorfulness", 44.387755, "44.4"),
        ("watermark_score", 0, "below 0.5"),
        ("watermark_score", 1, "0.5 or more"),
        ("aesthetic_score", 1, "4.5 to 5.5"),
        ("aesthetic_score", 7, "5.5 or more"),
    ],
)
def test_values_are_described_with_their_units(name: str, value: float, text: str) -> None:
    assert describe(name, value) == text


@pytest.mark.parametrize(
    "text",
    [
        "original_width: 1024\n# a comment\nOriginal Height: 683\nwatermark-score = 0.2",
        "original_width=1024, original_height=683; watermark_score=0.2",
        '{"original_width": 1024, "original_height": 683, "watermark_score": 0.2}',
    ],
)
def test_values_are_written_as_lines_or_json(text: str) -> None:
    assert read(text, "f") == {"original_width": 1024, "original_height": 683, "watermark_score": 0.2}
    assert native(text, "f") == "v1=0 v0=32 v1=1 v0=21 v1=19 v0=0"


def test_a_native_string_stays_as_it_is() -> None:
    assert native("v1=16 v0=2 [S_1]", "f") == "v1=16 v0=2 [S_1]"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n_humans: 1\nbrightnes: 3", r"f, entry 2: brightnes is no metadata type; did you mean brightness\?"),
        ("zzz: 3", r"f, entry 1: zzz is no metadata type; known are original_width"),
        ("n_humans", r"f, entry 1: n_humans is to be `name: value`"),
        ("n_humans: many", r"f, entry 1: n_humans: many is no number"),
        ("brightness: inf", r"f, entry 1: brightness: inf is no number"),
        ("n_humans: 1.5", r"f, entry 1: n_humans: 1.5 is no whole number of people"),
        ("n_humans: 1, n_humans: 2", r"f, entry 2: n_humans is given twice"),
        ('{"n_humans": true}', r"f: n_humans: True is no number"),
        ("[1]", r"f: is to be an object"),
        (" ", r"f: holds no metadata"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(text, "f")
