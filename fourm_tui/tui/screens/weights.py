"""Guidance of one row: one scale for all conditions, or a weight for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Static

from fourm_tui.errors import printable
from fourm_tui.tui.screens.dialog import Dialog

_ALL = "all together"


class Weights(Dialog[dict[str, float] | float]):
    """Answers a scale, or weights by name; None for Escape.

    Args:
        row: its number.
        names: conditions and earlier targets.
        now: what the row has.
    """

    KEYS = "up down move   enter takes it   esc back"
    DEFAULT_CSS = """
    Weights Horizontal { height: 1; }
    Weights .name { width: 28; }
    Weights Input { width: 14; border: none; height: 1; padding: 0; background: $surface-lighten-1; }
    Weights Input:focus { border: none; background: $panel-lighten-1; }
    Weights .says { height: auto; color: $text-muted; margin: 1 0; }
    Weights .wrong { height: auto; color: $error; }
    """

    def __init__(self, row: int, names: Sequence[str], now: Any) -> None:
        super().__init__()
        self.row, self.names, self.now = row, tuple(names), now

    def content(self) -> ComposeResult:
        says = "A scale for all conditions together; or a weight for each, where each is seen alone and none is empty."
        yield Static(says, classes="says")
        weights: Mapping[str, float] = self.now if isinstance(self.now, Mapping) else {}
        values = [_ALL, *self.names]
        for name in values:
            given = weights.get(name) if name != _ALL else (None if weights else self.now)
            with Horizontal():
                yield Static(Text(printable(name, 26)), classes="name")
                yield Input("" if given is None else f"{given:g}", compact=True, restrict=r"[-+.0-9e]*", max_length=12)
        yield Static("", classes="wrong")

    def on_mount(self) -> None:
        self.retitle(f"guidance of row {self.row}", self.KEYS)
        self.set_focus(self.query(Input).first())

    def on_key(self, event: events.Key) -> None:
        if event.key in ("up", "down"):
            event.stop()
            (self.focus_previous if event.key == "up" else self.focus_next)(Input)

    def on_input_changed(self, event: Input.Changed) -> None:
        """A scale for all and weights exclude each other: who types one empties the other."""
        inputs = list(self.query(Input))
        if not event.value or event.input is not self.focused:
            return
        for other in inputs[1:] if event.input is inputs[0] else inputs[:1]:
            other.value = ""

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        texts = [each.value.strip() for each in self.query(Input)]
        try:
            if texts[0]:
                self.dismiss(float(texts[0]))
                return
            weights = {name: float(text) for name, text in zip(self.names, texts[1:], strict=True) if text}
        except ValueError:
            self.query_one(".wrong", Static).update("a weight is a number such as 2.0 or -0.5")
            return
        if weights:
            self.dismiss(weights)
        else:
            self.query_one(".wrong", Static).update("write a scale (1.0 is no guidance) or at least one weight")
