"""SAM instances: masks in their places, merged, in order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from fourm_tui.pictures.instances import colored, colors, instances_of, masks
from tests.pictures.reference import arrays, by_id, cases

ARRAYS = arrays("sam_instances")
CASES = by_id("sam_instances")


def masks_of(text: str) -> tuple:
    found = instances_of(text)
    logits = [ARRAYS["mask_logits"][instance.tokens[0] % 8] for instance in found]
    return masks(found, np.array(logits).reshape(len(found), 1, 64, 64))


@pytest.mark.parametrize("case", [c for c in CASES.values() if "text" in c], ids=lambda c: c["id"])
def test_pictures_are_those_of_the_reference(case: dict[str, Any]) -> None:
    picture = np.asarray(colored(masks_of(case["text"])))
    expected = ARRAYS[case["id"].removeprefix("sam_") + ".image"]
    assert (picture == expected).all(axis=-1).mean() >= 0.995


@pytest.mark.parametrize("case", [c for c in CASES.values() if "text" in c], ids=lambda c: c["id"])
def test_tokens_are_those_of_the_reference(case: dict[str, Any]) -> None:
    found = sorted(list(instance.tokens) for instance in instances_of(case["text"]))
    assert found == sorted(case.get("tokens_given_to_tokenizer", []))


def test_colours_are_those_of_the_reference() -> None:
    assert colors(20).tolist() == cases("sam_instances")["palette"]


def test_samples_do_not_meddle_with_each_other() -> None:
    # In ml-4m one sample without instances blanks its whole batch.
    empty, full = CASES["sam_batch_with_empty"]["texts"]
    assert masks_of(empty) == ()
    np.testing.assert_array_equal(np.asarray(colored(masks_of(full))), ARRAYS["two.image"])


def test_the_same_instance_counts_once() -> None:
    assert len(instances_of(CASES["sam_duplicates"]["text"])) == 3
    assert len(masks_of(CASES["sam_duplicates"]["text"])) == 2


def test_a_mask_without_contrast_is_left_out() -> None:
    found = instances_of(CASES["sam_two"]["text"])
    assert masks(found, np.full((3, 64, 64), 5.0)) == ()


def test_masks_that_do_not_belong_to_the_text_are_refused() -> None:
    with pytest.raises(ValueError, match="2 masks for 3 instances"):
        masks(instances_of(CASES["sam_two"]["text"]), np.zeros((2, 64, 64)))


def test_over_a_picture_what_lies_outside_of_masks_stays_recognisable() -> None:
    over = Image.fromarray(np.tile(np.linspace(0, 255, 224).astype(np.uint8)[:, None, None], (1, 224, 3)))
    found = masks_of(CASES["sam_two"]["text"])
    picture = np.asarray(colored(found, over)).astype(int)
    assert picture.shape == (448, 448, 3)
    outside = picture[:, -1].sum(axis=-1)
    assert (np.diff(outside) >= 0).all() and outside[-1] > 500
