"""What the tokenizer of an image modality takes, from a picture or an array."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm_tui.conditions import maps
from fourm_tui.conditions.edges import edge_values
from fourm_tui.conditions.features import CHANNELS, feature_values
from fourm_tui.conditions.given import Given
from fourm_tui.conditions.pictures import Picture, centred, square
from fourm_tui.conditions.views import View
from fourm_tui.errors import InputError
from fourm_tui.modalities import Modality

_EDGES = ("tok_canny_edge", "tok_sam_edge")


def picture_values(modality: Modality, picture: Picture, view: View, given: Given, where: str) -> NDArray[Any]:
    """What the tokenizer takes of a picture; see `Condition.values`.

    Raises:
        InputError: the picture is not of the kind that the modality takes.
    """
    assert modality.input_size is not None
    size = modality.input_size
    if modality.stem in CHANNELS:
        raise InputError(f"{where} is a picture; {modality.title} are given as features or tokens (.npy, .safetensors)")
    match modality.stem:
        case "tok_depth":
            return maps.depth_values(maps.depth_of_picture(picture, where), view, size)
        case "tok_normal":
            return maps.normal_values(picture.image, view, size, where)
        case "tok_semseg":
            return _semseg(modality, maps.classes_of_picture(picture, where), view, given, where)
        case "tok_canny_edge" | "tok_sam_edge":
            return edge_values(picture, view, size, where, given.reading, modality.stem == "tok_sam_edge")
        case _:
            return centred(square(picture, view, size, where))


def image_values(
    modality: Modality, array: NDArray[Any], given: Given, where: str
) -> tuple[NDArray[Any], View | None]:  # fmt: skip
    """What the tokenizer takes of an array, which is no tokens, and what it shows of it.

    Raises:
        InputError: the array is not of a shape or type that the modality takes.
    """
    assert modality.input_size is not None
    size = modality.input_size
    if array.dtype.kind not in "biuf" or (array.dtype.kind == "f" and not np.isfinite(array).all()):
        raise InputError(f"{where} holds values that are no finite numbers")
    if modality.stem in CHANNELS:
        return feature_values(array, modality, where), None
    channels = 1 if modality.stem in _EDGES else 3
    if modality.stem in ("tok_rgb", *_EDGES) and array.dtype.kind == "f" and array.shape == (channels, size, size):
        if np.abs(array).max() > 1.01:
            raise InputError(f"{where} has values up to {np.abs(array).max():g}; expected are pixels from -1 to 1")
        return array.astype(np.float32), None
    match modality.stem:
        case "tok_depth":
            depth = maps.depth_of_array(array, where)
            view = _view(Image.fromarray(depth), given)
            return maps.depth_values(depth, view, size), view
        case "tok_semseg":
            plane = array[0] if array.ndim == 3 and len(array) == 1 else array
            if plane.ndim != 2 or not plane.size:
                raise InputError(
                    f"{where} has the shape {list(plane.shape)}; expected are class ids [height, width] or "
                    f"{modality.max_tokens} token ids"
                )
            view = _view(Image.new("1", plane.shape[::-1]), given)
            return _semseg(modality, plane, view, given, where), view
        case "tok_normal":
            image = maps.normals_of_array(array, where)
            view = _view(image, given)
            return maps.normal_values(image, view, size, where), view
        case _:
            image = _image(array, channels, size, where)
            view = _view(image, given)
            return picture_values(modality, Picture(image, *image.size), view, given, where), view


def _view(image: Image.Image, given: Given) -> View:
    return Picture(image, *image.size).view(given.fit, given.crop, given.flip)


def _image(array: NDArray[Any], channels: int, size: int, where: str) -> Image.Image:
    if array.ndim == 3 and array.shape[0] in (1, 3) and array.shape[2] not in (1, 3):
        array = array.transpose(1, 2, 0)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.dtype != np.uint8 or not array.size or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)):
        raise InputError(
            f"{where} has {array.dtype} values of the shape {list(array.shape)}; expected are token ids, a picture in "
            f"bytes [height, width, 3], or pixels from -1 to 1 of the shape {[channels, size, size]}"
        )
    return Image.fromarray(np.ascontiguousarray(array))


def _semseg(modality: Modality, classes: NDArray[Any], view: View, given: Given, where: str) -> NDArray[np.int64]:
    assert modality.input_size is not None
    count = len(modality.classes) or maps.COCO_CLASSES
    ids = given.ids or ("model" if modality.classes else "coco")
    return maps.semseg_values(classes, view, modality.input_size, count, ids, where)
