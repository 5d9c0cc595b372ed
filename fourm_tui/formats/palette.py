"""Colour palettes: `v1=<number of colours>`, then `v0=<red> v0=<green> v0=<blue>` of each, 0 to 255."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from fourm_tui.errors import InputError, printable
from fourm_tui.formats.reading import looks_like_json, native_text, number, read_json
from fourm_tui.formats.vocabulary import content_words, value_of, value_word

Color: TypeAlias = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""

MOST = 7
"""Colours of the largest palette in training."""

_HEX = re.compile(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")


def encode(colors: Iterable[Sequence[float]]) -> str:
    """The colours as a string; numbers are rounded half to even.

    Raises:
        ValueError: there are none, or more than seven.
    """
    channels = [[min(max(channel, 0), 255) for channel in color] for color in colors]
    if not 1 <= len(channels) <= MOST:
        raise ValueError(f"a palette has 1 to {MOST} colours, not {len(channels)}")
    return " ".join([value_word(1, len(channels)), *(value_word(0, c) for color in channels for c in color)])


def decode(text: str) -> tuple[Color, ...]:
    """The colours in a generated string.

    Every three `v0` in a row are one; the count that the string begins with is not relied on. Channels above 255 are
    255; anything between the channels of a colour makes it none, and an incomplete last one is left out.
    """
    colors: list[Color] = []
    channels: list[int] = []
    for word in content_words(text):
        value = value_of(word)
        if value is None or value[0] != 0:
            channels = []
            continue
        channels.append(min(value[1], 255))
        if len(channels) == 3:
            colors.append((channels[0], channels[1], channels[2]))
            channels = []
    return tuple(colors)


def to_hex(color: Color) -> str:
    """`#ff8000`."""
    return "#{:02x}{:02x}{:02x}".format(*color)


def from_hex(text: str, where: str) -> Color:
    """A colour from `#ff8000` or `#f80`, with or without `#`.

    Raises:
        InputError: it is neither.
    """
    match = _HEX.fullmatch(text)
    if not match:
        raise InputError(f"{where}: {printable(text, 40)} is no colour; write it as #ff8000 or #f80")
    digits = match[1] if len(match[1]) == 6 else "".join(digit * 2 for digit in match[1])
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue


def native(text: str, where: str) -> str:
    """The string for what a person gives: a native one as it is, or everything that `read` takes."""
    given = native_text(text, where)
    return given if given is not None else encode(read(text, where))


def read(text: str, where: str) -> tuple[Color, ...]:
    """A palette that a person or a program wrote.

    Args:
        text: colours as `#ff8000` parted by blanks, commas or lines; or JSON, a list of such or of `[r, g, b]`, or a
            file of ml-4m, `[{"1": [...], ..., "7": [...]}]`, of which the largest palette counts.
        where: names the source in messages.

    Raises:
        InputError: a colour is none, or there are none or more than seven.
    """
    if looks_like_json(text):
        items = _items(read_json(text, where), where)
        colors = tuple(_color(item, f"{where}, colour {index}") for index, item in enumerate(items, start=1))
    else:
        words = re.split(r"[\s,;]+", text.strip(" \t\r\n,;"))
        colors = tuple(from_hex(word, where) for word in words if word)
    if not 1 <= len(colors) <= MOST:
        raise InputError(f"{where}: a palette has 1 to {MOST} colours, not {len(colors)}")
    return colors


def _items(data: Any, where: str) -> list[Any]:
    palettes = data[0] if isinstance(data, list) and len(data) == 1 else data
    if isinstance(palettes, Mapping):
        by_size = {int(key): value for key, value in palettes.items() if str(key).isdecimal()}
        data = by_size[max(by_size)] if by_size else None
    if not isinstance(data, list):
        raise InputError(f'{where}: is to be a list of colours such as ["#ff8000", [0, 128, 255]]')
    return data


def _color(item: Any, where: str) -> Color:
    if isinstance(item, str):
        return from_hex(item, where)
    if not isinstance(item, list) or len(item) != 3:
        raise InputError(f"{where}: is to be `#ff8000` or three numbers from 0 to 255")
    channels = [round(number(channel, where)) for channel in item]
    if not all(0 <= channel <= 255 for channel in channels):
        raise InputError(f"{where}: {printable(item, 40)} is to be three numbers from 0 to 255")
    return channels[0], channels[1], channels[2]
