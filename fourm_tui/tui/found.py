"""What fits a few typed letters, the best first. Without Textual."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

_LEAST = 3
"""Letters of a word that is found in what is said of an entry; fewer are in nearly everything."""
_WORD = re.compile(r"[\w@.-]+")


@dataclass(frozen=True)
class Entry:
    """Something that can be found by its title, and less well by what else is said of it."""

    id: str
    title: str
    more: str = ""
    group: str = ""


@dataclass(frozen=True)
class Hit:
    """An entry that fits, and the letters of its title that were typed."""

    entry: Entry
    score: float
    at: tuple[int, ...] = ()


def found(entries: Sequence[Entry], text: str) -> list[Hit]:
    """The entries that fit, the best first; all of them in their order for no text."""
    wanted = text.strip().lower()
    if not wanted:
        return [Hit(entry, 0.0) for entry in entries]
    hits = [hit for entry in entries if (hit := _hit(entry, wanted))]
    return sorted(hits, key=lambda hit: -hit.score)  # stable: equals keep their order


def _hit(entry: Entry, wanted: str) -> Hit | None:
    at = match(wanted, entry.title.lower())
    if at is not None:
        return Hit(entry, 100 + score(entry.title.lower(), at), at)
    words = _WORD.findall(f"{entry.title} {entry.more} {entry.group}".lower())
    if all(len(part) >= _LEAST and any(word.startswith(part) for word in words) for part in wanted.split()):
        return Hit(entry, 0.0)
    return None


def match(wanted: str, text: str) -> tuple[int, ...] | None:
    """Where the letters of `wanted` stand in `text`, in their order: as a whole where it is there, else at the
    beginnings of words and next to each other if possible; None if they are not all there."""
    whole = text.find(wanted)
    if whole >= 0:
        return tuple(range(whole, whole + len(wanted)))
    wanted = wanted.replace(" ", "")
    best: tuple[int, ...] | None = None
    for start in (at for at, letter in enumerate(text) if wanted and letter == wanted[0]):
        at = _from(wanted, text, start)
        if at is not None and (best is None or score(text, at) > score(text, best)):
            best = at
    return best


def _from(wanted: str, text: str, start: int) -> tuple[int, ...] | None:
    places = [start]
    for letter in wanted[1:]:
        after = places[-1] + 1
        place = after if text[after : after + 1] == letter else _word_with(letter, text, after)
        if place < 0:
            return None
        places.append(place)
    return tuple(places)


def _word_with(letter: str, text: str, after: int) -> int:
    """The next word that begins with a letter, else the next place where it stands."""
    at = text.find(letter, after)
    first = at
    while at >= 0:
        if at == 0 or not text[at - 1].isalnum():
            return at
        at = text.find(letter, at + 1)
    return first


def score(text: str, at: Sequence[int]) -> float:
    """More for letters next to each other, at beginnings of words, early, in short texts."""
    together = sum(b == a + 1 for a, b in pairwise(at))
    beginnings = sum(place == 0 or not text[place - 1].isalnum() for place in at)
    return together + 1.5 * beginnings - 0.05 * at[0] - 0.01 * len(text)
