"""The keys as a table for the README: `python -m fourm_tui.tui.key_docs`."""

from __future__ import annotations

from fourm_tui.tui.actions import PLACES, actions_of
from fourm_tui.tui.keymap import shown_keys


def markdown() -> str:
    """A table of all keys, as they are unless the user chose others."""
    lines = ["| | key | | |", "|---|---|---|---|"]
    for place, title in PLACES.items():
        for number, action in enumerate(actions_of(place)):
            head = f"**{title}**" if number == 0 else ""
            keys = shown_keys(action, {}).replace("|", r"\|")
            lines.append(f"| {head} | `{keys}` | {action.title} | {action.help} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown())  # noqa: T201
