"""Segmentations: ids, colours, names, legends."""

from __future__ import annotations

import numpy as np

from fourm_tui.pictures import coco
from fourm_tui.pictures.colormaps import VIRIDIS
from fourm_tui.pictures.labels import (
    brightened,
    class_ids,
    color_of,
    colored,
    colored_by,
    index_picture,
    name_of,
    shares,
    with_legend,
)
from tests.pictures.reference import arrays, cases, enlarged, noise

ARRAYS = arrays("semseg")
LOGITS = noise("semseg_logits", (2, 134, 14, 14), -4, 4)


def test_ids_are_those_of_the_reference() -> None:
    for logits, expected in zip(LOGITS, ARRAYS["argmax"], strict=True):
        ids = class_ids(enlarged(logits, 16))
        assert ids.shape == (224, 224)
        np.testing.assert_array_equal(ids[::16, ::16], expected)


def test_ids_pass_as_they_are() -> None:
    ids = np.arange(6).reshape(2, 3)
    np.testing.assert_array_equal(class_ids(ids), ids)
    np.testing.assert_array_equal(class_ids(ids[None]), ids)


def test_viridis_takes_the_id_as_its_index() -> None:
    for ids in ARRAYS["argmax"].astype(int):
        expected = np.round(ARRAYS["lut"][ids] * 255)
        np.testing.assert_array_equal(np.asarray(colored_by(ids, VIRIDIS)), expected)


def test_names_and_colours_are_those_of_coco() -> None:
    listed = cases("coco_classes")["classes"]
    assert len(coco.NAMES) == len(coco.COLORS) == 134
    assert list(coco.NAMES[1:]) == [name for name, _ in listed[1:]]
    assert [list(color) for color in coco.COLORS[1:]] == [color for _, color in listed[1:]]
    assert coco.NAMES[0] == "none"


def test_colours_of_the_picture_are_those_of_the_classes() -> None:
    picture = np.asarray(colored(np.array([[0, 1], [133, 500]])))
    assert picture[0].tolist() == [[0, 0, 0], [220, 20, 60]]
    assert tuple(picture[1, 0]) == coco.COLORS[133]
    assert tuple(picture[1, 1]) == color_of(500)


def test_a_models_own_classes_have_names_and_different_colours() -> None:
    classes = ("none", "sky", "cone")
    assert [name_of(i, classes) for i in range(4)] == ["none", "sky", "cone", "class 3"]
    assert color_of(0, classes) == (0, 0, 0)
    assert color_of(0, ("sky", "cone")) != (0, 0, 0)
    assert len({color_of(i, classes) for i in range(60)}) == 60


def test_ids_are_kept_as_grey_levels() -> None:
    small, large = np.array([[0, 133], [255, 7]]), np.array([[0, 300]])
    assert index_picture(small).mode == "L"
    np.testing.assert_array_equal(np.asarray(index_picture(small)), small)
    np.testing.assert_array_equal(np.asarray(index_picture(large)), large)


def test_shares_come_largest_first() -> None:
    found = shares(np.array([[17, 17], [17, 120]]))
    assert [(share.name, share.part) for share in found] == [("dog", 0.75), ("sky-other-merged", 0.25)]


def test_a_legend_stands_beside_the_map_however_many_classes_there_are() -> None:
    few = with_legend(np.full((224, 224), 17))
    many = with_legend(np.arange(224 * 224).reshape(224, 224) % 134)
    assert few.size == many.size == (448 + 190, 448)
    assert few.crop((448, 0, 638, 448)).getextrema() != ((0, 0),) * 3
    assert few.getpixel((10, 10)) == color_of(17)


def test_dark_colours_are_lifted() -> None:
    assert max(brightened((0, 0, 70))) > 200
