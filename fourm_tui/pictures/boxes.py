"""Bounding boxes drawn over a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageDraw

from fourm_tui.formats.boxes import Box
from fourm_tui.pictures.coco import NAMES
from fourm_tui.pictures.labels import brightened, color_of
from fourm_tui.pictures.lettering import CARD, clean, font, shortened
from fourm_tui.pictures.placed import WHOLE, Placed

DRAWN = 448
"""Pixels of the shorter side that a picture is enlarged to, so that labels can be read."""

Corners = tuple[int, int, int, int]


def pixel_corners(box: Box, width: int, height: int) -> Corners:
    """x0, y0, x1, y1 in pixels, cut to whole ones."""
    return int(box.x0 * width), int(box.y0 * height), int(box.x1 * width), int(box.y1 * height)


def canvas(over: Image.Image | None, least: int = DRAWN, dim: float = 0.0) -> Image.Image:
    """The picture to draw on: that given, in RGB, enlarged and darkened by the part `dim`; an empty one without it."""
    if over is None:
        return Image.new("RGB", (least, least), CARD)
    picture = over.convert("RGB")
    factor = least / min(picture.size)
    if factor > 1:
        size = round(picture.width * factor), round(picture.height * factor)
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    return Image.blend(picture, Image.new("RGB", picture.size), dim) if dim else picture.copy()


def drawn(boxes: Sequence[Box], over: Image.Image | None = None) -> Image.Image:
    """The boxes with their labels, the same colour for the same label, over a picture or an empty one."""
    image = canvas(over)
    width, height = image.size
    draw = ImageDraw.Draw(image)
    unit = min(width, height) / 448
    line, letters = max(2, round(2.5 * unit)), font(round(15 * unit))
    by_area = sorted(boxes, key=lambda box: -abs((box.x1 - box.x0) * (box.y1 - box.y0)))
    for box in by_area:
        x0, y0, x1, y1 = _upright(pixel_corners(box, width - 1, height - 1))
        draw.rectangle((x0 - 1, y0 - 1, x1 + 1, y1 + 1), outline="#101216", width=line + 2)
        draw.rectangle((x0, y0, x1, y1), outline=label_color(box.label), width=line)
    taken: list[Corners] = []
    for box in by_area:  # all labels above all lines
        taken.append(_tag(draw, box, image.size, letters, unit, taken))
    return image


def outlined(boxes: Sequence[Box], over: Image.Image | None = None, line: float = 0.025) -> Image.Image:
    """The boxes without their labels, in lines that are still seen where the picture is drawn in few cells.

    Args:
        line: width of the lines as a part of the shorter side.
    """
    image = canvas(over)
    width, height = image.size
    draw = ImageDraw.Draw(image)
    thick = max(2, round(min(width, height) * line))
    for box in sorted(boxes, key=lambda box: -abs((box.x1 - box.x0) * (box.y1 - box.y0))):
        draw.rectangle(_upright(pixel_corners(box, width - 1, height - 1)), outline=label_color(box.label), width=thick)
    return image


def _tag(
    draw: ImageDraw.ImageDraw, box: Box, size: tuple[int, int], letters: Any, unit: float, taken: Sequence[Corners]
) -> Corners:  # fmt: skip
    width, height = size
    x0, y0, _, y1 = _upright(pixel_corners(box, width - 1, height - 1))
    pad, tall = round(5 * unit), round(21 * unit)
    text = shortened(clean(box.label), letters, width * 0.6)
    wide = round(letters.getlength(text)) + 2 * pad
    left = max(0, min(x0, width - wide))
    # Above the box, else inside it at the top, else at its bottom, else wherever is room below.
    places = [y0 - tall, y0, y1 - tall, *range(y0 + tall, max(y0 + tall, height - tall), tall)]
    spots = [(left, y, left + wide, y + tall) for y in places if 0 <= y <= height - tall]
    spots = spots or [(left, 0, left + wide, tall)]
    spot = next((s for s in spots if not any(_overlap(s, other) for other in taken)), spots[0])
    color = label_color(box.label)
    draw.rectangle(spot, fill=color)
    luminance = 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]
    ink = "#101216" if luminance > 120 else "#ffffff"
    draw.text((spot[0] + pad, (spot[1] + spot[3]) / 2), text, ink, letters, anchor="lm")
    return spot


def _overlap(a: Corners, b: Corners) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _upright(corners: Corners) -> Corners:
    x0, y0, x1, y1 = corners
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def label_color(label: str) -> tuple[int, int, int]:
    """The colour of a label: COCO's, made bright enough to be seen on a dark picture."""
    index = NAMES.index(label) if label in NAMES else 1 + sum(label.encode("utf-8", "replace"))
    return brightened(color_of(index, () if label in NAMES else ("none",)))


def as_data(boxes: Sequence[Box], placed: Placed = WHOLE) -> list[dict[str, Any]]:
    """The boxes for JSON, as they can be given as a condition: `[{label, box: [x0, y0, x1, y1]}]`, parts of the picture
    that `placed` names, held within it. Empty ones, and those in the padding alone, are left out."""
    found = []
    for box in boxes:
        corners = (*placed.inside(box.x0, box.y0), *placed.inside(box.x1, box.y1))
        x0, y0, x1, y1 = (round(min(max(corner, 0.0), 1.0), 4) for corner in corners)
        if x0 < x1 and y0 < y1:
            found.append({"label": box.label, "box": [x0, y0, x1, y1]})
    return found
