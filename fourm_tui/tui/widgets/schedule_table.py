"""The table of the schedule: one cell has the cursor, and is edited where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from rich.style import Style
from rich.text import Text
from textual import events
from textual.message import Message

from fourm_tui.errors import InputError
from fourm_tui.tui import cells
from fourm_tui.tui.cells import Cell, Line
from fourm_tui.tui.editing import LONGEST, Editing, is_onex, opened
from fourm_tui.tui.widgets.lines import Lines
from fourm_tui.tui.workspace import Workspace

if TYPE_CHECKING:
    from fourm_tui.tui.app import FourmApp

_SHORT = {"cfg_schedules": "cfg"}
_MUTED = ("table--head", "table--dim")
_MARGIN = 5  # the mark of the selected row and its number


class ScheduleTable(Lines, can_focus=True):
    """See the module. It shows a workspace and says what is typed; who has it changes the workspace."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--head", "table--dim", "table--cursor", "table--resting", "table--open", "table--wrong",
        "table--problem", "table--mark",
    }  # fmt: skip
    DEFAULT_CSS = """
    ScheduleTable { height: auto; width: 1fr; }
    ScheduleTable .table--head { color: $text-muted; }
    ScheduleTable .table--dim { color: $text-disabled; }
    ScheduleTable .table--cursor { background: $accent; color: $background; text-style: bold; }
    ScheduleTable .table--resting { background: $panel-lighten-1; color: $foreground; }
    ScheduleTable .table--open { background: $surface-lighten-2; color: $foreground; text-style: bold; }
    ScheduleTable .table--wrong { background: $surface-lighten-2; color: $error; text-style: bold; }
    ScheduleTable:ansi .table--wrong { background: $error; color: ansi_bright_white; }
    ScheduleTable .table--problem { color: $error; text-style: underline; }
    ScheduleTable .table--mark { color: $accent; text-style: bold; }
    """

    class Moved(Message):
        """Another cell has the cursor."""

    class Typed(Message):
        """What stands in the open cell has changed, or it was closed without taking it."""

    @dataclass
    class Taken(Message):
        """A cell gets what was typed."""

        cell: Cell
        text: str

    def __init__(self) -> None:
        super().__init__()
        self.lines: tuple[Line, ...] = ()
        self.line, self.column = 0, 0
        self.editing: Editing | None = None
        self.problems: frozenset[tuple[int | None, str | None]] = frozenset()
        self._drawn: list[tuple[Text, int | None]] = []  # a line, and which of the grid it is
        self._places: dict[tuple[int, int], tuple[int, int]] = {}  # line and column of the grid -> x and width
        self._top = 0

    # -- what is shown ------------------------------------------------------------------------------------------------

    def show(self, workspace: Workspace, problems: frozenset[tuple[int | None, str | None]]) -> None:
        """Shows a workspace; the cursor stays where it is, as far as that is there."""
        before = len(self._drawn)
        self.lines, self.problems = cells.grid(workspace), problems
        self._keep_in()
        self._redraw()
        if len(self._drawn) != before:
            self.refresh(layout=True)

    @property
    def cell(self) -> Cell | None:
        """Under the cursor."""
        if not self.lines:
            return None
        line = self.lines[self.line]
        return line.cells[min(self.column, len(line.cells) - 1)]

    @property
    def row(self) -> int:
        """Number of the row that the cursor is in, or of the last row of its chain."""
        for line in reversed(self.lines[: self.line + 1]):
            if line.row:
                return line.row
        return 1

    def go_to(self, row: int | None, key: str | None) -> bool:
        """Puts the cursor on a cell; false if there is none such."""
        for number, line in enumerate(self.lines):
            for column, cell in enumerate(line.cells):
                if (row is None or cell.row == row) and (key is None or cell.key == key):
                    self.line, self.column = number, column
                    self._moved()
                    return True
        return False

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self._drawn) or 4

    # -- drawing ------------------------------------------------------------------------------------------------------

    def _keep_in(self) -> None:
        self.line = min(self.line, max(len(self.lines) - 1, 0))

    def _widths(self) -> tuple[dict[str, int], int]:
        """Of the columns, and the gap between them, so that all fit as far as possible."""
        wanted = cells.widths(self.lines)
        if self.editing is not None and self.editing.cell.row:
            key = self.editing.cell.key
            wanted[key] = max(wanted[key], self.editing.columns)
        room = max(self.size.width - _MARGIN, 20)
        for gap in (2, 1):
            over = sum(wanted.values()) + gap * len(wanted) - room
            if over <= 0:
                return wanted, gap
        for key, least in (
            ("autoregression_schemes", 7),
            ("target_domains", 11),
            ("temp_schedules", 8),
            ("cfg_scales", 6),
        ):
            is_open = self.editing is not None and self.editing.is_onex and self.editing.cell.key == key
            if key in wanted and not is_open:
                cut = min(over, max(wanted[key] - least, 0))
                wanted[key] -= cut
                over -= cut
        return wanted, 1

    def _draw(self) -> None:
        widths, gap = self._widths()
        drawn: list[tuple[Text, int | None]] = []
        self._places.clear()
        head = Text(" " * _MARGIN)
        for key, width in widths.items():
            head.append(_fit(cells.TITLES[key], width, right=_is_right(key)) + " " * gap)
        drawn.append((self._styled(head, "table--head"), None))
        part = self.lines[0].part if self.lines else ""
        for number, line in enumerate(self.lines):
            if line.part != part:
                part = line.part
                rule = "-" if self.ascii else "─"
                title = f"{rule * 3} super resolution "
                drawn.append(
                    (self._styled(Text(title + rule * max(0, self.size.width - len(title))), "table--head"), None)
                )
            if not line.row:
                drawn.append((Text(""), None))
            drawn.append((self._row(number, line, widths, gap) if line.row else self._chain(number, line), number))
        self._drawn = drawn

    @property
    def ascii(self) -> bool:
        return cast("FourmApp", self.app).choice.ascii

    def _styled(self, text: Text, name: str) -> Text:
        text.stylize(self._style(name))
        return text

    def _style(self, name: str) -> Style:
        """The colours of a part; the ground only where it has one of its own."""
        whole, own = (self.get_component_rich_style(name, partial=partial) for partial in (False, True))
        if own.color is None:
            return own
        # On its own, a colour that is a share of the text's would be drawn in full; the terminal's has no shares.
        is_terminals = whole.color is not None and whole.color.is_default
        return own + Style(color=whole.color, dim=True if is_terminals and name in _MUTED else None)

    def _row(self, number: int, line: Line, widths: dict[str, int], gap: int) -> Text:
        selected = number == self.line
        text = Text()
        mark = (">" if self.ascii else "▸") if selected else " "
        text.append(f" {mark}", self._style("table--mark"))
        text.append(f"{line.row:>2} ", self._style("table--head"))
        for column, cell in enumerate(line.cells):
            width = widths[cell.key]
            self._places[number, column] = (text.cell_len, width)
            text.append_text(self._cell(number, column, cell, width))
            text.append(" " * gap)
        return text

    def _chain(self, number: int, line: Line) -> Text:
        is_narrow = self.size.width < 72
        text = Text(" " if is_narrow else "  ")
        for column, cell in enumerate(line.cells):
            text.append(f"{_SHORT.get(cell.key, cell.title)} ", self._style("table--head"))
            width = max(len(cell.text), 1 if is_narrow else 2)
            self._places[number, column] = (text.cell_len, width)
            text.append_text(self._cell(number, column, cell, width))
            text.append("  " if is_narrow else "   ")
        return text

    def _cell(self, number: int, column: int, cell: Cell, width: int) -> Text:
        here = number == self.line and column == min(self.column, len(self.lines[number].cells) - 1)
        if here and self.editing is not None:
            return self._open(self.editing, width)
        text = Text(_fit(cell.text, width, right=cell.is_number))
        if here:
            name = "table--cursor" if self.has_focus else "table--resting"
        elif (cell.row or None, cell.key) in self.problems:
            name = "table--problem"
        elif cell.look != "own":
            name = "table--dim"
        else:
            return text
        return self._styled(text, name)

    def _open(self, editing: Editing, width: int) -> Text:
        """The open cell: what is typed, with a block where the next character goes."""
        shown, first, end = editing.window(max(width, 3))
        text = self._styled(Text(shown), "table--wrong" if editing.error else "table--open")
        text.stylize(Style(reverse=True), first, end)
        return text

    def _redraw(self) -> None:
        self._draw()
        where = next((at for at, (_, number) in enumerate(self._drawn) if number == self.line), 0)
        height = max(self.size.height, 1)
        self._top = min(max(self._top, where - height + 1), where)
        if where <= 1 or len(self._drawn) <= height:
            self._top = 0
        self.show_strips(self.strips_of([text for text, _ in self._drawn[self._top : self._top + height]]))

    def on_resize(self) -> None:
        self._redraw()

    def on_focus(self) -> None:
        self._redraw()

    def on_blur(self) -> None:
        self.close()
        self._redraw()

    # -- moving -------------------------------------------------------------------------------------------------------

    def move(self, down: int, right: int) -> None:
        """Moves the cursor; from the rows to the line of the chain it goes to the cell that stands nearest."""
        if not self.lines:
            return
        line = min(max(self.line + down, 0), len(self.lines) - 1)
        column = min(self.column, len(self.lines[self.line].cells) - 1)
        if line != self.line:
            x = self._places.get((self.line, column), (0, 0))[0]
            same = bool(self.lines[line].row) and bool(self.lines[self.line].row)
            every = range(len(self.lines[line].cells))
            column = (
                min(column, len(every) - 1) if same else min(every, key=lambda c: abs(self._places[line, c][0] - x))
            )
        self.line = line
        self.column = min(max(column + right, 0), len(self.lines[line].cells) - 1)
        self._moved()

    def _moved(self) -> None:
        self._redraw()
        self.post_message(self.Moved())

    # -- editing ------------------------------------------------------------------------------------------------------

    def open(self, text: str) -> None:
        """Opens the cell under the cursor with a text in it."""
        if self.cell is not None and self.cell.look != "none":
            self._edit(opened(self.cell, text))
            self._typed()

    def close(self) -> None:
        """Closes the open cell without taking what stands there."""
        if self.editing is not None:
            self._edit(None)
            self._typed()

    def _edit(self, editing: Editing | None) -> None:
        self.editing = editing
        self.screen.refresh_bindings()  # the last line tells the keys of an open cell

    @property
    def keys_meanwhile(self) -> tuple[tuple[str, str], ...]:
        """The keys of an open cell and what they do, in place of all others; empty while none is open."""
        if self.editing is None:
            return ()
        is_onex = self.editing.is_onex
        beside = "next number" if is_onex and self.editing.field == 0 else "next cell"
        steps = (("+", "more"), ("-", "less")) if is_onex else ()
        return ("enter", "take"), ("tab", beside), ("down", "next row"), *steps, ("escape", "leave as it was")

    def _typed(self) -> None:
        if self.editing is not None:
            try:
                cells.tried(cast("FourmApp", self.app).workspace, self.editing.cell, self.editing.text)
                self.editing.error = ""
            except InputError as error:
                self.editing.error = str(error)
        self._redraw()
        self.post_message(self.Typed())

    def take(self) -> bool:
        """Closes the open cell and says what it gets; false if that is no value of it."""
        editing = self.editing
        if editing is None:
            return True
        if editing.error:
            return False
        self._edit(None)
        self.post_message(self.Taken(editing.cell, editing.text))
        return True

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        first = event.text[: 4 * LONGEST].partition("\n")[0].strip()
        if self.editing is None and self.cell is not None:
            self.open("")
        if self.editing is not None:
            self.editing.insert(first)
            self._typed()

    def on_key(self, event: events.Key) -> None:
        if self.editing is not None:
            event.stop()
            event.prevent_default()
            self._edit_key(event)
            return
        moves = {
            "up": (-1, 0), "k": (-1, 0), "down": (1, 0), "j": (1, 0), "left": (0, -1), "h": (0, -1), "right": (0, 1),
            "l": (0, 1), "home": (0, -99), "end": (0, 99), "pageup": (-99, 0), "pagedown": (99, 0),
        }  # fmt: skip
        cell = self.cell
        if event.key in moves:
            event.stop()
            self.move(*moves[event.key])
        elif cell is not None and cell.look != "none" and event.character and event.character in "0123456789.":
            if self._takes_numbers(cell):
                event.stop()
                self.open("" if cell.is_number else self._source(cell))
                self._edit_key(event)

    def _edit_key(self, event: events.Key) -> None:
        assert self.editing is not None
        match self.editing.press(event.key, event.character if event.is_printable else None):
            case "leave":
                self.close()
            case "take":
                self.take()
            case "next" | "before" as side:
                if self.take():
                    self.move(0, 1 if side == "next" else -1)
                    self.call_later(self.reopen)
            case "above" | "below" as side:
                if self.take():
                    self.move(-1 if side == "above" else 1, 0)
            case "moved":
                self._redraw()
                self.screen.refresh_bindings()  # between two numbers Tab does something else
            case "typed":
                self._typed()

    def reopen(self) -> None:
        """Opens the cell that the cursor came to while editing, if it takes typing."""
        if self.cell is not None and self._takes_numbers(self.cell):
            self.open(self._source(self.cell))

    def _takes_numbers(self, cell: Cell) -> bool:
        return cell.is_number or (cell.key == "temp_schedules" and cell.look != "none" and is_onex(self._source(cell)))

    def _source(self, cell: Cell) -> str:
        return cells.source(cast("FourmApp", self.app).workspace, cell)

    # -- mouse --------------------------------------------------------------------------------------------------------

    def on_click(self, event: events.Click) -> None:
        at = event.y + self._top
        number = self._drawn[at][1] if 0 <= at < len(self._drawn) else None
        if number is None:
            return
        self.close()
        every = range(len(self.lines[number].cells))
        self.line = number
        self.column = max((c for c in every if self._places[number, c][0] <= event.x), default=0)
        self._moved()


def _is_right(key: str) -> bool:
    return Cell(key, "").is_number


def _fit(text: str, width: int, *, right: bool = False) -> str:
    if len(text) > width:
        text = text[: width - 1] + "…"
    return text.rjust(width) if right else text.ljust(width)
