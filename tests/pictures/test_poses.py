"""Human poses: the camera of the reference, and a body of our own."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fourm_tui.formats.poses import Person, decode, encode
from fourm_tui.pictures import skeleton
from fourm_tui.pictures.placed import Placed
from fourm_tui.pictures.poses import FOCAL, as_data, bodies, camera_translation, drawn, posed
from tests.pictures.reference import by_id, cases

CASES = by_id("human_poses")
SAMPLE = cases("human_poses")["sample"]
UPRIGHT = (1, 0, 0, 0, -1, 0, 0, 0, -1)
"""Seen from the camera: y down, facing it."""
STILL = np.zeros((23, 3))


def person(**changes) -> Person:
    values = {"pose": (0,) * 8, "orientation": UPRIGHT, "camera": (0.9, 0, 0.2), "shape": (0,) * 10}
    return Person(**({"box": (0.25, 0.1, 0.75, 0.9)} | values | changes))


def joint(name: str) -> int:
    return skeleton.JOINTS.index(name)


def rest() -> np.ndarray:
    return skeleton.joints(np.eye(3), skeleton.body_pose(STILL))


def turned(name: str, axis_angle: tuple[float, float, float]) -> np.ndarray:
    pose = STILL.copy()
    pose[joint(name) - 1] = axis_angle
    return skeleton.joints(np.eye(3), skeleton.body_pose(pose))


def sample_person(index: int, text: str, box: list[float]) -> Person:
    smpl = SAMPLE["pred_smpl_params"]
    return Person(
        tuple(box),
        decode(text)[index].pose,
        tuple(np.ravel(smpl["global_orient"][index])),
        tuple(SAMPLE["pred_cam"][index]),
        tuple(smpl["betas"][index]),
    )


@pytest.mark.parametrize(("name", "crop"), [("encode_full", (0, 0, 224, 224)), ("encode_crop", (20, 10, 180, 180))])
def test_strings_are_those_of_the_reference(name: str, crop: tuple[int, int, int, int]) -> None:
    case, (top, left, height, width) = CASES[name], crop
    kept = Placed(left / 224, top / 224, (left + width) / 224, (top + height) / 224)
    groups = ("pose", "global", "camera", "shape")
    text = ""
    for index, (x0, y0, x1, y1) in enumerate(SAMPLE["bbox_xyxy"]):
        box = [*kept.inside(x0 / 224, y0 / 224), *kept.inside(x1 / 224, y1 / 224)]
        order = [groups[k] for k in case["block_permutations"][index]]
        text += encode([sample_person(index, case["text"], box)], order)
    assert text == case["text"]


def test_nobody_is_the_string_none() -> None:
    assert encode([]) == CASES["empty"]["text"]


def test_arguments_for_the_body_are_those_of_the_reference() -> None:
    case = CASES["decode_full"]
    people = decode(case["text"])
    assert len(people) == len(case["smpl_arguments"]) == 3
    for found, expected in zip(people, case["smpl_arguments"], strict=True):
        np.testing.assert_allclose(found.shape, expected["betas"][0], atol=1e-5)
        np.testing.assert_allclose(found.orientation, np.ravel(expected["global_orient"]), atol=1e-5)
    assert list(people[2].pose) == case["last_tokens_given_to_tokenizer"]


def test_cameras_are_those_of_the_reference() -> None:
    case = CASES["decode_full"]
    assert case["focal_length"] == FOCAL
    for found, expected in zip(decode(case["text"]), case["cam_t"], strict=True):
        np.testing.assert_allclose(camera_translation(found), expected, rtol=1e-5)


def test_the_body_at_rest_stands_and_is_symmetric() -> None:
    places = rest()
    assert 1.55 < np.ptp(places[:, 1]) < 1.8
    for left in (name for name in skeleton.JOINTS if name.startswith("left")):
        mirrored = places[joint(left.replace("left", "right"))] * [-1, 1, 1]
        np.testing.assert_allclose(places[joint(left)], mirrored, atol=1e-12)
    assert places[joint("left hand"), 0] > 0.6  # x to the body's left
    assert places[joint("left foot"), 2] > places[joint("left ankle"), 2]  # z to its front


def test_a_joint_moves_what_hangs_on_it_and_nothing_else() -> None:
    # A quarter turn about z lowers the left arm, which is stretched out along x.
    moved = turned("left shoulder", (0, 0, -math.pi / 2))
    change = np.linalg.norm(moved - rest(), axis=1)
    assert {skeleton.JOINTS[i] for i in np.flatnonzero(change > 1e-9)} == {"left elbow", "left wrist", "left hand"}
    assert moved[joint("left hand"), 1] < moved[joint("left shoulder"), 1] - 0.5


def test_a_bent_knee_takes_the_foot_to_the_back() -> None:
    moved = turned("right knee", (math.pi / 2, 0, 0))
    assert moved[joint("right ankle"), 2] < moved[joint("right knee"), 2] - 0.35


def test_bones_keep_their_length_in_any_pose() -> None:
    places = skeleton.joints(
        skeleton.rotations(np.random.default_rng(0).normal(size=(3, 3))),
        skeleton.body_pose(np.random.default_rng(1).normal(size=207)),
    )
    for index in range(1, 24):
        length = np.linalg.norm(places[index] - places[skeleton.PARENTS[index]])
        assert length == pytest.approx(np.linalg.norm(skeleton.BONES[index]))


def test_inexact_matrices_become_rotations() -> None:
    matrices = skeleton.rotations(np.random.default_rng(2).normal(size=(50, 3, 3)))
    np.testing.assert_allclose(matrices @ matrices.transpose(0, 2, 1), np.tile(np.eye(3), (50, 1, 1)), atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(matrices), 1)
    turn = skeleton.rotations(np.array([0.3, -1.0, 0.2]))
    np.testing.assert_allclose(skeleton.rotations(turn * 1.01), turn, atol=1e-9)


def test_axes_and_angles_and_matrices_are_the_same_pose() -> None:
    axes = np.random.default_rng(3).normal(size=(23, 3))
    matrices = skeleton.rotations(axes)
    np.testing.assert_allclose(skeleton.body_pose(matrices.reshape(207)), skeleton.body_pose(axes), atol=1e-9)
    with pytest.raises(ValueError, match="24 values"):
        skeleton.body_pose(np.zeros(24))


def test_an_upright_person_stands_upright_in_the_picture_within_its_box() -> None:
    body = posed(person(), STILL)
    assert not body.fitted
    points = body.points
    assert points[joint("head"), 1] < points[joint("pelvis"), 1] < points[joint("left foot"), 1]
    assert points[joint("left hand"), 0] > points[joint("right hand"), 0]  # it faces the camera
    assert points[joint("pelvis"), 0] == pytest.approx(0.5, abs=0.01)
    assert points[:, 1].min() > 0.1 and points[:, 1].max() < 0.95


def test_perspective_makes_near_things_larger() -> None:
    # A camera at close range: a picture-wide box with a scale beyond what a whole body takes.
    body = posed(person(camera=(19.0, 0, 0)), turned_arm())
    near, far = joint("left wrist"), joint("right wrist")
    assert body.joints[near, 2] < body.joints[far, 2]
    spread = [np.linalg.norm(body.points[j] - body.points[skeleton.PARENTS[j]]) for j in (near, far)]
    assert spread[0] != pytest.approx(spread[1], rel=1e-3)


def turned_arm() -> np.ndarray:
    pose = STILL.copy()
    pose[joint("left shoulder") - 1] = (0, -1.2, 0)
    return pose


def test_a_camera_of_no_use_is_replaced_by_the_box() -> None:
    body = posed(person(camera=(-1, 0, 0)), STILL)
    assert body.fitted
    low, high = body.points.min(axis=0), body.points.max(axis=0)
    assert (low >= np.array([0.25, 0.1]) - 1e-9).all() and (high <= np.array([0.75, 0.9]) + 1e-9).all()


@pytest.mark.parametrize("seed", range(4))
def test_whatever_a_model_says_can_be_drawn(seed: int) -> None:
    random = np.random.default_rng(seed)
    wild = [
        person(box=tuple(random.random(4)), orientation=tuple(random.uniform(-1, 1, 9)),
               camera=tuple(random.uniform(-1, 19, 3)))
        for _ in range(3)
    ]  # fmt: skip
    assert drawn(bodies(wild, random.normal(size=(3, 23, 3, 3)))).size == (448, 448)
    flat = person(box=(0.5, 0.5, 0.5, 0.5), orientation=(0,) * 9, camera=(0, 0, 0))
    assert drawn(bodies([flat], np.full((1, 207), np.nan))).size == (448, 448)


def test_the_body_is_drawn_where_its_joints_are() -> None:
    body = posed(person(), STILL)
    picture, empty = np.asarray(drawn([body])).astype(int), np.asarray(drawn([])).astype(int)
    changed = (picture != empty).any(axis=-1)
    for x, y in body.points[:24]:
        if 0 <= x < 1 and 0 <= y < 1:
            assert changed[int(y * 448), int(x * 448)]
    assert 0.02 < changed.mean() < 0.4


def test_data_of_a_body() -> None:
    (data,) = as_data(bodies([person()], STILL[None]), Placed(0, 0.1, 1, 0.9))
    assert set(data["joints"]) == set(skeleton.JOINTS)
    assert data["box"] == [0.25, 0.0, 0.75, 1.0]
    assert data["generic_body"] is True
    with pytest.raises(ValueError, match="1 body poses for 2 people"):
        bodies([person(), person()], STILL[None])
