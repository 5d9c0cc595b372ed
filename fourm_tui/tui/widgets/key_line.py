"""The last line: what the keys do where the focus is, as many as there is room for. Dialogs tell their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.screen import Screen
from textual.widgets import Static

from fourm_tui.tui.actions import shown_key
from fourm_tui.tui.panes.pane import Pane

if TYPE_CHECKING:
    from fourm_tui.tui.app import FourmApp

_FIRST, _ALWAYS = ("app.cancel", "app.start"), ("app.help", "app.palette", "app.quit")
_THEN = ("app.full", "app.save", "app.history", "app.open", "app.undo", "app.sweep", "app.compare")
"""Of what can be done everywhere, by how often it is wanted; before it the first keys of the place."""
_OF_PLACE = 2
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
    """The most wanted ones for which there is room: cancelling and running first; help, palette and leaving last and
    always; between them the keys of the place and then those of everywhere."""
    everywhere = (*_FIRST, *_THEN, *_ALWAYS)
    of_place = [key for key in keys if key.id not in everywhere]
    order = [*_by_id(keys, _FIRST), *of_place, *_by_id(keys, _THEN)]
    wanted = [*_by_id(keys, _FIRST), *of_place[:_OF_PLACE], *_by_id(keys, _THEN[:3]), *of_place[_OF_PLACE:], *order]
    last = _by_id(keys, _ALWAYS)
    room = width - sum(key.width + _GAP for key in last)
    found: list[Key] = []
    for key in wanted:
        if key not in found and key.width + _GAP <= room:
            room -= key.width + _GAP
            found.append(key)
    return [key for key in order if key in found] + last


def _by_id(keys: Sequence[Key], ids: Sequence[str]) -> list[Key]:
    return [key for id in ids for key in keys if key.id == id]


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
        self._now: tuple[str, ...] = ()
        """Actions that are offered because of what there is just now."""

    def on_mount(self) -> None:
        app = cast("FourmApp", self.app)
        for signal in (app.run_signal, app.queue_signal):
            signal.subscribe(self, lambda _: self.call_later(self._look))  # after those who hear of it, too
        self.screen.bindings_updated_signal.subscribe(self, self._changed)
        self.app.screen_change_signal.subscribe(self, lambda _: self.redraw())
        self.app.theme_changed_signal.subscribe(self, lambda _: self.draw())

    def _changed(self, screen: Screen[object]) -> None:
        if self.app.app_focus and screen is self.screen:
            self.redraw()

    def on_resize(self, event: events.Resize) -> None:
        self.redraw()

    def _look(self) -> None:
        now = cast("FourmApp", self.app).offered_now
        if now != self._now:
            self.redraw()

    def redraw(self) -> None:
        """Finds the keys of what has the focus, and draws them if they are others."""
        found: dict[str, Key] = {}
        is_on_top = self.app.screen is self.screen
        self._now = now = cast("FourmApp", self.app).offered_now
        for active in self.screen.active_bindings.values() if is_on_top else ():
            binding, title = active.binding, active.binding.description
            if isinstance(active.node, Pane):
                title = active.node.offers(binding.action, title)
            if (binding.show or binding.id in now) and active.enabled and title:
                found.setdefault(binding.action, Key(binding.id or "", binding.key, title))
        keys = that_fit(list(found.values()), self.size.width)
        meanwhile = getattr(self.screen.focused, "keys_meanwhile", ()) if is_on_top else ()
        if meanwhile:  # all keys go into what is open there
            keys = [Key("", key, title) for key, title in meanwhile]
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
