"""What data calls its modalities: the folder `rgb`, the column `Prompt`, the ending `.tok_rgb@224.npy`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from fourm_tui.errors import InputError, printable
from fourm_tui.modalities import PICTURES, Modality

CROPS = "crop_settings"
"""The slot of the rectangles that belong to the pictures: `[crops, 5]`, top, left, height, width, mirrored."""
RGB = ("rgb", "rgb@224", "rgb@448")
"""Slots of the real picture, in the order in which they are looked for."""

TEXTS = (".txt", ".json", ".json.gz", ".yaml")
ARRAYS = (".npy", ".npz", ".safetensors")
IMAGES = (*PICTURES, ".ppm", ".pgm", ".jpx", ".jp2")

# What a tokenizer encodes, as ml-4m's data names it.
_RAW: Mapping[str, tuple[str, ...]] = {
    "tok_rgb": RGB,
    "tok_depth": ("depth",),
    "tok_normal": ("normal",),
    "tok_semseg": ("semseg_coco", "semseg"),
    "tok_canny_edge": ("canny_edge",),
    "tok_sam_edge": ("sam_edge",),
    "tok_clip": ("CLIP-B16", "clip"),
    "tok_dinov2": ("DINOv2-B14", "dinov2"),
    "tok_imagebind": ("ImageBind-H14", "imagebind"),
    "tok_dinov2_global": ("DINOv2-B14-global", "dinov2_global"),
    "tok_imagebind_global": ("ImageBind-H14-global", "imagebind_global"),
}
_NAMES: Mapping[str, tuple[str, ...]] = {"human_poses": ("human_poses", "human_pose")}
_COLUMNS: Mapping[str, str] = {"Prompt": "caption", "prompt": "caption"}


def slots_of(modality: Modality) -> tuple[str, ...]:
    """The slots that may hold a modality, the best first."""
    if modality.kind == "pixels":
        return ("rgb", modality.name)
    return (modality.name, *_NAMES.get(modality.name, ()), *_RAW.get(modality.stem, ()))


def endings_of(modality: Modality) -> tuple[str, ...]:
    """How files of a modality may end."""
    if modality.kind == "sequence":
        return TEXTS
    if modality.kind == "embeddings":
        return ARRAYS
    pictures = IMAGES if any(ending in PICTURES for ending in modality.files) else ()
    return pictures if modality.kind == "pixels" else (*ARRAYS, *pictures)


def all_slots(modalities: Mapping[str, Modality]) -> frozenset[str]:
    return frozenset({CROPS, *(slot for modality in modalities.values() for slot in slots_of(modality))})


def slot_of_column(column: str) -> str:
    """The slot that a column of a table is."""
    name = column.strip()
    return _COLUMNS.get(name, name)


def choose(
    wanted: Iterable[str], there: Collection[str], modalities: Mapping[str, Modality], where: str
) -> dict[str, str]:  # fmt: skip
    """The slot of each wanted modality.

    Raises:
        InputError: one is no modality, or the data has none of its slots; the message says what it has.
    """
    chosen = {}
    for name in wanted:
        modality = known(name, modalities)
        slot = next((slot for slot in slots_of(modality) if slot in there), None)
        if slot is None:
            shown = ", ".join(printable(slot, 40) for slot in sorted(there)[:30]) or "nothing that is a modality"
            raise InputError(f"{where} has no {name}, which the settings want as a condition; it has {shown}")
        chosen[name] = slot
    return chosen


def known(name: str, modalities: Mapping[str, Modality]) -> Modality:
    if name not in modalities:
        raise InputError(f"{printable(name)} is no 4M modality")
    return modalities[name]


def encoded_notes(chosen: Mapping[str, str], modalities: Mapping[str, Modality]) -> tuple[str, ...]:
    """Which tokens are not there and are made from something else."""
    return tuple(
        f"{name} is encoded from {slot}" for name, slot in chosen.items() if slot in _RAW.get(modalities[name].stem, ())
    )


def literal_slots(chosen: Mapping[str, str], modalities: Mapping[str, Modality]) -> frozenset[str]:
    """The slots whose values in tables are the text itself."""
    return frozenset(slot for name, slot in chosen.items() if modalities[name].kind == "sequence")


def split_ending(name: str) -> tuple[str, str]:
    """A file name and its ending, in lower case: `("s1", ".json.gz")`."""
    stem, dot, ending = name.rpartition(".")
    if not stem:
        return name, ""
    if ending.lower() == "gz":
        inner, _, second = stem.rpartition(".")
        if inner and second.lower() == "json":
            return inner, ".json.gz"
    return stem, (dot + ending).lower()
