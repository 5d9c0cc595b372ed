"""Pictures and maps as the reference loads them (data/conditions/input_images), except where it is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fourm_tui.conditions import maps
from fourm_tui.conditions.edges import edge_values
from fourm_tui.conditions.masks import white_pixels
from fourm_tui.conditions.pictures import (
    BICUBIC,
    BILINEAR,
    IMAGENET_STD,
    NEAREST,
    Picture,
    centred,
    normalised,
    opened,
    square,
)  # fmt: skip
from fourm_tui.conditions.views import View

DATA = Path(__file__).parents[1] / "data" / "conditions"
INPUTS = DATA / "input_images"
CALLS = {call["id"]: call for call in json.loads((INPUTS / "case.json").read_text())["calls"]}
ARRAYS = np.load(INPUTS / "arrays.npz")
RESAMPLES = {"None": BICUBIC, "bilinear": BILINEAR, "nearest": NEAREST}


def stored(values: np.ndarray, output: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """The stored part of our values, and the expected one."""
    expected = ARRAYS[output["array"].split(":")[1]]
    assert list(values.shape) == output["shape"]
    slices = output["stored_slice"].strip("[]").split(",")
    return values[tuple(slice(*(int(n) if n else None for n in s.strip().split(":"))) for s in slices)], expected


def raw_copy(name: str, folder: Path) -> Path:
    """The image without what the reference ignores: EXIF orientation and alpha."""
    path = DATA / "images" / name
    if name.endswith(".jpg"):
        content = path.read_bytes()
        # Orientation 6, a SHORT, in either byte order: the tag stands once in the EXIF block.
        for tag in (b"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06", b"\x12\x01\x03\x00\x01\x00\x00\x00\x06"):
            content = content.replace(tag, tag[:-1] + b"\x01")
        (folder / name).write_bytes(content)
    else:
        Image.open(path).convert("RGB").save(folder / name)
    return folder / name


@pytest.mark.parametrize(
    "name",
    ["exif6_641x427.jpg", "rgba_301x199.png", "palette_253x187.png", "tiny_5x5.png", "large_4000x3000.jpg"],
)
@pytest.mark.parametrize("form", ["imagenet", "half", "bilinear", "notebook"])
def test_photos_are_those_of_the_reference(name: str, form: str, tmp_path: Path) -> None:
    output = CALLS[f"rgb_{Path(name).stem}"]["outputs"][form]
    resample = BILINEAR if form == "bilinear" else BICUBIC
    with opened(raw_copy(name, tmp_path), name, 224) as picture:
        shown = square(picture, picture.view(), 224, name, resample)
    ours, expected = stored(centred(shown) if form == "half" else normalised(shown), output)
    step = 2 / 255 if name.endswith(".jpg") else 1 / 255
    scale = np.float32(0.5) if form == "half" else IMAGENET_STD[:, None, None]
    assert (np.abs(ours - expected) <= step / scale + 1e-5).all()


def test_crop_and_flip_are_those_of_the_reference(tmp_path: Path) -> None:
    with opened(raw_copy("exif6_641x427.jpg", tmp_path), "x", 224) as picture:
        view = picture.view(crop=(31, 57, 300, 411), flip=True)
        ours, expected = stored(normalised(square(picture, view, 224, "x")), CALLS["rgb_crop_flip"]["outputs"]["t"])
    assert (np.abs(ours - expected) <= 2 / 255 / IMAGENET_STD[:, None, None] + 1e-5).all()


def test_a_crop_beyond_the_border_is_black_there(tmp_path: Path) -> None:
    with opened(raw_copy("exif6_641x427.jpg", tmp_path), "x", 224) as picture:
        view = picture.view(crop=(-20, -10, 500, 700))
        ours, expected = stored(normalised(square(picture, view, 224, "x")), CALLS["rgb_crop_outside"]["outputs"]["t"])
    assert (np.abs(ours - expected) <= 2 / 255 / IMAGENET_STD[:, None, None] + 1e-5).all()


@pytest.mark.parametrize("mode", ["None", "bilinear", "nearest"])
def test_depth_is_that_of_the_reference(mode: str) -> None:
    path = DATA / "images" / "depth16_317x241.png"
    with opened(path, "x", 224) as picture:
        depth = maps.depth_of_picture(picture, "x")
        ours, expected = stored(
            maps.depth_values(depth, picture.view(), 224, RESAMPLES[mode]), CALLS[f"depth_{mode}"]["outputs"]["t"]
        )
    assert np.abs(ours - expected).max() < 5e-4


def test_depth_is_standardised_as_the_reference_does() -> None:
    with opened(DATA / "images" / "depth16_317x241.png", "x", 224) as picture:
        depth = maps.standardised(maps.depth_of_picture(picture, "x"))
    ours, expected = stored(depth[None], CALLS["depth_full"]["outputs"]["t"])
    assert np.abs(ours - expected).max() < 1e-4


@pytest.mark.parametrize("flip", [False, True])
def test_normals_are_those_of_the_reference(flip: bool) -> None:
    with opened(INPUTS / "normal_201x150.png", "x", 224) as picture:
        view = picture.view(crop=(0, 25, 150, 150), flip=flip)
        ours, expected = stored(
            maps.normal_values(picture.image, view, 224, "x"), CALLS[f"normal_flip{int(flip)}"]["outputs"]["t"]
        )
    assert np.abs(ours - expected).max() <= 2 / 255 + 1e-5


def test_classes_are_those_of_the_reference() -> None:
    with opened(INPUTS / "semseg_201x150.png", "x", 224) as picture:
        classes = maps.classes_of_picture(picture, "x")
        ours, expected = stored(
            maps.semseg_values(classes, picture.view(), 224, 134, "coco", "x"), CALLS["semseg"]["outputs"]["t"]
        )
        assert (ours == expected).all()
    whole = maps.class_numbers(classes, 134, "coco", "x")
    ours, expected = stored(whole, CALLS["semseg_full"]["outputs"]["t"])
    # The reference makes class 255 of id 254, which is none, as its comment says and ours does.
    assert (expected == 255).any()
    assert (ours == np.where(expected == 255, 0, expected)).all()


def test_edges_are_one_channel_of_the_references_three() -> None:
    with opened(INPUTS / "edge_201x150.png", "x", 224) as picture:
        values = edge_values(picture, picture.view(), 224, "x")
    assert values.shape == (1, 224, 224)
    ours, expected = stored(np.repeat(values, 3, axis=0), CALLS["edge"]["outputs"]["t"])
    assert np.abs(ours - expected).max() <= 2 / 255 + 1e-5


def test_masks_are_those_of_the_reference() -> None:
    with opened(INPUTS / "mask_201x150.png", "x", 224) as picture:
        ours, expected = stored(
            white_pixels(picture, picture.view(), 224, "x")[None], CALLS["mask_valid"]["outputs"]["t"]
        )
    assert (ours == expected.astype(bool)).all()


@pytest.mark.parametrize("size", CALLS["center_crop_boxes"]["boxes"])
def test_the_squares_are_those_of_the_reference(size: str) -> None:
    width, height = (int(n) for n in size.split("x"))
    picture = Picture(Image.new("1", (1, 1)), width, height)

    def box(view: View) -> list[int]:
        return [view.top, view.left, view.down, view.across]

    assert box(picture.view("crop")) == CALLS["center_crop_boxes"]["boxes"][size]
    assert box(picture.view("pad")) == CALLS["padding_boxes"]["boxes"][size]


# Where the reference is wrong.


def test_exif_orientation_is_honoured(tmp_path: Path) -> None:
    with opened(DATA / "images" / "exif6_641x427.jpg", "x", 224) as picture:
        assert (picture.width, picture.height) == (427, 641)
        ours = np.asarray(square(picture, picture.view(), 224, "x")).astype(int)
    with opened(raw_copy("exif6_641x427.jpg", tmp_path), "x", 224) as picture:
        stored_ = np.asarray(square(picture, picture.view(), 224, "x")).astype(int)
    turned = np.rot90(stored_, -1)
    assert np.abs(ours - turned).max() <= 2
    assert np.abs(ours - stored_).max() > 50


def test_transparent_parts_are_white() -> None:
    path = DATA / "images" / "rgba_301x199.png"
    alpha = np.asarray(Image.open(path))[..., 3]
    assert alpha.min() == 0
    with opened(path, "x", 199) as picture:
        ours = np.asarray(square(picture, picture.view(), 199, "x"))
    inside = alpha[:, 51 : 51 + 199]
    assert (ours[inside == 0] == 255).all()


def test_a_photo_of_16_bit_keeps_its_greys() -> None:
    path = DATA / "images" / "depth16_317x241.png"
    deep = np.asarray(Image.open(path)).astype(float)[:, 38 : 38 + 241]
    with opened(path, "x", 241) as picture:
        ours = np.asarray(square(picture, picture.view(), 241, "x")).astype(float)
    assert np.abs(ours[..., 0] - deep / 257).max() <= 1
