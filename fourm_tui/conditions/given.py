"""Conditions: what a chain is conditioned on, as the user names it.

`NAME=VALUE`: for sequences the value is literal text and `@PATH` reads it from a file; for pictures, arrays and tokens
it is a path. After a path may stand, each parted by a comma:

    mask=PATH    which part is given (black) and which is generated (white)
    fit=crop     the central square of the picture (default), or `fit=pad`: all of it, black below or to the right
    as=photo     for edges: the picture is a photo; `as=edges` a map of edges, `as=drawing` black lines on white
    ids=model    for segmentation: class ids as the model counts them (0: none), not as COCO does (255: none)

T5 embeddings are a file (`.npz`, `.npy`, `.safetensors`), or a text whose embeddings are computed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from fourm_tui.conditions.files import read_text
from fourm_tui.errors import InputError, printable
from fourm_tui.formats.vocabulary import has_sentinel
from fourm_tui.modalities import MODALITIES, Modality, suggest

Fit = Literal["crop", "pad"]
Reading = Literal["photo", "edges", "drawing"]

_OPTION = re.compile(r",(mask|fit|as|ids)=")
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "fit": ("crop", "pad"),
    "as": ("photo", "edges", "drawing"),
    "ids": ("coco", "model"),
}
_ARRAYS = (".npz", ".npy", ".safetensors")


@dataclass(frozen=True)
class Given:
    """A condition as given, before its file is opened."""

    name: str
    text: str | None = None
    """The text of a sequence, or from which T5 embeddings are computed."""
    path: Path | None = None
    """The file of everything else, or the one that the text was read from."""
    mask: Path | None = None
    fit: Fit = "crop"
    reading: Reading | None = None
    """What a picture of edges is; None: found out (`edges.looks_like_edges`)."""
    ids: Literal["coco", "model"] | None = None
    """How class ids are counted; None: as COCO does, unless the model brings its own classes."""
    crop: tuple[int, int, int, int] | None = None
    """Top, left, height, width in pixels of what is taken of the picture; None: as `fit` says."""
    flip: bool = False
    """Mirrored left to right after cropping."""
    index: int = 0
    """Which of several: crops of a token file, captions of a list."""

    @property
    def options(self) -> dict[str, Any]:
        """How the file is taken, as far as that is not the default."""
        names = ("fit", "reading", "ids", "crop", "flip", "index")
        plain = Given(self.name)
        return {name: getattr(self, name) for name in names if getattr(self, name) != getattr(plain, name)}

    @property
    def complete(self) -> bool:
        """False where a mask or a sentinel `[S_1]` leaves a part to be generated."""
        return self.mask is None and not (self.text and has_sentinel(self.text))


def parse_conditions(arguments: Iterable[str], modalities: Mapping[str, Modality] = MODALITIES) -> dict[str, Given]:
    """The conditions in `NAME=VALUE` arguments, by name, in their order.

    Raises:
        InputError: an argument without `=`, an unknown name or option, a name given twice, a text file that cannot be
            read.
    """
    found: dict[str, Given] = {}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        name = name.strip()
        if not equals:
            raise InputError(f"-i {printable(argument)}: is to be NAME=VALUE, such as -i caption='a red fox'")
        if name not in modalities:
            meant = suggest(name, modalities)
            hint = f"did you mean {meant}?" if meant else "known are " + ", ".join(modalities)
            raise InputError(f"-i {printable(name)}: is no 4M modality ({hint})")
        if name in found:
            raise InputError(f"-i {name}: is given twice")
        found[name] = _given(modalities[name], value)
    return found


def _given(modality: Modality, value: str) -> Given:
    name = modality.name
    if modality.kind == "sequence" or (modality.kind == "embeddings" and not _is_array(value)):
        if not value.startswith("@"):
            return Given(name, text=value)
        path = Path(value[1:]).expanduser()
        return Given(name, text=read_text(path, f"-i {name}: {printable(path)}"), path=path)
    path_text, options = _options(value)
    mask = options.get("mask")
    if mask is not None and modality.kind != "image":
        raise InputError(f"-i {name}: takes no mask; only targets made of image tokens can be partly given")
    if "as" in options and modality.stem not in ("tok_canny_edge", "tok_sam_edge"):
        raise InputError(f"-i {name}: takes no `as=`; it says what a picture of edges is")
    if "ids" in options and modality.stem != "tok_semseg":
        raise InputError(f"-i {name}: takes no `ids=`; it says how the classes of a segmentation are counted")
    if not path_text or mask == "":
        raise InputError(f"-i {name}: names no file")
    for option, choices in _CHOICES.items():
        if option in options and options[option] not in choices:
            found = printable(options[option], 40)
            raise InputError(f"-i {name}: {option}={found} is to be one of {', '.join(choices)}")
    return Given(
        name,
        path=Path(path_text.removeprefix("@")).expanduser(),
        mask=Path(mask).expanduser() if mask else None,
        fit=cast(Fit, options.get("fit", "crop")),
        reading=cast("Reading | None", options.get("as")),
        ids=cast('Literal["coco", "model"] | None', options.get("ids")),
    )


def _options(value: str) -> tuple[str, dict[str, str]]:
    """A path, which may hold commas itself, and the options behind it."""
    path, *rest = _OPTION.split(value)
    options = dict(zip(rest[::2], rest[1::2], strict=True))
    if len(options) < len(rest) // 2:
        raise InputError(f"-i {printable(value)}: an option after the path is given twice")
    return path, options


def _is_array(value: str) -> bool:
    return _options(value)[0].lower().endswith(_ARRAYS)
