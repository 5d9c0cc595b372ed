"""A text is written: a caption, boxes, metadata, a palette. What it says is shown beside it at each keystroke."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import Static, TextArea
from textual.widgets.text_area import Selection

from fourm_tui.errors import printable
from fourm_tui.tui.looks import boxes_picture
from fourm_tui.tui.screens.dialog import Dialog
from fourm_tui.tui.slot import Slot
from fourm_tui.tui.widgets.picture import Picture
from fourm_tui.tui.written import Seen, Writing

_LARGEST = 2**20  # characters that are taken


class _Area(TextArea):
    """A text area in which Enter can take the text."""

    class Entered(Message):
        """Enter, where it takes the text."""

    takes = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+u", "clear_before", show=False)]

    def action_clear_before(self) -> None:
        """What stands before the cursor in its line goes, however many lines of the screen that is wrapped to."""
        row, _ = self.selection.end
        start, end = sorted(self.selection)
        self.delete(min((row, 0), start), end)

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "enter" and self.takes:
            event.stop()
            event.prevent_default()
            self.post_message(self.Entered())
        else:
            await super()._on_key(event)


class EditText(Dialog[str]):
    """Answers the text, None for Escape. `wants_file` says that a file is wanted instead.

    Args:
        writing: what is written.
        text: to begin with.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "take", "take", show=False),
        Binding("f3", "file", "from a file", show=False),
    ]
    DEFAULT_CSS = """
    EditText > .frame { width: 100; }
    EditText #text { height: 12; }
    EditText.prose #text { height: 7; }
    EditText _Area { width: 1fr; height: 1fr; border: none; padding: 0; background: $surface-lighten-1; }
    EditText _Area:focus { border: none; }
    EditText #side { width: 28; height: 1fr; margin-left: 2; }
    EditText #hint { color: $text-muted; height: auto; margin-bottom: 1; }
    EditText #said { color: $text-muted; height: auto; min-height: 1; margin-top: 1; }
    EditText #said.wrong { color: $error; }
    EditText VerticalScroll Static { height: auto; color: $text-muted; }
    """

    def __init__(self, writing: Writing, text: str) -> None:
        super().__init__()
        self.writing, self.before = writing, text
        self.wants_file = False
        self.seen = Seen()
        self._slot: Slot[Seen] = Slot(self)
        self._warned = False
        self._read = ("", Seen())

    def content(self) -> ComposeResult:
        self.set_class(self.writing.prose, "prose")
        yield Static(Text(self.writing.hint), id="hint")
        with Horizontal(id="text"):
            area = _Area(self.before, soft_wrap=self.writing.prose, show_line_numbers=False, compact=True)
            area.takes = self.writing.prose
            area.cursor_blink = False
            yield area
            if self.writing.side == "picture":
                yield Picture(id="side")
            elif self.writing.side:
                with VerticalScroll(id="side", can_focus=False):
                    yield Static(id="names")
        yield Static(id="said")

    def on_mount(self) -> None:
        take = "enter or F2 takes it" if self.writing.prose else "F2 takes it   enter a new line"
        self.retitle(self.writing.title.lower(), f"{take}   F3 from a file   esc back")
        self.area.move_cursor(self.area.document.end)
        if self.writing.prose:  # typing writes it anew, an arrow goes on with it
            self.area.selection = Selection((0, 0), self.area.document.end)
        self.set_focus(self.area)
        if self.writing.side == "keys":
            self.query_one("#names", Static).update(Text("\n".join(self.writing.keys)))
        self._look()

    @property
    def area(self) -> _Area:
        return self.query_one(_Area)

    @property
    def idle(self) -> bool:
        """Whether all that was typed has been read."""
        return self._slot.idle

    @on(TextArea.Changed)
    def _typed(self) -> None:
        self._warned = False
        self._look()

    def _look(self) -> None:
        text = self.area.text
        if len(text) > _LARGEST:
            self._saw(Seen("longer than a million characters"))
        else:
            self._slot.ask(lambda: self.writing.read(text), partial(self._have_read, text))

    def _have_read(self, text: str, seen: Seen) -> None:
        self._read = (text, seen)
        self._saw(seen)

    def _saw(self, seen: Seen) -> None:
        self.seen = seen
        said = self.query_one("#said", Static)
        said.set_class(bool(seen.problem), "wrong")
        words = Text(printable(seen.problem or seen.facts, 400))
        if not seen.problem:
            self._name_boxes(words, seen)
        said.update(words)
        if self.writing.side == "picture":
            boxes, over = seen.boxes, self.writing.over
            self.query_one(Picture).show_made((boxes, over), lambda: boxes_picture(boxes, over))
        elif self.writing.side == "colors":
            self.query_one("#names", Static).update(self._swatches(seen))

    def _name_boxes(self, words: Text, seen: Seen) -> None:
        """Which colour is which box."""
        from fourm_tui.pictures.boxes import label_color

        for label in dict.fromkeys(box.label for box in seen.boxes):
            words.append("   ")
            if self.fourm.choice.colours != "none":
                words.append("  ", Style(bgcolor="#{:02x}{:02x}{:02x}".format(*label_color(label))))
                words.append(" ")
            words.append(printable(label, 30))

    def _swatches(self, seen: Seen) -> Text:
        shown = Text()
        for color in seen.colors:
            name = "#{:02x}{:02x}{:02x}".format(*color)
            if self.fourm.choice.colours != "none":
                shown.append("        ", Style(bgcolor=name))
            shown.append(f"  {name}\n\n")
        return shown

    # -- actions ------------------------------------------------------------------------------------------------------

    @on(_Area.Entered)
    def _entered(self) -> None:
        self.action_take()

    def action_take(self) -> None:
        text = self.area.text
        seen = self.seen
        if len(text) <= _LARGEST:
            seen = self._read[1] if self._read[0] == text else self.writing.read(text)
        if not text.strip():
            self._saw(Seen("nothing is written yet"))
        elif seen.problem:
            self._saw(seen)
        else:
            self.dismiss(text.strip())

    def action_file(self) -> None:
        self.wants_file = True
        self.dismiss(None)

    def action_leave(self) -> None:
        if self.area.text.strip() != self.before.strip() and not self._warned:
            self._warned = True
            take = "enter" if self.writing.prose else "F2"
            self._saw(Seen(f"not taken yet: {take} takes it, esc again forgets what you wrote"))
        else:
            self.dismiss(None)
