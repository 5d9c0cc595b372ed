"""What `fourm-tui check --json` prints."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fourm_tui.chain.check import Check, roles_loaded
from fourm_tui.schedule.rows import Problem

SCHEMA = 1


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
