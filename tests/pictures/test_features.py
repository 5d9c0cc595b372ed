"""Feature maps as colours."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fourm_tui.pictures.features import colored, embedding, project, unit_colors
from tests.pictures.reference import arrays, by_id, cases, noise

ARRAYS = arrays("pca_features")


def low_rank(name: str, channels: int, height: int, width: int) -> NDArray[np.float32]:
    size = height * width
    a = noise(f"{name}_a", (channels, 6), -1, 1).astype(np.float64) * [8, 5, 3, 1.2, 0.6, 0.3]
    b, e, m = noise(f"{name}_b", (6, size), -1, 1), noise(f"{name}_e", (channels, size), -0.05, 0.05), noise(
        f"{name}_m", (channels, 1), -1, 1
    )  # fmt: skip
    return (a @ b + e + m).reshape(channels, height, width).astype(np.float32)


@pytest.mark.parametrize("case", cases("pca_features"), ids=lambda case: case["id"])
def test_components_are_those_of_the_reference_up_to_their_sign(case: dict[str, Any]) -> None:
    name = case["id"].removeprefix("pca_")
    shape = [int(number) for number in re.findall(r"=(\d+)", case["feature_map"])]
    ours = project(low_rank(name, *shape))
    theirs = ARRAYS[f"{name}.exact_projection"].astype(np.float64)
    same = []
    for k in range(3):
        sign = np.sign((ours[..., k] * theirs[..., k]).sum())
        assert np.linalg.norm(sign * ours[..., k] - theirs[..., k]) < 1e-3 * np.linalg.norm(theirs[..., k])
        same.append(ours[..., k] * sign * case["reference_signs_relative_to_exact_projection"][k])
    np.testing.assert_allclose(unit_colors(np.stack(same, axis=-1)), ARRAYS[f"{name}.image"], atol=2e-3)


def test_signs_do_not_depend_on_the_shape_of_the_problem_or_on_noise() -> None:
    wide = low_rank("small", 24, 9, 9)
    first = project(wide)
    # Half of the positions: another solver's path, the same directions.
    half = project(np.concatenate([wide, np.zeros((200, 9, 9), np.float32)]))
    np.testing.assert_allclose(half, first, atol=1e-4)
    noisy = project(wide + np.random.default_rng(0).normal(0, 0.01, wide.shape))
    assert all((noisy[..., k] * first[..., k]).sum() > 0 for k in range(3))


def test_a_constant_map_is_grey_and_bad_numbers_do_no_harm() -> None:
    assert np.ptp(np.asarray(colored(np.ones((8, 14, 14))))) == 0
    features = low_rank("small", 24, 9, 9)
    features[3, 2, 2] = np.nan
    assert np.isfinite(project(features)).all()


def test_two_channels_are_enough() -> None:
    assert colored(noise("two", (2, 4, 4), -1, 1)).size == (224, 224)


@pytest.mark.parametrize("shape", [(5, 1, 1), (1, 5), (5,)])
def test_an_embedding_loses_its_axes_of_length_one(shape: tuple[int, ...]) -> None:
    values = np.arange(5, dtype=np.float64).reshape(shape) * 7
    assert list(embedding(values).shape) == by_id("global_embedding")["b1"]["result_shape"]
    np.testing.assert_array_equal(embedding(values), values.reshape(-1))


def test_embeddings_of_several_samples_keep_their_axis() -> None:
    assert list(embedding(np.zeros((3, 5, 1, 1))).shape) == by_id("global_embedding")["b3"]["result_shape"]
