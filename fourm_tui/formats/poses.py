"""Human poses: 39 words per person, `human`, a box, then pose, global orientation, camera and shape in any order.

Each group begins with its word. The parameters are those of SMPL (Loper et al. 2015) as HMR 2.0 predicts them (Goel et
al. 2023, arXiv:2305.20091); the body's pose stands as 8 tokens of its tokenizer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from fourm_tui.formats.vocabulary import (
    BINS,
    codebook_tokens,
    codebook_word,
    content_words,
    parts,
    value_word,
    values_of,
)

NOBODY = "none"
"""The string of a picture without people."""


@dataclass(frozen=True)
class _Scale:
    """How the numbers of a group become values: `v0 = round(factor * x + offset)`."""

    count: int
    factor: float = 1.0
    offset: float = 0.0

    def level(self, number: float) -> float:
        return self.factor * number + self.offset

    def number(self, level: int) -> float:
        return (level - self.offset) / self.factor


_SCALES: Mapping[str, _Scale] = MappingProxyType(
    {
        "pose": _Scale(8),
        "global": _Scale(9, 499.5, 499.5),
        "camera": _Scale(3, 49.95, 49.95),
        "shape": _Scale(10, 166.5, 499.5),
    }
)

GROUPS = tuple(_SCALES)
"""Words of the groups; training shuffled their order for every person."""

WORDS = 1 + 4 + sum(1 + scale.count for scale in _SCALES.values())
"""Words of a person: 39."""


@dataclass(frozen=True)
class Person:
    """A person in a picture."""

    box: tuple[float, float, float, float]
    """x0, y0, x1, y1 as parts of the picture, 0 to 1."""
    pose: tuple[int, ...]
    """8 tokens of the pose tokenizer, 0 to 1023."""
    orientation: tuple[float, ...]
    """The 3 x 3 rotation matrix of the whole body, row by row, each number from -1 to 1 (`global`)."""
    camera: tuple[float, ...]
    """Scale and translation of the weak-perspective camera in the box, 3 numbers, -1 to 19."""
    shape: tuple[float, ...]
    """10 shape parameters (betas), -3 to 3."""


def encode(people: Iterable[Person], order: Sequence[str] = GROUPS) -> str:
    """The people as a string, the groups of each in this order; numbers out of range become the nearest end of it.

    As in ml-4m the string ends with a blank; it is `none` without people.
    """
    return "".join(f"{' '.join(_words(person, order))} " for person in people) or NOBODY


def _words(person: Person, order: Sequence[str]) -> list[str]:
    words = ["human", *(value_word(axis, c * (BINS - 1)) for axis, c in enumerate(person.box))]
    numbers = {"global": person.orientation, "camera": person.camera, "shape": person.shape}
    for group in order:
        words.append(group)
        if group == "pose":
            words.extend(codebook_word(token) for token in person.pose)
        else:
            words.extend(value_word(0, _SCALES[group].level(number)) for number in numbers[group])
    return words


def decode(text: str) -> tuple[Person, ...]:
    """The people in a generated string; one whose groups are not all there in full (the last, if the string is cut off)
    is left out."""
    people = (_person(words[1:]) for words in parts(content_words(text), lambda word: word == "human"))
    return tuple(person for person in people if person)


def _person(words: list[str]) -> Person | None:
    box = values_of(words[:4], range(4))
    found = parts(words[4:], lambda word: word in GROUPS)
    groups = {group[0]: group[1:] for group in found}
    # The length says that nothing stands between the box and the groups, and that none comes twice.
    if box is None or len(words) != WORDS - 1 or set(groups) != set(GROUPS):
        return None
    if any(len(groups[name]) != scale.count for name, scale in _SCALES.items()):
        return None
    pose = codebook_tokens(groups["pose"])
    orientation, camera, shape = (_numbers(groups[name], _SCALES[name]) for name in ("global", "camera", "shape"))
    if pose is None or orientation is None or camera is None or shape is None:
        return None
    x0, y0, x1, y1 = (value / (BINS - 1) for value in box)
    return Person((x0, y0, x1, y1), pose, orientation, camera, shape)


def _numbers(words: list[str], scale: _Scale) -> tuple[float, ...] | None:
    levels = values_of(words, [0] * scale.count)
    return None if levels is None else tuple(scale.number(level) for level in levels)
