"""Which key does what, with the user's own keys in place of those of the table. Without Textual."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fourm_tui.errors import printable
from fourm_tui.tui.actions import ACTIONS, PLACES, Action, actions_of, everywhere, shown_key

Keymap = Mapping[str, str]


def keys_of(action: Action, keymap: Keymap) -> str:
    """Textual's names of an action's keys, parted by commas."""
    return keymap.get(action.id, action.keys)


def shown_keys(action: Action, keymap: Keymap) -> str:
    """The keys as people write them."""
    return shown_key(keys_of(action, keymap))


def sections(place: str, keymap: Keymap) -> list[tuple[str, list[tuple[str, Action]]]]:
    """What can be done: where the focus is, then everywhere; a title, keys and actions each."""
    found = [(place, actions_of(place))] if place in PLACES and place != "app" else []
    found.append(("app", everywhere(place)))
    return [
        (PLACES[each], [(shown_keys(action, keymap), action) for action in actions])
        for each, actions in found
        if actions
    ]


def problems_of(keymap: Keymap) -> tuple[str, ...]:
    """What is wrong with the user's keys, a sentence each: actions that there are not, keys that mean two things."""
    known = {action.id for action in ACTIONS}
    unknown = [f"keys: there is no action {printable(id, 40)}; ? and : show all" for id in keymap if id not in known]
    return (*unknown, *_clashes(keymap))


def _clashes(keymap: Keymap) -> Iterator[str]:
    for place in PLACES:
        taken: dict[str, Action] = {}
        for action in actions_of(place):
            for key in keys_of(action, keymap).split(","):
                other = taken.setdefault(key.strip(), action)
                if other is not action and {other.id, action.id} & set(keymap):
                    yield f"keys: {shown_key(key)} is both {other.id} and {action.id}"
    everywhere = {key.strip(): action for action in actions_of("app") for key in keys_of(action, keymap).split(",")}
    for action in ACTIONS:
        if action.id in keymap and action.where not in ("app", "full", "history", "browser"):
            for key in keys_of(action, keymap).split(","):
                if key.strip() in everywhere:
                    yield f"keys: {shown_key(key)} is {action.id}, and hides {everywhere[key.strip()].id} there"
