"""What `fourm-tui check` has to say, before it is printed: findings, plan, cost, what is loaded."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from fourm_tui.architecture import Architecture
from fourm_tui.cli.inputs import Inputs, read_inputs
from fourm_tui.cost import Cost, peak_bytes, row_cost
from fourm_tui.modalities import MODALITIES
from fourm_tui.plan import Plan, plan
from fourm_tui.schedule.rows import Problem, Schedule
from fourm_tui.schedule.validation import Findings, validate

SCHEMA = 1
BYTES_PER_WEIGHT: Mapping[str, int] = {"fp32": 4, "bf16": 2, "fp16": 2}


@dataclass(frozen=True)
class Check:
    """All that `check` has to say."""

    inputs: Inputs
    schedule: Schedule
    findings: Findings
    plan: Plan | None
    """None where problems keep the schedule from being worked out."""
    costs: tuple[Cost | None, ...]
    """Per row; None for rows whose model is not known."""
    dtype: str
    peak_bytes: int | None

    @property
    def ok(self) -> bool:
        return not self.findings.problems


def make_check(options: argparse.Namespace) -> Check:
    """Reads, validates, plans and costs what the options name.

    Raises:
        InputError: a file cannot be read at all. What is wrong inside a schedule is in `findings` instead.
    """
    inputs = read_inputs(options)
    schedule = inputs.editor.schedule
    model, sr_model = inputs.architecture("model"), inputs.architecture("sr_model")
    given = {name: condition.complete for name, condition in inputs.given.items()} if inputs.given else None
    findings = validate(schedule, model, sr_model, given)
    notes = tuple(Problem(note) for note in inputs.models.notes)
    findings = replace(findings, hints=(*findings.hints, *notes))
    dtype = options.dtype or inputs.models.dtype or ("bf16" if str(options.device).startswith("cuda") else "fp32")
    if findings.problems:
        return Check(inputs, schedule, findings, None, (), dtype, None)
    worked_out = plan(schedule)
    costs: list[Cost | None] = []
    for row_plan in worked_out.rows:
        architecture = sr_model if row_plan.prefix else model
        costs.append(row_cost(row_plan, architecture, None, BYTES_PER_WEIGHT[dtype]) if architecture else None)
    return Check(inputs, schedule, findings, worked_out, tuple(costs), dtype, _peak(worked_out, model, sr_model, dtype))


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


def as_data(check: Check) -> dict[str, Any]:
    """`check --json`: the expanded steps and everything else as plain data."""
    loads = [load_data(role, check.inputs.checkpoints.get(role), why) for role, why in roles_loaded(check).items()]
    data: dict[str, Any] = {
        "schema": SCHEMA,
        "files": [str(document.path) for document in check.inputs.editor.documents],
        "problems": [_problem(problem) for problem in check.findings.problems],
        "hints": [_problem(problem) for problem in check.findings.hints],
        "runs_in_ml4m": check.findings.runs_in_ml4m,
        "incompatible": [_problem(problem) for problem in check.findings.incompatible],
        "loads": loads,
        "dtype": check.dtype,
        "peak_bytes": check.peak_bytes,
    }
    if check.plan:
        data["rows"] = [
            {
                "row": row_plan.number,
                "part": row_plan.prefix.rstrip("_") or "base",
                "target": row_plan.row.target,
                "scheme": row_plan.row.scheme,
                "visible": list(row_plan.visible),
                "guided": list(row_plan.guided),
                "cost": asdict(cost) if cost else None,
            }
            for row_plan, cost in zip(check.plan.rows, check.costs, strict=True)
        ]
        data["steps"] = [asdict(step) for step in check.plan.steps]
    return data


def load_data(role: str, checkpoint: Any, why: str = "") -> dict[str, Any]:
    if checkpoint is None:
        return {"role": role, "for": why, "name": None}
    return {
        "role": role,
        "for": why,
        "name": checkpoint.name,
        "revision": checkpoint.revision,
        "path": str(checkpoint.weights) if checkpoint.weights else None,
        "bytes": checkpoint.bytes,
        "on_disk": checkpoint.weights is not None,
    }


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "row": problem.row,
        "column": problem.column,
        "message": problem.message,
        "fix": problem.fix,
        "file": str(problem.place.file) if problem.place.file else None,
        "line": problem.place.line,
        "at": problem.place.column,
    }
