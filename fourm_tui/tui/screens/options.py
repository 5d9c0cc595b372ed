"""What is chosen for a run beside its schedule, as a form: each option with what it is now and what it does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from fourm_tui.errors import FourmError, InputError
from fourm_tui.tui.found import Entry
from fourm_tui.tui.run_options import (
    CYCLED,
    OFF,
    RUN_OPTIONS,
    is_own,
    next_option,
    put_option,
    read_option,
    run_option,
    shown,
    sr_schedules,
)
from fourm_tui.tui.screens.choose import Choose
from fourm_tui.tui.screens.dialog import Dialog
from fourm_tui.tui.settings import save_setting
from fourm_tui.tui.widgets.filtered_list import Row


class Options(Dialog[None]):
    """Changes hold at once, and each can be undone."""

    TITLE, KEYS = "options of the run", "enter changes   left right step   esc back"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "move(1)", show=False), Binding("k", "move(-1)", show=False),
        Binding("right,l,plus", "step(1)", show=False), Binding("left,h,minus", "step(-1)", show=False),
    ]  # fmt: skip
    DEFAULT_CSS = """
    Options OptionList { height: auto; background: $surface; }
    Options Static { height: auto; margin-top: 1; }
    Options .about { min-height: 2; color: $text-muted; }
    Options .problem { color: $error; display: none; }
    Options Input { border: none; height: 1; padding: 0; background: $panel; display: none; margin-top: 1; }
    """

    def content(self) -> ComposeResult:
        yield OptionList(compact=True)
        yield Input(compact=True)
        yield Static(classes="problem")
        yield Static(classes="about")

    def on_mount(self) -> None:
        super().on_mount()
        self.fill()
        self.set_focus(self.query_one(OptionList))

    @property
    def at(self) -> str:
        """Name of the option under the cursor."""
        choices = self.query_one(OptionList)
        return str(choices.get_option_at_index(choices.highlighted or 0).id)

    def fill(self) -> None:
        """Shows all of them as they are now."""
        choices = self.query_one(OptionList)
        at = choices.highlighted or 0
        workspace, settings = self.fourm.workspace, self.fourm.settings
        lines = []
        for each in RUN_OPTIONS:
            line = Text(f" {each.title:<18}", no_wrap=True, overflow="ellipsis")
            line.append(
                shown(workspace, settings, each.name), "bold" if is_own(workspace, settings, each.name) else "dim"
            )
            lines.append(Option(line, id=each.name))
        choices.clear_options()
        choices.add_options(lines)
        choices.highlighted = at

    def say(self, problem: str) -> None:
        line = self.query_one(".problem", Static)
        line.update(Text(problem))
        line.display = bool(problem)

    @on(OptionList.OptionHighlighted)
    def _explain(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self.query_one(".about", Static).update(Text(run_option(str(event.option.id)).about))

    @on(OptionList.OptionSelected)
    def _change(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        name = str(event.option.id)
        if name == "sr":
            self._choose_sr()
        elif name in CYCLED:
            self.action_step(1)
        else:
            field = self.query_one(Input)
            field.value = shown(self.fourm.workspace, self.fourm.settings, name)
            field.display = True
            self.set_focus(field)

    def _choose_sr(self) -> None:
        rows = [Row(Entry(OFF, OFF, "the chain ends at 224 pixels"))]
        rows += [Row(Entry(str(path), path.stem)) for path in sr_schedules()]
        now = shown(self.fourm.workspace, self.fourm.settings, "sr")
        at = next((str(path) for path in sr_schedules() if path.stem == now), OFF)

        def take(found: str | None) -> None:
            if found is not None and found != at:
                self.put("sr", found if found == OFF else str(Path(found)))

        self.app.push_screen(Choose("super-resolution", rows, at), take)

    @on(Input.Changed)
    def _look(self, event: Input.Changed) -> None:
        event.stop()
        if self.query_one(Input).display:
            try:
                read_option(self.at, event.value)
            except InputError as error:
                self.say(str(error))
            else:
                self.say("")

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        try:
            value = read_option(self.at, event.value)
        except InputError as error:
            self.say(str(error))
            return
        self.put(self.at, value)
        self._close_field()

    def _close_field(self) -> None:
        self.query_one(Input).display = False
        self.set_focus(self.query_one(OptionList))

    def put(self, name: str, value: str | int) -> None:
        """Chooses a value; what is wrong with it is said here."""
        fourm = self.fourm
        try:
            if name == "preview_every":
                save_setting(name, value)
                fourm.take_settings(replace(fourm.settings, preview_every=int(value)))
            else:
                put_option(fourm.workspace, name, value)
                fourm.workspace_signal.publish(fourm.workspace)
        except FourmError as error:
            self.say(str(error))
            return
        self.say("")
        self.fill()

    def action_step(self, by: int) -> None:
        if self.query_one(Input).display:
            return
        value = next_option(self.fourm.workspace, self.fourm.settings, self.at, by)
        if value is not None and str(value) != shown(self.fourm.workspace, self.fourm.settings, self.at):
            self.put(self.at, value)

    def action_move(self, by: int) -> None:
        choices = self.query_one(OptionList)
        (choices.action_cursor_down if by > 0 else choices.action_cursor_up)()

    def action_leave(self) -> None:
        if self.query_one(Input).display:
            self.say("")
            self._close_field()
        else:
            self.dismiss(None)
