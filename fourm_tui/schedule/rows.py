"""What a schedule is made of: rows, typed, with the place in the file that each value came from.

A schedule has one part for the base resolution and may have one for super-resolution; a part has one row per target.
Rows count from 1 over both parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fourm_tui.errors import InputError, printable


@dataclass(frozen=True)
class Place:
    """Where something stands in a file; lines and columns count from 1."""

    file: Path | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        name = printable(self.file) if self.file else "settings"
        return ":".join(str(part) for part in (name, self.line, self.column) if part is not None)


@dataclass(frozen=True)
class Problem:
    """Something that keeps a schedule from running (or, as a hint, from running well)."""

    message: str
    """What is wrong, in one sentence without a full stop."""
    fix: str = ""
    """What to do about it."""
    row: int | None = None
    """The row, from 1; None for what holds for the chain."""
    column: str | None = None
    """The settings key without its `sr_` prefix: `temps`."""
    place: Place = field(default_factory=Place)

    def __str__(self) -> str:
        return f"{self.place}: {self.in_schedule}"

    @property
    def in_schedule(self) -> str:
        """The same without its file, for who looks at the schedule: `row 2: temps: ...`."""
        at = f"row {self.row}: " if self.row is not None else ""
        name = f"{self.column}: " if self.column else ""
        fix = f" ({self.fix})" if self.fix else ""
        return f"{at}{name}{self.message}{fix}"


class ScheduleError(InputError):
    """A schedule that cannot run, with all that keeps it from that."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Row:
    """How one target is generated. A value that could not be read is None, and a `Problem` says so."""

    target: str
    tokens: int | None
    """Tokens to decode; for a partly given target the open positions."""
    scheme: str | None
    """`maskgit`, `roar` or `autoregressive`."""
    steps: int | None
    """Decoding steps; None for autoregressive rows, where every token is a step."""
    token_schedule: str | None
    """`cosine` or `linear`; ROAR is always linear, autoregressive rows have none."""
    temp: float | None
    temp_schedule: str | None
    """`constant`, `linear` or `onex:{min}:{power}`."""
    cfg_scale: float | Mapping[str, float] | None
    """Guidance scale, or a weight per condition."""
    cfg_schedule: str | None
    """`constant`, `linear` or `cosine`."""
    top_p: float | None
    """Nucleus of the untempered distribution; 0 is off."""
    top_k: int | float | None
    """A count if whole, a share of the vocabulary if not; 0 is off."""


ROW_COLUMNS: Mapping[str, str] = {
    "target_domains": "target",
    "tokens_per_target": "tokens",
    "autoregression_schemes": "scheme",
    "decoding_steps": "steps",
    "token_decoding_schedules": "token_schedule",
    "temps": "temp",
    "temp_schedules": "temp_schedule",
    "cfg_scales": "cfg_scale",
    "cfg_schedules": "cfg_schedule",
    "top_p": "top_p",
    "top_k": "top_k",
}
"""Settings keys (without `sr_`) that hold one value per row or one for all, and the attribute of `Row` they fill."""


@dataclass(frozen=True)
class Part:
    """One chain of a schedule: its conditions, its rows, and what holds for the whole chain."""

    prefix: str
    """`""` for the base resolution, `"sr_"` for super-resolution."""
    conditions: tuple[str, ...]
    """Sorted by name; empty is unconditional."""
    rows: tuple[Row, ...]
    cfg_grow_conditioning: bool = True
    """Whether a finished target joins the guided conditions."""
    broadcast: frozenset[str] = frozenset()
    """Keys of columns given once for all rows."""
    defaults: frozenset[str] = frozenset()
    """Keys that the files leave out, so that the defaults of run_generation.py hold."""
    all_base_conditions: bool = False
    """`sr_cond_domains: null`: every base condition and base target."""
    places: Mapping[tuple[int, str], Place] = field(default_factory=dict)
    """Where a cell's value stands: (row within the part from 0, key) to place; (-1, key) is the key's whole value."""

    @property
    def name(self) -> str:
        return "super resolution" if self.prefix else "base"


@dataclass(frozen=True)
class Schedule:
    """A chain worked out from one or two settings files. `problems` are those met while reading."""

    base: Part | None
    super_resolution: Part | None = None
    problems: tuple[Problem, ...] = ()
    hints: tuple[Problem, ...] = ()
    """Notes met while reading: unknown keys, values taken differently than ml-4m does."""
    incompatible: tuple[Problem, ...] = ()
    """Cells that ml-4m's run_generation.py cannot read or would read differently."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Other keys of the files: seed, num_variations, detokenizer_steps, ..."""

    @property
    def parts(self) -> tuple[Part, ...]:
        return tuple(part for part in (self.base, self.super_resolution) if part is not None)

    def rows(self) -> Iterator[tuple[int, Part, Row]]:
        """All rows with their number from 1 and the part they belong to."""
        number = 0
        for part in self.parts:
            for row in part.rows:
                number += 1
                yield number, part, row
