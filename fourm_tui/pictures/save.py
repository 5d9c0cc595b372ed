"""What a target was decoded to, as a picture to look at and as files with its data.

| target | files |
|---|---|
| RGB, normals, edges | `.png` |
| depth | `.png` in turbo; `_16bit.png`, grey, its range in its facts |
| segmentation | `.png` in colours; `_classes.png`, ids as grey levels; `_legend.png` |
| feature maps | `.png`, principal components; `.npy`, float32 `[C, h, w]` |
| global embeddings | `.npy`, float32 `[D]` |
| caption | `.png` (the text itself is kept beside the tokens) |
| boxes, palette, metadata, poses | `.png` and `.json` |
| SAM instances | `.png` and `.npz`: `masks` `[N, 224, 224]`, `boxes` `[N, 4]` |

`placed` cuts off what was padded, in pixels as well as in coordinates; feature maps are kept whole in `.npy`.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm_tui.formats import boxes as box_format
from fourm_tui.formats import palette
from fourm_tui.formats import poses as pose_format
from fourm_tui.modalities import Modality
from fourm_tui.pictures import boxes, depth, features, images, instances, labels, poses, texts
from fourm_tui.pictures.placed import WHOLE, Placed, cropped, cropped_array
from fourm_tui.pictures.png import png_bytes, read_facts
from fourm_tui.runs.files import write_new

__all__ = ["Output", "output_files", "output_picture", "read_facts", "save_output"]

_FEATURES = ("tok_clip", "tok_dinov2", "tok_imagebind")
_EDGES = ("tok_canny_edge", "tok_sam_edge")


@dataclass(frozen=True, eq=False)
class Output:
    """What one target of one sample was decoded to."""

    modality: Modality
    array: NDArray[Any] | None = None
    """As its tokenizer decodes: `[C, H, W]`, for segmentation logits or ids `[H, W]`; for `sam_instance` the mask
    logits `[N, S, S]` in the order of `instances.instances_of(text)`, for `human_poses` the body poses
    `[P, 23, 3, 3]` in the order of the people in the text."""
    text: str | None = None
    """Of sequences, as generated."""
    over: Image.Image | None = None
    """The picture that boxes, masks and bodies are drawn over, given or generated: the square with its padding."""
    placed: Placed = WHOLE
    """Where the picture lies in what the model was given."""

    @property
    def words(self) -> str:
        return self.text or ""


def output_picture(output: Output) -> Image.Image | None:
    """The picture to look at; None for a global embedding, which has none."""
    name, placed = output.modality.stem, output.placed
    if name in ("caption", "color_palette", "metadata"):
        return _text_picture(name, output.words)
    if name == "det":
        return cropped(boxes.drawn(box_format.decode(output.words), output.over), placed)
    if name == "sam_instance":
        return cropped(instances.colored(_masks(output), output.over), placed)
    if name == "human_poses":
        return cropped(poses.drawn(_bodies(output), output.over), placed)
    if name.endswith("_global"):
        return None
    array = _array(output)
    if name == "tok_depth":
        return depth.colored(cropped_array(array, placed))
    if name == "tok_semseg":
        return labels.colored(_ids(output), output.modality.classes)
    if name in _FEATURES:
        return cropped(features.colored(array, output.modality.input_size or 224), placed)
    if output.modality.kind == "pixels":
        return cropped(images.picture(images.denormalised(array)), placed)
    return images.picture(images.to_unit(cropped_array(array, placed)))


def output_files(output: Output, facts: Mapping[str, str] | None = None) -> dict[str, bytes]:
    """The files of an output: what each is called after the stem, and its content. PNGs carry the facts."""
    name, placed, facts = output.modality.stem, output.placed, dict(facts or {})
    files: dict[str, bytes] = {}
    picture = output_picture(output)
    if picture is not None:
        files[".png"] = png_bytes(picture, facts)
    if name == "tok_depth":
        data = depth.in_16_bits(cropped_array(_array(output), placed))
        files["_16bit.png"] = png_bytes(data.picture, facts | data.facts)
    elif name == "tok_semseg":
        files |= _label_files(_ids(output), output.modality.classes, facts)
    elif name in _FEATURES:
        files[".npy"] = _npy(np.asarray(_array(output), dtype=np.float32))
    elif name.endswith("_global"):
        files[".npy"] = _npy(features.embedding(_array(output)))
    elif name == "det":
        files[".json"] = _json(boxes.as_data(box_format.decode(output.words), placed))
    elif name == "color_palette":
        files[".json"] = _json(texts.palette_data(palette.decode(output.words)))
    elif name == "metadata":
        files[".json"] = _json(texts.metadata_data(output.words))
    elif name == "human_poses":
        files[".json"] = _json(poses.as_data(_bodies(output), placed))
    elif name == "sam_instance":
        files[".npz"] = _mask_file(_masks(output), placed)
    return files


def save_output(output: Output, stem: Path, facts: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Writes the files of an output beside each other, each whole or not at all.

    Args:
        output: what was decoded.
        stem: the path of the files without their endings: `samples/000/02_tok_rgb@224`.
        facts: for the text chunks of PNGs: settings, effective seed, ...; `read_facts` gets them back.

    Returns:
        The names of the files.

    Raises:
        FourmError: one is there already, or cannot be written.
        ValueError: array and text do not fit each other or the modality.
    """
    files = {stem.with_name(stem.name + ending): content for ending, content in output_files(output, facts).items()}
    for path, content in reversed(files.items()):
        write_new(path, content)
    return tuple(path.name for path in files)


def last_ending(name: str) -> str:
    """The ending of the file of a target that is written last: where it is, the others are."""
    return ".npy" if name.endswith("_global") else ".png"


def _text_picture(name: str, text: str) -> Image.Image:
    if name == "caption":
        return texts.caption_picture(text)
    return texts.metadata_picture(text) if name == "metadata" else texts.palette_picture(palette.decode(text))


def _array(output: Output) -> NDArray[Any]:
    if output.array is None:
        raise ValueError(f"{output.modality.name}: there is no decoded array")
    return output.array


def _ids(output: Output) -> NDArray[np.int64]:
    return cropped_array(labels.class_ids(_array(output)), output.placed)


def _masks(output: Output) -> tuple[instances.Mask, ...]:
    found = instances.instances_of(output.words)
    return instances.masks(found, _array(output)) if found else ()


def _bodies(output: Output) -> tuple[poses.Body, ...]:
    people = pose_format.decode(output.words)
    return poses.bodies(people, _array(output)) if people else ()


def _label_files(
    ids: NDArray[np.int64], classes: tuple[str, ...], facts: Mapping[str, str]
) -> dict[str, bytes]:  # fmt: skip
    names = {share.id: share.name for share in labels.shares(ids, classes)}
    named = {**facts, "classes": json.dumps(names, ensure_ascii=False)}
    return {
        "_classes.png": png_bytes(labels.index_picture(ids), named),
        "_legend.png": png_bytes(labels.with_legend(ids, classes), facts),
    }


def _mask_file(found: tuple[instances.Mask, ...], placed: Placed) -> bytes:
    side = instances.SIDE
    masks = np.stack([mask.mask for mask in found]) if found else np.zeros((0, side, side), dtype=bool)
    file = io.BytesIO()
    boxes_ = np.array([mask.box for mask in found], dtype=np.int32).reshape(-1, 4)
    left, top, _, _ = placed.pixels(side, side)
    boxes_ = boxes_ - np.array([left, top, left, top], dtype=np.int32)
    np.savez_compressed(file, masks=cropped_array(masks, placed), boxes=boxes_)
    return file.getvalue()


def _npy(array: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def _json(data: Any) -> bytes:
    return json.dumps(data, indent=1, ensure_ascii=False).encode() + b"\n"
