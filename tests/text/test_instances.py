"""SAM instances: numbers to the string and back."""

from __future__ import annotations

import pytest

from fourm_tui.formats.instances import Instance, Query, decode, encode
from tests.text.reference import cases

TEXT = cases("formats")["sam_instance"]["example"]["text"]
# Of the box (ymin, xmin, ymax, xmax) = 10.7, 20.2, 110.0, 120.9 the pixels count.
QUERIES = (
    Query(60, 30, (Instance((20, 10, 120, 110), (0, 511, 512, 1023, *range(5, 17))),)),
    Query(5, 200),
)
TOKENS = " ".join(["v0=7"] * 16)


def test_queries_become_the_reference_string() -> None:
    assert encode(QUERIES) == TEXT


def test_the_reference_string_is_decoded() -> None:
    assert decode(f"[S_1] {TEXT} [EOS] [PAD]") == QUERIES


@pytest.mark.parametrize(
    "polygon",
    [
        f"v0=70 v1=70 v2=60 v3=90 {TOKENS}",  # the wrong way round
        "v0=1 v1=2 v2=3 v3=4 v0=5",
        f"v0=1 v1=2 v2=3 v3=4 {TOKENS} word",
        f"v0=1 v1=2 v2=3 v3=4 {TOKENS} v0=1",
        f"v1=1 v0=2 v2=3 v3=4 {TOKENS}",
        f"v0=1 v1=2 v2=3 v3=4 {TOKENS[:-4]}v1=600",  # a token beyond the codebook
        "none",
        "",
    ],
)
def test_a_malformed_instance_is_left_out_and_the_next_one_kept(polygon: str) -> None:
    text = f"point v0=2 v1=1 polygon {polygon} polygon v0=1 v1=2 v2=300 v3=400 {TOKENS}"
    assert decode(text) == (Query(1, 2, (Instance((1, 2, 300, 400), (7,) * 16),)),)


@pytest.mark.parametrize("text", ["", "none", "polygon", "point", "point v1=1 v0=2 none", "point v0=1"])
def test_without_a_whole_point_there_is_no_query(text: str) -> None:
    assert decode(text) == ()


def test_a_token_beyond_the_codebook_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="1024 is no token"):
        encode([Query(0, 0, (Instance((0, 0, 1, 1), (1024,) * 16),))])
