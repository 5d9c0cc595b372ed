"""Conditions: what a chain is conditioned on, as the user names it.

`NAME=VALUE`: for sequences the value is literal text and `@PATH` reads it from a file; for pictures, arrays and tokens
it is a path, and `,mask=PATH` after it says which part is given (white is generated).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fourm_tui.errors import InputError, printable
from fourm_tui.modalities import MODALITIES, Modality, suggest

_SENTINEL = re.compile(r"\[S_\d+\]")
_LARGEST_TEXT = 2**20


@dataclass(frozen=True)
class Given:
    """A condition as given, before its file is opened."""

    name: str
    text: str | None = None
    """The text of a sequence."""
    path: Path | None = None
    """The file of everything else."""
    mask: Path | None = None

    @property
    def complete(self) -> bool:
        """False where a mask or a sentinel `[S_1]` leaves a part to be generated."""
        return self.mask is None and not (self.text and _SENTINEL.search(self.text))


def parse_conditions(arguments: Iterable[str], modalities: Mapping[str, Modality] = MODALITIES) -> dict[str, Given]:
    """The conditions in `NAME=VALUE` arguments, by name, in their order.

    Raises:
        InputError: an argument without `=`, an unknown name, a name given twice, a text file that cannot be read.
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
    if modality.kind == "sequence":
        return Given(modality.name, text=_text(modality.name, value))
    path, comma, mask = value.partition(",mask=")
    if comma and modality.kind != "image":
        raise InputError(f"-i {modality.name}: takes no mask; only targets made of image tokens can be partly given")
    if not path or (comma and not mask):
        raise InputError(f"-i {modality.name}: names no file")
    return Given(modality.name, path=Path(path).expanduser(), mask=Path(mask).expanduser() if mask else None)


def _text(name: str, value: str) -> str:
    if not value.startswith("@"):
        return value
    path = Path(value[1:]).expanduser()
    try:
        if path.stat().st_size > _LARGEST_TEXT:
            raise InputError(f"-i {name}: {printable(path)} is larger than a text of 1 MiB")
        return path.read_text(encoding="utf-8-sig").strip()
    except UnicodeDecodeError:
        raise InputError(f"-i {name}: {printable(path)} is no text in UTF-8") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"-i {name}: {printable(path)} cannot be read: {reason}") from None
