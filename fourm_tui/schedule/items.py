"""Which characters change when an item of a list, an entry in braces or a piece of `6.0-0.5` comes, goes or moves."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fourm_tui.schedule.tree import BREAK, Node, Tree, line_end, line_start, next_line

Span = tuple[int, int]
Patch = tuple[int, int, str]
"""Start and end of what is replaced, and by what."""


def apply(text: str, patches: Iterable[Patch]) -> str:
    """The text with patches that do not overlap; those at the same place go in the order given."""
    done: list[str] = []
    at = 0
    for start, end, new in sorted(patches, key=lambda patch: patch[:2]):
        gap = " " if new and text[end : end + 1] == "#" else ""
        done += [text[at:start], new, gap]
        at = end
    return "".join(done) + text[at:]


@dataclass(frozen=True)
class ItemEdit:
    """What happens to one item."""

    kind: Literal["replace", "insert", "remove", "move"]
    index: int
    text: str = ""
    """YAML source of the new item."""
    to: int = 0

    def values(self, values: Sequence[Any], new: Any) -> list[Any]:
        """The edit done to a list; `new` is the value of `text`."""
        done = list(values)
        if self.kind == "insert":
            return [*done[: self.index], new, *done[self.index :]]
        item = done.pop(self.index)
        if self.kind == "remove":
            return done
        done.insert(self.to if self.kind == "move" else self.index, item if self.kind == "move" else new)
        return done

    def patches(self, slots: Slots) -> list[Patch]:
        """The edit done to source text."""
        if self.kind == "replace":
            return [slots.put(self.index, self.text)]
        if self.kind == "insert":
            return slots.insert(self.index, self.text)
        return slots.remove(self.index) if self.kind == "remove" else slots.move(self.index, self.to)


@dataclass(frozen=True)
class _Line:
    """An item alone on its line or lines."""

    start: int
    lead: str
    """Indentation, dash and all."""
    tail: int
    """Behind the item and its comma."""
    end: int
    comma: bool


@dataclass(frozen=True)
class Slots:
    """Items in a text: where each stands, and what stands between them."""

    text: str
    spans: Sequence[Span]
    separator: Literal[",", "-", ""]
    """Between items in brackets, between pieces, and between the lines of a list with dashes."""
    lines: Sequence[_Line] | None = None
    """None where items share lines."""
    commas: Sequence[int] = ()
    """Behind which comma each item stands; the one behind the last item may be missing."""
    inside: int = 0
    """Behind the opening bracket."""

    def put(self, index: int, new: str) -> Patch:
        return (*self.spans[index], new) if self.separator == "-" else put(self.text, self.spans[index], new)

    def insert(self, index: int, new: str) -> list[Patch]:
        if not self.spans:
            return [(self.inside, self.inside, new)]
        if self.lines:
            return self._insert_line(self.lines, index, new)
        between = self.text[self.spans[0][1] : self.spans[1][0]] if len(self.spans) > 1 else ""
        usual = "-" if self.separator == "-" else ", "
        separator = between if between.strip(" ") == self.separator else usual
        if index < len(self.spans):
            at = self.spans[index][0]
            return [(at, at, new + separator)]
        at = self.spans[-1][1]
        return [(at, at, separator + new)]

    def _insert_line(self, lines: Sequence[_Line], index: int, new: str) -> list[Patch]:
        newline = newline_at(self.text, lines[0].end)
        if index == 0:
            comma = "," if self.separator == "," else ""
            return [(lines[0].start, lines[0].start, lines[0].lead + new + comma + newline)]
        before = lines[index - 1]
        comma = "," if before.comma else ""
        patches: list[Patch] = []
        if self.separator == "," and not before.comma:
            patches.append((before.tail, before.tail, ","))
        return [*patches, (before.end, before.end, newline + before.lead + new + comma)]

    def remove(self, index: int) -> list[Patch]:
        start, end = self.spans[index]
        if self.lines:
            line = self.lines[index]
            return [(line.start, next_line(self.text, line.end), "")]
        last = index == len(self.spans) - 1
        if self.separator == "-":
            if not last:
                return [(start, self.spans[index + 1][0], "")]
            return [(self.spans[index - 1][1] if index else start, end, "")]
        if last:
            before = self.commas[index - 1] if index else start
            return [(start if "#" in self.text[before:start] else before, end, "")]
        before, after = self.commas[index - 1] + 1 if index else start, self.commas[index] + 1
        if index == 0 or BREAK.search(self.text, before, start):
            before = start
            after += len(self.text[after:]) - len(self.text[after:].lstrip(" "))
        return [(before, after, "")]

    def move(self, index: int, to: int) -> list[Patch]:
        """Items change places; comments behind them go along where every item is on a line of its own."""
        order = list(range(len(self.spans)))
        order.insert(to, order.pop(index))
        patches: list[Patch] = []
        for at, source in enumerate(order):
            if at == source:
                continue
            start, end = self.spans[source]
            patches.append(self.put(at, self.text[start:end]))
            if self.lines:
                line, other = self.lines[at], self.lines[source]
                patches.append((line.tail, line.end, self.text[other.tail : other.end]))
        return patches


def put(text: str, span: Span, new: str) -> Patch:
    """Replaces a value, with a space where none was needed: behind a colon before nothing, or before a bracket."""
    start, end = span
    bracket = text[start : start + 1] in ("[", "{") and new[:1] not in ("[", "{")
    tight = start > 0 and text[start - 1] in ":-?" and (start == end or bracket)
    return (start, end, " " + new if tight and new else new)


def newline_at(text: str, at: int) -> str:
    """The line break at an offset, or the first one of the text."""
    found = BREAK.match(text, at) or BREAK.search(text)
    return found.group() if found and found.group() in ("\n", "\r\n", "\r") else "\n"


def slots_of_pieces(text: str, start: int, end: int) -> Slots:
    """The pieces of `6.0-0.5`, without the white space around them."""
    spans: list[Span] = []
    for piece in text[start:end].split("-"):
        white = len(piece) - len(piece.lstrip())
        spans.append((start + white, start + max(white, len(piece.rstrip()))))
        start += len(piece) + 1
    return Slots(text, spans, "-")


def slots_of_list(text: str, tree: Tree, node: Node) -> Slots:
    """The items of a list."""
    return _slots(text, tree, node, [(item.start, item.end) for item in node.items])


def slots_of_mapping(text: str, tree: Tree, node: Node) -> Slots:
    """The entries of a mapping in braces."""
    return _slots(text, tree, node, [(entry.key.start, entry.end) for entry in node.entries])


def _slots(text: str, tree: Tree, node: Node, spans: Sequence[Span]) -> Slots:
    commas: list[int] = []
    if node.style == "flow":
        for index, (_, end) in enumerate(spans):
            limit = spans[index + 1][0] if index + 1 < len(spans) else node.end
            found = bisect_left(tree.commas, end)
            commas += [comma for comma in tree.commas[found : found + 1] if comma < limit]
    lines: list[_Line] = []
    for index, (start, end) in enumerate(spans):
        if node.style == "block":
            line = _dashed_line(text, tree, start, end)
        else:
            line = _line(text, start, end, commas[index] + 1 if index < len(commas) else None)
        if line is None:
            lines = []
            break
        lines.append(line)
    return Slots(text, spans, "," if node.style == "flow" else "", lines or None, commas, node.content + 1)


def _line(text: str, start: int, end: int, comma: int | None) -> _Line | None:
    before, after = line_start(text, start), line_end(text, end)
    lead, tail = text[before:start], comma if comma is not None and comma <= after else end
    rest = text[tail:after].strip()
    if lead.strip() or (rest and not rest.startswith("#")):
        return None
    return _Line(before, lead, tail, after, tail != end)


def _dashed_line(text: str, tree: Tree, start: int, end: int) -> _Line | None:
    dash = tree.dashes[bisect_left(tree.dashes, start) - 1]
    before = line_start(text, dash)
    if text[before:dash].strip():
        return None
    lead = text[before:start]
    if lead[-1:] != " " or BREAK.search(lead):
        lead = text[before : dash + 1] + " "
    return _Line(before, lead, end, line_end(text, end), False)
