"""SAM instances: per query point `point v0=<y> v1=<x>`, then for every instance under it `polygon`, its box and 16
tokens of the instance tokenizer, or `none`. Coordinates are pixels of the 224 x 224 picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fourm_tui.formats.vocabulary import codebook_tokens, codebook_word, content_words, parts, value_word, values_of

TOKENS = 16
"""Tokens of an instance's mask: 4 x 4, row by row."""


@dataclass(frozen=True)
class Instance:
    """One mask; a generated box may reach beyond the picture."""

    box: tuple[int, int, int, int]
    """x0, y0, x1, y1 in pixels, x0 < x1 and y0 < y1."""
    tokens: tuple[int, ...]
    """16 tokens, 0 to 1023."""


@dataclass(frozen=True)
class Query:
    """A point and the instances that it lies in."""

    x: int
    y: int
    instances: tuple[Instance, ...] = ()


def encode(queries: Iterable[Query]) -> str:
    """The queries as a string, in their order (training shuffled points, and instances of a point)."""
    words: list[str] = []
    for query in queries:
        # y stands in v0 here, while boxes begin with x.
        words += ["point", value_word(0, query.y), value_word(1, query.x)]
        for instance in query.instances:
            words += ["polygon", *(value_word(axis, c) for axis, c in enumerate(instance.box))]
            words += [codebook_word(token) for token in instance.tokens]
        if not query.instances:
            words.append("none")
    return " ".join(words)


def decode(text: str) -> tuple[Query, ...]:
    """The queries in a generated string.

    An instance without four box values in order and exactly 16 tokens, or with an empty box, is left out; so is a
    point without its two coordinates, together with its instances.
    """
    queries = []
    for words in parts(content_words(text), lambda word: word == "point"):
        point = values_of(words[1:3], (0, 1))
        if point:
            found = (_instance(part[1:]) for part in parts(words[3:], lambda word: word == "polygon"))
            queries.append(Query(point[1], point[0], tuple(instance for instance in found if instance)))
    return tuple(queries)


def _instance(words: list[str]) -> Instance | None:
    corners, tokens = values_of(words[:4], range(4)), codebook_tokens(words[4:])
    if corners is None or tokens is None or len(tokens) != TOKENS:
        return None
    x0, y0, x1, y1 = corners
    return Instance((x0, y0, x1, y1), tokens) if x0 < x1 and y0 < y1 else None
