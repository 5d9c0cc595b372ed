"""Pictures and texts side by side with their titles, as strings to be written at the beginning of a line."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from fourm_tui.errors import printable
from fourm_tui.terminal.blocks import render
from fourm_tui.terminal.cells import ansi_lines
from fourm_tui.terminal.choice import Choice
from fourm_tui.terminal.graphics import graphic
from fourm_tui.terminal.sizes import fitted
from fourm_tui.terminal.token_map import ACROSS, TokenMap, room_for, token_cells, token_picture

GAP = 2
"""Columns between neighbours."""
LONGEST = 4000
"""Characters of a text that are shown at most."""
_BOLD, _DIM, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"


@dataclass(frozen=True, eq=False)
class Panel:
    """One picture, map of tokens or text."""

    title: str = ""
    picture: Image.Image | None = None
    text: str = ""
    """Under the picture, or in its place."""
    note: str = ""
    """A few words beside the title."""
    labels: bool = False
    """The picture's colours stand for classes and are not to be mixed."""
    tokens: TokenMap | None = None
    """Instead of a picture."""


@dataclass(frozen=True, eq=False)
class Block:
    """Lines of one width, with a graphic laid over some of them."""

    lines: tuple[str, ...]
    """Without padding; escapes that do not move the cursor are allowed."""
    widths: tuple[int, ...]
    """Columns of each line as seen."""
    graphic: str = ""
    top: int = 0
    """The first line that the graphic covers."""

    @property
    def width(self) -> int:
        return max(self.widths, default=0)


def grid(
    panels: Sequence[Panel], choice: Choice, columns: int, rows: int, each: int | None = None
) -> Iterator[str]:  # fmt: skip
    """Panels from left to right and on in the next line: one string a line of panels, to be written in one go.

    Args:
        panels: in their order.
        choice: how pictures are shown; with `none` only texts are.
        columns, rows: of the window; no line of panels becomes higher.
        each: columns of a panel; None makes them as wide as fits all, 20 to 40.
    """
    if each is None:
        count = max(1, min(len(panels), (columns + GAP) // (28 + GAP)))
        each = min((columns + GAP) // count - GAP, 40)
    each = max(1, min(each, columns))
    in_line = max(1, (columns + GAP) // (each + GAP))
    # Among others none is higher than a square would be.
    most = round(each * choice.cell[0] / choice.cell[1]) if len(panels) > 1 else None
    for start in range(0, len(panels), in_line):
        line = panels[start : start + in_line]
        if start:
            yield "\n"
        yield beside([block(panel, choice, each, rows, most) for panel in line], each)


def block(panel: Panel, choice: Choice, columns: int, rows: int, most: int | None = None) -> Block:
    """A panel in at most `columns` columns and, its title included, `rows - 1` lines, its picture in at most `most`."""
    styled = choice.colours != "none"
    lines: list[str] = []
    widths: list[int] = []

    def add(text: str, style: str = "") -> None:
        lines.append(f"{style}{text}{_PLAIN}" if style and styled and text else text)
        widths.append(cell_len(text))

    if panel.title or panel.note:
        title = _cut(panel.title, columns, choice.ascii)
        left = columns - cell_len(title) - 1
        note = _cut(panel.note, left, choice.ascii) if left > 3 else ""
        beside_it = f" {_DIM}{note}{_PLAIN}" if styled else f" {note}"
        lines.append((f"{_BOLD}{title}{_PLAIN}" if styled else title) + (beside_it if note else ""))
        widths.append(cell_len(title) + (1 + cell_len(note) if note else 0))
    top, drawing = len(lines), ""
    words = wrapped(panel.text, columns, choice.ascii)
    under = words[:3] if panel.picture or panel.tokens else []
    room = max(rows - 1 - top - len(under), 1)
    room = room if most is None else min(room, max(most, 1))
    if choice.protocol != "none" and (panel.picture or panel.tokens):
        body, across, drawing = _body(panel, choice, columns, room)
        lines += body
        widths += [across] * len(body)
        words = under
    for word in words[: max(rows - 1 - len(lines), 0)]:
        add(word)
    return Block(tuple(lines), tuple(widths), drawing, top)


def beside(blocks: Sequence[Block], each: int | None = None) -> str:
    """Blocks side by side, `each` columns wide, or as wide as they are: lines first, then the graphics over them."""
    height = max((len(block.lines) for block in blocks), default=0)
    lines, left, graphics = [""] * height, 0, ""
    for number, part in enumerate(blocks):
        across = each or part.width
        last = number == len(blocks) - 1
        for row in range(height):
            line, width = (part.lines[row], part.widths[row]) if row < len(part.lines) else ("", 0)
            lines[row] += line if last else line + " " * (across + GAP - width)
        if part.graphic:
            right = f"\x1b[{left}C" if left else ""
            up = height - part.top
            graphics += f"\x1b[{up}A\r{right}{part.graphic}\r\x1b[{up}B"
        left += across + GAP
    return "".join(f"{line.rstrip(' ')}\n" for line in lines) + graphics


def wrapped(text: str, columns: int, ascii: bool = False) -> list[str]:
    """A text, made safe, in lines of at most `columns` columns."""
    if not text.strip():
        return []
    shown = _safe(text, ascii)
    console = Console(file=io.StringIO(), width=max(columns, 1), color_system=None)
    return [line.plain.rstrip() for line in Text(shown).wrap(console, max(columns, 1))]


def _body(panel: Panel, choice: Choice, columns: int, rows: int) -> tuple[list[str], int, str]:
    """Lines, their width, and the graphic that is laid over them."""
    picture, crisp = panel.picture, panel.labels
    if panel.tokens is not None:
        scale = room_for(panel.tokens, columns, rows)
        if choice.protocol == "blocks" and scale:
            cells = token_cells(panel.tokens, choice, scale)
            return ansi_lines(cells), cells.columns, ""
        picture, crisp = token_picture(panel.tokens), True
        if scale:
            height, width = panel.tokens.shape
            columns, rows = width * ACROSS * scale, height * scale
    assert picture is not None
    across, down = fitted(picture.size, columns, rows, choice.cell)
    if choice.protocol in ("sixel", "kitty"):
        small = crisp or max(picture.size) <= 32
        return [" " * across] * down, across, graphic(picture, across, down, choice, crisp=small)
    cells = render(picture, across, down, choice.colours, ascii=choice.ascii, labels=crisp)
    return ansi_lines(cells), across, ""


def _cut(text: str, columns: int, ascii: bool) -> str:
    shown, mark = _safe(text, ascii), "..." if ascii else "…"
    if cell_len(shown) <= columns:
        return shown
    if columns <= len(mark):
        return mark[: max(columns, 0)]
    return set_cell_size(shown, columns - len(mark)).rstrip() + mark


def _safe(text: str, ascii: bool) -> str:
    shown = printable(" ".join(text.split()), LONGEST)
    return shown.encode("ascii", "replace").decode("ascii") if ascii else shown
