"""An open cell of the schedule: what stands in it, and what a key does to that. Without Textual.

Most cells hold a text. `onex:{min}:{power}` has a field for each of its two numbers; who types a word there instead
writes the whole value as text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fourm_tui.curves import parse_onex
from fourm_tui.errors import InputError
from fourm_tui.tui.cells import Cell, short

LONGEST = 200
"""Characters of a cell."""
_ONEX = "onex "
_STEP = 0.1

Outcome = Literal["", "typed", "moved", "take", "leave", "next", "before", "above", "below"]
"""typed: it holds another value. moved: only the place in it is another. take: the cell gets the value; so do next,
before, above and below, and the cursor goes there. leave: all stays as it was. Empty: the key means nothing."""


@dataclass
class Editing:
    """The cell that is open."""

    cell: Cell
    fields: list[str]
    """One text; or lowest temperature and power."""
    field: int = 0
    at: int = 0
    """Where in its field the next character goes."""
    is_fresh: bool = False
    """The field was just come to: what is typed replaces it."""
    error: str = ""

    @property
    def is_onex(self) -> bool:
        return len(self.fields) == 2

    @property
    def text(self) -> str:
        """What the cell is to get."""
        if not self.is_onex:
            return self.fields[0]
        return "onex:" + ":".join(f"0{each}" if each.startswith(".") else each for each in self.fields)

    @property
    def columns(self) -> int:
        """That are needed to see both numbers, and where the next character goes."""
        return len(self._drawn) - self.is_fresh if self.is_onex else 0

    @property
    def _drawn(self) -> str:
        return _ONEX + "".join(f"{each} " for each in self.fields) if self.is_onex else self.fields[0] + " "

    def window(self, room: int) -> tuple[str, int, int]:
        """What is seen of it in `room` columns, and from where to where the mark is: the character before which the
        next one goes, or all of what it replaces."""
        start = len(_ONEX) + sum(len(each) + 1 for each in self.fields[: self.field]) if self.is_onex else 0
        is_all = self.is_fresh and bool(self.fields[self.field])
        first = start if is_all else start + self.at
        end = start + len(self.fields[self.field]) if is_all else first + 1
        left = max(0, end - room)
        return self._drawn[left : left + room].ljust(room), max(first - left, 0), end - left

    # -- what changes it ----------------------------------------------------------------------------------------------

    def insert(self, text: str) -> None:
        """Puts a text where the next character goes."""
        kept = "".join(each for each in text if each.isprintable())[:LONGEST]
        if self.is_onex and (len(kept) > 1 or self.is_fresh) and not _is_number(kept):
            self._as_text("")
        whole, at = ("", 0) if self.is_fresh else (self.fields[self.field], self.at)
        self.fields[self.field] = (whole[:at] + kept + whole[at:])[:LONGEST]
        self.at = min(at + len(kept), len(self.fields[self.field]))
        self.is_fresh = False

    def _as_text(self, text: str) -> None:
        self.fields, self.field, self.at, self.is_fresh = [text], 0, len(text), False

    def go(self, field: int, *, fresh: bool = True) -> None:
        """To the other number."""
        self.field, self.is_fresh = field, fresh
        self.at = len(self.fields[field])

    def step(self, by: int) -> bool:
        """The number one step up or down; false where there is none."""
        try:
            now = float(self.fields[self.field] or 0)
        except ValueError:
            return False
        self.fields[self.field] = short(max(0.0, round(now + by * _STEP, 6)))
        self.go(self.field)
        return True

    def press(self, key: str, character: str | None) -> Outcome:
        """What a key does. Keys are those of Textual; `character` is None for those that write nothing."""
        if self.is_onex and (outcome := self._press_onex(key, character)):
            return outcome
        if key in _LEAVING:
            return _LEAVING[key]
        whole = self.fields[self.field]
        match key:
            case "left" | "right" | "home" | "end":
                places = {"left": self.at - 1, "right": self.at + 1, "home": 0, "end": len(whole)}
                self.at, self.is_fresh = min(max(places[key], 0), len(whole)), False
                return "moved"
            case "backspace" | "delete":
                first = 0 if self.is_fresh else max(self.at - (key == "backspace"), 0)
                end = len(whole) if self.is_fresh else self.at + (key == "delete")
                self.fields[self.field] = whole[:first] + whole[end:]
                self.at, self.is_fresh = first, False
                return "typed"
            case "ctrl+u":
                self._as_text("")
                return "typed"
        if character and character.isprintable():
            self.insert(character)
            return "typed"
        return ""

    def _press_onex(self, key: str, character: str | None) -> Outcome:
        """What is done otherwise between two numbers; empty: nothing."""
        at_end = self.is_fresh or self.at == len(self.fields[self.field])
        at_start = self.is_fresh or self.at == 0
        if character in ("+", "-"):
            return "typed" if self.step(1 if character == "+" else -1) else "moved"
        if self.field == 0 and (key == "tab" or (key == "right" and at_end) or character in (":", " ", ",")):
            self.go(1)
            return "moved"
        if self.field == 1 and (key == "shift+tab" or (key == "left" and at_start)):
            self.go(0)
            return "moved"
        if self.is_fresh and key in ("left", "right"):
            return "moved"
        return ""


_LEAVING: dict[str, Outcome] = {
    "escape": "leave", "enter": "take", "tab": "next", "shift+tab": "before", "up": "above", "down": "below",
}  # fmt: skip


def opened(cell: Cell, text: str) -> Editing:
    """A cell with a text in it: two numbers if it is one of those."""
    if cell.key == "temp_schedules" and is_onex(text):
        fields = [short(number) for number in parse_onex(text)]
        return Editing(cell, fields, at=len(fields[0]), is_fresh=True)
    return Editing(cell, [text], at=len(text))


def is_onex(text: str) -> bool:
    try:
        parse_onex(text)
    except InputError:
        return False
    return True


def _is_number(text: str) -> bool:
    return all(each in "0123456789.e" for each in text) and not text.startswith("e")
