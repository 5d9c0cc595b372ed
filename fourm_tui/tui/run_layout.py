"""How the lines about the run share a room: what matters most is there in the least of them. Without Textual."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fourm_tui.engine.jobs import OPEN
from fourm_tui.tui.run_lines import (
    BLANK,
    Line,
    Role,
    View,
    queue_lines,
    row_lines,
    run_name,
    status_lines,
    text_lines,
    total_line,
    with_value,
)
from fourm_tui.tui.widgets.canvas import cut

_TEXT, _ERROR = 6, 4
"""Most lines of streaming words, and of an error."""
_AIRY = 10
"""Lines from which on one stays empty, above the queue."""
_EXTRA = 4
"""The rank from which on blocks are there only if all lines of the others are."""


@dataclass(frozen=True)
class _Block:
    """Lines that belong together."""

    name: str
    rank: int
    """The lower, the more it matters."""
    least: int
    most: int
    draw: Callable[[int], list[Line]]
    """The lines, at most as many as it is given."""
    last: bool = False
    """Whether it grows only when all others have what they want."""


def lay_out(view: View, width: int, height: int) -> list[Line]:
    """At most `height` lines, none wider than `width`."""
    if width < 1 or height < 1:
        return []
    blocks = _blocks(view, width)
    given = _share(blocks, height)
    spare = height - sum(given.values())
    airy = [name for name in ("queue", "text", "changed", "note") if given[name]][:spare]
    lines: list[Line] = []
    for block in blocks:
        drawn = block.draw(given[block.name])[: given[block.name]] if given[block.name] else []
        if drawn and lines and block.name in airy:
            lines.append(BLANK)
        lines += drawn
    return lines[:height]


def _blocks(view: View, width: int) -> list[_Block]:
    """From top to bottom."""
    rows, status, total = row_lines(view, width), status_lines(view, width), total_line(view, width)
    words, state = text_lines(view, width, _TEXT), view.state
    current = next((at for at, row in enumerate(state.rows) if row.number == state.row), 0) if state else 0

    def some_rows(count: int) -> list[Line]:
        first = min(max(current - count // 2, 0), max(len(rows) - count, 0))
        return rows[first : first + count]

    def fixed(name: str, rank: int, lines: list[Line]) -> _Block:
        least = min(len(lines), 1) if rank < _EXTRA else 0
        return _Block(name, rank, least, len(lines), lambda count: lines[:count])

    def one(text: str, role: Role) -> list[Line]:
        return [((cut(text, width, view.ascii), role),)] if text else []

    title = run_name(state.name) if state and state.name else ""
    swept = view.swept.get(view.job.id, "") if view.job else ""
    title = with_value(title, swept) if title else ""
    where = "  ".join(each for each in (state.device, state.dtype) if each) if state else ""
    note = state.notes[-1] if state and state.notes else ""
    open_ = sum(job.status in OPEN for job in view.jobs)
    rank, least = (1, min(len(view.jobs), 3)) if view.focused else (3 if open_ else 7, min(len(view.jobs), 1))
    queue = _Block("queue", rank, least, len(view.jobs), lambda count: queue_lines(view, width, count), last=True)
    return [
        fixed("title", 9, one(f"{title}  {where}".rstrip(), "muted")),
        _Block("rows", 2, min(len(rows), 1), len(rows), some_rows),
        fixed("total", 2, [total] if total else []),
        _Block("status", 0, min(len(status), 1), min(len(status), _ERROR), lambda count: status[:count]),
        _Block("text", 5, 0, len(words), lambda count: words[-count:]),
        fixed("changed", 4, one(_without_since(view.changed, width), "muted")),
        fixed("memory", 6, one(_shorter(view.memory, width), "muted")),
        queue,
        fixed("note", 8, one(note, "muted")),
    ]


def _share(blocks: list[_Block], height: int) -> dict[str, int]:
    """How many lines each block gets: first the least of all by rank, then more, by rank."""
    given = {block.name: 0 for block in blocks}
    ranked = sorted(blocks, key=lambda block: block.rank)
    room = height - (1 if height >= _AIRY else 0)
    for block in ranked:
        take = min(block.least, room)
        given[block.name] += take
        room -= take
    for block in sorted(ranked, key=lambda block: block.last):
        take = min(block.most - given[block.name], room)
        given[block.name] += take
        room -= take
    return given


def _without_since(words: str, width: int) -> str:
    return words if len(words) <= width else words.replace("edited since:", "edited:")


def _shorter(words: str, width: int) -> str:
    """Facts parted by two spaces, without the last ones where there is no room."""
    facts = words.split("  ")
    while len(facts) > 1 and len("  ".join(facts)) > width:
        facts.pop()
    return "  ".join(facts)
