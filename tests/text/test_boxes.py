"""Bounding boxes: the string, what is generated, and what people write."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourm_tui.errors import InputError
from fourm_tui.formats.boxes import Box, decode, encode, native, ordered, read
from fourm_tui.formats.vocabulary import OBJECT_CLASSES
from tests.text.reference import cases

DET = cases("formats")["det"]
EXAMPLE = DET["example"]
# Where the reference raises, the boxes that are whole are kept.
OURS = {
    "v0=0 v1=250 v2=420 potted plant": [],
    "dog v0=0 v1=1 v2=2 v3=3 cat": [[0.0, 1 / 999, 2 / 999, 3 / 999, "cat"]],
    "": [],
}


def rows(boxes: tuple[Box, ...]) -> list[list[float | str]]:
    return [[box.x0, box.y0, box.x1, box.y1, box.label] for box in boxes]


def test_detections_of_ml_4m_become_the_reference_string() -> None:
    detections = json.dumps({"instances": EXAMPLE["instances"]})
    assert rows(ordered(read(detections, "f"))) == [row[:5] for row in EXAMPLE["kept_and_ordered"]]
    assert native(detections, "f") == EXAMPLE["text"]


@pytest.mark.parametrize("case", DET["decode_cases"], ids=lambda case: case["text"] or "empty")
def test_a_generated_string_is_decoded_as_by_the_reference_and_never_fails(case: dict[str, object]) -> None:
    expected = case["decoded"] if "decoded" in case else OURS[str(case["text"])]
    assert rows(decode(str(case["text"]))) == expected


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("v0=1 v1=2 v2=3 dog v0=5 v1=6 v2=7 v3=8 cat", ["cat"]),  # a coordinate is missing
        ("v1=3 v0=5 v2=7 v3=9 cat", []),  # out of order
        ("v0=1 v1=2 v2=3 v3=4 v3=5 dog", []),  # one too many
        ("v0=1 v1=2 v2=3 v3=4 v0=5 v1=6 v2=7 v3=8 cat", ["cat"]),  # no label
        ("v0=10  v1=20 v2=30 v3=40 dog [EOS] [PAD]", ["dog"]),
        ("[S_1] v0=1 v1=2 v2=3 v3=4 wine glass [S_2]", ["wine glass"]),
    ],
)
def test_malformed_boxes_are_left_out(text: str, labels: list[str]) -> None:
    assert [box.label for box in decode(text)] == labels


def test_a_box_the_wrong_way_round_is_kept_as_generated() -> None:
    assert decode("v0=999 v1=0 v2=0 v3=999 dog") == (Box(1, 0, 0, 1, "dog"),)


@given(
    st.lists(
        st.builds(Box, *[st.integers(0, 999).map(lambda n: n / 999)] * 4, st.sampled_from(OBJECT_CLASSES)), max_size=5
    )
)
def test_boxes_survive_the_way_through_the_string(boxes: list[Box]) -> None:
    assert decode(encode(boxes)) == tuple(boxes)


@given(st.lists(st.sampled_from(["v0=1", "v1=2", "v2=3", "v3=4", "dog", "hot", "[S_1]", "v0=x", "="])).map(" ".join))
def test_any_words_can_be_decoded(text: str) -> None:
    for box in decode(text):
        assert Box(1 / 999, 2 / 999, 3 / 999, 4 / 999, box.label) == box
        assert box.label


def test_lines_give_parts_of_the_picture() -> None:
    text = "# what I want\npotted plant 0 0.25 0.42 1\n\n Dog, 0.1, 0.2, 0.5, 0.9"
    assert read(text, "f") == (Box(0, 0.25, 0.42, 1, "potted plant"), Box(0.1, 0.2, 0.5, 0.9, "dog"))


def test_entries_may_stand_in_one_line() -> None:
    assert [box.label for box in read("dog 0 0 1 1; cat 0 0 .5 .5", "f")] == ["dog", "cat"]


def test_pixels_need_the_size_of_the_picture() -> None:
    assert read("dog 64 0 320 240", "f", (640, 480)) == (Box(0.1, 0, 0.5, 0.5, "dog"),)
    with pytest.raises(InputError, match="f: boxes are in pixels, but the size of their picture is not known"):
        read("dog 64 0 320 240", "f")


def test_a_json_list_gives_boxes() -> None:
    text = '[{"label": "Wine  Glass", "box": [0, 0.5, 0.25, 1]}]'
    assert read(text, "f") == (Box(0, 0.5, 0.25, 1, "wine glass"),)


def test_detections_are_cut_off_at_the_edge_and_weak_ones_left_out() -> None:
    instances = [
        {"boxes": [-0.1, 0, 1.2, 0.5], "score": 0.6, "class_name": "dog"},
        {"boxes": [0, 0, 1, 1], "score": 0.59, "class_name": "cat"},
    ]
    assert read(json.dumps({"instances": instances}), "f") == (Box(0, 0, 1, 0.5, "dog"),)


def test_boxes_are_ordered_by_distance_from_the_top_left() -> None:
    assert [box.label for box in decode(native("cat 0.5 0.5 1 1; dog 0 0.1 1 1", "f"))] == ["dog", "cat"]


def test_a_native_string_stays_as_it_is() -> None:
    text = "[S_1] v0=400 v1=750 v2=950 v3=999 dining table [S_2]"
    assert native(text, "f") == text


def test_labels_of_another_model_can_be_named() -> None:
    assert read("cone 0 0 1 1", "f", classes=("cone", "cube"))[0].label == "cone"
    assert read("anything 0 0 1 1", "f", classes=None)[0].label == "anything"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dog 0 0 1 1\ncat 0 0 1", r"det, line 2: cat 0 0 1 is to be `label x0 y0 x1 y1`"),
        ("dog 0 0 x 1", r"det, line 1: x is no number"),
        ("dog 0 0 nan 1", r"det, line 1: nan is no number"),
        ("dog 0.5 0 0.2 1", r"det, line 1: the box is empty; the order is label x0 y0 x1 y1"),
        ("dog -0.1 0 0.2 1", r"det, line 1: the box is not within the picture"),
        ("dog 0 0 641 9", r"det, line 1: the box is not within the picture of 640 x 480 pixels"),
        ("\npoted plant 0 0 1 1", r"det, line 2: 'poted plant' is no class .* did you mean potted plant\?"),
        ("[{", r"det: is no JSON"),
        ("{}", r"det: is to be a list of boxes"),
        ('[{"label": "dog"}]', r"det, box 1: the box is to be a list of four numbers"),
        ('[{"label": "dog", "box": [0, 0, 1, true]}]', r"det, box 1: True is no number"),
        ('[{"box": [0, 0, 1, 1]}]', r"det, box 1: is to be an object with `label`"),
        ('{"instances": [{"class_name": "dog"}]}', r"det, instance 1: the box is to be a list of four numbers"),
        ('{"instances": {}}', r"det: `instances` is to be a list"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(text, "det", (640, 480))
