"""A list that is narrowed by typing: the keys that write go to the filter, those that move to the list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.style import Style
from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from fourm_tui.tui.found import Entry, found


@dataclass(frozen=True)
class Row:
    """A line of the list with what is found by typing."""

    entry: Entry
    right: str = ""
    """Said at the right edge."""


class FilteredList(Vertical):
    """See the module.

    Args:
        rows: all there is.
        hint: what may be typed.
        none: what is said where nothing fits.
        at: the line that the cursor begins at; empty: the first.
    """

    DEFAULT_CSS = """
    FilteredList { height: auto; max-height: 100%; }
    FilteredList Input { border: none; height: 1; padding: 0; background: $surface; }
    FilteredList Input:focus { border: none; }
    FilteredList OptionList { height: auto; max-height: 20; background: $surface; margin-top: 1; }
    FilteredList Static { height: auto; color: $text-muted; margin-top: 1; }
    """

    class Highlighted(Message):
        def __init__(self, id: str) -> None:
            super().__init__()
            self.id = id

    class Chosen(Message):
        def __init__(self, id: str) -> None:
            super().__init__()
            self.id = id

    class Typed(Message):
        """Enter, and nothing fits: what is typed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Unfound(Message):
        """What is typed fits nothing."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(
        self, rows: Sequence[Row], hint: str = "type to find", none: str = "nothing fits", at: str = ""
    ) -> None:
        super().__init__()
        self.rows, self.hint, self.none, self.at = tuple(rows), hint, none, at

    def compose(self) -> ComposeResult:
        yield Input(placeholder=self.hint, compact=True)
        yield OptionList(compact=True)
        nothing = Static(Text(self.none))
        nothing.display = False
        yield nothing

    def on_mount(self) -> None:
        self.fill("")
        self.screen.set_focus(self.query_one(Input))

    @property
    def text(self) -> str:
        return self.query_one(Input).value

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Shows others."""
        self.rows = tuple(rows)
        self.fill(self.text)

    @on(Input.Changed)
    def _narrow(self, event: Input.Changed) -> None:
        event.stop()
        self.fill(event.value)
        if self.query_one(OptionList).highlighted is None:
            self.post_message(self.Unfound(event.value))

    def fill(self, text: str) -> None:
        """Shows what fits a text."""
        choices = self.query_one(OptionList)
        wanted = found([row.entry for row in self.rows], text)
        rights = {row.entry.id: row.right for row in self.rows}
        options: list[Option] = []
        group = ""
        for hit in wanted:
            if hit.entry.group != group and not text.strip():
                group = hit.entry.group
                if group:
                    options.append(Option(Text(group, "dim"), disabled=True))
            options.append(Option(self._line(hit.entry, hit.at, rights[hit.entry.id]), id=hit.entry.id))
        choices.clear_options()
        choices.add_options(options)
        able = [at for at, option in enumerate(options) if not option.disabled]
        at = next((at for at in able if options[at].id == self.at and not text), able[0] if able else None)
        choices.highlighted = at
        choices.display = bool(options)
        self.query_one(Static).display = not options

    def _line(self, entry: Entry, at: Sequence[int], right: str) -> Text:
        line = Text(f" {entry.title}", no_wrap=True, overflow="ellipsis")
        for place in at:
            line.stylize(Style(bold=True, underline=True), place + 1, place + 2)
        if entry.more:
            line.append(f"  {entry.more}", "dim")
        if right:
            room = max(self.size.width or 66, 30) - 3
            line.truncate(room - len(right) - 2, overflow="ellipsis")
            line.pad_right(max(room - line.cell_len - len(right), 1))
            line.append(right, "dim")
        return line

    def on_resize(self) -> None:
        self.fill(self.text)

    def on_key(self, event: events.Key) -> None:
        choices = self.query_one(OptionList)
        moves = {
            "up": choices.action_cursor_up, "down": choices.action_cursor_down, "pageup": choices.action_page_up,
            "pagedown": choices.action_page_down, "ctrl+p": choices.action_cursor_up,
            "ctrl+n": choices.action_cursor_down,
        }  # fmt: skip
        if event.key in moves:
            event.stop()
            event.prevent_default()
            moves[event.key]()

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        # Who types fast has narrowed the list again before this is heard.
        is_still = event.option_list.highlighted_option is event.option
        if event.option.id is not None and is_still:
            self.at = event.option.id
            self.post_message(self.Highlighted(event.option.id))

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option.id is not None:
            self.post_message(self.Chosen(event.option.id))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        choices = self.query_one(OptionList)
        if choices.highlighted is None:
            self.post_message(self.Typed(event.value))
            return
        option = choices.get_option_at_index(choices.highlighted)
        if option.id is not None:
            self.post_message(self.Chosen(option.id))
