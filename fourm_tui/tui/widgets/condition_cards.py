"""The conditions as cards: a head, a text, a picture. One has the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, cast

from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from fourm_tui.errors import printable
from fourm_tui.terminal.choice import Choice
from fourm_tui.tui.cards import Need, Place, arranged, card_width, columns_of, scrolled, shortened
from fourm_tui.tui.conditions_list import Item
from fourm_tui.tui.looks import Look
from fourm_tui.tui.slot import Slot
from fourm_tui.tui.widgets.canvas import Canvas, cut
from fourm_tui.tui.widgets.picture import picture_strips

if TYPE_CHECKING:
    from fourm_tui.tui.app import FourmApp

_TEXTS = ("caption", "det", "metadata", "color_palette", "t5_caption", "human_poses", "sam_instance")
Key = tuple[Look, int, int, Choice]
"""What is drawn, the room for it, and how."""
Drawn = dict[str, tuple[Key, list[Strip]]]


class ConditionCards(Widget, can_focus=True):
    """See the module."""

    DEFAULT_CSS = """
    ConditionCards { height: 1fr; width: 1fr; }
    ConditionCards > .cards--head { text-style: bold; }
    ConditionCards > .cards--muted { color: $text-muted; }
    ConditionCards > .cards--cursor { background: $accent; color: $background; text-style: bold; }
    ConditionCards > .cards--resting { background: $panel-lighten-1; text-style: bold; }
    ConditionCards > .cards--action { color: $accent; }
    ConditionCards > .cards--error { color: $error; }
    ConditionCards > .cards--flag { color: $warning; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "cards--head", "cards--muted", "cards--cursor", "cards--resting", "cards--action", "cards--error",
        "cards--flag",
    }  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(0, -1)", show=False),
        Binding("down,j", "move(0, 1)", show=False),
        Binding("left,h", "move(-1, 0)", show=False),
        Binding("right,l", "move(1, 0)", show=False),
        Binding("home", "end(-1)", show=False),
        Binding("end", "end(1)", show=False),
    ]

    class Dropped(Message):
        """Text was pasted."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self) -> None:
        super().__init__()
        self.items: list[Item] = []
        self.looks: dict[str, Look] = {}
        self.at = 0
        self._top = 0
        self._places: list[Place] = []
        self._drawn: Drawn = {}
        self._asked: dict[str, Key] = {}
        self._strips: list[Strip] = []
        self._slot: Slot[Drawn] = Slot(self)

    # -- what is shown ------------------------------------------------------------------------------------------------

    def show(self, items: Sequence[Item], looks: dict[str, Look]) -> None:
        """Shows conditions with what is known of their looks; the cursor stays on the same one, if it is there."""
        before = self.selected
        self.items, self.looks = list(items), looks
        names = [item.name for item in items]
        if before is not None and before.name in names:
            self.at = names.index(before.name)
        self.at = max(0, min(self.at, len(items) - 1))
        self.redraw()

    @property
    def selected(self) -> Item | None:
        return self.items[self.at] if self.at < len(self.items) else None

    def select(self, name: str) -> None:
        """Puts the cursor on a condition."""
        names = [item.name for item in self.items]
        if name in names:
            self.at = names.index(name)
            self.redraw()

    @property
    def text(self) -> str:
        """What is to be read."""
        return "\n".join(strip.text.rstrip() for strip in self._strips)

    @property
    def idle(self) -> bool:
        """Whether no picture is being drawn."""
        return self._slot.idle

    def action_move(self, across: int, down: int) -> None:
        per_row = columns_of(len(self.items), self.size.width) if self.items else 1
        to = self.at + across + down * per_row
        if per_row == 1 and across:
            return
        if 0 <= to < len(self.items) and to != self.at:
            self.at = to
            self.redraw()

    def action_end(self, way: int) -> None:
        self.at = 0 if way < 0 else max(0, len(self.items) - 1)
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        for at, place in enumerate(self._places):
            if place.x <= event.x < place.x + place.width and 0 <= event.y + self._top - place.y < place.height:
                self.at = at
                self.redraw()

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self.post_message(self.Dropped(event.text))

    def on_focus(self) -> None:
        self.redraw()

    def on_blur(self) -> None:
        self.redraw()

    def on_resize(self) -> None:
        self.redraw()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        if self.is_mounted:
            self.call_later(self.redraw)

    # -- drawing ------------------------------------------------------------------------------------------------------

    def redraw(self) -> None:
        """Draws what is known, and asks for pictures that are missing in their sizes."""
        width, height = self.size
        if width < 4 or height < 1:
            return
        ascii = cast("FourmApp", self.app).choice.ascii
        canvas = Canvas(width, height)
        if not self.items:
            self._draw_empty(canvas, ascii)
        else:
            wide = card_width(len(self.items), width)
            texts = [self._lines(item, wide - 2) for item in self.items]
            needs = [Need(len(lines), self._wants_picture(item)) for item, lines in zip(self.items, texts, strict=True)]
            cell = cast("FourmApp", self.app).choice.cell
            self._places = arranged(needs, width, height, cell)
            self._top = scrolled(self._places, self.at, self._top, height)
            for at, place in enumerate(self._places):
                self._draw_card(canvas, at, place, texts[at], ascii)
            bottom = max(place.y + place.height for place in self._places)
            if bottom + 1 < height:
                canvas.text(0, bottom + 1, "a", self._style("action"))
                canvas.text(2, bottom + 1, "add", self._style("muted"), ascii=ascii)
            self._ask()
        strips = canvas.strips()
        if strips != self._strips:
            self._strips = strips
            self.refresh()

    def _draw_empty(self, canvas: Canvas, ascii: bool) -> None:
        self._places = []
        y = 0
        for line in _wrapped("Nothing is given: what comes out is free.", canvas.width):
            canvas.text(0, y, line, self._style("muted"), ascii=ascii)
            y += 1
        x = canvas.text(0, y + 1, "a", self._style("action")) + 1
        canvas.text(x, y + 1, "adds a caption, a picture, ...", self._style("muted"), ascii=ascii)

    def _draw_card(self, canvas: Canvas, at: int, place: Place, lines: list[tuple[str, str]], ascii: bool) -> None:
        y = place.y - self._top
        self._draw_head(canvas, at, place, y, ascii)
        for down, (style, line) in enumerate(lines[: place.text], 1):
            cut_off = down == place.text and len(lines) > place.text
            if y + down >= 0:
                self._draw_line(canvas, place, y + down, style, line + (" ..." if cut_off else ""), ascii)
        drawn = self._drawn.get(self.items[at].name)
        if place.picture and drawn is not None:
            top = y + 1 + place.text
            strips = [list(strip) for strip in drawn[1][: place.picture]]
            canvas.put(place.x + 2, top, strips)
            x = place.x + 4 + drawn[1][0].cell_length if drawn[1] else 0
            for down, fact in enumerate(self._facts(self.items[at]) if self._beside(at, place) else ()):
                if down < place.picture:
                    canvas.text(x, top + down, fact, self._style("muted"), place.x + place.width - x, ascii)

    def _draw_head(self, canvas: Canvas, at: int, place: Place, y: int, ascii: bool) -> None:
        item = self.items[at]
        look = self.looks.get(item.name)
        wrong = item.is_used and bool(item.problem or (look and look.problem) or item.given is None)
        here = at == self.at
        title = (self._style("cursor") if self.has_focus else self._style("resting")) if here else self._style("head")
        mark = "!" if wrong else " "
        end = place.x + place.width
        canvas.text(place.x, y, mark, self._style("error") + Style(bold=True), 1)
        x = place.x + 1
        x += canvas.text(x, y, f" {item.title} " if here else f" {item.title}", title, place.width - 1)
        x += 1 if here else 2
        if item.flag and x < end:
            x += canvas.text(x, y, item.flag, self._style("flag"), end - x, ascii) + 2
        name = "" if self._is_name_below(item, place.width) else item.file
        facts = [] if self._beside(at, place) else self._facts(item)
        # A name is more than a fact beside it: facts come where all of it has room.
        both = "  ".join(filter(None, (name, *facts)))
        if x < end:
            canvas.text(x, y, both if cell_len(both) <= end - x else name, self._style("muted"), end - x, ascii)

    def _is_name_below(self, item: Item, width: int) -> bool:
        """Whether the name of the file has no room in the head, beside the title and what is to be known first."""
        taken = 4 + cell_len(item.title) + (2 + cell_len(item.flag) if item.flag else 0)
        return bool(item.file) and taken + cell_len(item.file) > width

    def _facts(self, item: Item) -> list[str]:
        """What is said of a condition beside its title."""
        look = self.looks.get(item.name)
        facts = look.facts if look and not look.problem else ""
        return [fact for fact in facts.split(", ") if fact]

    def _beside(self, at: int, place: Place) -> bool:
        """Whether a picture leaves room for words at its right."""
        drawn = self._drawn.get(self.items[at].name)
        return bool(place.picture and drawn and drawn[1] and drawn[1][0].cell_length + 14 < place.width)

    def _draw_line(self, canvas: Canvas, place: Place, y: int, style: str, line: str, ascii: bool) -> None:
        x, width = place.x + 2, place.width - 2
        if style == "colors":
            colors = line.split()
            each = max(2, min(6, width // max(len(colors), 1)))
            if cast("FourmApp", self.app).choice.colours != "none":
                canvas.put(x, y, [[Segment(" " * each, Style(bgcolor=color)) for color in colors]])
                return
            style = ""
        canvas.text(x, y, line, self._style(style) if style else Style(), width, ascii)

    def _lines(self, item: Item, width: int) -> list[tuple[str, str]]:
        """The text below the head: styles, or colours of a palette, and lines."""
        if item.given is None:
            said = [("error", item.problem)] if item.problem else []
            return [*said, ("action", "enter to give one")]
        look = self.looks.get(item.name)
        found: list[tuple[str, str]] = [] if item.is_used else [("action", "enter uses it")]
        if self._is_name_below(item, width + 2):
            ascii = cast("FourmApp", self.app).choice.ascii
            found.append(("muted", shortened(item.file, width, ascii)))
        for problem in filter(None, (look.problem if look else "", item.problem)):
            found += [("error", line) for line in _wrapped(problem, width)]
        if look is None:
            if item.given.text is not None and item.name in ("caption", "t5_caption"):
                found += [("", line) for line in _wrapped(printable(item.given.text, 500), width)]
            return found
        if look.colors:  # their lines are their hexadecimal names
            return [*found, ("colors", " ".join(look.lines))]
        if look.picture is not None:
            return found
        prose = item.name in ("caption", "t5_caption")
        for line in look.lines:
            found += [("", part) for part in (_wrapped(line, width) if prose else [line])]
        return found

    def _wants_picture(self, item: Item) -> bool:
        look = self.looks.get(item.name)
        if item.given is None or (look is not None and look.picture is None):
            return False
        return look is not None or item.name not in _TEXTS

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"cards--{name}")

    # -- pictures -----------------------------------------------------------------------------------------------------

    def _ask(self) -> None:
        """Has the pictures drawn that are not there in their sizes."""
        choice = cast("FourmApp", self.app).choice
        missing: dict[str, tuple[Key, Look]] = {}
        for item, place in zip(self.items, self._places, strict=True):
            look = self.looks.get(item.name)
            if look is None or look.picture is None or not place.picture:
                continue
            key = (look, place.width - 2, place.picture, choice)
            if self._key_drawn(item.name) != key:
                missing[item.name] = key, look
        asked = {name: key for name, (key, _) in missing.items()}
        if not missing or asked == self._asked:
            return
        self._asked = asked

        def draw() -> Drawn:
            drawn: Drawn = {}
            for name, (key, look) in missing.items():
                if look.picture is not None:
                    drawn[name] = key, picture_strips(look.picture, key[1], key[2], choice, look.labels)
            return drawn

        self._slot.ask(draw, self._got)

    def _key_drawn(self, name: str) -> Key | None:
        drawn = self._drawn.get(name)
        return drawn[0] if drawn else None

    def _got(self, drawn: Drawn) -> None:
        self._asked = {}
        self._drawn = {name: each for name, each in (self._drawn | drawn).items() if name in self.looks}
        self.redraw()

    def render_line(self, y: int) -> Strip:
        strip = self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width)
        return strip.apply_style(self.rich_style)


@lru_cache(maxsize=64)
def _wrapped(text: str, width: int) -> tuple[str, ...]:
    """A text in lines of at most so many columns, broken between words where that is possible."""
    if width < 2:
        return (cut(text, max(width, 1)),)
    console = Console(width=width, color_system=None, force_terminal=False)
    lines = [line.plain.rstrip() for line in Text(text).wrap(console, width)]
    return tuple(part for line in lines for part in (chop_cells(line, width) or [""]))
