"""Advice from the field's experience; none of it keeps a schedule from running.

Sources: ml-4m's README_GENERATION.md ("Generation tips") and the settings of its notebooks and demo.
"""

from __future__ import annotations

from collections.abc import Iterator

from fourm_tui.modalities import MODALITIES
from fourm_tui.schedule.rows import Part, Place, Problem, Row

_TEXT = ("sequence", "embeddings")
Advice = Iterator[tuple[str, str, str]]


def hints_for(part: Part, first: int = 1) -> Iterator[Problem]:
    """Hints for each row of a part, whose first row has the number `first`."""
    visible = list(part.conditions)
    for index, row in enumerate(part.rows):
        for column, message, fix in _row_hints(part, row, visible):
            place = part.places.get((index, column), Place())
            number = None if column in part.broadcast else first + index
            yield Problem(message, fix, number, column, place)
        visible.append(row.target)


def _row_hints(part: Part, row: Row, visible: list[str]) -> Advice:
    modality = MODALITIES.get(row.target)
    if modality is None:
        return
    if modality.kind == "image":
        if row.scheme == "roar" and "token_decoding_schedules" not in part.broadcast:
            if row.token_schedule not in ("linear", None):
                yield "token_decoding_schedules", "roar decodes linearly whatever is written here", "write linear"
        yield from _image_hints(part, row, visible)
        if row.tokens and row.tokens < modality.max_tokens:
            left = modality.max_tokens - row.tokens
            yield (
                "tokens_per_target",
                f"{left} of {modality.max_tokens} positions stay empty",
                (f"write {modality.max_tokens} unless the target is partly given"),
            )
    elif row.tokens and row.tokens > modality.max_tokens:
        yield "tokens_per_target", f"at most {modality.max_tokens} tokens are generated", ""
    if isinstance(row.top_k, float) and row.top_k >= 1:
        yield "top_k", f"{row.top_k} is a share of the vocabulary, so nothing is filtered", f"write {int(row.top_k)}"


def _image_hints(part: Part, row: Row, visible: list[str]) -> Advice:
    kinds = {MODALITIES[name].kind for name in visible if name in MODALITIES}
    scale = row.cfg_scale if isinstance(row.cfg_scale, float) else 0.0
    temp = row.temp if row.temp is not None else 1.0
    stems = {name.partition("@")[0] for name in visible}
    stem = row.target.partition("@")[0]
    if row.target.endswith("@448"):
        if scale > 3.0 and temp < 1.0:
            yield "temps", "high guidance with a low temperature blurs super-resolution", "try 1.0"
        return
    if {"rgb", "tok_rgb"} & stems and stem in ("tok_depth", "tok_normal") and (row.steps or 0) > 8:
        name = MODALITIES[row.target].title.lower()
        yield "decoding_steps", f"{name} from RGB needs few steps", "1 step does nearly as well"
    from_text = kinds and kinds <= set(_TEXT)
    if from_text:
        if row.steps == 1:
            yield "decoding_steps", "one step from text to an image gives mush", "try 25 or more"
        if temp < 1.0:
            yield "temps", "the temperature starts low for a chain that begins with text", "try 3.0 to 6.0"
        elif row.temp_schedule == "constant" and (row.steps or 0) > 1:
            yield "temp_schedules", "the temperature does not decay from text to an image", "try onex:0.5:0.5"
    if temp > 0.1 and row.top_p is not None and not 0.65 <= row.top_p <= 0.95 and not row.top_k:
        shown = "off" if row.top_p == 0 else str(row.top_p)
        yield "top_p", f"top_p is {shown}; images do best near 0.8", ""
