"""PNG files that carry facts about what is in them: text chunks, written and read."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from pathlib import Path

from PIL import Image, PngImagePlugin, UnidentifiedImageError

from fourm_tui.errors import InputError, printable

PREFIX = "fourm_tui."
"""Begins the keys of our chunks, so that they are told from those of other programs."""
_LONG = 400  # characters from which a chunk is compressed
_LEVEL = 3  # of compression, 0 to 9: the highest makes files a seventh smaller in three times the time or more


def png_bytes(picture: Image.Image, facts: Mapping[str, str] | None = None) -> bytes:
    """A picture as the bytes of a PNG file with facts: names of Latin letters (at most 60) and texts of any kind."""
    chunks = PngImagePlugin.PngInfo()
    for name, text in (facts or {}).items():
        whole = text.encode("utf-8", "backslashreplace").decode("utf-8")
        chunks.add_itxt(PREFIX + name, whole, zip=len(whole) > _LONG)
    file = io.BytesIO()
    picture.save(file, "PNG", pnginfo=chunks, compress_level=_LEVEL)
    return file.getvalue()


def read_facts(png: Path | bytes) -> dict[str, str]:
    """The facts in a PNG file; empty if it carries none of ours. Its pixels are not decoded.

    Raises:
        InputError: it cannot be read, or is no PNG file.
    """
    where = "the picture" if isinstance(png, bytes) else printable(png)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(png) if isinstance(png, bytes) else png, formats=("PNG",)) as picture:
                info = dict(picture.info)
    except FileNotFoundError:
        raise InputError(f"{where}: no such file") from None
    except UnidentifiedImageError:
        raise InputError(f"{where}: is no PNG file, so it carries no facts about its making") from None
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        reason = getattr(error, "strerror", None) or printable(error, 100)
        raise InputError(f"{where}: cannot be read: {reason}") from None
    return {
        key.removeprefix(PREFIX): str(value)
        for key, value in info.items()
        if isinstance(key, str) and key.startswith(PREFIX)
    }
