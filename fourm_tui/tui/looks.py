"""What conditions look like: a picture, lines of text, colours, and what is wrong with their files. Without Textual.

Files are read here: call it beside the event loop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fourm_tui.conditions.given import Given
from fourm_tui.errors import InputError, printable
from fourm_tui.modalities import MODALITIES, Modality

if TYPE_CHECKING:
    from PIL.Image import Image

    from fourm_tui.conditions.views import View
    from fourm_tui.formats.boxes import Box

Color = tuple[int, int, int]
Stamp = tuple[int, int, int] | None

_MOST_TEXT = 2_000
"""Characters of a text that are shown."""


@dataclass(frozen=True, eq=False)
class Look:
    """What there is to see of a condition."""

    picture: Image | None = None
    labels: bool = False
    """The colours of the picture stand for classes."""
    lines: tuple[str, ...] = ()
    """Its text, not wrapped, made printable."""
    colors: tuple[Color, ...] = ()
    """Of a palette."""
    facts: str = ""
    """A few words on what it is."""
    problem: str = ""
    """Why it cannot be taken, in a sentence without a full stop."""
    view: View | None = None
    """What of its picture the model sees."""
    plain: Image | None = None
    """The picture without what is drawn over it."""


def stamp(path: Path | None) -> Stamp:
    """By what a file is told to be another; None if there is none."""
    if path is None:
        return None
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def looked(given: Given) -> tuple[Given, Stamp, Stamp]:
    """A condition and the state of its files: where this is the same, it looks the same."""
    return given, stamp(given.path) if given.text is None else None, stamp(given.mask)


def under(given: Mapping[str, Given], modalities: Mapping[str, Modality] = MODALITIES) -> Given | None:
    """The picture that boxes and people belong to; None if none is given."""
    found = [
        each
        for each in given.values()
        if each.path is not None and each.name in modalities and modalities[each.name].stem in ("rgb", "tok_rgb")
    ]
    return min(found, key=lambda each: modalities[each.name].kind != "pixels", default=None)


def look(given: Given, modalities: Mapping[str, Modality] = MODALITIES, over: Look | None = None) -> Look:
    """Opens what a condition names.

    Args:
        given: the condition.
        modalities: as the model sees them.
        over: of the picture that boxes belong to.
    """
    modality = modalities.get(given.name)
    if modality is None:
        return Look(problem="is no 4M modality")
    if modality.kind == "embeddings" and given.text is not None:
        return Look(lines=_lines(given.text), facts="embedded when it runs")
    from fourm_tui.conditions.loading import load_condition

    try:
        condition = load_condition(given, modalities, over.view if over else None)
        if condition.text is not None or modality.kind == "sequence":
            return _of_text(given, condition.text or "", modality, over)
        from fourm_tui.pictures.given import given_picture, hatched

        picture = given_picture(condition, modality)
    except InputError as error:
        return Look(problem=plain_problem(error, given), lines=_lines(given.text or ""))
    except MemoryError:
        return Look(problem="does not fit in memory")
    except Exception as error:  # whatever a file holds, it takes nothing else down
        return Look(problem=f"cannot be shown: {printable(error, 60)}", lines=_lines(given.text or ""))
    facts = _facts(given, modality, condition.tokens is not None, condition.vectors, condition.view)
    plain = picture
    if condition.known is not None:
        share = float(condition.known.mean())
        facts = f"{share:.0%} given" + (f", {facts}" if facts else "")
        if picture is not None and modality.grid is not None:
            picture = hatched(picture, condition.known, modality.grid)
    return Look(picture, modality.stem == "tok_semseg", (), (), facts, "", condition.view, plain)


def plain_problem(error: Exception, given: Given) -> str:
    """A message without the name of the condition and its file, which stand beside it."""
    message = str(error)
    for prefix in (f"-i {given.name}", ": " + printable(given.path) if given.path else ""):
        message = message.removeprefix(prefix)
    if given.mask:
        message = message.replace(printable(given.mask), printable(given.mask.name))
    return message.lstrip(":, ")


def _facts(given: Given, modality: Modality, tokens: bool, vectors: object, view: View | None) -> str:
    if vectors is not None:
        return f"embeddings of {len(vectors)} tokens"  # type: ignore[arg-type]
    if tokens:
        return f"{modality.max_tokens} tokens"
    if view is None:
        return ""
    said = f"{view.width} x {view.height}"
    if view.width != view.height:
        said += " padded" if view.has_padding else " cropped"
    return said + (f" as {given.reading}" if given.reading else "") + (f" {given.ids} ids" if given.ids else "")


def _lines(text: str) -> tuple[str, ...]:
    return tuple(printable(line, _MOST_TEXT) for line in text[:_MOST_TEXT].strip().splitlines())


def _of_text(given: Given, text: str, modality: Modality, over: Look | None) -> Look:
    """What a sequence looks like; `text` is the string that the model reads."""
    match given.name:
        case "det":
            return _boxes(text, over)
        case "color_palette":
            from fourm_tui.formats.palette import decode, to_hex

            colors = decode(text)
            return Look(lines=tuple(map(to_hex, colors)), colors=colors, facts=_many(len(colors), "colour"))
        case "metadata":
            from fourm_tui.pictures.texts import metadata_rows

            rows = metadata_rows(text)
            return Look(lines=tuple(f"{name}  {value}" for name, value in rows), facts=_many(len(rows), "fact"))
        case "caption":
            return Look(lines=_lines(text), facts="" if given.complete else "partly generated")
    return Look(lines=_lines(given.text or text)[:3], facts=modality.title.lower())


def _boxes(text: str, over: Look | None) -> Look:
    from fourm_tui.formats.boxes import decode

    boxes = decode(text)
    lines = tuple(printable(f"{b.label}  {b.x0:.2f} {b.y0:.2f} {b.x1:.2f} {b.y1:.2f}", 80) for b in boxes)
    return Look(boxes_picture(boxes, over), lines=lines, facts=_many(len(boxes), "box"))


def boxes_picture(boxes: Sequence[Box], over: Look | None) -> Image:
    """Boxes drawn over the picture that they belong to, else over nothing."""
    from fourm_tui.pictures.boxes import outlined

    return outlined(boxes, over.plain if over else None)


def _many(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "es" if what.endswith("x") else "s")
