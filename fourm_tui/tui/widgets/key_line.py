"""The last line: what the keys do where the focus is, as many as there is room for. Dialogs tell their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.screen import Screen
from textual.widgets import Static

from fourm_tui.tui.actions import shown_key
from fourm_tui.tui.panes.pane import Pane

_FIRST, _ALWAYS = ("app.start",), ("app.help", "app.palette", "app.quit")
_GAP = 2


@dataclass(frozen=True)
class Key:
    """A key with what it does."""

    id: str
    """Of the action, where it has one in the table."""
    key: str
    """Textual's name."""
    title: str

    @property
    def shown(self) -> str:
        return shown_key(self.key)

    @property
    def width(self) -> int:
        return cell_len(self.shown) + 1 + cell_len(self.title)


def that_fit(keys: Sequence[Key], width: int) -> list[Key]:
    """Running comes first; help, palette and leaving last and always, the others as far as there is room."""
    ordered = sorted(keys, key=lambda key: key.id not in _FIRST)  # stable
    last = [key for key in ordered if key.id in _ALWAYS]
    room = width - sum(key.width + _GAP for key in last)
    found = []
    for key in ordered:
        if key not in last and key.width + _GAP <= room:
            room -= key.width + _GAP
            found.append(key)
    return found + last


class KeyLine(Static):
    """See the module. A click presses the key."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"keys--key", "keys--title"}
    DEFAULT_CSS = """
    KeyLine { height: 1; dock: bottom; padding: 0 1; background: $background; }
    KeyLine > .keys--key { color: $accent; text-style: bold; }
    KeyLine > .keys--title { color: $text-muted; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[Key] = []

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._changed)
        self.app.screen_change_signal.subscribe(self, lambda _: self.redraw())
        self.app.theme_changed_signal.subscribe(self, lambda _: self.draw())

    def _changed(self, screen: Screen[object]) -> None:
        if self.app.app_focus and screen is self.screen:
            self.redraw()

    def on_resize(self, event: events.Resize) -> None:
        self.redraw()

    def redraw(self) -> None:
        """Finds the keys of what has the focus, and draws them if they are others."""
        found: dict[str, Key] = {}
        is_on_top = self.app.screen is self.screen
        for active in self.screen.active_bindings.values() if is_on_top else ():
            binding, title = active.binding, active.binding.description
            if isinstance(active.node, Pane):
                title = active.node.offers(binding.action, title)
            if binding.show and active.enabled and title:
                found.setdefault(binding.action, Key(binding.id or "", binding.key, title))
        keys = that_fit(list(found.values()), self.size.width)
        if keys != self.keys:
            self.keys = keys
            self.draw()

    def draw(self) -> None:
        key_style, style = (self.get_component_rich_style(f"keys--{name}") for name in ("key", "title"))
        line = Text(no_wrap=True, overflow="ellipsis")
        for key in self.keys:
            line.append(" " * _GAP if line else "")
            line.append(key.shown, key_style)
            line.append(f" {key.title}", style)
        self.update(line, layout=False)

    def on_click(self, event: events.Click) -> None:
        at = 1
        for key in self.keys:
            if at <= event.x < at + key.width:
                self.app.simulate_key(key.key)
                return
            at += key.width + _GAP
