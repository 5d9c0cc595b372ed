"""Captions, boxes, palettes and metadata: what is shown of a generated text."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fourm_tui.formats import boxes as box_format
from fourm_tui.formats import metadata, palette
from fourm_tui.pictures import boxes, texts
from fourm_tui.pictures.placed import Placed
from tests.pictures.reference import by_id

CASES = by_id("text")


def named(start: str) -> list[dict]:
    return [case for name, case in CASES.items() if name.startswith(start)]


@pytest.mark.parametrize("case", [c for c in named("caption_") if "merged_text" in c], ids=lambda c: c["id"])
def test_captions_are_those_of_the_reference(case: dict) -> None:
    assert [texts.caption(case["merged_text"])] == case["decode_dict"]


def test_captions_of_a_batch() -> None:
    case = CASES["caption_batch"]
    assert [texts.caption(text) for text in case["merged"]] == case["decode_dict"]


def test_padding_is_no_part_of_a_caption() -> None:
    assert texts.caption("a dog [EOS] [PAD] [PAD]") == "a dog"  # ml-4m shows [PAD]


@pytest.mark.parametrize("case", [c for c in named("det_boxes") if "result" in c], ids=lambda c: c["id"])
def test_boxes_are_those_of_the_reference(case: dict) -> None:
    found = [[box.x0, box.y0, box.x1, box.y1, box.label] for box in box_format.decode(case["text"])]
    assert [row[4] for row in found] == [row[4] for row in case["result"]]
    assert [row[:4] for row in found] == [pytest.approx(row[:4]) for row in case["result"]]


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("det_boxes_3", ["cat"]), ("det_boxes_4", ["dog"]), ("det_boxes_5", []), ("det_boxes_8", []),
        ("det_boxes_9", []), ("det_boxes_10", []), ("det_boxes_11", ["dog"]),
    ],
)  # fmt: skip
def test_where_the_reference_stops_we_show_what_is_whole(name: str, labels: list[str]) -> None:
    assert "raises" in CASES[name]
    assert [box.label for box in box_format.decode(CASES[name]["text"])] == labels


def test_boxes_of_a_decoded_text() -> None:
    first, second = CASES["det_decode_0"]["decode_dict"] + CASES["det_decode_1"]["decode_dict"]
    assert [box.label for box in box_format.decode(first)] == ["potted plant", "dining table"]
    assert [box.label for box in box_format.decode(second)] == ["cat", "dog"]


def test_corners_in_pixels_are_those_of_the_reference() -> None:
    found = [
        [*boxes.pixel_corners(box, 224, 160), box.label]
        for name in ("det_boxes_0", "det_boxes_1")
        for box in box_format.decode(CASES[name]["text"])
    ]
    assert found == CASES["det_pixels"]["pixels"]


@pytest.mark.parametrize("name", ["palette_0", "palette_1", "palette_2"])
def test_stripes_are_those_of_the_reference(name: str) -> None:
    case = CASES[name]
    picture = np.asarray(texts.stripes(palette.decode(case["text"])))
    assert list(picture.shape) == case["result"]["shape"]
    assert picture[7, 12::25].tolist() == case["result"]["block_colors"]


def test_stripes_of_a_decoded_palette() -> None:
    decoded = "v1=2 v0=255 v0=0 v0=10 v0=1 v0=2 v0=3 [EOS]"
    picture = np.asarray(texts.stripes(palette.decode(decoded)))
    assert list(picture.shape) == CASES["palette_decode_dict"]["result_shape"]
    assert picture[0, ::25].tolist() == CASES["palette_0"]["result"]["block_colors"]


@pytest.mark.parametrize(
    ("name", "colors"),
    [
        ("palette_3", []), ("palette_4", []), ("palette_5", []),
        ("palette_6", ["#ff0506"]),  # there 300 becomes 44
        ("palette_7", ["#010203", "#040506"]), ("palette_8", []),
    ],
)  # fmt: skip
def test_malformed_palettes_show_their_whole_colours(name: str, colors: list[str]) -> None:
    found = palette.decode(CASES[name]["text"])
    assert texts.palette_data(found) == colors
    assert texts.stripes(found).size == (25 * max(1, len(colors)),) * 2


def test_a_palette_can_be_given_again() -> None:
    colors = ((255, 128, 0), (1, 2, 3))
    assert palette.read(json.dumps(texts.palette_data(colors)), "palette.json") == colors


@pytest.mark.parametrize("case", [c for c in named("metadata_") if "result" in c], ids=lambda c: c["id"])
def test_metadata_are_those_of_the_reference_within_two_bins(case: dict) -> None:
    found = metadata.decode(case["text"])
    assert list(found) == list(case["result"])
    for name, value in case["result"].items():
        kind = metadata.TYPES[name]
        # Equal bins come back as their middle here, up to two bins too low there.
        assert found[name] == pytest.approx(value, abs=2 * (kind.vmax - kind.vmin) / kind.bins)


@pytest.mark.parametrize(("name", "found"), [("metadata_6", {}), ("metadata_7", {"brightness"})])
def test_where_the_reference_stops_we_keep_what_is_whole_of_metadata(name: str, found: set[str]) -> None:
    assert "raises" in CASES[name]
    assert set(metadata.decode(CASES[name]["text"])) == set(found)


def test_metadata_encode_to_the_string_of_the_reference() -> None:
    assert metadata.encode(CASES["metadata_encode"]["metadata"]) == CASES["metadata_encode"]["text"]


def test_metadata_have_units() -> None:
    text = "v1=0 v0=20 v1=5 v0=3 v1=20 v0=1"
    assert texts.metadata_rows(text) == [
        ("original width", "640 px"),
        ("n humans", "3 people"),
        ("aesthetic score", "4.5 to 5.5"),
    ]
    data = texts.metadata_data(text)
    assert data["original_width"] == {"value": 640, "unit": "px", "text": "640 px"}
    assert data["aesthetic_score"]["unit"] is None


def test_all_metadata_fit_on_their_picture() -> None:
    picture = np.asarray(texts.metadata_picture(CASES["metadata_encode"]["text"]))
    border = np.concatenate([picture[:4].reshape(-1, 3), picture[-4:].reshape(-1, 3)])
    assert (border == border[0]).all() and np.ptp(picture) > 100


@pytest.mark.parametrize(
    "picture",
    [
        texts.caption_picture(""),
        texts.palette_picture([]),
        texts.metadata_picture(""),
        texts.caption_picture("x" * 900),
    ],
)
def test_empty_and_endless_texts_have_a_picture(picture) -> None:
    assert picture.size == (448, 448)
    assert np.ptp(np.asarray(picture)) > 20


def test_boxes_can_be_given_again_without_their_padding() -> None:
    found = (box_format.Box(0.25, 0.5, 0.75, 1.2, "dog"), box_format.Box(0.9, 0.1, 0.5, 0.3, "cat"))
    placed = Placed(0, 0.25, 1, 0.75)
    data = boxes.as_data(found, placed)
    assert data == [{"label": "dog", "box": [0.25, 0.5, 0.75, 1.0]}]  # the cat's corners are the wrong way round
    (read,) = box_format.read(json.dumps(data), "boxes.json")
    assert (read.label, read.y0) == ("dog", 0.5)


def test_boxes_are_drawn_where_they_are_and_nowhere_else() -> None:
    box = box_format.Box(0.25, 0.25, 0.75, 0.75, "dog")
    empty = np.asarray(boxes.drawn([])).astype(int)
    changed = (np.asarray(boxes.drawn([box])) != empty).any(axis=-1)
    assert changed[112:336, 110:114].all()
    assert not changed[150:320, 130:320].any()
    assert not changed[:80].any() and not changed[345:].any()


def test_labels_do_not_cover_each_other() -> None:
    same = [box_format.Box(0.2, 0.3, 0.6, 0.8, label) for label in ("dog", "cat", "person")]
    picture = np.asarray(boxes.drawn(same)).reshape(-1, 3)
    for label in ("dog", "cat", "person"):
        assert (picture == boxes.label_color(label)).all(axis=1).sum() > 300


def test_boxes_beyond_the_picture_and_unknown_labels_are_drawn() -> None:
    wild = [box_format.Box(1.0, 1.0, 0.0, 0.0, "gruffalo " * 20), box_format.Box(0, 0, 0, 0, "ß\x1b[2J")]
    assert boxes.drawn(wild).size == (448, 448)


@pytest.mark.parametrize("side", [224, 280, 448])
@pytest.mark.parametrize("count", [*range(1, 8), 85])
def test_a_palette_names_its_colours_in_full(side: int, count: int) -> None:
    picture = np.asarray(texts.palette_picture([(0xDD, 0xDD, 0xDD)] * count, side, side)).astype(int)
    ground = picture[0, 0]
    assert (picture[:, -3:] == ground).all() and (picture[:3] == ground).all()
    assert (np.abs(picture[:, side * 3 // 4 :] - ground).max(axis=(0, 2)) > 100).any()
