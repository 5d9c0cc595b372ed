"""What is in a file: a picture, an array, the beginning of a text. Without Textual; call it beside the event loop."""

from __future__ import annotations

from pathlib import Path

from fourm_tui.errors import InputError, printable
from fourm_tui.modalities import PICTURES
from fourm_tui.tui.fits import ARRAYS, ending
from fourm_tui.tui.looks import Look

_SIDE = 512  # pixels to which a huge JPEG is decoded
_LINES, _BYTES = 60, 16_384
_TEXTS = (".txt", ".json", ".yaml", ".yml", ".md", ".csv", ".log", ".toml", ".py", "")


def file_look(path: Path) -> Look:
    """A file as a file, whatever it is to be used for."""
    found = ending(path)
    try:
        if path.is_dir():
            return Look()
        if found in ARRAYS:
            return _array(path)
        if found in _TEXTS:
            return _text(path)
        return _picture(path, found in PICTURES)
    except InputError as error:
        return Look(problem=str(error).lstrip(":, ").removeprefix("it "))
    except MemoryError:
        return Look(problem="does not fit in memory")
    except Exception as error:  # whatever a file holds, it takes nothing else down
        return Look(problem=f"cannot be shown: {printable(error, 60)}")


def size_of(path: Path) -> str:
    """`1.2 MB`."""
    try:
        size = float(path.stat().st_size)
    except (OSError, ValueError):
        return ""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return ""


def _picture(path: Path, expected: bool) -> Look:
    from PIL import Image

    from fourm_tui.conditions.files import open_file
    from fourm_tui.conditions.pictures import opened

    try:
        with open_file(path, "it") as file, Image.open(file) as header:
            mode, kind = header.mode, header.format
    except InputError:
        raise
    except Exception:  # decoders raise all sorts of things; `opened` says what is wrong
        if not expected:
            return Look(facts=f"{size_of(path)}, no picture or text")
        mode, kind = "", ""
    with opened(path, "it", _SIDE) as picture:
        facts = f"{picture.width} x {picture.height}  {mode} {kind}".rstrip()
        shown = picture.image.copy()
    shown.thumbnail((2 * _SIDE, 2 * _SIDE))
    return Look(shown, facts=f"{facts}  {size_of(path)}")


def _array(path: Path) -> Look:
    from fourm_tui.conditions.arrays import read_arrays

    found = read_arrays(path, "it", ("tokens", "emb", "embeddings"))
    lines = []
    for name, array in found.arrays.items():
        lines.append(f"{printable(name, 30)}  {array.dtype}  {list(array.shape)}")
        if array.size:
            lines.append(f"from {array.min():g} to {array.max():g}")
    lines += [f"{printable(key, 20)}: {printable(value, 60)}" for key, value in list(found.facts.items())[:8]]
    return Look(lines=tuple(lines), facts=size_of(path))


def _text(path: Path) -> Look:
    from fourm_tui.conditions.files import open_file

    with open_file(path, "it") as file:
        content = file.read(_BYTES)
    if b"\0" in content:
        return Look(facts=f"{size_of(path)}, no picture or text")
    lines = content.decode("utf-8", "replace").splitlines()[:_LINES]
    return Look(lines=tuple(printable(line.expandtabs(2), 200) for line in lines), facts=size_of(path))
