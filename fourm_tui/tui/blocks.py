"""Blocks of text among keys: what a terminal without bracketed paste makes of a paste. Without Textual's screens."""

from __future__ import annotations

from collections.abc import Iterable

from textual import events

LEAST = 24
"""Characters from which on a block is text. Who types ahead has fewer waiting, or the same ones again and again."""
_DIFFERENT = 8
GAP = 0.05
"""Seconds between two characters of a block: more than a terminal needs, less than a hand."""
_WRITTEN = {"enter": "\n", "ctrl+j": "\n", "tab": "\t"}


def written(event: events.Event) -> str:
    """The character that a key writes; empty if it writes none."""
    if not isinstance(event, events.Key):
        return ""
    return _WRITTEN.get(event.key) or (event.character if event.is_printable and event.character else "")


def block(waiting: Iterable[events.Event]) -> list[events.Key]:
    """The keys at the head that came in one go and are a text; none if they are commands."""
    found: list[events.Key] = []
    for event in waiting:
        if not written(event) or not isinstance(event, events.Key):
            break
        if found and event.time - found[-1].time > GAP:
            break
        found.append(event)
    text = [written(key) for key in found]
    letters = {each for each in text if each.isprintable()}
    return found if len(text) >= LEAST and len(letters) >= _DIFFERENT else []
