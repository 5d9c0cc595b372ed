"""A question with a few answers, each with a key of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from fourm_tui.tui.screens.dialog import Dialog


@dataclass(frozen=True)
class Choice:
    """An answer: the key that gives it, which is also what the dialog answers, and what it does."""

    key: str
    says: str


YES_NO = (Choice("y", "yes"), Choice("n", "no"))


class Confirm(Dialog[str]):
    """Asks. Answers the key of what was chosen; None for Escape, which changes nothing.

    Args:
        question: made printable before.
        choices: the first is what Enter takes.
        title: of the frame.
    """

    KEYS = "enter takes it   esc back"

    def __init__(self, question: str, choices: Sequence[Choice] = YES_NO, title: str = "a question") -> None:
        super().__init__()
        self.question, self.choices, self.heading = question, tuple(choices), title

    def content(self) -> ComposeResult:
        yield Static(Text(f"\n{self.question}\n", overflow="fold"))
        yield OptionList(
            *(Option(Text.assemble((f" {each.key} ", "bold"), f" {each.says}"), id=each.key) for each in self.choices),
            compact=True,
        )

    def on_mount(self) -> None:
        self.retitle(self.heading, self.KEYS)
        choices = self.query_one(OptionList)
        choices.highlighted = 0
        self.set_focus(choices)

    def on_key(self, event: events.Key) -> None:
        choices = self.query_one(OptionList)
        if event.character is not None and any(each.key == event.character for each in self.choices):
            event.stop()
            self.dismiss(event.character)
        elif event.key in ("j", "k"):
            event.stop()
            (choices.action_cursor_down if event.key == "j" else choices.action_cursor_up)()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)
