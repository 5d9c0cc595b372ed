"""What can be written as a condition, and what is made of it while it is typed. Without Textual."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from fourm_tui.errors import FourmError, InputError
from fourm_tui.formats.vocabulary import EOS
from fourm_tui.modalities import MODALITIES, Modality
from fourm_tui.tokenizers.text import LONGEST, find_local, span_ends
from fourm_tui.tui.conditions_list import title_of
from fourm_tui.tui.looks import Color, Look

if TYPE_CHECKING:
    from fourm_tui.formats.boxes import Box
    from fourm_tui.tokenizers.text import TextTokenizer


@dataclass(frozen=True, eq=False)
class Seen:
    """What a text says."""

    problem: str = ""
    line: int | None = None
    """Where the problem is, from 1."""
    facts: str = ""
    colors: tuple[Color, ...] = ()
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True, eq=False)
class Writing:
    """A kind of text."""

    name: str
    title: str
    hint: str
    """How it is written."""
    read: Callable[[str], Seen]
    """Fast: it is called at each keystroke."""
    prose: bool = False
    """Lines are wrapped, and Enter takes the text."""
    side: str = ""
    """What stands beside it: `picture`, `colors`, `keys` or nothing."""
    keys: tuple[str, ...] = ()
    """Names that can be written."""
    over: Look | None = None
    """Of the picture that boxes are drawn over."""


Count = Callable[[str], int | None]
"""How many tokens a text has for the model; None where that is not known."""


def writing_of(
    name: str, modalities: Mapping[str, Modality], over: Look | None = None, count: Count | None = None
) -> Writing:  # fmt: skip
    """How a modality is written."""
    title = title_of(name)
    match name:
        case "det":
            from fourm_tui.formats.vocabulary import OBJECT_CLASSES

            classes = tuple(modalities[name].classes) or OBJECT_CLASSES
            hint = "label x0 y0 x1 y1, a box a line; parts of the picture from 0 to 1, or pixels"
            read = partial(_boxes, over=over, classes=classes)
            return Writing(name, title, hint, read, side="picture", keys=classes, over=over)
        case "metadata":
            from fourm_tui.formats.metadata import TYPES

            return Writing(name, title, "name: value, one a line", _metadata, side="keys", keys=tuple(TYPES))
        case "color_palette":
            return Writing(name, title, "1 to 7 colours, such as #ff8000", _palette, side="colors")
    hint = "[S_1] stands for a part to be generated" if name == "caption" else "its embeddings need the extra t5"
    return Writing(name, title, hint, partial(_prose, count=count if name == "caption" else None), prose=True)


def counter(model: Path | None, given: str | None, relative_to: Path | None) -> Count:
    """Counts the tokens of texts with the tokenizer of a model as far as it is on this machine.

    Args:
        model: weights or folder of the model, beside which the tokenizer may lie.
        given: the tokenizer that the models config names.
        relative_to: folder of the config.
    """

    @cache
    def tokenizer() -> TextTokenizer | None:
        from fourm_tui.tokenizers.text import TextTokenizer

        near = None if model is None or model.is_dir() else model.parent
        for place in (given, near or model):
            with contextlib.suppress(FourmError):
                found = find_local(place, relative_to) if place else None
                if found:
                    return TextTokenizer(found)
        return None

    def count(text: str) -> int | None:
        found = tokenizer()
        if found is None:
            return None
        ids = found.encode(text.strip())
        is_whole = span_ends(ids) is None and ids[-1:] != [EOS]  # then it is given with its end
        return len(ids) + is_whole

    return count


def sentence(error: Exception) -> tuple[str, int | None]:
    """A problem without the name of its source, and the line it is in."""
    import re

    message = str(error).removeprefix("text").lstrip(":, ")
    found = re.match(r"(?:line|entry) (\d+)", message)
    return message, int(found[1]) if found else None


def _prose(text: str, count: Count | None = None) -> Seen:
    from fourm_tui.formats.reading import check_sentinels
    from fourm_tui.formats.vocabulary import has_sentinel

    if not text.strip():
        return Seen("")
    try:
        check_sentinels(text, "text")
    except InputError as error:
        return Seen(*sentence(error))
    words = len(text.split())
    facts = f"{words} word" + ("" if words == 1 else "s")
    tokens = count(text) if count else None
    if tokens is not None and tokens > LONGEST:
        return Seen(f"{facts}, {tokens} tokens; a model sees {LONGEST} at the most")
    if tokens is not None:
        facts += f", {tokens} of {LONGEST} tokens"
        usual = MODALITIES["caption"].max_tokens
        facts += f", longer than in training ({usual})" if tokens > usual else ""
    return Seen(facts=facts + (", partly generated" if has_sentinel(text) else ""))


def _boxes(text: str, over: Look | None, classes: tuple[str, ...]) -> Seen:
    from fourm_tui.conditions.boxes import det_text
    from fourm_tui.formats.boxes import decode
    from fourm_tui.formats.reading import looks_like_json

    if not text.strip():
        return Seen("")
    view = over.view if over else None
    try:
        boxes = decode(det_text(text, "text", view, classes))
        return Seen(facts=f"{len(boxes)} box" + ("" if len(boxes) == 1 else "es"), boxes=boxes)
    except InputError as error:
        message, line = sentence(error)
    # The lines that are right are drawn all the same.
    kept: list[Box] = []
    for one in text.splitlines() if not looks_like_json(text) else ():
        try:
            kept += decode(det_text(one, "text", view, classes)) if one.strip() else ()
        except InputError:
            continue
    return Seen(message, line, boxes=tuple(kept))


def _metadata(text: str) -> Seen:
    from fourm_tui.formats import metadata
    from fourm_tui.pictures.texts import metadata_rows

    if not text.strip():
        return Seen("")
    try:
        rows = metadata_rows(metadata.native(text, "text"))
    except InputError as error:
        return Seen(*sentence(error))
    return Seen(facts=f"{len(rows)} fact" + ("" if len(rows) == 1 else "s"))


def _palette(text: str) -> Seen:
    from fourm_tui.formats import palette

    if not text.strip():
        return Seen("")
    try:
        colors = palette.decode(palette.native(text, "text"))
    except InputError as error:
        return Seen(*sentence(error), colors=_colors_in(text))
    return Seen(facts=f"{len(colors)} colour" + ("" if len(colors) == 1 else "s"), colors=colors)


def _colors_in(text: str) -> tuple[Color, ...]:
    """The words that are colours."""
    import re

    from fourm_tui.formats.palette import MOST, from_hex

    found = []
    for word in re.split(r"[\s,;]+", text):
        try:
            found.append(from_hex(word, "text"))
        except InputError:
            continue
    return tuple(found[:MOST])
