"""Sixel and kitty's protocol: a picture as one string to be written at the place of its upper left corner.

Neither string moves the cursor for good, and neither needs an answer. The rows have to be there already: a picture that
reaches below the last line would scroll what it is drawn on.
"""

from __future__ import annotations

import base64
import io
import re
import secrets

from PIL import Image

from fourm_tui.terminal.blocks import opaque
from fourm_tui.terminal.choice import Choice

SIXEL_COLOURS = (64, 24, 8)
"""Colours of a picture in sixels; the fewer ones for pictures as busy as noise, which would take too many bytes."""
SIXEL_BYTES_PER_PIXEL, SIXEL_BYTES_AT_LEAST = 0.625, 50_000
"""How many bytes are too many: 100 KB for 400 x 400 pixels."""
KITTY_BYTES = 130_000
"""Most bytes of a picture in kitty's protocol; a larger one is made smaller, and kitty enlarges it again."""
_SIXEL_HEAD = re.compile(r'\x1bP[\d;]*q"[\d;]*')
_DEFINITION = re.compile(r"#(\d+);2;\d+;\d+;\d+")
_CHUNK = 4096  # bytes of base64 that kitty's protocol allows in one piece
_BAND = 6  # rows of pixels that one line of sixels draws


def graphic(picture: Image.Image, columns: int, rows: int, choice: Choice, *, crisp: bool = False) -> str:
    """A picture that fills `columns` x `rows` cells, as the protocol of the choice draws it.

    Args:
        picture: of any mode; what is transparent is seen on black.
        columns: width in cells.
        rows: height in cells.
        choice: `sixel` or `kitty`, and the size of a cell.
        crisp: it is sampled, not averaged: label maps and maps of few cells.
    """
    if choice.protocol == "sixel":
        return sixel(picture, columns, rows, choice.cell, crisp=crisp)
    return kitty(picture, columns, rows, choice.cell, crisp=crisp)


def sixel(picture: Image.Image, columns: int, rows: int, cell: tuple[int, int], *, crisp: bool = False) -> str:
    """The escape string of a picture in sixels, made to size first. The cursor is put back."""
    from textual_image._sixel import image_to_sixels

    # Only whole lines of sixels: half of one would reach into the row below.
    width, height = columns * cell[0], max(rows * cell[1] // _BAND, 1) * _BAND
    shown = _resized(opaque(picture), (width, height), crisp)
    data = ""
    for most in (256,) if crisp else SIXEL_COLOURS:
        data = _defined_first(image_to_sixels(_few_colours(shown, most)))
        if len(data) <= max(SIXEL_BYTES_PER_PIXEL * width * height, SIXEL_BYTES_AT_LEAST):
            break
    return f"\x1b7{data}\x1b8"


def _defined_first(sixels: str) -> str:
    """The same sixels with all colours defined at their beginning.

    textual-image defines a colour where it is used first; to xterm that does not also select it.
    """
    head = _SIXEL_HEAD.match(sixels)
    if head is None:
        return sixels
    body = sixels[head.end() :]
    definitions = "".join(found.group() for found in _DEFINITION.finditer(body))
    return head.group() + definitions + _DEFINITION.sub(r"#\1", body)


def kitty(
    picture: Image.Image,
    columns: int,
    rows: int,
    cell: tuple[int, int],
    *,
    crisp: bool = False,
    number: int | None = None,
) -> str:
    """The escape string of a picture in kitty's protocol, at its own resolution, which the terminal enlarges.

    Args:
        picture, columns, rows, cell, crisp: as for `graphic`.
        number: by which `delete_kitty` deletes it; None takes one at random.
    """
    target = columns * cell[0], rows * cell[1]
    shown = opaque(picture)
    if crisp:
        shown = _resized(shown, target, True)  # kitty smoothes what it enlarges
    elif shown.width > target[0] or shown.height > target[1]:
        shown = _resized(shown, (min(shown.width, target[0]), min(shown.height, target[1])), False)
    data = _encoded(shown)
    while len(data) > KITTY_BYTES and min(shown.size) > 16:
        scale = (KITTY_BYTES / len(data)) ** 0.5 * 0.95
        shown = _resized(shown, (max(1, int(shown.width * scale)), max(1, int(shown.height * scale))), crisp)
        data = _encoded(shown)
    number = number or new_number()
    pieces = [data[start : start + _CHUNK] for start in range(0, len(data), _CHUNK)]
    first = f"a=T,f=100,i={number},c={columns},r={rows},C=1,q=2,"
    return "".join(
        f"\x1b_G{first if place == 0 else 'q=2,'}m={int(place + 1 < len(pieces))};{piece}\x1b\\"
        for place, piece in enumerate(pieces)
    )


def delete_kitty(number: int) -> str:
    """The escape string that removes a picture from the screen and from the terminal's memory."""
    return f"\x1b_Ga=d,d=I,i={number},q=2\x1b\\"


def new_number() -> int:
    """A number for a picture that hardly any other has: pictures of one number replace each other."""
    return secrets.randbelow(2**24 - 1) + 1


def _encoded(picture: Image.Image) -> str:
    file = io.BytesIO()
    _few_colours(picture, 256).save(file, "PNG", optimize=False, compress_level=9)
    return base64.standard_b64encode(file.getvalue()).decode("ascii")


def _few_colours(picture: Image.Image, most: int) -> Image.Image:
    """A palette of at most `most` colours: exactly its own if it has no more."""
    own = picture.getcolors(most)
    if own is not None:
        palette = Image.new("P", (1, 1))
        palette.putpalette([channel for _, colour in own for channel in colour])  # type: ignore[union-attr]
        return picture.quantize(palette=palette, dither=Image.Dither.NONE)
    return picture.quantize(most, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def _resized(picture: Image.Image, size: tuple[int, int], crisp: bool) -> Image.Image:
    if picture.size == size:
        return picture
    if crisp:
        return picture.resize(size, Image.Resampling.NEAREST)
    smaller = size[0] < picture.width
    return picture.resize(size, Image.Resampling.LANCZOS if smaller else Image.Resampling.BICUBIC, reducing_gap=2.0)
