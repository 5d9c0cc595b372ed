"""Sequences: what a person or a program wrote, as the string that the model reads."""

from __future__ import annotations

from fourm_tui.conditions.boxes import det_text
from fourm_tui.conditions.captions import caption
from fourm_tui.conditions.condition import Condition
from fourm_tui.conditions.given import Given
from fourm_tui.conditions.instances import read_instances
from fourm_tui.conditions.people import read_people
from fourm_tui.conditions.views import View
from fourm_tui.formats.native import native_string
from fourm_tui.formats.reading import looks_like_json, native_text
from fourm_tui.formats.vocabulary import OBJECT_CLASSES, has_sentinel
from fourm_tui.modalities import Modality


def sequence(modality: Modality, given: Given, where: str, view: View | None = None) -> Condition:
    """The condition of a sequence modality; poses and instances may have parts that are to be encoded first.

    Args:
        view: of the picture that boxes, people and instances belong to; None if it is not given.

    Raises:
        InputError: the text is none of the forms that the modality takes.
    """
    name, text = given.name, given.text or ""
    if name in ("human_poses", "sam_instance") and looks_like_json(text) and native_text(text, where) is None:
        return _encoded(name, text, where, view)
    match name:
        case "caption":
            text = caption(text, given.path, where, given.index)
        case "det":
            text = det_text(text, where, view, modality.classes or OBJECT_CLASSES)
        case _:
            text = native_string(name, text, where)
    return Condition(name, not has_sentinel(text), text=text)


def _encoded(name: str, text: str, where: str, view: View | None) -> Condition:
    if name == "human_poses":
        native, people, poses = read_people(text, where, view)
        return Condition(name, text=native, values=poses, untokenized=people, view=view)
    native, polygons = read_instances(text, where, view)
    masks = polygons.masks() if polygons else None
    return Condition(name, text=native, values=masks, untokenized=polygons, view=view)
