"""Where the conditions lie in the room of their pane: cards in columns, each with a head and what there is to see.

Nothing moves with the cursor: a card is as high as the room allows, whichever is selected. Without Textual.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

CARD = 42
"""Columns from which on a second card stands beside the first."""
_SOME, _TEXT = 3, 8  # rows of text before pictures grow, and the most that there are
_LEAST, _MIDDLE = 3, 8  # rows of a picture that is worth it, and before texts get all they want
_GAP = 2  # columns between cards


@dataclass(frozen=True)
class Need:
    """What a card wants below its head."""

    text: int = 0
    """Rows of text, wrapped to the width of the card."""
    picture: bool = False


@dataclass(frozen=True)
class Place:
    """Where a card lies, in cells from the top of all of them."""

    x: int
    y: int
    width: int
    text: int
    """Rows of its text, below the head."""
    picture: int
    """Rows of its picture, below the text."""

    @property
    def height(self) -> int:
        return 1 + self.text + self.picture


def columns_of(count: int, width: int) -> int:
    """How many cards stand beside each other."""
    return max(1, min(count, (width + _GAP) // (CARD + _GAP)))


def card_width(count: int, width: int) -> int:
    across = columns_of(count, width)
    return max(1, (width - _GAP * (across - 1)) // across)


def arranged(needs: Sequence[Need], width: int, height: int, cell: tuple[int, int] = (10, 20)) -> list[Place]:
    """The places of cards. They may reach below the room, then it is to be scrolled.

    Args:
        needs: of each card.
        width, height: the room.
        cell: pixels of a cell; a square picture gets no more rows than its width allows.
    """
    if not needs:
        return []
    across, wide = columns_of(len(needs), width), card_width(len(needs), width)
    rows = [needs[at : at + across] for at in range(0, len(needs), across)]
    room = _Room(height - len(rows), rows)
    room.grow_texts(1)
    room.begin_pictures()
    room.grow_texts(_SOME)
    gap = room.spend_on_gaps()
    room.grow_pictures(min(_MIDDLE, max(_LEAST, wide * cell[0] // cell[1])))
    room.grow_texts(_TEXT)
    room.grow_pictures(max(_LEAST, wide * cell[0] // cell[1]))
    texts, pictures = room.texts, room.pictures
    places: list[Place] = []
    y = 0
    for at, row in enumerate(rows):
        for column, need in enumerate(row):
            text = min(need.text, texts[at])
            # A card beside a taller text has the room for a larger picture.
            picture = pictures[at] + (texts[at] - text) if need.picture and pictures[at] else 0
            places.append(Place(column * (wide + _GAP), y, wide, text, picture))
        y += 1 + texts[at] + pictures[at] + gap
    return places


class _Room:
    """Rows that are still to be given away."""

    def __init__(self, left: int, rows: Sequence[Sequence[Need]]) -> None:
        self.left, self.rows = left, rows
        self.texts, self.pictures = [0] * len(rows), [0] * len(rows)

    def grow_texts(self, most: int) -> None:
        """A line for each in turn."""
        wanted = [max(min(need.text, most) for need in row) for row in self.rows]
        grown = True
        while grown and self.left > 0:
            grown = False
            for at, lines in enumerate(wanted):
                if self.texts[at] < lines and self.left > 0:
                    self.texts[at] += 1
                    self.left -= 1
                    grown = True

    def begin_pictures(self) -> None:
        """The least that a picture is worth showing in, as long as there is room."""
        for at, row in enumerate(self.rows):
            if any(need.picture for need in row) and self.left >= _LEAST:
                self.pictures[at] = _LEAST
                self.left -= _LEAST

    def grow_pictures(self, most: int) -> None:
        """All pictures alike."""
        begun = [at for at, height in enumerate(self.pictures) if 0 < height < most]
        while begun and self.left >= len(begun):
            for at in begun:
                self.pictures[at] += 1
            self.left -= len(begun)
            begun = [at for at in begun if self.pictures[at] < most]

    def spend_on_gaps(self) -> int:
        between = len(self.rows) - 1
        if not between or self.left < between:
            return 0
        self.left -= between
        return 1


def shortened(name: str, width: int, ascii: bool = False) -> str:
    """A file name in so many columns: without its middle where it is longer, as beginning and ending tell it from
    others."""
    if cell_len(name) <= width:
        return name
    if width < 5:
        return ""
    mark = "..." if ascii else "…"
    head = (width - len(mark)) // 2
    return f"{set_cell_size(name, head).rstrip()}{mark}{_last(name, width - len(mark) - head)}"


def _last(text: str, width: int) -> str:
    """As much of the end as fits."""
    while cell_len(text) > width:
        text = text[1:]
    return text


def scrolled(places: Sequence[Place], selected: int, top: int, height: int) -> int:
    """The first line to show, so that the selected card is seen, moved as little as possible."""
    if not places:
        return 0
    bottom = max(place.y + place.height for place in places)
    place = places[min(selected, len(places) - 1)]
    top = min(top, place.y)
    top = max(top, min(place.y, place.y + place.height - height))
    return max(0, min(top, bottom - height))
