"""What is to be shown of a run's targets: which of them, how each looks, and what is said of it. Without Textual."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fourm_tui.errors import FourmError, printable
from fourm_tui.events import RowFacts
from fourm_tui.modalities import MODALITIES
from fourm_tui.runs import Run, read_tokens
from fourm_tui.tui.run_state import RunState, TargetState

Colouring = Literal["step", "confidence", "token"]
COLOURINGS: tuple[Colouring, ...] = ("step", "confidence", "token")
Key = tuple[int, int]
"""Row and sample of a target."""
TOKENS_ONLY = "tokens only"
_GOLDEN = 0.6180339887


@dataclass(frozen=True, eq=False)
class MapView:
    """A token map as it is to be drawn."""

    values: NDArray[np.float32]
    """`[h, w]`, 0 to 1 along the colour scale; NaN: open."""
    fresh: NDArray[np.bool_]
    """`[h, w]`: decoded by the newest step."""
    cursor: tuple[int, int] | None = None
    """Row and column."""

    @property
    def shape(self) -> tuple[int, int]:
        height, width = self.values.shape
        return height, width


def map_view(
    target: TargetState, colouring: Colouring, until: int | None = None, cursor: tuple[int, int] | None = None
) -> MapView | None:  # fmt: skip
    """The map of a target; None if it has no grid.

    Args:
        target: of a run.
        colouring: what the colour says.
        until: the last step that is shown; None: all there are, and no position is fresh once the target is done.
        cursor: row and column.
    """
    if target.grid is None or target.grid[0] * target.grid[1] != len(target.step):
        return None
    there = target.step >= 0 if until is None else target.until(until)
    values = np.where(there, _values(target, colouring), np.nan).astype(np.float32)
    fresh = np.zeros(len(there), bool)
    if until is not None:
        fresh = target.step == until
    elif not target.done:
        fresh[target.last] = True
    return MapView(values.reshape(target.grid), (fresh & there).reshape(target.grid), cursor)


def _values(target: TargetState, colouring: Colouring) -> NDArray[np.float32]:
    if colouring == "confidence":
        return np.nan_to_num(target.confidence, nan=0.0)
    if colouring == "token":  # neighbours in the codebook say nothing; golden steps keep them apart
        return ((target.tokens.astype(np.float64) * _GOLDEN) % 1.0).astype(np.float32)
    return ((target.step + 1) / max(target.facts.steps, 1)).astype(np.float32)


def step_line(target: TargetState, until: int | None = None) -> str:
    """How far a target is: `step 12 of 25  97 of 196  confidence .61`."""
    there = target.step >= 0 if until is None else target.until(until)
    count, total = int(there.sum()), len(target.step) if target.grid else target.facts.steps
    step = int(target.step.max(initial=-1)) if until is None else until
    said = [f"step {step + 1} of {target.facts.steps}", f"{count} of {total}"]
    known = target.confidence[there]
    if known.size and not np.isnan(known).all():
        said.append(f"confidence {short(float(np.nanmean(known)))}")
    return "  ".join(said)


def place_line(target: TargetState, row: int, column: int) -> str:
    """What is known of a position: `row 3 column 5  token 1234  step 7  confidence .81`."""
    assert target.grid is not None
    at = row * target.grid[1] + column
    where = f"row {row + 1} column {column + 1}"
    if target.step[at] < 0:
        return f"{where}  open" if not target.done else f"{where}  not decoded by this row"
    said = f"{where}  token {target.tokens[at]}  step {target.step[at] + 1}"
    confidence = float(target.confidence[at])
    return said if np.isnan(confidence) else f"{said}  confidence {short(confidence)}"


def short(share: float) -> str:
    """0.61 as `.61`."""
    return f"{share:.2f}".lstrip("0") if share < 0.995 else "1.0"


# -- words ------------------------------------------------------------------------------------------------------


def words(target: TargetState) -> list[tuple[str, float | None]]:
    """The text of a sequence in pieces, each with its confidence; None where that is not known."""
    found: list[tuple[str, float | None]] = []
    start = 0
    for index, end in enumerate(target.ends):
        if end > start:
            known = float(target.confidence[index]) if index < len(target.confidence) else float("nan")
            found.append((printable(target.text[start:end], 10_000), None if np.isnan(known) else known))
            start = end
    if start < len(target.text):
        found.append((printable(target.text[start:], 10_000), None))
    return found


# -- targets ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Item:
    """One target as it is shown."""

    key: Key
    title: str
    kind: Literal["map", "picture", "text", "none"]
    """`none`: finished, and there is nothing to look at."""
    path: Path | None = None
    """Of the picture; of a map that of the preview, if there is one."""
    labels: bool = False
    """The colours stand for classes."""
    note: str = ""
    version: int = 0
    """Grows when the picture at the same path is another."""


def items_of(state: RunState, sample: int | None, row: int | None = None) -> list[Item]:
    """The targets of one sample in the order of the chain, those to come too; with `sample` None all samples of a row.

    That nothing moves when the next one begins, each has its place from the start.
    """
    if sample is None:
        keys = [(row or 1, each) for each in range(max(len(state.seeds), 1))]
    else:
        keys = [(facts.number, sample) for facts in state.rows]
    found = []
    for key in keys:
        target = state.targets.get(key)
        facts = next((each for each in state.rows if each.number == key[0]), None)
        if target is not None:
            found.append(item_of(state, target, name_sample=sample is None))
        elif facts is not None:
            note = "to come" if state.active else "not made"
            found.append(Item(key, title_of(facts, key[1] if sample is None else None), "none", note=note))
    return found


def title_of(facts: RowFacts, sample: int | None = None) -> str:
    """What a target is called for people; samples count from 1 there."""
    modality = MODALITIES.get(facts.target)
    title = printable(modality.title if modality else facts.target, 40)
    if facts.super_resolution and modality and modality.input_size:
        title += f" {modality.input_size}"
    return title if sample is None else f"{title} {sample + 1}"


def item_of(state: RunState, target: TargetState, name_sample: bool = False) -> Item:
    """A target as it is shown."""
    facts = target.facts
    title = title_of(facts, target.sample if name_sample else None)
    labels = facts.target.startswith("tok_semseg")
    key = (facts.number, target.sample)
    picture = picture_file(target)
    path = state.folder / picture if picture else None
    if target.done:
        kind: Literal["map", "picture", "text", "none"] = "picture" if path else "none"
        if not target.grid and (path is None or facts.target in ("caption", "metadata")):
            kind = "text"
        elif path is None and target.grid:
            kind = "map"
        return Item(key, title, kind, path, labels, TOKENS_ONLY if is_tokens_only(target) else "")
    if target.preview:
        path = state.folder / target.preview
    kind = "map" if target.grid else "text"
    note = "being decoded" if state.active else "not finished"
    return Item(key, title, kind, path, labels, note, target.preview_step)


def is_tokens_only(target: TargetState) -> bool:
    """Whether a finished target has a picture that was not made of its tokens."""
    modality = target.modality
    has_picture = modality is not None and modality.tokenizer_key is not None and modality.grid is not None
    return target.done and has_picture and picture_file(target) is None


def picture_file(target: TargetState) -> str | None:
    """The picture to look at among the files of a finished target, relative to the run folder."""
    stem = f"{target.facts.number:02d}_"
    plain = [name for name in target.files if name.endswith(".png") and name.rpartition("/")[2].startswith(stem)]
    return min(plain, key=len, default=None)  # `_16bit`, `_classes`, `_legend` are longer


def text_file(target: TargetState) -> str | None:
    """The file with the text of a finished target."""
    return next((name for name in target.files if name.endswith(".txt")), None)


def last_key(state: RunState) -> Key | None:
    """The target that is looked at unless another is chosen: the one under way, else the newest."""
    return max(state.targets, key=lambda key: (key[0], -key[1]), default=None)


def recalled(run: Run, facts: RowFacts, sample: int) -> TargetState | None:
    """A target that no event tells of, since it was taken over from another run: from its files."""

    def path(ending: str) -> Path:
        return run.path_for(facts.number, facts.target, sample, ending)

    try:
        tokens = read_tokens(path(".safetensors"))
    except FourmError:
        return None
    files = [each for each in (path(".safetensors"), path(".txt"), path(".png")) if each.is_file()]
    text = ""
    with contextlib.suppress(OSError):
        text = path(".txt").read_text(encoding="utf-8", errors="replace").strip()
    return TargetState(
        facts, sample, MODALITIES.get(facts.target), np.maximum(tokens.step.astype(np.int32), -1),
        tokens.tokens.astype(np.int32), tokens.confidence.astype(np.float32), np.zeros(0, np.int64), text,
        files=tuple(map(run.relative, files)), seconds=0.0,
    )  # fmt: skip
