"""Facts about a picture and its caption: `v1=<type> v0=<value>` for each, values counted or sorted into bins.

Types, ranges and bins are those of ml-4m (`fourm/data/modality_transforms.py`, MetadataTransform). Decoding deviates:
there a binned value comes back up to two bins too low; here as the middle of its bin, which encodes to the same bin.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Literal

from fourm_tui.errors import InputError, printable
from fourm_tui.formats.reading import entries, looks_like_json, native_text, number, read_json
from fourm_tui.formats.vocabulary import BINS, content_words, parts, value_of, value_word, values_of

Rule = Literal["image_dim", "int", "min_max_bins", "manual_bins"]
"""`image_dim`: pixels in steps of 32. `int`: a count. `min_max_bins`: equal bins between two values, the last of which
holds the greatest value alone. `manual_bins`: bins between bounds."""

PIXEL_STEP = 32


@dataclass(frozen=True)
class MetadataType:
    """One kind of fact."""

    name: str
    rule: Rule
    unit: str = ""
    """Of its values as given and decoded; empty for a plain number."""
    vmin: float = 0
    vmax: float = 0
    """The range of `min_max_bins`; values outside count as its ends."""
    bins: int = 50
    bounds: tuple[float, ...] = ()
    """Of `manual_bins`: a value belongs to the bin after the last bound that it reaches."""


def _bins(name: str, vmax: float) -> MetadataType:
    return MetadataType(name, "min_max_bins", vmax=vmax)


_TYPES = (
    MetadataType("original_width", "image_dim", "px"),
    MetadataType("original_height", "image_dim", "px"),
    MetadataType("caption_n_chars", "int", "characters"),
    MetadataType("caption_n_words", "int", "words"),
    MetadataType("caption_n_sentences", "int", "sentences"),
    MetadataType("n_humans", "int", "people"),
    MetadataType("n_sam_instances", "int", "instances"),
    MetadataType("n_coco_instances", "int", "instances"),
    MetadataType("coco_instance_diversity", "int", "classes"),
    _bins("colorfulness", 150),
    _bins("brightness", 255),
    _bins("contrast", 127),
    _bins("saturation", 255),
    _bins("entropy", 10),
    _bins("walkability", 1),
    _bins("objectness", 1),
    MetadataType("semantic_diversity", "int", "classes"),
    _bins("geometric_complexity", 0.75),
    _bins("occlusion_score", 0.25),
    MetadataType("watermark_score", "manual_bins", bounds=(0.5,)),
    MetadataType("aesthetic_score", "manual_bins", bounds=(4.5, 5.5)),
)

TYPES: Mapping[str, MetadataType] = MappingProxyType({kind.name: kind for kind in _TYPES})
"""All types by name; the number of a type in the string is its place here."""

_IDS = {name: index for index, name in enumerate(TYPES)}
_ENTRY = re.compile(r"([^:=]+)[:=](.+)", re.DOTALL)


def encode(values: Mapping[str, float]) -> str:
    """The string of values by the names of their types, in their order (training shuffled it).

    Raises:
        KeyError: there is no such type.
    """
    return " ".join(f"{value_word(1, _IDS[name])} {value_word(0, quantize(name, v))}" for name, v in values.items())


def quantize(name: str, value: float) -> int:
    """The number of a value in the string, 0 to 999."""
    kind = TYPES[name]
    match kind.rule:
        case "image_dim":
            level = int(value // PIXEL_STEP)
        case "int":
            level = int(value)
        case "manual_bins":
            level = sum(value >= bound for bound in kind.bounds)
        case "min_max_bins":
            held = max(kind.vmin, min(value, kind.vmax))
            level = int((held - kind.vmin) / (kind.vmax - kind.vmin) * (kind.bins - 1))
    return max(0, min(level, BINS - 1))


def dequantize(name: str, level: int) -> float:
    """The value that a number in the string stands for: pixels at the lower end of their step, a count, the index of a
    manual bin (`describe` says what it means), or the middle of an equal bin (of the last one: the greatest value)."""
    kind = TYPES[name]
    match kind.rule:
        case "image_dim":
            return level * PIXEL_STEP
        case "int" | "manual_bins":
            return level
        case "min_max_bins":
            return min((kind.vmax - kind.vmin) * (level + 0.5) / (kind.bins - 1) + kind.vmin, float(kind.vmax))


def decode(text: str) -> dict[str, float]:
    """The values in a generated string by name, in the order of `TYPES`; of several of a type the last one.

    A type counts only if exactly one value follows it; everything else is left out.
    """
    found: dict[str, float] = {}
    for words in parts(content_words(text), lambda word: (value_of(word) or (None,))[0] == 1):
        pair = values_of(words, (1, 0))
        if pair and pair[0] < len(_TYPES):
            name = _TYPES[pair[0]].name
            found[name] = dequantize(name, pair[1])
    return {name: found[name] for name in TYPES if name in found}


def describe(name: str, value: float) -> str:
    """A decoded value for people: `1024 px`, `42.9`, `4.5 to 5.5`."""
    kind = TYPES[name]
    if kind.rule == "manual_bins":
        index = min(int(value), len(kind.bounds))
        if index == 0:
            return f"below {kind.bounds[0]:g}"
        if index == len(kind.bounds):
            return f"{kind.bounds[-1]:g} or more"
        return f"{kind.bounds[index - 1]:g} to {kind.bounds[index]:g}"
    return f"{value:.3g} {kind.unit}".rstrip() if kind.rule == "min_max_bins" else f"{value:g} {kind.unit}"


def native(text: str, where: str) -> str:
    """The string for what a person gives: a native one as it is, or everything that `read` takes."""
    given = native_text(text, where)
    return given if given is not None else encode(read(text, where))


def read(text: str, where: str) -> dict[str, float]:
    """Values that a person or a program wrote.

    Args:
        text: `name: value` or `name=value`, parted by lines, commas or `;`; or a JSON object. Scores are given as
            scores (`aesthetic_score: 5.2`), not as bins.
        where: names the source in messages.

    Raises:
        InputError: an unknown name, a name given twice, a value that is no number or no whole number where one counts.
    """
    if looks_like_json(text):
        data = read_json(text, where)
        if not isinstance(data, Mapping):
            raise InputError(f'{where}: is to be an object such as {{"original_width": 1024}}')
        rows = [(str(name), value, where) for name, value in data.items()]
    else:
        rows = [_row(entry, f"{where}, entry {index}") for index, entry in entries(text, "\n,;")]
    values: dict[str, float] = {}
    for given, value, place in rows:
        name = _known(given, place)
        if name in values:
            raise InputError(f"{place}: {name} is given twice")
        values[name] = number(value, f"{place}: {name}")
        if TYPES[name].rule == "int" and values[name] != int(values[name]):
            raise InputError(f"{place}: {name}: {printable(value, 40)} is no whole number of {TYPES[name].unit}")
    if not values:
        raise InputError(f"{where}: holds no metadata; write them as `original_width: 1024`")
    return values


def _row(entry: str, where: str) -> tuple[str, Any, str]:
    match = _ENTRY.fullmatch(entry)
    if not match:
        raise InputError(f"{where}: {printable(entry, 60)} is to be `name: value`, such as `original_width: 1024`")
    return match[1].strip(), match[2].strip(), where


def _known(given: str, where: str) -> str:
    name = re.sub(r"[\s-]+", "_", given.strip().lower())
    if name not in TYPES:
        close = get_close_matches(name, TYPES, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(TYPES)}"
        raise InputError(f"{where}: {printable(given, 40)} is no metadata type; {hint}")
    return name
