"""A schedule worked out: for every step its target, how many tokens, temperature, guidance, what guidance drops.

How these go over the steps of a row is in `curves`, whose functions can be had from here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from fourm_tui.curves import (
    RAMPS,
    Counts,
    Floats,
    Guidance,
    guidance_at,
    guidance_schedule,
    named,
    parse_onex,
    reference_cosine_counts,
    temp_schedule,
    token_schedule,
)
from fourm_tui.errors import InputError, printable
from fourm_tui.modalities import MODALITIES, Modality
from fourm_tui.schedule.rows import ROW_COLUMNS, Part, Place, Problem, Row, Schedule

__all__ = [
    "Guidance",
    "Plan",
    "RowPlan",
    "Step",
    "guidance_at",
    "guidance_schedule",
    "parse_onex",
    "plan",
    "plan_part",
    "plan_row",
    "reference_cosine_counts",
    "temp_schedule",
    "token_schedule",
]

_NONE: Mapping[str, int] = MappingProxyType({})
_MOST_TOKENS = 2**16  # of a target that the table of modalities does not know


@dataclass(frozen=True)
class Step:
    """What the sampler does in one step."""

    index: int
    """From 0 in its chain; super-resolution is a chain of its own."""
    row: int
    """Number of the row, from 1."""
    target: str
    scheme: str
    num_tokens: int | None
    """Tokens to decode; None for an autoregressive step, which decodes all of its target."""
    temperature: float
    guidance: Guidance
    """A scale (1.0 is no guidance) or weights; for an autoregressive step those in full."""
    guided: tuple[str, ...]
    """What the unconditional pass does not see."""
    top_p: float
    top_k: int | float
    cfg_schedule: str = "constant"
    """How guidance goes over the tokens of an autoregressive step (`guidance_at`); elsewhere it is worked out."""


@dataclass(frozen=True, eq=False)
class RowPlan:
    """One row worked out. Arrays have one entry per step; an autoregressive row is one step."""

    number: int
    """From 1 over the whole schedule."""
    prefix: str
    """Of its part: `""` or `"sr_"`."""
    row: Row
    first_step: int
    """Index in its chain of the row's first step."""
    tokens: Counts
    temperature: Floats
    guidance: tuple[Guidance, ...]
    guided: tuple[str, ...]
    """What the unconditional pass does not see, in the order in which it was given or made. With a scale: conditions
    and, if they join guidance, earlier targets; a sequence leaves one `[S_1]`. With weights: everything but the
    target, without a trace."""
    visible: tuple[str, ...]
    """Conditions and earlier targets, which the encoder sees beside the target's own tokens."""
    pending: Mapping[str, int]
    """Tokens that later targets show already: the `[S_1]` of a sequence, what is given of an image."""
    open_tokens: int
    """Tokens to decode. For a sequence: its length, so that at most one token less is generated after `[S_1]`."""
    positions: int
    """Open positions when the row begins; more than `open_tokens` where some stay empty."""
    given: int = 0
    """Positions of an image target that are there when the row begins."""

    @property
    def is_sequence(self) -> bool:
        return self.row.scheme == "autoregressive"

    @cached_property
    def passes(self) -> Counts:
        """Branches of each step, `[steps]`: 1 without guidance, 2 with a scale, one more than conditions weighted."""
        return np.array([self._branches(guidance) for guidance in self.guidance], dtype=np.int64)

    def _branches(self, guidance: Guidance) -> int:
        if isinstance(guidance, Mapping):
            return 1 + len(guidance)
        return 1 if guidance == 1.0 or not self.guided else 2

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        row, sequence = self.row, self.is_sequence
        assert row.scheme is not None and row.top_p is not None and row.top_k is not None  # checked by plan_row
        cfg_schedule = row.cfg_schedule if sequence and row.cfg_schedule in RAMPS else "constant"
        return tuple(
            Step(
                self.first_step + i, self.number, row.target, row.scheme, None if sequence else tokens, temperature,
                guidance, self.guided, row.top_p, row.top_k, cfg_schedule or "constant",
            )
            for i, (tokens, temperature, guidance) in enumerate(
                zip(self.tokens.tolist(), self.temperature.tolist(), self.guidance, strict=True)
            )
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Plan:
    """A schedule worked out, row by row."""

    rows: tuple[RowPlan, ...]

    def __iter__(self) -> Iterator[RowPlan]:
        return iter(self.rows)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of all rows; their index restarts with super-resolution."""
        return tuple(step for row in self.rows for step in row.steps)

    def part(self, prefix: str) -> tuple[RowPlan, ...]:
        """The rows of one chain: `""` or `"sr_"`."""
        return tuple(row for row in self.rows if row.prefix == prefix)


def plan(
    schedule: Schedule,
    *,
    open_positions: Mapping[str, int] = _NONE,
    modalities: Mapping[str, Modality] = MODALITIES,
    sr_modalities: Mapping[str, Modality] | None = None,
) -> Plan:
    """Works a whole schedule out.

    Args:
        schedule: as read or edited.
        open_positions: for targets that are partly given, how many positions are open; this replaces their `tokens`.
        modalities: the table as the base model sees it.
        sr_modalities: the same for the super-resolution model; None: as the base model.

    Raises:
        InputError: a value that is needed is missing or wrong; the message names row and column.
    """
    rows: list[RowPlan] = []
    for part in schedule.parts:
        table = sr_modalities if part.prefix and sr_modalities is not None else modalities
        rows += plan_part(part, first_row=1 + len(rows), open_positions=open_positions, modalities=table)
    return Plan(tuple(rows))


def plan_part(
    part: Part,
    *,
    first_row: int = 1,
    open_positions: Mapping[str, int] = _NONE,
    modalities: Mapping[str, Modality] = MODALITIES,
) -> tuple[RowPlan, ...]:
    """Works one chain out, whose first row has the number `first_row`. Arguments and errors as for `plan`."""
    rows: list[RowPlan] = []
    step = 0
    for index in range(len(part.rows)):
        row = plan_row(
            part, index, first_row=first_row, first_step=step, open_positions=open_positions, modalities=modalities
        )
        rows.append(row)
        step += len(row.tokens)
    return tuple(rows)


def plan_row(
    part: Part,
    index: int,
    *,
    first_row: int = 1,
    first_step: int = 0,
    open_positions: Mapping[str, int] = _NONE,
    modalities: Mapping[str, Modality] = MODALITIES,
) -> RowPlan:
    """Works one row of a chain out, the `index`-th from 0; of the other rows only target and scheme matter, so it
    can be drawn while they are wrong. Arguments and errors as for `plan`.
    """
    cells = _Cells(part, index, first_row + index)
    row = part.rows[index]
    modality = _checked_target(cells, modalities)
    for column in ("top_p", "top_k"):
        cells.need(column)
    temp, scale = float(cells.need("temps")), cells.need("cfg_scales")
    open_tokens = _open_tokens(cells, modality, open_positions.get(row.target))

    given, positions = 0, open_tokens
    counts, temperature = np.array([open_tokens]), np.array([temp])
    guidance: tuple[Guidance, ...] = (guidance_at("constant", scale, 1.0),)
    if row.scheme != "autoregressive":
        if modality:
            given = modality.max_tokens - open_tokens if row.target in open_positions else 0
            positions = modality.max_tokens - given
        order = cells.need("token_decoding_schedules") if row.scheme == "maskgit" else "linear"
        steps = cells.need("decoding_steps")
        with cells.at("decoding_steps" if order in ("cosine", "linear") else "token_decoding_schedules"):
            counts = token_schedule(str(row.scheme), order, steps, open_tokens)
        with cells.at("temp_schedules", needed=True) as spec:
            temperature = temp_schedule(spec, temp, counts)
        with cells.at("cfg_schedules", needed=True) as spec:
            guidance = guidance_schedule(spec, scale, counts)

    visible = _names((*part.conditions, *(earlier.target for earlier in part.rows[:index])), row.target)
    return RowPlan(
        cells.number, part.prefix, row, first_step, counts, temperature, guidance,
        visible if isinstance(scale, Mapping) else _guided(part, index), visible,
        _pending(part, index, visible, open_positions, modalities), open_tokens, positions, given,
    )  # fmt: skip


@dataclass(frozen=True)
class _Cells:
    """The cells of one row, whose messages name file, row and column."""

    part: Part
    index: int
    number: int

    @contextmanager
    def at(self, column: str, *, needed: bool = False) -> Iterator[Any]:
        """The value of a cell; what goes wrong with it inside is said to be wrong there."""
        row, places = self.part.rows[self.index], self.part.places
        value = getattr(row, ROW_COLUMNS[column])
        try:
            if needed and value is None:
                raise InputError("the value is missing" + (f", which {row.scheme} needs" if row.scheme else ""))
            yield value
        except InputError as error:
            place = places.get((self.index, column), places.get((-1, column), Place()))
            raise InputError(str(Problem(str(error), row=self.number, column=column, place=place))) from None

    def need(self, column: str) -> Any:
        with self.at(column, needed=True) as value:
            return value


def _checked_target(cells: _Cells, modalities: Mapping[str, Modality]) -> Modality | None:
    """The target's modality, None if the table does not have it, once its scheme is known to fit."""
    with cells.at("target_domains") as target:
        if not target:
            raise InputError("the target has no name")
    modality = modalities.get(target)
    with cells.at("autoregression_schemes", needed=True) as scheme:
        if scheme not in ("maskgit", "roar", "autoregressive"):
            raise InputError(f"{named(scheme)} is no scheme; use maskgit, roar or autoregressive")
        if modality and scheme not in modality.schemes:
            fix = f"use {' or '.join(modality.schemes)}" if modality.schemes else "it can only be a condition"
            raise InputError(f"{scheme} does not fit {printable(target, 40)}; {fix}")
    return modality


def _open_tokens(cells: _Cells, modality: Modality | None, partly: int | None) -> int:
    row = cells.part.rows[cells.index]
    limit = modality.max_tokens if modality else _MOST_TOKENS
    with cells.at("tokens_per_target", needed=partly is None) as value:
        tokens = int(value if partly is None else partly)
        if row.scheme == "autoregressive":
            if tokens < 2:
                raise InputError(f"{tokens} tokens are too few: the first one is [S_1]")
            # Of a longer sequence the rest is never generated, as in ml-4m.
            return min(tokens, limit + 1)
        if tokens < 1:
            raise InputError(f"{tokens} tokens leave nothing to decode")
        if tokens > limit:
            raise InputError(f"{tokens} tokens are more than {printable(row.target, 40)} has; write {limit}")
        return tokens


def _guided(part: Part, index: int) -> tuple[str, ...]:
    """What a scale drops. Autoregressive targets never join, as in ml-4m: the unconditional pass sees their text."""
    grown = (r.target for r in part.rows[:index] if part.cfg_grow_conditioning and r.scheme != "autoregressive")
    return _names((*part.conditions, *grown), part.rows[index].target)


def _pending(
    part: Part,
    index: int,
    visible: tuple[str, ...],
    open_positions: Mapping[str, int],
    modalities: Mapping[str, Modality],
) -> dict[str, int]:
    found: dict[str, int] = {}
    for later in part.rows[index + 1 :]:
        modality = modalities.get(later.target)
        if modality is None or later.target in visible or later.target == part.rows[index].target:
            continue
        if modality.kind == "sequence":
            found[later.target] = 1
        elif later.target in open_positions:
            found[later.target] = modality.max_tokens - open_positions[later.target]
    return found


def _names(names: tuple[str, ...], target: str) -> tuple[str, ...]:
    return tuple(name for name in dict.fromkeys(names) if name != target)
