"""What of a run is looked at, and how: the target, the sample, the colours, the step of a replay. Without Textual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fourm_tui.engine.jobs import OPEN, QueuedJob
from fourm_tui.errors import printable
from fourm_tui.tui.outputs import (
    COLOURINGS,
    TOKENS_ONLY,
    Colouring,
    Item,
    Key,
    is_tokens_only,
    items_of,
    last_key,
    map_view,
    place_line,
    short,
    step_line,
    words,
)
from fourm_tui.tui.run_state import RunState, TargetState
from fourm_tui.tui.widgets.output_strip import Companion, Scene

if TYPE_CHECKING:
    from fourm_tui.tui.before import Before


@dataclass
class Looking:
    """What is looked at."""

    colouring: Colouring = "step"
    chosen: Key | None = None
    """The target; None: whichever is under way, in the end the last."""
    sample: int | None = 0
    """None: all of them."""
    until: int | None = None
    """The step of a replay."""
    cursor: tuple[int, int] | None = None
    """Row and column in the token map."""
    sheet: Path | None = None
    """A contact sheet, instead of it all."""
    sheets: Mapping[str, Path] = field(default_factory=dict)
    """All that it is one of, by their titles."""

    def show_sheets(self, sheets: Mapping[str, Path]) -> None:
        """Contact sheets, the first of them now."""
        self.sheets, self.sheet = sheets, next(iter(sheets.values()), None)

    def next_sheet(self, by: int) -> None:
        """The next of them; beyond the first and the last, none."""
        paths = list(self.sheets.values())
        at = paths.index(self.sheet) + by if self.sheet in paths else -1
        self.sheet = paths[at] if 0 <= at < len(paths) else None

    def key(self, state: RunState) -> Key | None:
        """The target that is looked at."""
        row = self.chosen[0] if self.chosen else (last_key(state) or (1, 0))[0]
        if not any(facts.number == row for facts in state.rows):
            return None
        return row, self.sample if self.sample is not None else 0

    def next_colouring(self) -> None:
        self.colouring = COLOURINGS[(COLOURINGS.index(self.colouring) + 1) % len(COLOURINGS)]

    def next_sample(self, count: int) -> None:
        """The next sample; after the last all together, if there are several."""
        self.until = None
        if self.sample is None:
            self.sample = 0
        elif self.sample + 1 < count:
            self.sample += 1
        else:
            self.sample = None if count > 1 else 0

    def go(self, state: RunState, by: int) -> None:
        """Another target of the chain."""
        self.until = self.cursor = None
        numbers = [facts.number for facts in state.rows]
        now = self.key(state)
        if not numbers or now is None:
            return
        row = numbers[(numbers.index(now[0]) + by) % len(numbers)]
        self.chosen = (row, now[1])

    def replay(self, target: TargetState, by: int) -> None:
        """A step back or on in the order of decoding; beyond the last is the present."""
        last = int(target.step.max(initial=-1))
        if last < 0:
            return
        at = (last if by < 0 else last + 1) if self.until is None else self.until
        at += by
        self.until = None if at > last else max(at, 0)

    def move(self, rows: int, columns: int, grid: tuple[int, int]) -> None:
        """Moves the cursor; the first time it appears in the middle."""
        if self.cursor is None:
            self.cursor = grid[0] // 2, grid[1] // 2
            return
        self.cursor = (
            min(max(self.cursor[0] + rows, 0), grid[0] - 1),
            min(max(self.cursor[1] + columns, 0), grid[1] - 1),
        )

    def title(self, state: RunState | None) -> str:
        """Words behind the pane's name."""
        count = len(state.seeds) if state else 1
        if count < 2 or self.sheet is not None:
            return ""
        return f"all {count} variations" if self.sample is None else f"variation {self.sample + 1} of {count}"


def scene_of(
    state: RunState | None, looking: Looking, before: Before | None, focused: bool = True, ascii: bool = False
) -> Scene | None:  # fmt: skip
    """All that is to be shown; None if there is nothing yet."""
    if looking.sheet is not None:
        sheets = looking.sheets or {"contact sheet": looking.sheet}
        items = [Item((0, at), title, "picture", path) for at, (title, path) in enumerate(sheets.items())]
        return Scene(items, list(sheets.values()).index(looking.sheet))
    key = looking.key(state) if state is not None else None
    if state is None or key is None:
        return None
    as_grid = looking.sample is None
    items = items_of(state, looking.sample, key[0])
    selected = next((index for index, item in enumerate(items) if item.key == key), 0)
    maps, texts = {}, {}
    for item in items:
        target = state.targets.get(item.key)
        if target is None:
            continue
        this = item.key == key and not as_grid
        if target.grid is not None and (item.kind == "map" or this):
            cursor = looking.cursor if this and focused else None
            view = map_view(target, looking.colouring, looking.until if this or as_grid else None, cursor)
            if view is not None:
                maps[item.key] = view
        elif item.kind == "text":
            texts[item.key] = words(target)
    item = items[selected]
    companions = [] if as_grid else companions_of(state, looking, item, before, ascii)
    return Scene(items, selected, maps, texts, companions, as_grid)


def companions_of(
    state: RunState, looking: Looking, item: Item, before: Before | None, ascii: bool = False
) -> list[Companion]:  # fmt: skip
    """What stands beside the selected target, the most important first."""
    target = state.targets.get(item.key)
    if target is None:
        return []
    if item.kind == "map" and item.path is not None:
        return [
            Companion("so far", f"step {target.preview_step + 1}", item.path, item.labels, item.version, needed=True)
        ]
    found = []
    if target.done and before is not None and item.kind == "picture":
        other = before.pictures.get((target.facts.target, item.key[1]))
        if other is not None:
            found.append(Companion("before", before.note(ascii), other, item.labels))
    if item.kind == "picture" and target.grid is not None:
        first = looking.until is not None or looking.cursor is not None
        tokens = Companion("tokens", f"by {looking.colouring}", needed=first)
        found = [tokens, *found] if first else [*found, tokens]
    return found


def status_line(
    state: RunState | None, looking: Looking, word: str = "waiting", job: QueuedJob | None = None
) -> str:  # fmt: skip
    """The line under it all.

    Args:
        state: the run that is looked at.
        looking: at what of it.
        word: what it is at before its first event.
        job: of the run, as the queue tells it.
    """
    if looking.sheet is not None:
        return printable(looking.sheet)
    if state is None:
        return ""
    if state.loading is not None:
        what, fraction = state.loading
        share = "" if fraction is None else f"  {fraction:.0%}"
        return f"loading {printable(what, 200).rpartition('/')[2]}{share}"
    key = looking.key(state)
    target = state.targets.get(key) if key else None
    if target is None:
        return {"waiting": word, "failed": f"failed: {state.error}"}.get(state.status, "")
    if looking.cursor is not None and target.grid is not None:
        return place_line(target, *looking.cursor)
    if looking.until is not None:
        last = int(target.step.max(initial=0))
        return f"replay  {slider(looking.until, last)}  {step_line(target, looking.until)}"
    decoding = ""
    if state.decoding is not None and state.decoding[0] == target.facts.number:
        decoding = f"decoding the picture  {state.decoding[1]} of {state.decoding[2]}"
    if is_tokens_only(target) and not state.active:
        if job is not None and job.status in OPEN and target.facts.number in job.decode:
            return (job.status == "running" and decoding) or "its picture is on the way"
        return f"{TOKENS_ONLY}  d makes its picture"
    if target.done:
        return facts_line(state, target)
    if decoding:
        return decoding
    return step_line(target)


def slider(at: int, last: int, width: int = 16) -> str:
    """Where a replay is: `----o-----------`."""
    place = round(at / max(last, 1) * (width - 1))
    return "-" * place + "o" + "-" * (width - 1 - place)


def facts_line(state: RunState, target: TargetState) -> str:
    """What is known of a finished target."""
    steps, tokens = int(target.step.max(initial=-1)) + 1, target.decoded
    said = [f"{steps} step{'s' * (steps != 1)}", f"{tokens} token{'s' * (tokens != 1)}"]
    known = target.confidence[target.step >= 0]
    known = known[known == known]  # without NaN
    if known.size:
        said.append(f"confidence {short(float(known.mean()))}")
    if target.seconds:
        said.append(f"{target.seconds:.1f} s")
    if target.sample < len(state.seeds):
        said.append(f"seed {state.seeds[target.sample]}")
    return "  ".join(said)
