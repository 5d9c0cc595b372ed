"""Captions, boxes, palettes, people and instances as the reference writes them (data/conditions/input_structured)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fourm_tui.conditions.boxes import ordered, placed, read_scored
from fourm_tui.conditions.captions import caption_in
from fourm_tui.conditions.given import Given, parse_conditions
from fourm_tui.conditions.instances import Polygons, read_instances
from fourm_tui.conditions.instances import placed as placed_outlines
from fourm_tui.conditions.loading import load_condition, load_conditions
from fourm_tui.conditions.people import People, read_people
from fourm_tui.conditions.views import View
from fourm_tui.errors import InputError
from fourm_tui.formats import boxes, instances, palette, poses

DATA = Path(__file__).parents[1] / "data" / "conditions"
STRUCTURED = DATA / "input_structured"
CALLS: dict[str, Any] = {call["id"]: call for call in json.loads((STRUCTURED / "case.json").read_text())["calls"]}
PEOPLE = json.loads((DATA / "human_poses" / "case.json").read_text())
EXAMPLE = DATA / "dataset_example"
VIEW = View.cropped(641, 427)

# The detections behind the cases are not stored: these give their boxes when the central square is cut out.
DETECTIONS = {
    "instances": [
        {"boxes": [0.05, 0.2, 0.5, 0.6], "score": 0.9, "class_name": "dog"},
        {"boxes": [0.55, 0.05, 0.95, 0.5], "score": 0.61, "class_name": "dining table"},
        {"boxes": [0.0, 0.0, 0.9, 0.9], "score": 0.59, "class_name": "cat"},
        {"boxes": [0.7, 0.7, 1.0, 1.0], "score": 0.75, "class_name": "cell phone"},
        {"boxes": [0.0, 0.0, 0.1, 0.1], "score": 0.99, "class_name": "bird"},
    ]
}
OPTIONS: dict[str, Any] = {
    "default": {},
    "area": {"by": "area"},
    "score": {"by": "score"},
    "max2": {"most": 2},
    "vis05": {"least_visible": 0.5},
}


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("flip", [False, True])
def test_boxes_are_cropped_and_ordered_as_in_the_reference(name: str, flip: bool) -> None:
    call = CALLS[f"det_{name}_flip{int(flip)}"]
    options = dict(OPTIONS[name])
    found = placed(
        read_scored(json.dumps(DETECTIONS), "x"), replace(VIEW, flip=flip), options.pop("least_visible", 0.0)
    )
    shown = ordered(found, **options)
    ours = [[one.box.x0, one.box.y0, one.box.x1, one.box.y1, one.box.label, one.score] for one in shown]
    assert [row[4:] for row in ours] == [row[4:] for row in call["boxes"]]
    assert np.allclose([row[:4] for row in ours], [row[:4] for row in call["boxes"]], atol=1e-6)
    assert boxes.encode(one.box for one in shown) == call["text"]


@pytest.mark.parametrize("number", range(4))
def test_captions_are_those_of_the_reference(number: int) -> None:
    call = CALLS[f"caption_{number}"]
    assert caption_in(call["value"], "x", call["rand_aug_idx"] or 0) == call["text"]


def test_palettes_are_written_as_in_the_reference() -> None:
    call = CALLS["palette"]
    assert palette.encode([call["flat"][:3], call["flat"][3:]]) == call["text"]


def test_masks_of_polygons_are_those_of_the_reference() -> None:
    call = CALLS["sam_mask_input"]
    outlines = [[(float(x), float(y)) for x, y in polygon] for polygon in call["polygons"]]
    found = placed_outlines(outlines, View(641, 427, 20, 0, 300, 300))
    polygons = Polygons(tuple(found), ())
    expected = [[x0, y0, x1, y1] for y0, x0, y1, x1 in call["boxes_min_h_min_w_max_h_max_w"]]
    assert [list(box) for box in polygons.boxes] == expected
    assert (polygons.masks()[:, 0] == np.load(STRUCTURED / "arrays.npz")["sam_masks"]).all()


def test_instances_are_written_as_in_the_reference() -> None:
    call = CALLS["sam_text_input"]
    outline = [(60.0, 60.0), (160.0, 60.0), (160.0, 160.0), (60.0, 160.0)]
    points = tuple((int(x), int(y)) for x, y in call["query_points"])
    ours = Polygons((outline,), points).text(np.arange(500, 516)[None])
    # Training shuffles the points.
    assert set(instances.decode(ours)) == set(instances.decode(call["text"]))
    assert len(ours) == len(call["text"])


@pytest.mark.parametrize(
    ("call", "view"),
    [("encode_full", View.cropped(224, 224)), ("encode_crop", View(224, 224, 10, 20, 180, 180))],
)
def test_people_are_written_as_in_the_reference(call: str, view: View) -> None:
    expected = next(c for c in PEOPLE["calls"] if c["id"] == call)["text"]
    text, people, values = read_people(json.dumps(PEOPLE["inputs"]["json_sample"]), "x", view)
    assert people is None and values is None and text is not None
    # Training shuffles the groups of a person.
    assert poses.decode(text) == poses.decode(expected)


def test_poses_without_tokens_wait_for_them() -> None:
    sample = dict(PEOPLE["inputs"]["json_sample"])
    tokens = np.array(sample.pop("pose_tokenized"))
    view = View.cropped(224, 224)
    text, people, values = read_people(json.dumps(sample), "x", view)
    assert text is None and isinstance(people, People) and values is not None
    assert values.shape == (3, 207, 1, 1)
    assert np.allclose(values[1, :, 0, 0], np.array(sample["pred_smpl_params"]["body_pose"][1]).reshape(-1))
    again, _, _ = read_people(json.dumps({**sample, "pose_tokenized": tokens.tolist()}), "x", view)
    assert people.text(tokens) == again


def test_nobody_is_none() -> None:
    assert read_people("{}", "x")[0] == next(c for c in PEOPLE["calls"] if c["id"] == "empty")["text"]


# ml-4m's simple hierarchical format.

ITEMS = json.loads((EXAMPLE / "expected.json").read_text())["items"]


def pairs(text: str) -> list[tuple[str, str]]:
    words = text.split()
    return sorted(zip(words[::2], words[1::2], strict=True))


def file_of(modality: str, item: dict[str, Any], ending: str) -> Path:
    return EXAMPLE / modality / item["class_id"] / (item["file_name"] + ending)


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item["file_name"])
def test_a_sample_of_a_dataset_is_what_the_references_loader_returns(item: dict[str, Any]) -> None:
    crops = np.load(file_of("crop_settings", item, ".npy"))
    top, left, height, width, flip = (int(n) for n in crops[0])
    crop = (top, left, height, width)
    given: dict[str, Any] = {
        **parse_conditions(
            f"{name}=@{file_of(name, item, end)}" for name, end in (("caption", ".txt"), ("det", ".json"))
        ),
        "rgb@224": Given("rgb@224", path=file_of("rgb", item, ".png"), crop=crop, flip=bool(flip)),
        "tok_rgb@224": Given("tok_rgb@224", path=file_of("tok_rgb@224", item, ".npy"), index=0),
        "metadata": parse_conditions([f"metadata=@{file_of('metadata', item, '.json')}"])["metadata"],
    }
    found = load_conditions(given)
    assert list(found) == list(given)
    assert found["caption"].text == item["caption"]
    assert found["det"].text == item["det"]
    assert pairs(found["metadata"].text or "") == pairs(item["metadata"])  # training shuffles them
    tokens, pixels = found["tok_rgb@224"].tokens, found["rgb@224"].pixels
    assert tokens is not None and tokens[:10].tolist() == item["tok_rgb_first10"]
    assert pixels is not None and list(pixels.shape) == item["rgb_shape"]
    assert np.allclose(pixels.mean(axis=(1, 2)), item["rgb_mean"], atol=0.005)


def test_the_largest_palette_of_a_dataset_file_counts() -> None:
    (given,) = parse_conditions([f"color_palette=@{file_of('color_palette', ITEMS[0], '.json')}"]).values()
    text = load_condition(given).text
    assert text is not None and text.startswith("v1=7 v0=70 v0=20 v0=30 v0=71")


def test_t5_embeddings_of_another_model_are_refused() -> None:
    (given,) = parse_conditions([f"t5_caption={file_of('t5_caption', ITEMS[0], '.npz')}"]).values()
    with pytest.raises(InputError, match=r"s1\.npz has float16 values of the shape \[6, 8\]; expected are T5"):
        load_condition(given)


def test_instances_follow_the_crop_of_their_picture() -> None:
    data = {"polygons": [[[107, 0], [320, 0], [320, 213], [107, 213]]], "points": [[200, 100], [10, 10]]}
    text, polygons = read_instances(json.dumps(data), "x", VIEW)
    assert text is None and polygons is not None
    assert polygons.boxes == ((0, 0, 112, 112),)
    assert polygons.points == ((48, 52),)  # the other is left of the square
    decoded = instances.decode(polygons.text(np.zeros((1, 16), int)))
    assert [len(query.instances) for query in decoded] == [1]
