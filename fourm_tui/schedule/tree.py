"""Where the values of a settings file stand: YAML read together with the exact span of all that can be edited.

Values are those of PyYAML's safe loader (YAML 1.1), without the tags `!!set`, `!!omap` and `!!pairs`. Offsets count
characters of the text, which is taken as it is: byte order mark, line endings and all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, NoReturn

import yaml

from fourm_tui.errors import InputError, printable
from fourm_tui.schedule.rows import Place
from fourm_tui.schedule.yaml_errors import explain

MAX_SIZE = 2**20
"""Characters of a file, and weight of its values with every alias written out: a bound for time and memory."""
MAX_DEPTH = 32
"""Lists and mappings inside each other."""
_NODE_WEIGHT = 64
_MAX_NUMBER = 1000
"""Characters of a number or date; PyYAML's time for longer ones is quadratic."""

BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What ends a line in YAML 1.1."""

_TAG = "tag:yaml.org,2002:"
_SCALAR_TAGS = frozenset(_TAG + name for name in ("null", "bool", "int", "float", "timestamp", "binary", "str"))
_MERGE = object()
"""The value of the key `<<`."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A value as it stands in the text; its source is `text[start:end]`."""

    start: int
    properties: int
    """Where its anchor and tag end; `start` if it has none."""
    content: int
    """Where it starts without anchor and tag."""
    end: int
    """Behind its last character; comments that follow are not part of it."""
    type: Literal["scalar", "list", "mapping"]
    style: str
    """Of a scalar: `""` for plain, or its indicator `'`, `"`, `|`, `>`. Of others: `flow` or `block`."""
    value: Any
    weight: int = _NODE_WEIGHT
    depth: int = 0
    items: tuple[Node, ...] = ()
    entries: tuple[Entry, ...] = ()
    members: Mapping[Any, Node] = field(default_factory=dict)
    """What the keys of a mapping stand for, also those that come from `<<`."""
    target: Node | None = None
    """What an alias stands for; its other fields but those of its place are the target's."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A key of a mapping and its value."""

    key: Node
    colon: int | None
    """Behind the colon; None for a key without one."""
    value: Node

    @property
    def end(self) -> int:
        return self.key.end if self.colon is None else max(self.colon, self.value.end)


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """An anchor and the value that carries it; the anchor itself is `text[start:end]`."""

    node: Node
    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """A file as read."""

    root: Node | None
    """None where there is nothing but comments."""
    body: int
    """Where a first key could be put if there is none."""
    definitions: Mapping[str, Definition]
    uses: tuple[Node, ...]
    """All aliases in the order of the text."""
    commas: tuple[int, ...]
    dashes: tuple[int, ...]


def place_at(text: str, offset: int, path: Path | None) -> Place:
    """Line and column of an offset, as editors count them."""
    before = text[:offset].removeprefix("\ufeff")
    line = before.count("\n") + before.count("\r") - before.count("\r\n")
    return Place(path, line + 1, len(before) - max(before.rfind("\n"), before.rfind("\r")))


def line_start(text: str, at: int) -> int:
    """Where the line of an offset starts, behind a byte order mark."""
    start = 1 + max(text.rfind(character, 0, at) for character in "\n\r\x85\u2028\u2029")
    return 1 if start == 0 and text.startswith("\ufeff") else start


def line_end(text: str, at: int) -> int:
    """Where the line of an offset ends, before its line break."""
    found = BREAK.search(text, at)
    return found.start() if found else len(text)


def next_line(text: str, at: int) -> int:
    """Where the line after that of an offset starts."""
    found = BREAK.search(text, at)
    return found.end() if found else len(text)


def read_tree(text: str, path: Path | None = None) -> Tree:
    """Reads a settings file.

    Raises:
        InputError: it is no YAML mapping of names to values, or an unreasonable one.
    """
    parser = _parser(text, path)
    tree = parser.tree()
    root = tree.root
    if root is None:
        return tree
    if root.type != "mapping":
        what = "a list" if root.type == "list" else "a single value"
        parser.fail(root.start, f"the file holds {what} instead of keys", "write key: value, one a line")
    for key, value in root.members.items():
        if not isinstance(key, str):
            at = next((entry.key.start for entry in root.entries if entry.value is value), value.start)
            parser.fail(at, f"the key {printable(key, 40)} is no name", "put it in quotes")
    return tree


def read_source(text: str) -> Node:
    """Reads one value on one line, such as `3.0`, `'a b'` or `[1, 2]`.

    Raises:
        InputError: the text is not just that.
    """
    whole = text.strip(" ")
    if not whole:
        raise InputError("nothing is no value (write null)")
    try:
        root = _parser(whole, None).tree().root
    except InputError as error:
        raise InputError(f"{printable(text, 60)!r} is no YAML value: {error}") from None
    if root is None or (root.start, root.end) != (0, len(whole)) or BREAK.search(whole):
        raise InputError(f"{printable(text, 60)!r} is no YAML value on one line (put it in quotes)")
    return root


def _parser(text: str, path: Path | None) -> _Parser:
    if len(text) > MAX_SIZE:
        raise InputError(f"{Place(path)}: there are more than {MAX_SIZE:,} characters (name a settings file)")
    try:
        return _Parser(text, path)
    except yaml.reader.ReaderError as error:
        problem = f"the character U+{ord(text[error.position]):04X} is not allowed in YAML"
        raise InputError(f"{place_at(text, error.position, path)}: {problem} (remove it)") from None


class _Parser(yaml.SafeLoader):
    """PyYAML's parser, which keeps where things stand and bounds what it builds."""

    def __init__(self, text: str, path: Path | None) -> None:
        super().__init__(text)
        self.text, self.path = text, path
        self.weight = 0
        self.open: set[str] = set()
        self.definitions: dict[str, Definition] = {}
        self.uses: list[Node] = []
        self.commas: list[int] = []
        self.dashes: list[int] = []
        # Where the tokens taken last stand.
        self.colon: int | None = None
        self.anchor = (0, 0)
        self.scalar = self.properties = self.last = 0

    def fail(self, at: int, problem: str, fix: str) -> NoReturn:
        raise InputError(f"{place_at(self.text, at, self.path)}: {problem} ({fix})")

    def get_token(self) -> Any:
        token = super().get_token()
        start, end = token.start_mark.index, token.end_mark.index
        if isinstance(token, yaml.ScalarToken):
            self.scalar = start
            if token.style in ("|", ">"):  # without the blank lines that follow
                end = line_end(self.text, start + len(self.text[start:end].rstrip()))
        elif isinstance(token, yaml.ValueToken):
            self.colon = end
        elif isinstance(token, yaml.AnchorToken | yaml.TagToken):
            self.properties = end
            if isinstance(token, yaml.AnchorToken):
                self.anchor = (start, end)
        elif isinstance(token, yaml.FlowEntryToken):
            self.commas.append(start)
        elif isinstance(token, yaml.BlockEntryToken):
            self.dashes.append(start)
        if end > start:
            self.last = end
        return token

    def look(self) -> Any:
        """The next event."""
        try:
            return self.peek_event()
        except yaml.MarkedYAMLError as error:
            mark, problem, fix = explain(error)
            self.fail(mark.index if mark else self.index, problem, fix)
        except (ValueError, OverflowError):  # from escapes such as \UFFFFFFFF and from %YAML 1.(5000 digits)
            self.fail(self.index, "there is an escape or a number beyond what can be held", "correct it")

    def take(self) -> Any:
        event: Any = self.look()
        self.get_event()
        return event

    def tree(self) -> Tree:
        self.take()
        root: Node | None = None
        body = len(self.text)
        if not isinstance(self.look(), yaml.StreamEndEvent):
            self.take()
            node = self.node(0)
            body = node.start
            root = None if node.type == "scalar" and node.start == node.end else node
            self.take()
            if not isinstance(self.look(), yaml.StreamEndEvent):
                second: Any = self.take()
                at = second.start_mark.index
                self.fail(at, "a second YAML document starts here", "put it into a file of its own")
        return Tree(root, body, self.definitions, tuple(self.uses), tuple(self.commas), tuple(self.dashes))

    def weigh(self, weight: int, at: int) -> None:
        self.weight += weight
        if self.weight > MAX_SIZE:
            self.fail(at, "these are more values than any settings file has", "shorten lists and use fewer aliases")

    def node(self, level: int, *, is_key: bool = False) -> Node:
        event: Any = self.take()
        start, behind, before = event.start_mark.index, event.end_mark.index, self.weight
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, level)
        if level > MAX_DEPTH:
            self.fail(start, f"more than {MAX_DEPTH} lists or mappings stand inside each other", "use fewer")
        name, anchor = event.anchor, self.anchor
        if name is not None:
            if name in self.definitions or name in self.open:
                self.fail(start, f"the anchor &{printable(name, 40)} is there twice", "rename one of the two")
            self.open.add(name)
        has_properties = name is not None or event.tag is not None
        properties = self.properties if has_properties else start
        self.weigh(_NODE_WEIGHT, start)
        if isinstance(event, yaml.ScalarEvent):
            self.weigh(len(event.value), start)
            value = self.scalar_value(event, is_key)
            empty = not event.value and behind == properties
            content, end = (properties, properties) if empty else (self.scalar, self.last)
            node = Node(start, properties, content, end, "scalar", event.style or "", value, self.weight - before)
        else:
            node = self.collection(event, level, properties, before)
        if name is not None:
            self.open.discard(name)
            self.definitions[name] = Definition(node, *anchor)
        return node

    def alias(self, event: Any, level: int) -> Node:
        start, end, name = event.start_mark.index, event.end_mark.index, printable(event.anchor, 40)
        if event.anchor in self.open:
            self.fail(start, f"*{name} stands inside its own anchor", "remove it")
        if event.anchor not in self.definitions:
            self.fail(start, f"there is no anchor &{name} above", "write the value itself")
        target = self.definitions[event.anchor].node
        self.weigh(target.weight, start)
        if level + target.depth > MAX_DEPTH:
            self.fail(start, f"more than {MAX_DEPTH} lists or mappings stand inside each other", "use fewer")
        self.uses.append(replace(target, start=start, properties=start, content=start, end=end, target=target))
        return self.uses[-1]

    def scalar_value(self, event: Any, is_key: bool) -> Any:
        at, text, tag = event.start_mark.index, event.value, event.tag
        if tag is None or tag == "!":
            tag = self.resolve(yaml.ScalarNode, text, event.implicit)
        if tag == _TAG + "str":
            return text
        if is_key and tag in (_TAG + "merge", _TAG + "value"):
            return _MERGE if tag == _TAG + "merge" else text
        if tag not in _SCALAR_TAGS:
            self.fail(at, f"{printable(tag.replace(_TAG, '!!'), 60)} cannot be used here", "put the value in quotes")
        value, readable = None, len(text) <= _MAX_NUMBER or tag == _TAG + "binary"
        if readable:
            try:
                value = self.construct_object(yaml.ScalarNode(tag, text, event.start_mark, event.end_mark))
            except (yaml.YAMLError, ValueError, LookupError, ArithmeticError, AttributeError, TypeError):
                readable = False
        if not readable or (isinstance(value, int) and value.bit_length() > 1023):  # what float() can take
            what = tag.replace(_TAG, "").replace("timestamp", "date")
            self.fail(at, f"{printable(text, 40)!r} cannot be read as {what}", "put it in quotes")
        return value

    def collection(self, event: Any, level: int, properties: int, before: int) -> Node:
        """A list or mapping whose first event was taken."""
        is_list = isinstance(event, yaml.SequenceStartEvent)
        start, content = event.start_mark.index, event.end_mark.index
        if event.tag not in (None, "!", _TAG + ("seq" if is_list else "map")):
            self.fail(start, f"the tag {printable(event.tag.replace(_TAG, '!!'), 60)} is not supported", "remove it")
        if event.flow_style is None or (event.flow_style and content > start):
            content -= 1  # the mark is behind the dash or the bracket
        style = "flow" if event.flow_style else "block"
        if is_list:
            items = []
            while not isinstance(self.look(), yaml.SequenceEndEvent):
                items.append(self.node(level + 1))
            self.take()
            depth = 1 + max((item.depth for item in items), default=0)
            value, weight = [item.value for item in items], self.weight - before
            return Node(start, properties, content, self.last, "list", style, value, weight, depth, tuple(items))
        entries, members = self.entries(level)
        self.take()
        depth = 1 + max((max(entry.key.depth, entry.value.depth) for entry in entries), default=0)
        mapping, weight = {key: node.value for key, node in members.items()}, self.weight - before
        return Node(
            start, properties, content, self.last, "mapping", style, mapping, weight, depth, (), tuple(entries), members
        )

    def entries(self, level: int) -> tuple[list[Entry], dict[Any, Node]]:
        entries: list[Entry] = []
        own: dict[Any, Node] = {}
        inherited: dict[Any, Node] = {}
        while not isinstance(self.look(), yaml.MappingEndEvent):
            key = self.node(level + 1, is_key=True)
            self.colon = None
            self.look()
            entry = Entry(key, self.colon, self.node(level + 1))
            if isinstance(key.value, list | dict):
                self.fail(key.start, "a list or mapping cannot be a key", "write key: value")
            if key.value in own:
                name = printable(self.text[key.content : key.end], 40)
                self.fail(key.start, f"{name} is there twice", "remove one of the two")
            entries.append(entry)
            own[key.value] = entry.value
            if key.value is _MERGE:
                inherited = self.merged(entry.value)
        own.pop(_MERGE, None)
        return entries, inherited | own

    def merged(self, node: Node) -> dict[Any, Node]:
        """What a mapping takes over by `<<: node`; of several mappings the first one counts."""
        sources = (node,) if node.type == "mapping" else tuple(reversed(node.items))
        if node.type == "scalar" or any(source.type != "mapping" for source in sources):
            self.fail(node.start, "<< needs a mapping, or a list of mappings", "name an anchor of a mapping")
        return {key: value for source in sources for key, value in source.members.items()}
