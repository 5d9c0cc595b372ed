"""Outputs as panels of a contact sheet."""

from __future__ import annotations

import numpy as np

from fourm_tui.formats import palette
from fourm_tui.pictures import features, labels, texts
from fourm_tui.pictures.contact import Panel, Role
from fourm_tui.pictures.placed import cropped_array
from fourm_tui.pictures.save import Output, output_picture

_NAMED = 6
_SMALL = 280  # pixels: letters stay readable when it is shown at 224
_FEW_ROWS = 11


def panel_of(output: Output, role: Role = "generated", note: str = "", text: str = "") -> Panel:
    """The panel of an output; `text` goes under its picture, and without it what is known of the picture in words."""
    modality, name = output.modality, output.modality.stem
    if name == "caption":
        return Panel(modality.title, role, None, texts.caption(output.text or ""), note)
    if name.endswith("_global") and output.array is not None:
        values = features.embedding(output.array)
        words = f"{values.size} numbers, length {float(np.linalg.norm(values)):.3g}"
        return Panel(modality.title, role, None, text or words, note)
    if name == "color_palette":
        colors = palette.decode(output.text or "")
        return Panel(modality.title, role, texts.palette_picture(colors, _SMALL, _SMALL), text, note)
    if name == "metadata" and len(texts.metadata_rows(output.text or "")) <= _FEW_ROWS:
        return Panel(modality.title, role, texts.metadata_picture(output.text or "", _SMALL, _SMALL), text, note)
    if name == "tok_semseg" and output.array is not None and not text:
        ids = cropped_array(labels.class_ids(output.array), output.placed)
        found = labels.shares(ids, modality.classes)
        text = ", ".join(f"{share.name} {share.part:.0%}" for share in found[:_NAMED] if share.part >= 0.01)
    return Panel(modality.title, role, output_picture(output), text, note)
