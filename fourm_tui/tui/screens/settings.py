"""What can be set: each with what it does and what it is now; changed here, written into the file."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from fourm_tui.errors import FourmError, InputError, printable
from fourm_tui.tui.screens.dialog import Dialog
from fourm_tui.tui.settings import (
    CHOICES,
    Settings,
    explained,
    parse_setting,
    save_setting,
    settings_file,
    shown_setting,
)

_AT_START = ("ascii", "mouse", "graphics", "warm_engine", "runs")
"""What holds from the next start on."""


class SettingsScreen(Dialog[None]):
    """Every setting, editable."""

    TITLE, KEYS = "settings", "enter changes   backspace default   esc back"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "move(1)", show=False),
        Binding("k", "move(-1)", show=False),
        Binding("backspace,delete", "default", show=False),
    ]
    DEFAULT_CSS = """
    SettingsScreen > .frame { width: 96; }
    SettingsScreen OptionList { height: auto; background: $surface; }
    SettingsScreen Static { height: auto; margin-top: 1; }
    SettingsScreen .about { min-height: 3; }
    SettingsScreen .where { color: $text-muted; }
    SettingsScreen .problem { color: $error; display: none; }
    SettingsScreen Input { border: none; height: 1; padding: 0; background: $panel; display: none; margin-top: 1; }
    """

    def content(self) -> ComposeResult:
        yield OptionList(compact=True)
        yield Static(classes="about")
        yield Input(compact=True, select_on_focus=False)
        yield Static(classes="problem")
        yield Static(Text(f"written to {printable(settings_file())}, comments kept"), classes="where")

    def on_mount(self) -> None:
        self.about = explained()
        self.fill()
        self.set_focus(self.query_one(OptionList))

    @property
    def name_at_cursor(self) -> str:
        at = self.query_one(OptionList).highlighted or 0
        return str(self.query_one(OptionList).get_option_at_index(at).id)

    def fill(self) -> None:
        """Shows all values as they are now."""
        choices = self.query_one(OptionList)
        at = choices.highlighted or 0
        plain, now = Settings(), self.fourm.settings
        options = []
        for each in fields(Settings):
            value = getattr(now, each.name)
            own = value != getattr(plain, each.name)
            line = Text(f" {each.name:<14}", no_wrap=True, overflow="ellipsis")
            line.append(printable(shown_setting(value), 60) or "–", "bold" if own else "dim")
            options.append(Option(line, id=each.name))
        choices.clear_options()
        choices.add_options(options)
        choices.highlighted = at

    @on(OptionList.OptionHighlighted)
    def _explain(self, event: OptionList.OptionHighlighted) -> None:
        name = str(event.option.id)
        about = self.about.get(name, "") + ("" if name not in _AT_START else " (From the next start on.)")
        default = shown_setting(getattr(Settings(), name))
        self.query_one(".about", Static).update(Text.assemble(about, (f"\ndefault: {default or 'none'}", "dim")))
        self.say("")

    def say(self, problem: str) -> None:
        line = self.query_one(".problem", Static)
        line.update(Text(problem))
        line.display = bool(problem)

    @on(OptionList.OptionSelected)
    def _change(self, event: OptionList.OptionSelected) -> None:
        name = str(event.option.id)
        value = getattr(self.fourm.settings, name)
        choices = CHOICES.get(name)
        if name == "theme":
            self.app.run_worker(self.app.run_action("app.theme"))
        elif isinstance(value, bool):
            self.put(name, not value)
        elif choices:
            self.put(name, choices[(choices.index(value) + 1) % len(choices)] if value in choices else choices[0])
        else:
            field = self.query_one(Input)
            field.value = shown_setting(value)
            field.display = True
            self.set_focus(field)
            field.cursor_position = len(field.value)

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        try:
            value = parse_setting(self.name_at_cursor, event.value)
        except InputError as error:
            self.say(str(error))
            return
        self.put(self.name_at_cursor, value)
        self._close_field()

    def _close_field(self) -> None:
        self.query_one(Input).display = False
        self.set_focus(self.query_one(OptionList))

    def put(self, name: str, value: Any) -> None:
        """Sets a value and writes it."""
        try:
            save_setting(name, value)
        except FourmError as error:
            self.say(str(error))
            return
        self.fourm.take_settings(replace(self.fourm.settings, **{name: value}))
        self.fill()

    def action_default(self) -> None:
        name = self.name_at_cursor
        self.put(name, getattr(Settings(), name))
        self.fourm.theme = self.fourm.settings.theme

    def action_move(self, by: int) -> None:
        choices = self.query_one(OptionList)
        (choices.action_cursor_down if by > 0 else choices.action_cursor_up)()

    def on_screen_resume(self) -> None:
        if hasattr(self, "about"):
            self.fill()

    def action_leave(self) -> None:
        if self.query_one(Input).has_focus:
            self.say("")
            self._close_field()
        else:
            self.dismiss(None)
