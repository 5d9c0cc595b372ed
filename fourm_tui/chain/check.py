"""A chain checked: what is wrong with it, what it does step by step, what that costs, what has to be loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fourm_tui.architecture import Architecture
from fourm_tui.chain.inputs import Inputs
from fourm_tui.cost import Cost, peak_bytes, row_cost
from fourm_tui.modalities import MODALITIES
from fourm_tui.plan import Plan, plan
from fourm_tui.schedule.rows import Problem, Schedule
from fourm_tui.schedule.validation import Findings, missing_values, validate

BYTES_PER_WEIGHT: Mapping[str, int] = {"fp32": 4, "bf16": 2, "fp16": 2}


@dataclass(frozen=True)
class Check:
    """What there is to say about a chain before it runs."""

    inputs: Inputs
    schedule: Schedule
    findings: Findings
    plan: Plan | None
    """None where problems keep the schedule from being worked out."""
    costs: tuple[Cost | None, ...]
    """Per row; None for rows whose model is not known."""
    dtype: str
    peak_bytes: int | None
    missing: tuple[Problem, ...] = ()
    """Those of its findings that say that a condition has no value: they keep a chain from running, but not from being
    worked out."""

    @property
    def ok(self) -> bool:
        return not self.findings.problems


def check_chain(
    inputs: Inputs, device: str | None = None, dtype: str | None = None, *, alone: bool = False
) -> Check:  # fmt: skip
    """Validates, plans and costs.

    Args:
        inputs: as read.
        device, dtype: that a run is to have; None: what the models config says, or the default of the device.
        alone: the schedule is looked at by itself: that its conditions have no values yet is a hint and no problem.
    """
    schedule = inputs.editor.schedule
    model, sr_model = inputs.architecture("model"), inputs.architecture("sr_model")
    given = {name: condition.complete for name, condition in inputs.given.items()}
    is_asked = bool(given) or not (alone or inputs.data)  # samples of a data config bring values of their own
    findings = validate(schedule, model, sr_model, given if is_asked else None)
    missing = missing_values(schedule, model, given) if is_asked or alone else ()
    if not is_asked:
        findings = replace(findings, hints=(*missing, *findings.hints))
    notes = tuple(Problem(note) for note in inputs.models.notes)
    findings = replace(findings, hints=(*findings.hints, *notes))
    dtype = dtype or inputs.models.dtype or ("bf16" if str(device).startswith("cuda") else "fp32")
    if not set(findings.problems) <= set(missing):
        return Check(inputs, schedule, findings, None, (), dtype, None, missing)
    worked_out = plan(schedule)
    costs: list[Cost | None] = []
    for row_plan in worked_out.rows:
        architecture = sr_model if row_plan.prefix else model
        costs.append(row_cost(row_plan, architecture, None, BYTES_PER_WEIGHT[dtype]) if architecture else None)
    peak = _peak(worked_out, model, sr_model, dtype)
    return Check(inputs, schedule, findings, worked_out, tuple(costs), dtype, peak, missing)


def _peak(worked_out: Plan, model: Architecture | None, sr_model: Architecture | None, dtype: str) -> int | None:
    needed = [architecture for architecture in (model, sr_model) if architecture]
    if not needed:
        return None
    size = BYTES_PER_WEIGHT[dtype]
    weights = {id(architecture): architecture.parameters * size for architecture in needed}
    working = max(peak_bytes(each, worked_out, 1, size) - weights[id(each)] for each in needed)
    return sum(weights.values()) + working  # both models stay loaded, one works at a time


def roles_loaded(check: Check) -> dict[str, str]:
    """What a run would load, by role (`model`, `sr_model`, tokenizer keys), and why: the modalities that need it."""
    roles = {"model": "base chain"} if check.schedule.base else {}
    if check.schedule.super_resolution:
        roles["sr_model"] = "super resolution"
    needed: dict[str, list[str]] = {}
    for part in check.schedule.parts:
        for name in (*part.conditions, *(row.target for row in part.rows)):
            modality = MODALITIES.get(name)
            if modality and modality.tokenizer_key:
                titles = needed.setdefault(modality.tokenizer_key, [])
                if modality.title not in titles:
                    titles.append(modality.title)
    return {**roles, **{key: ", ".join(titles) for key, titles in needed.items()}}
