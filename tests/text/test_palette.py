"""Colour palettes: the string, what is generated, and what people write."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourm_tui.errors import InputError
from fourm_tui.formats.palette import Color, decode, encode, native, read, to_hex
from tests.text.reference import cases

EXAMPLE = cases("formats")["color_palette"]["example"]
COLORS = st.tuples(*[st.integers(0, 255)] * 3)


def test_a_palette_becomes_the_reference_string() -> None:
    channels = EXAMPLE["palette"]
    assert encode([channels[i : i + 3] for i in range(0, len(channels), 3)]) == EXAMPLE["text"]


@given(st.lists(COLORS, min_size=1, max_size=7))
def test_colours_survive_the_way_through_the_string(colors: list[Color]) -> None:
    assert decode(encode(colors)) == tuple(colors)
    assert read(" ".join(to_hex(color) for color in colors), "f") == tuple(colors)


@pytest.mark.parametrize(
    ("text", "colors"),
    [
        ("v1=1 v0=12 v0=200 v0=30 [EOS]", [(12, 200, 30)]),
        ("v1=7 v0=1 v0=2 v0=3 v0=4 v0=5 v0=6 v0=7", [(1, 2, 3), (4, 5, 6)]),  # wrong count, cut off
        ("v1=1 v0=300 v0=5 v0=6", [(255, 5, 6)]),
        ("v1=2 v0=1 v0=2 v1=9 v0=3 v0=4 v0=5", [(3, 4, 5)]),  # interrupted
        ("v1=1 red green blue", []),
        ("v1=1", []),
        ("", []),
    ],
)
def test_what_is_malformed_in_a_generated_string_is_left_out(text: str, colors: list[Color]) -> None:
    assert decode(text) == tuple(colors)


@pytest.mark.parametrize("text", ["#FF8000 0f0", "ff8000, #00ff00", "#ff8000\n#0f0;", '["#ff8000", [0, 255, 0]]'])
def test_colours_are_written_in_hex_or_as_numbers(text: str) -> None:
    assert read(text, "f") == ((255, 128, 0), (0, 255, 0))


def test_of_a_file_of_ml_4m_the_largest_palette_counts() -> None:
    palettes = [{str(n): [[n, 0, i] for i in range(n)] for n in range(1, 8)}]
    assert read(json.dumps(palettes), "f") == tuple((7, 0, i) for i in range(7))


def test_a_native_string_stays_as_it_is() -> None:
    assert native("v1=1 v0=12 v0=200 v0=30", "f") == "v1=1 v0=12 v0=200 v0=30"
    assert native("#0cc81e", "f") == "v1=1 v0=12 v0=200 v0=30"


@pytest.mark.parametrize("count", [0, 8])
def test_a_palette_has_one_to_seven_colours(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 7 colours"):
        encode([(1, 2, 3)] * count)
    with pytest.raises(InputError, match=f"f: a palette has 1 to 7 colours, not {count}"):
        read("#010203 " * count, "f")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("#ff80", r"f: #ff80 is no colour; write it as #ff8000"),
        ("red", r"f: red is no colour"),
        ("[[1, 2]]", r"f, colour 1: is to be `#ff8000` or three numbers"),
        ('["#000", [1, 2, 256]]', r"f, colour 2: \[1, 2, 256\] is to be three numbers from 0 to 255"),
        ('[[1, 2, "x"]]', r"f, colour 1: x is no number"),
        ('{"a": []}', r"f: is to be a list of colours"),
        ("[", r"f: is no JSON"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(text, "f")
