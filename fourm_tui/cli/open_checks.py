"""Whether what a run was made of is still what it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from fourm_tui.chain.recorded import models_of
from fourm_tui.chain.times import moment
from fourm_tui.checkpoints import find_checkpoint
from fourm_tui.errors import InputError, printable
from fourm_tui.runs import ConditionRecord, ModelRecord, RunRecord, changed_conditions, fingerprint

State = Literal["same", "there", "changed", "gone", "unknown"]
"""`same`: compared, nothing differs. `there`: as far as can be told. `unknown`: nothing to compare with."""


@dataclass(frozen=True)
class Checked:
    """A file, and what became of it."""

    path: str
    state: State
    says: str
    """The state in words."""


@dataclass(frozen=True)
class CheckedModel:
    """A checkpoint of a run, and what became of its weights."""

    role: str
    record: ModelRecord
    state: State
    says: str


def condition_files(condition: ConditionRecord) -> Iterator[Checked]:
    """The file of a condition and its mask; the file that a text was read from is not looked at."""
    if condition.path is not None and condition.text is None:
        yield _file(condition.path, condition.sha256, replace(condition, mask=None, mask_sha256=None))
    if condition.mask is not None:
        yield _file(condition.mask, condition.mask_sha256, replace(condition, path=None, sha256=None))


def _file(path: str, digest: str | None, alone: ConditionRecord) -> Checked:
    try:
        if not Path(path).is_file():
            return Checked(path, "gone", "gone")
    except (OSError, ValueError):
        return Checked(path, "gone", "cannot be looked at")
    if digest is None:
        return Checked(path, "unknown", "not compared: no hash is known")
    changed = changed_conditions(RunRecord("", conditions=(alone,)))
    return Checked(path, "changed", "changed since the run began") if changed else Checked(path, "same", "unchanged")


def checked_models(record: RunRecord, base: Path | None) -> Iterator[CheckedModel]:
    """The checkpoints of a run; tokenizers that its files name but its record does not are unknown.

    Args:
        record: of the run.
        base: the folder of its models config.
    """
    for role, model in record.models.items():
        yield _model(role, model, record, base)
    config = models_of(record)
    for role, name in (config.tokenizers if config else {}).items():
        if role not in record.models:
            yield CheckedModel(role, ModelRecord(name), "unknown", "the run does not say which file it was")


def _model(role: str, model: ModelRecord, record: RunRecord, base: Path | None) -> CheckedModel:
    """Whether the file is there, still what the name means, and the same. Of runs that keep no fingerprint it can only
    be seen whether it was written since."""
    if model.weights is None:
        return CheckedModel(role, model, "unknown", "the run does not say which file it was")
    weights = Path(model.weights)
    try:
        written = weights.stat().st_mtime
    except (OSError, ValueError):
        return CheckedModel(role, model, "gone", "gone")
    try:
        now = find_checkpoint(f"{model.name}@{model.revision}" if model.revision else model.name, base).weights
    except InputError:
        now = None
    if now is not None and now.absolute().resolve() != weights.resolve():
        return CheckedModel(role, model, "changed", f"the name means another file now, {printable(now)}")
    if model.fingerprint is not None:
        try:
            same = fingerprint(weights) == model.fingerprint
        except InputError:
            return CheckedModel(role, model, "gone", "cannot be read")
        return CheckedModel(role, model, *(("same", "unchanged") if same else ("changed", "its contents differ now")))
    began = moment(record.created)
    if began and written > began.timestamp():
        return CheckedModel(role, model, "changed", "written since the run began")
    return CheckedModel(role, model, "there", "not written since the run began")
