"""The text of one settings file, and edits that change only what they are about.

Comments, order, layout, quoting, line endings, byte order mark: everything beside the value edited stays as it was.
After every edit the text is read again; one that would change another value is refused.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from fourm_tui.errors import InputError, printable
from fourm_tui.schedule import items
from fourm_tui.schedule.changes import Change, texts_after
from fourm_tui.schedule.items import ItemEdit, Patch, Span
from fourm_tui.schedule.literals import literal, reads_as, same
from fourm_tui.schedule.rows import Place
from fourm_tui.schedule.text_files import read_text, write_text
from fourm_tui.schedule.tree import (
    BREAK,
    Entry,
    Node,
    Tree,
    line_end,
    line_start,
    next_line,
    place_at,
    read_source,
    read_tree,
)

_NOT_IN_STRINGS = "'\"[]{}&*!|>%@`#,"
"""What no piece of a hyphen-separated string starts with, as YAML means something else by it."""


@dataclass(frozen=True)
class Document:
    """A settings file: its text, its values, and the same file with one thing changed.

    Raises:
        InputError: the text is no mapping of names to values, with file, line and column.
    """

    text: str
    path: Path | None = None
    _tree: Tree = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_tree", read_tree(self.text, self.path))

    @classmethod
    def parse(cls, text: str, path: Path | None = None) -> Document:
        return cls(text, path)

    @classmethod
    def read(cls, path: Path) -> Document:
        """Reads a file, at most 1 MiB of UTF-8."""
        return cls(read_text(path), path)

    def write(self, path: Path | None = None) -> None:
        """Writes the text to `path`, or to where it came from: beside it first, then renamed.

        Raises:
            InputError: there is no path, or it cannot be written.
        """
        target = path or self.path
        if target is None:
            raise InputError("these settings have no file yet (name one)")
        write_text(target, self.text)

    # -- reading ------------------------------------------------------------------------------------------------

    def __contains__(self, key: object) -> bool:
        return key in self._members

    def __getitem__(self, key: str) -> Any:
        """The value of a key as YAML 1.1 reads it, also one that comes from `<<`."""
        return copy.deepcopy(self._members[key].value)

    def keys(self) -> tuple[str, ...]:
        return tuple(self._members)

    def node_kind(self, key: str) -> Literal["scalar", "flow", "block", "mapping"]:
        """How a value is written, an alias standing for what it names: `flow` is a list in brackets, `block` one
        with dashes."""
        node = self._members[key]
        if node.type == "list":
            return "flow" if node.style == "flow" else "block"
        return node.type

    def place(self, key: str, index: int | None = None) -> Place:
        """Where a value stands, or one item of a list or piece of a string; an alias has one place for all items."""
        node = self._members[key]
        at = node.start
        if index is not None and node.target is None:
            if node.type == "list":
                starts = [item.start for item in node.items]
            else:
                starts = [start for start, _ in self._pieces(node) or ()]
            at = starts[index] if 0 <= index < len(starts) else at
        return place_at(self.text, at, self.path)

    # -- editing ------------------------------------------------------------------------------------------------

    def replace(self, key: str, text: str) -> Document:
        """The document with another value, or with a new key behind the last one of its part (`sr_` or not).

        Args:
            text: YAML source of the value on one line: `3.0`, `6.0-0.5`, `[1, 2]`.

        Raises:
            InputError: `text` is no such value, or the edit would change something else too.
        """
        value, text = read_source(text).value, text.strip(" ")
        expected = {**self._values, key: value}
        entry = self._entry(key)
        if entry is None:
            changes = (Change(added) for source in (text, literal(value)) for added in self._added(key, source))
            return self._first(changes, expected, key)
        if self.text[entry.value.content : entry.value.end] == text and entry.value.target is None:
            if same(entry.value.value, value):
                return self
        return self._first((self._replaced(entry, source) for source in (text, literal(value))), expected, key)

    def remove(self, key: str) -> Document:
        """The document without a key.

        Raises:
            InputError: there is no such key in the file, or it would still be there by `<<`.
        """
        entry, root = self._entry(key), self._tree.root
        if entry is None or root is None:
            if key in self:
                raise InputError(f"{self.place(key)}: {printable(key, 40)} comes from << (give it another value)")
            raise InputError(f"{Place(self.path)}: there is no key {printable(key, 40)} to remove")
        expected = {name: value for name, value in self._values.items() if name != key}
        if root.style == "flow":
            patches = items.slots_of_mapping(self.text, self._tree, root).remove(root.entries.index(entry))
        else:
            patches = [(line_start(self.text, entry.key.start), next_line(self.text, entry.end), "")]
        return self._first([Change(patches, (entry.key.start, entry.end))], expected, key)

    def replace_item(self, key: str, index: int, text: str) -> Document:
        """The document with another item of a list or piece of a hyphen-separated string; items count from 0. A value
        that is neither is its own only item.

        Raises:
            InputError: there is no such item, or `text` cannot stand there.
        """
        return self._with_item(key, ItemEdit("replace", index, text.strip(" ")))

    def insert_item(self, key: str, index: int, text: str) -> Document:
        """The document with one item or piece more, before that of `index`; a single value becomes several."""
        return self._with_item(key, ItemEdit("insert", index, text.strip(" ")))

    def remove_item(self, key: str, index: int) -> Document:
        """The document with one item or piece less."""
        return self._with_item(key, ItemEdit("remove", index))

    def move_item(self, key: str, index: int, to: int) -> Document:
        """The document with an item at another index, those between moving up or down."""
        return self._with_item(key, ItemEdit("move", index, to=to))

    # -- how keys change ----------------------------------------------------------------------------------------

    @property
    def _members(self) -> Mapping[str, Node]:
        return self._tree.root.members if self._tree.root else {}

    @property
    def _values(self) -> Mapping[str, Any]:
        return self._tree.root.value if self._tree.root else {}

    def _entry(self, key: str) -> Entry | None:
        entries = self._tree.root.entries if self._tree.root else ()
        return next((entry for entry in entries if entry.key.value == key), None)

    def _added(self, key: str, source: str) -> Iterator[list[Patch]]:
        line, root, at = f"{literal(key)}: {source}", self._tree.root, self._tree.body
        if root is None:
            newline = items.newline_at(self.text, at)
            own_line = line_start(self.text, at) == at
            yield [(at, at, line + newline if own_line else newline + line + newline * (at < len(self.text)))]
            return
        is_sr = key.startswith("sr_")
        names = [entry.key.value if isinstance(entry.key.value, str) else None for entry in root.entries]
        alike = [index for index, name in enumerate(names) if name is not None and name.startswith("sr_") == is_sr]
        last = alike[-1] if alike else len(names) - 1
        if root.style == "flow":
            yield items.slots_of_mapping(self.text, self._tree, root).insert(last + 1, line)
            return
        entry = root.entries[last]
        start, end = line_start(self.text, entry.key.start), line_end(self.text, entry.end)
        newline = items.newline_at(self.text, end)
        indent = " " * (root.content - line_start(self.text, root.content))
        yield [(end, end, newline + indent + line)]
        yield [(start, start, indent + line + newline)]  # where a line more would belong to a block scalar

    def _replaced(self, entry: Entry, source: str) -> Change:
        node, root = entry.value, self._tree.root
        if entry.colon is None:
            if root and root.style == "flow":
                return Change([(entry.end, entry.end, f": {source}")])
            at = line_end(self.text, entry.end)
            indent = " " * (root.content - line_start(self.text, root.content)) if root else ""
            return Change([(at, at, f"{items.newline_at(self.text, at)}{indent}: {source}")])
        whole = (node.start, node.end)
        is_block = node.style in ("block", "|", ">")
        if not is_block or not BREAK.search(self.text, entry.colon, node.content):
            return Change([items.put(self.text, whole, source)], whole)
        # A block below its key: the value goes to the key's line, and the lines of the block go.
        head = (node.start, node.properties) if node.properties > node.start else (entry.colon, entry.colon)
        if BREAK.search(self.text, entry.colon, node.start) and head[0] == node.start:
            return Change([items.put(self.text, whole, source)], whole)
        end = line_end(self.text, node.end)
        lines = (line_start(self.text, node.content), next_line(self.text, end))
        if self.text[node.end : end].strip():  # a comment
            lines = (node.content, node.end)
        return Change([items.put(self.text, head, source), (*lines, "")], whole)

    # -- how items change ---------------------------------------------------------------------------------------

    def _pieces(self, node: Node) -> list[Span] | None:
        """Where the pieces of a scalar stand; None where its source is not cut as its value is."""
        if node.type != "scalar" or node.style in ("|", ">"):
            return None
        quote = len(node.style)
        spans = list(items.slots_of_pieces(self.text, node.content + quote, node.end - quote).spans)
        count = node.value.count("-") + 1 if isinstance(node.value, str) else 1
        return spans if len(spans) == count else None

    def _with_item(self, key: str, edit: ItemEdit) -> Document:
        if key not in self._members:
            raise InputError(f"{Place(self.path)}: there is no key {printable(key, 40)} to change")
        node = self._members[key].target or self._members[key]
        is_string = isinstance(node.value, str)
        count = len(node.items) if node.type == "list" else node.value.count("-") + 1 if is_string else 1
        last = count if edit.kind == "insert" else count - 1
        if not (0 <= edit.index <= last and 0 <= edit.to <= last):
            what = f"{printable(key, 40)} has {count} value{'s' * (count != 1)}"
            raise InputError(f"{self.place(key)}: {what} (no number {max(edit.index, edit.to) + 1})")
        if node.type == "list":
            return self._with_list_item(key, node, edit)
        if edit.kind == "remove" and count == 1:
            raise InputError(f"{self.place(key)}: {printable(key, 40)} has a single value (remove the key)")
        if edit.kind == "move" and edit.index == edit.to:
            return self
        if (edit.kind == "replace" and count == 1) or (is_string and not node.value.strip()):
            return self.replace(key, edit.text)
        source = self.text[node.content : node.end] or "null"
        if is_string or (node.type == "scalar" and "-" not in source and not BREAK.search(source)):
            return self._with_piece(key, node, edit, source)
        both = [literal(node.value), _in_brackets(edit.text)]
        return self.replace(key, f"[{', '.join(both if edit.index else reversed(both))}]")

    def _with_piece(self, key: str, node: Node, edit: ItemEdit, source: str) -> Document:
        new = edit.text
        if edit.kind in ("replace", "insert") and (not new or "-" in new or new[0] in _NOT_IN_STRINGS):
            what = printable(new, 40) or "nothing"
            raise InputError(f"{self.place(key)}: {what} cannot be part of a hyphenated string (make it a list)")
        whole = node.value if isinstance(node.value, str) else source
        value: Any = items.apply(whole, edit.patches(items.slots_of_pieces(whole, 0, len(whole))))
        rewritten = value if node.style == "" and reads_as(value, value) else literal(value)
        if node.style == "" and "-" not in value:
            value, rewritten = read_source(value).value, value
        patches = None
        if self._pieces(node) is not None and node.content < node.end:
            quote = len(node.style)
            patches = edit.patches(items.slots_of_pieces(self.text, node.content + quote, node.end - quote))
        return self._with_patches(key, node, patches, None, value, rewritten)

    def _with_list_item(self, key: str, node: Node, edit: ItemEdit) -> Document:
        new: Any = None
        if edit.kind in ("replace", "insert"):
            new = read_source(edit.text).value
            edit = ItemEdit(edit.kind, edit.index, _in_brackets(edit.text))
        values = edit.values(node.value, new)
        slots = items.slots_of_list(self.text, self._tree, node)
        in_place = node.style == "flow" or (slots.lines and values)
        patches = edit.patches(slots) if in_place else None
        gone = slots.spans[edit.index] if edit.kind in ("replace", "remove") else None
        return self._with_patches(key, node, patches, gone, values, literal(values))

    def _with_patches(
        self, key: str, node: Node, patches: list[Patch] | None, gone: Span | None, value: Any, rewritten: str
    ) -> Document:
        """The document with patches inside a value, or else with `rewritten` in its place."""
        entry = self._entry(key)
        if entry is None or entry.value is not node:  # an alias, or from <<: the value is written out here
            if patches is not None:
                text = items.apply(self.text, patches)
                text = text[node.content : node.end + len(text) - len(self.text)]
                if reads_as(text, value):
                    rewritten = text
            return self.replace(key, rewritten)
        changes = [self._replaced(entry, rewritten), self._replaced(entry, literal(value))]
        if patches is not None:
            changes.insert(0, Change(patches, gone, node))
        return self._first(changes, {**self._values, key: value}, key)

    def _first(self, changes: Iterable[Change], expected: Mapping[str, Any], key: str) -> Document:
        """The first change after which the file holds what is expected, and nothing else is different."""
        for change in changes:
            for text in texts_after(self.text, self._tree, change):
                with suppress(InputError):
                    document = Document(text, self.path)
                    values = document._values
                    if values.keys() == expected.keys() and all(same(values[k], expected[k]) for k in values):
                        return document
        place = self.place(key) if key in self else Place(self.path)
        problem = f"{printable(key, 40)} cannot be changed here without changing more"
        raise InputError(f"{place}: {problem} (change the file in a text editor)")


def _in_brackets(text: str) -> str:
    """The source of a value, put so that it is one item of a list in brackets."""
    value = read_source(text).value
    return text if reads_as(f"[{text}]", [value]) else literal(value)
