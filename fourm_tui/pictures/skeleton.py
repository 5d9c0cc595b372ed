"""A body of bones: forward kinematics with the joints of SMPL and proportions of our own.

SMPL's mesh, its joint regressor and shape space are licensed files that nobody can ship; its tree of 24 joints and the
meaning of its rotations are published (Loper et al. 2015). So a pose is drawn on a generic body of 1.70 m, standing
with its arms stretched out to the sides: y up, x to the body's left, z to its front, in metres. Shape parameters are
not used.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

JOINTS = (
    "pelvis", "left hip", "right hip", "lower spine", "left knee", "right knee", "middle spine", "left ankle",
    "right ankle", "upper spine", "left foot", "right foot", "neck", "left collar", "right collar", "head",
    "left shoulder", "right shoulder", "left elbow", "right elbow", "left wrist", "right wrist", "left hand",
    "right hand",
)  # fmt: skip
"""Joints in SMPL's order; all but the pelvis have a rotation in the body pose."""

PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)

_ORIGIN = (0.0, -0.22, 0.03)  # of the pelvis: cameras of HMR 2.0 aim at SMPL's origin, which lies in the chest

_LEFT_BONES = {
    "left hip": (0.09, -0.09, 0.0),
    "left knee": (0.02, -0.40, 0.0),
    "left ankle": (0.0, -0.41, -0.03),
    "left foot": (0.03, -0.06, 0.13),
    "left collar": (0.07, 0.12, -0.02),
    "left shoulder": (0.11, 0.03, -0.01),
    "left elbow": (0.27, 0.0, -0.02),
    "left wrist": (0.25, 0.0, 0.0),
    "left hand": (0.09, -0.01, 0.0),
}
_MIDDLE_BONES = {
    "lower spine": (0.0, 0.11, -0.03),
    "middle spine": (0.0, 0.13, 0.0),
    "upper spine": (0.0, 0.06, 0.02),
    "neck": (0.0, 0.22, -0.04),
    "head": (0.0, 0.10, 0.04),
}
CROWN = (0.0, 0.17, 0.02)
"""From the joint of the head to the top of the skull."""


def _rest() -> NDArray[np.float64]:
    offsets = [_ORIGIN]
    for name in JOINTS[1:]:
        side, _, part = name.partition(" ")
        if name in _MIDDLE_BONES:
            offsets.append(_MIDDLE_BONES[name])
        else:
            x, y, z = _LEFT_BONES[f"left {part}"]
            offsets.append((x if side == "left" else -x, y, z))
    return np.array(offsets)


BONES = _rest()
"""From the parent to each joint at rest, `[24, 3]`; the first is the place of the pelvis."""


def rotations(pose: NDArray[np.floating]) -> NDArray[np.float64]:
    """Rotation matrices from rotation matrices, also inexact ones such as a tokenizer decodes, or from axes and angles.

    Args:
        pose: `[..., 3, 3]`, or `[..., 3]` whose length is the angle in radians.

    Returns:
        `[..., 3, 3]`, the nearest rotations.
    """
    values: NDArray[np.float64] = np.nan_to_num(np.asarray(pose, dtype=np.float64))
    if values.shape[-2:] != (3, 3):
        return _from_axes(values)
    u, _, v = np.linalg.svd(values)
    flip = np.ones((*values.shape[:-2], 3))
    flip[..., 2] = np.sign(np.linalg.det(u @ v))
    return (u * flip[..., None, :]) @ v


def _from_axes(pose: NDArray[np.float64]) -> NDArray[np.float64]:
    # Rodrigues' formula
    angle = np.linalg.norm(pose, axis=-1, keepdims=True)
    x, y, z = np.moveaxis(pose / np.maximum(angle, 1e-12), -1, 0)
    o = np.zeros_like(x)
    k = np.stack([o, -z, y, z, o, -x, -y, x, o], axis=-1).reshape(*pose.shape[:-1], 3, 3)
    sine, cosine = np.sin(angle)[..., None], np.cos(angle)[..., None]
    return np.eye(3) + sine * k + (1 - cosine) * (k @ k)


def body_pose(array: NDArray[np.floating]) -> NDArray[np.float64]:
    """A decoded body pose as rotation matrices `[23, 3, 3]`: given as such, flat (207 values), or as axes and angles
    `[23, 3]` (69 values).

    Raises:
        ValueError: it has another size.
    """
    values = np.asarray(array, dtype=np.float64).reshape(-1)
    if values.size == 207:
        return rotations(values.reshape(23, 3, 3))
    if values.size == 69:
        return rotations(values.reshape(23, 3))
    raise ValueError(f"{values.size} values are no body pose; it has 23 rotations of 9 or 3 values")


def joints(orientation: NDArray[np.floating], pose: NDArray[np.floating]) -> NDArray[np.float64]:
    """Where the joints of a posed body are.

    Args:
        orientation: `[3, 3]`, rotation of the whole body.
        pose: `[23, 3, 3]`, rotation of each further joint against its parent.

    Returns:
        `[25, 3]`, in metres: the joints, and last the top of the skull.
    """
    turned = [np.asarray(orientation, dtype=np.float64)]
    places = [BONES[0]]
    for joint in range(1, len(JOINTS)):
        parent = PARENTS[joint]
        places.append(places[parent] + turned[parent] @ BONES[joint])
        turned.append(turned[parent] @ pose[joint - 1])
    head = JOINTS.index("head")
    places.append(places[head] + turned[head] @ np.array(CROWN))
    return np.stack(places)
