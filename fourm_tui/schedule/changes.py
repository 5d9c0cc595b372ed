"""Changes of a text in which aliases keep their values.

Where an anchored value changes or goes, the first alias that remains takes over its source, and its anchor if there
are more aliases; where that is not possible, every alias is written out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fourm_tui.schedule.items import Patch, Span, apply
from fourm_tui.schedule.literals import literal
from fourm_tui.schedule.tree import BREAK, Definition, Node, Tree


@dataclass(frozen=True)
class Change:
    """One way to do an edit."""

    patches: list[Patch]
    gone: Span | None = None
    """What is no longer there, anchors included."""
    node: Node | None = None
    """What has another value afterwards."""


def texts_after(text: str, tree: Tree, change: Change) -> Iterator[str]:
    """The text after a change; a second one, with aliases written out, in case that the first is not what it should
    be."""
    start, end = change.gone or (0, -1)

    def is_gone(node: Node) -> bool:
        return start <= node.start and node.end <= end

    lost = [d for d in tree.definitions.values() if d.node is change.node or is_gone(d.node)]
    uses = [[use for use in tree.uses if use.target is d.node and not is_gone(use)] for d in lost]
    if not any(uses):
        yield apply(text, change.patches)
        return
    for written_out in (False, True):
        patches = list(change.patches)
        for definition, aliases in zip(lost, uses, strict=True):
            if aliases and not is_gone(definition.node):
                patches.append(_without_anchor(text, definition))
            for number, alias in enumerate(aliases):
                if written_out:
                    patches.append((alias.start, alias.end, literal(alias.value)))
                elif number == 0:
                    source = _source(text, definition, keep_anchor=len(aliases) > 1)
                    patches.append((alias.start, alias.end, source))
        yield apply(text, patches)


def _source(text: str, definition: Definition, *, keep_anchor: bool) -> str:
    node = definition.node
    source = text[node.start : definition.start] + text[definition.end : node.end].lstrip(" ")
    if BREAK.search(source) or not source.strip():
        source = literal(node.value)
    return f"{text[definition.start : definition.end]} {source}" if keep_anchor else source


def _without_anchor(text: str, definition: Definition) -> Patch:
    start, end = definition.start, definition.end
    while text[end : end + 1] == " ":
        end += 1
    if end < len(text) and text[end] != "#" and not BREAK.match(text, end):
        return (start, end, "")
    while text[start - 1] == " ":
        start -= 1
    return (start, definition.end, "")
