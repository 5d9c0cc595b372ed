"""The string of any sequence modality from what a person gives for it."""

from __future__ import annotations

from collections.abc import Collection

from fourm_tui.errors import InputError
from fourm_tui.formats import boxes, metadata, palette
from fourm_tui.formats.reading import native_text
from fourm_tui.formats.vocabulary import OBJECT_CLASSES


def native_string(
    modality: str,
    text: str,
    where: str,
    size: tuple[int, int] | None = None,
    classes: Collection[str] | None = OBJECT_CLASSES,
) -> str:
    """What 4M reads for a text that was given for a modality.

    A caption is any text. Boxes, palettes and metadata may be written as their `read` says; for poses and instances,
    whose tokens no one writes by hand, only the native form or `none` is taken.

    Args:
        modality: the name of a sequence modality.
        text: what was given, or the contents of the file.
        where: names the source in messages.
        size: width and height in pixels of the picture that boxes in pixels belong to.
        classes: the labels of boxes; None for any.

    Raises:
        InputError: the text is none of the forms; the message names the place.
    """
    match modality:
        case "det":
            return boxes.native(text, where, size, classes)
        case "color_palette":
            return palette.native(text, where)
        case "metadata":
            return metadata.native(text, where)
        case "human_poses" | "sam_instance":
            given = native_text(text, where)
            if given is None and text.split() != ["none"]:
                raise InputError(f"{where}: {modality} is to be its native string (words such as v0=12), or `none`")
            return given or "none"
        case _:
            return text
