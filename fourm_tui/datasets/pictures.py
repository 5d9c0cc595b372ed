"""A folder of pictures, with captions beside them if there are any: `NAME.jpg`, `NAME.txt`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from fourm_tui.datasets.forms import KNOWN_FORMS
from fourm_tui.datasets.names import by_name, files_below, plural, shared, shown_folder
from fourm_tui.datasets.samples import Samples
from fourm_tui.datasets.slots import IMAGES, encoded_notes, endings_of
from fourm_tui.datasets.tree import Tree, compact
from fourm_tui.errors import InputError, printable
from fourm_tui.modalities import Modality

PHOTO = ("rgb", "tok_rgb", "tok_canny_edge")
"""What can be had from the same photo."""


def open_pictures(root: Path, wanted: Collection[str], modalities: Mapping[str, Modality]) -> Samples:
    """The dataset in a folder of pictures and the folders below it.

    The pictures are photos, or whatever single modality made of pictures is wanted: depth maps for `tok_depth@224`.

    Raises:
        InputError: there are no pictures, or something else than one kind of pictures and captions is wanted.
    """
    where = printable(root, 400)
    files = list(files_below(root))
    pictures, twice, others = by_name(iter(files), IMAGES)
    captions, _, _ = by_name(iter(files), (".txt",))
    if not pictures and not captions:
        raise InputError(f"data_path: {where} is a folder of no known form. {KNOWN_FORMS}")
    slot = _kind(wanted, modalities, where)
    chosen = {name: "caption" if name == "caption" else slot for name in wanted}
    found = {slot: pictures} if set(wanted) - {"caption"} else {}
    if "caption" in wanted:
        found["caption"] = captions
    if "caption" in wanted and not captions:
        raise InputError(f"data_path: {where} has no texts (NAME.txt) beside its pictures, which would be captions")
    if not pictures and slot in found:
        raise InputError(f"data_path: {where} has texts, but no pictures ({', '.join(IMAGES)})")
    keys, told = shared(found)
    if not keys:
        raise InputError(f"data_path: {where}: no picture has a text (NAME.txt) beside it")
    notes = [*encoded_notes(chosen, modalities), *([told] if told else [])]
    if twice:
        notes.append(f"{plural(twice, 'name')} with several pictures, of which the first is taken")
    if others > len(captions):
        notes.append(f"{plural(others - len(captions), 'file')} with other endings left out")
    folders = {slot: root, "caption": root}
    what = f"{shown_folder(root)}: a folder of pictures" if pictures else f"{shown_folder(root)}: a folder of texts"
    tree = Tree(what, keys, compact(found), folders, tuple(notes))
    return Samples(tree, chosen, modalities, ("rgb",) if slot == "rgb" else ())


def _kind(wanted: Collection[str], modalities: Mapping[str, Modality], where: str) -> str:
    """What the pictures are: photos, or a map."""
    kinds = [modalities[name] for name in wanted if name != "caption"]
    for modality in kinds:
        if IMAGES[0] not in endings_of(modality):
            raise InputError(
                f"data_path: {where} is a folder of pictures, which has no {modality.name}; it has rgb, or another "
                "modality made of pictures, and captions (NAME.txt beside a picture)"
            )
    if all(modality.stem in PHOTO for modality in kinds):
        return "rgb"
    if len(kinds) > 1:
        names = " and ".join(modality.name for modality in kinds)
        raise InputError(f"data_path: {where} is a folder of pictures, which cannot be {names} at once")
    return kinds[0].name
