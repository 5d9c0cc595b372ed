"""What the engine is asked for: loaded models, a schedule with conditions and seeds, and the targets it fills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fourm_tui.conditions.condition import Condition
from fourm_tui.engine.asked import TOGETHER, Decode, check_dense
from fourm_tui.engine.prepare import Conditions
from fourm_tui.engine.tokenize import Tokenizers
from fourm_tui.errors import InputError
from fourm_tui.events import RowFacts
from fourm_tui.modalities import Modality
from fourm_tui.model.fourm import FourM
from fourm_tui.plan import Plan, RowPlan, plan
from fourm_tui.schedule.rows import Schedule
from fourm_tui.tokenizers.text import TextTokenizer


@dataclass(frozen=True)
class Models:
    """What is loaded."""

    model: FourM
    sr_model: FourM | None = None
    text: TextTokenizer | None = None
    tokenizers: Tokenizers | None = None
    """Of images; each is loaded when it is first needed."""

    def forget(self) -> bool:
        """Frees what they keep from pass to pass; whether there was anything."""
        parts = self.model, self.sr_model, self.tokenizers
        return sum(part.forget() for part in parts if part is not None) > 0


@dataclass(frozen=True)
class Job:
    """What is to be generated: a schedule for samples that are generated together."""

    schedule: Schedule
    samples: Sequence[Conditions]
    """The conditions of each sample."""
    seeds: Sequence[int]
    """Their effective seeds."""
    name: str = ""
    """Of the run's folder."""
    title: str = ""
    """For people."""
    sam_dense: int = 0
    """Passes of dense instance prediction for `sam_instance`; 0 is the ordinary single one."""
    skipped: frozenset[int] = frozenset()
    """Samples that are left out from the beginning."""
    preview_every: int = 0
    """Show a picture of an unfinished target every so many steps; 0: never."""
    decode: Decode = "all"
    """Whose tokens are made pictures: of all targets, of the last one of each chain, or of none."""
    together: int = TOGETHER
    """Samples of which a chain is made at once, all its rows, before the next ones begin: what memory depends on."""

    @property
    def groups(self) -> list[range]:
        """The numbers of the samples that are made together."""
        count = len(self.samples)
        return [range(at, min(at + self.together, count)) for at in range(0, count, self.together)]


@dataclass(eq=False)
class Target:
    """The result of a row: the arrays of the token files, and text, by the numbers of the samples."""

    row: RowPlan
    tokens: dict[int, NDArray[np.int64]] = field(default_factory=dict)
    """`[N]` each; of a sequence the whole text, what was given included."""
    step: dict[int, NDArray[np.int16]] = field(default_factory=dict)
    """`[N]`: the step of each token, from 0, or -1 (given) or -2 (left open)."""
    confidence: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    texts: dict[int, str] = field(default_factory=dict)
    """Of sequences only."""

    @property
    def name(self) -> str:
        return self.row.row.target

    def add(self, other: Target) -> None:
        """Puts the samples of another part of the batch behind these."""
        self.tokens |= other.tokens
        self.step |= other.step
        self.confidence |= other.confidence
        self.texts |= other.texts


def plan_job(models: Models, job: Job) -> Plan:
    """The job's schedule worked out, with the open positions of what is partly given.

    Raises:
        InputError: the schedule has a cell that cannot be used, or dense instances are to be conditioned on.
    """
    sr_modalities = models.sr_model.architecture.modalities if models.sr_model else None
    worked_out = plan_of(job.schedule, job.samples[0], models.model.architecture.modalities, sr_modalities)
    if job.schedule.super_resolution and models.sr_model is None:
        raise InputError("the schedule has a super-resolution chain, and no model for it is given (sr_model)")
    check_dense(job.sam_dense, [row.row.target for row in worked_out.rows])
    return worked_out


def plan_of(
    schedule: Schedule,
    conditions: Conditions,
    modalities: Mapping[str, Modality],
    sr_modalities: Mapping[str, Modality] | None,
) -> Plan:
    """A schedule worked out for conditions, with modalities as the models of its chains see them.

    Raises:
        InputError: the schedule has a cell that cannot be used.
    """
    return plan(
        schedule, open_positions=_open_positions(conditions), modalities=modalities, sr_modalities=sr_modalities
    )


def decoded_rows(worked_out: Plan, decode: Decode) -> frozenset[int]:
    """Numbers of the rows whose tokens are to be made pictures."""
    if decode == "all":
        return frozenset(row.number for row in worked_out.rows)
    chains = [worked_out.part(prefix) for prefix in ("", "sr_")] if decode == "last" else []
    return frozenset(rows[-1].number for rows in chains if rows)


def _open_positions(conditions: Mapping[str, Condition]) -> dict[str, int]:
    masks = {name: condition.known for name, condition in conditions.items()}
    return {name: int((~known).sum()) for name, known in masks.items() if known is not None}


@dataclass(frozen=True)
class Progress:
    """The rows of a plan as viewers see them, and where each begins among all steps."""

    rows: tuple[RowFacts, ...]
    groups: int = 1
    """Of samples; each has all rows."""
    group: int = 0
    """The one under way."""

    @classmethod
    def of(cls, worked_out: Plan, groups: int = 1) -> Progress:
        return cls(tuple(_facts(row) for row in worked_out.rows), groups)

    @property
    def _once(self) -> int:
        return sum(row.steps for row in self.rows)

    @property
    def total(self) -> int:
        """Steps of all rows of all groups."""
        return self._once * self.groups

    def before(self, number: int) -> int:
        """Steps before a row of this group."""
        return self._once * self.group + sum(row.steps for row in self.rows if row.number < number)


def _facts(row: RowPlan) -> RowFacts:
    steps = row.open_tokens - 1 if row.is_sequence else len(row.tokens)
    return RowFacts(row.number, row.row.target, str(row.row.scheme), steps, row.open_tokens, bool(row.prefix))
