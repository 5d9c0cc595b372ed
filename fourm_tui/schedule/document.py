"""The text of one settings file, and edits that change only what they are about.

Comments, order, layout, quoting, line endings, byte order mark: everything beside the value edited stays as it was.
After every edit the text is read again; one that would change another value is refused.
"""

from __future__ import annotations

import copy
import os
import secrets
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from fourm_tui.errors import InputError, printable
from fourm_tui.schedule.items import (
    ItemEdit,
    Patch,
    Span,
    apply,
    newline_at,
    put,
    slots_of_list,
    slots_of_mapping,
    slots_of_pieces,
)  # fmt: skip
from fourm_tui.schedule.rows import Place
from fourm_tui.schedule.tree import (
    BREAK,
    MAX_SIZE,
    Definition,
    Entry,
    Node,
    Tree,
    line_end,
    line_start,
    next_line,
    place_at,
    read_source,
    read_tree,
)  # fmt: skip


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
        source, text = read_source(text), text.strip(" ")
        expected = {**self._values, key: source.value}
        entry = self._entry(key)
        if entry is not None and self.text[entry.value.start : entry.value.end] == text:
            return self
        texts = (text, literal(source.value))
        if entry is None:
            return self._first((_Change(patches) for text in texts for patches in self._added(key, text)), expected, key)
        return self._first((self._replaced(entry, text) for text in texts), expected, key)

    def remove(self, key: str) -> Document:
        """The document without a key.

        Raises:
            InputError: there is no such key in the file, or it would still be there by `<<`.
        """
        entry, root = self._entry(key), self._tree.root
        if entry is None or root is None:
            raise InputError(f"{self._name}: there is no key {printable(key, 40)} to remove")
        expected = {name: value for name, value in self._values.items() if name != key}
        if root.style == "flow":
            patches = slots_of_mapping(self.text, self._tree, root).remove(root.entries.index(entry))
        else:
            patches = [(line_start(self.text, entry.key.start), next_line(self.text, entry.end), "")]
        return self._first([_Change(patches, (entry.key.start, entry.end))], expected, key)

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
    def _name(self) -> str:
        return str(Place(self.path))

    @property
    def _members(self) -> Mapping[str, Node]:
        return self._tree.root.members if self._tree.root else {}

    @property
    def _values(self) -> Mapping[str, Any]:
        return self._tree.root.value if self._tree.root else {}

    def _entry(self, key: str) -> Entry | None:
        entries = self._tree.root.entries if self._tree.root else ()
        return next((entry for entry in entries if entry.key.value == key), None)

    def _added(self, key: str, text: str) -> Iterator[list[Patch]]:
        line, root = f"{literal(key)}: {text}", self._tree.root
        if root is None or not root.entries:
            at = self._tree.body if root is None else root.content + 1
            if root is not None:
                yield [(at, at, line)]
                return
            newline = newline_at(self.text, at)
            starts = line_start(self.text, at) == at
            yield [(at, at, line + newline if starts else newline + line + newline * (at < len(self.text)))]
            return
        same = [e for e in root.entries if isinstance(e.key.value, str) and e.key.value[:3] == "sr_"]
        if key[:3] != "sr_":
            same = [e for e in root.entries if isinstance(e.key.value, str) and e not in same]
        after = (same or root.entries)[-1]
        if root.style == "flow":
            yield slots_of_mapping(self.text, self._tree, root).insert(root.entries.index(after) + 1, line)
            return
        start, at = line_start(self.text, after.key.start), line_end(self.text, after.end)
        newline = newline_at(self.text, at)
        indent = " " * len(self.text[start : root.content])
        yield [(at, at, newline + indent + line)]
        yield [(start, start, indent + line + newline)]

    def _replaced(self, entry: Entry, text: str) -> _Change:
        node, root = entry.value, self._tree.root
        if entry.colon is None:
            assert root is not None
            if root.style == "flow":
                return _Change([(entry.end, entry.end, f": {text}")])
            at = line_end(self.text, entry.end)
            return _Change([(at, at, f"{newline_at(self.text, at)}: {text}")])
        whole = (node.start, node.end)
        if node.type == "scalar" or node.style == "flow" or not BREAK.search(self.text, entry.colon, node.content):
            return _Change([put(self.text, whole, text)], whole)
        # A block below its key: the value goes to the key's line, and the lines of the block go.
        head = (node.start, node.properties) if node.properties > node.start else (entry.colon, entry.colon)
        end = line_end(self.text, node.end)
        if self.text[node.end : end].strip():
            lines = (node.content, node.end)
        else:
            lines = (line_start(self.text, node.content), next_line(self.text, end))
        return _Change([put(self.text, head, text), (*lines, "")], whole)

    # -- how items change ---------------------------------------------------------------------------------------

    def _pieces(self, node: Node) -> list[Span] | None:
        """Where the pieces of a scalar stand; None where its source is not cut as its value is."""
        if node.type != "scalar" or node.style in ("|", ">"):
            return None
        quote = len(node.style)
        spans = list(slots_of_pieces(self.text, node.content + quote, node.end - quote).spans)
        count = node.value.count("-") + 1 if isinstance(node.value, str) else 1
        return spans if len(spans) == count else None

    def _with_item(self, key: str, edit: ItemEdit) -> Document:
        if key not in self._members:
            raise InputError(f"{self._name}: there is no key {printable(key, 40)} to change")
        node = self._members[key]
        node = node.target or node
        is_string = isinstance(node.value, str)
        count = len(node.items) if node.type == "list" else node.value.count("-") + 1 if is_string else 1
        last = count if edit.kind == "insert" else count - 1
        if not (0 <= edit.index <= last and 0 <= edit.to <= last):
            raise InputError(f"{self.place(key)}: {key} has {count} values; there is none at {edit.index + 1}")
        if node.type == "list":
            return self._with_list_item(key, node, edit)
        if edit.kind == "remove" and count == 1:
            raise InputError(f"{self.place(key)}: {key} has a single value (remove the key)")
        if edit.kind == "move" and count == 1:
            return self
        if (edit.kind == "replace" and count == 1) or (is_string and not node.value.strip()):
            return self.replace(key, edit.text)
        source = self.text[node.content : node.end] or "null"
        if is_string or (node.type == "scalar" and "-" not in source and not BREAK.search(source)):
            return self._with_piece(key, node, edit, source)
        texts = [literal(node.value), edit.text]
        return self.replace(key, "[" + ", ".join(texts if edit.index else reversed(texts)) + "]")

    def _with_piece(self, key: str, node: Node, edit: ItemEdit, source: str) -> Document:
        if edit.kind in ("replace", "insert") and (not edit.text or "-" in edit.text or edit.text[0] in _NOT_IN_STRINGS):
            what = printable(edit.text, 40) or "nothing"
            raise InputError(f"{self.place(key)}: {what} cannot be a piece of a string (make {key} a list)")
        whole = node.value if isinstance(node.value, str) else source
        value: Any = apply(whole, edit.patches(slots_of_pieces(whole, 0, len(whole))))
        new = value if node.style == "" and not BREAK.search(value) else literal(value)
        if "-" not in value and node.style == "":
            value = read_source(value).value
        patches = None
        if self._pieces(node) is not None and node.content < node.end:
            quote = len(node.style)
            patches = edit.patches(slots_of_pieces(self.text, node.content + quote, node.end - quote))
        return self._with_patches(key, node, patches, None, value, new)

    def _with_list_item(self, key: str, node: Node, edit: ItemEdit) -> Document:
        new: Any = None
        if edit.kind in ("replace", "insert"):
            new = read_source(edit.text).value
            if not same(_read_in_list(edit.text), [new]):
                edit = ItemEdit(edit.kind, edit.index, literal(new))
        values = edit.values(node.value, new)
        slots = slots_of_list(self.text, self._tree, node)
        in_place = node.style == "flow" or (slots.lines and values)
        patches = edit.patches(slots) if in_place else None
        gone = slots.spans[edit.index] if edit.kind in ("replace", "remove") else None
        return self._with_patches(key, node, patches, gone, values, literal(values))

    def _with_patches(
        self, key: str, node: Node, patches: list[Patch] | None, gone: Span | None, value: Any, rewritten: str
    ) -> Document:  # fmt: skip
        """The document with patches inside a value, or else with `rewritten` in its place."""
        entry = self._entry(key)
        if entry is None or entry.value is not node:  # an alias, or from <<: the value is written out here
            if patches is not None:
                text = apply(self.text, patches)
                text = text[node.content : node.end + len(text) - len(self.text)]
                if _reads_as(text, value):
                    rewritten = text
            return self.replace(key, rewritten)
        changes = [self._replaced(entry, rewritten)]
        if patches is not None:
            changes.insert(0, _Change(patches, gone, node))
        return self._first(changes, {**self._values, key: value}, key)

    # -- making sure --------------------------------------------------------------------------------------------

    def _first(self, changes: Iterable[_Change], expected: Mapping[str, Any], key: str) -> Document:
        """The first change after which the file holds what is expected, and nothing else is different."""
        for change in changes:
            for text in self._texts(change):
                with suppress(InputError):
                    document = Document(text, self.path)
                    values = document._values
                    if values.keys() == expected.keys() and all(same(values[k], expected[k]) for k in values):
                        return document
        place = self.place(key) if key in self else self._name
        raise InputError(f"{place}: {printable(key, 40)} cannot be changed without changing more (edit the file itself)")

    def _texts(self, change: _Change) -> Iterator[str]:
        """The text after a change. Aliases of what it changes keep their value: the first one takes the anchor over,
        or, where that is not possible, each is written out."""
        start, end = change.gone or (0, -1)

        def is_gone(node: Node) -> bool:
            return start <= node.start and node.end <= end

        lost = [d for d in self._tree.definitions.values() if d.node is change.node or is_gone(d.node)]
        uses = [[use for use in self._tree.uses if use.target is d.node and not is_gone(use)] for d in lost]
        if not any(uses):
            yield apply(self.text, change.patches)
            return
        for written_out in (False, True):
            patches = list(change.patches)
            for definition, aliases in zip(lost, uses, strict=True):
                if aliases and not is_gone(definition.node):
                    patches.append(self._without_anchor(definition))
                for number, alias in enumerate(aliases):
                    if written_out:
                        patches.append((alias.start, alias.end, literal(alias.value)))
                    elif number == 0:
                        patches.append((alias.start, alias.end, self._source(definition, keep_anchor=len(aliases) > 1)))
            yield apply(self.text, patches)

    def _source(self, definition: Definition, *, keep_anchor: bool) -> str:
        """What to write for an alias of a definition."""
        node, anchor = definition.node, self.text[definition.start : definition.end]
        source = self.text[node.start : definition.start] + self.text[definition.end : node.end].lstrip(" ")
        if BREAK.search(source) or not source.strip():
            source = literal(node.value)
        return f"{anchor} {source}" if keep_anchor else source

    def _without_anchor(self, definition: Definition) -> Patch:
        start, end = definition.start, definition.end
        while self.text[end : end + 1] == " ":
            end += 1
        if self.text[end : end + 1] != "#" and not BREAK.match(self.text, end):
            return (start, end, "")
        while self.text[start - 1] == " ":
            start -= 1
        return (start, definition.end, "")


@dataclass(frozen=True)
class _Change:
    """One way to do an edit."""

    patches: list[Patch]
    gone: Span | None = None
    """What is no longer there, anchors included."""
    node: Node | None = None
    """What has another value afterwards."""


_NOT_IN_STRINGS = "'\"[]{}&*!|>%@`#,"


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same, type for type: 1 is neither 1.0 nor True, and NaN is NaN."""
    return repr(one) == repr(other)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if BREAK.search(text) else None)


_Dumper.add_representer(str, _represent_text)


def literal(value: Any) -> str:
    """A value as YAML source on one line that can stand anywhere."""
    dumped = yaml.dump(
        [value], Dumper=_Dumper, default_flow_style=True, width=2**31, allow_unicode=True, sort_keys=False
    )
    return dumped.strip()[1:-1]


def _read_in_list(text: str) -> Any:
    with suppress(InputError):
        return read_source(f"[{text}]").value
    return None


def _reads_as(text: str, value: Any) -> bool:
    with suppress(InputError):
        return same(read_source(text).value, value)
    return False


def read_text(path: Path) -> str:
    """The text of a file as it is, line endings and byte order mark included.

    Raises:
        InputError: it cannot be read, is not UTF-8, or has more than 1 MiB.
    """
    name = printable(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SIZE + 1)
    except FileNotFoundError:
        raise InputError(f"{name}: there is no such file (check its name)") from None
    except IsADirectoryError:
        raise InputError(f"{name} is a folder (name a file in it)") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{name} cannot be read: {printable(reason)} (check the file and its permissions)") from None
    if len(data) > MAX_SIZE:
        raise InputError(f"{name} has more than 1 MiB (name a settings file)")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        place, byte = place_at(before, len(before), path), data[error.start]
        raise InputError(f"{place}: the byte 0x{byte:02x} is not UTF-8 (save the file as UTF-8)") from None


def write_text(path: Path, text: str) -> None:
    """Writes a file that is there as a whole or not at all, keeping its permissions; a link's target is written.

    Raises:
        InputError: it cannot be written.
    """
    temporary: Path | None = None
    try:
        target = path.resolve()
        mode: int | None = None
        with suppress(FileNotFoundError):
            found = target.stat()
            if not stat.S_ISREG(found.st_mode):
                raise InputError(f"{printable(path)} is no file that can be written (choose another name)")
            mode = stat.S_IMODE(found.st_mode)
        temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with open(descriptor, "wb") as file:
            if mode is not None:
                os.fchmod(descriptor, mode)
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(descriptor)
        temporary.replace(target)
    except (OSError, ValueError, RuntimeError) as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{printable(path)} cannot be written: {printable(reason)} (choose another place)") from None
