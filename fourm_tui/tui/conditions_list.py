"""The conditions of a chain, given and missing ones, as the pane shows them. Without Textual."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fourm_tui.conditions.given import Given
from fourm_tui.errors import FourmError, printable
from fourm_tui.modalities import MODALITIES
from fourm_tui.tui.workspace import Workspace


@dataclass(frozen=True)
class Item:
    """One condition."""

    name: str
    title: str
    given: Given | None = None
    """None: the chain names it, and nothing is given yet."""
    problem: str = ""
    """What keeps the chain from running because of it."""
    note: str = ""

    @property
    def file(self) -> str:
        """The name of its file, made printable; empty for text that was written here."""
        return printable(self.given.path.name, 80) if self.given and self.given.path else ""


def title_of(name: str) -> str:
    """A modality for people; one of another size than usual says it."""
    modality = MODALITIES.get(name)
    if modality is None:
        return printable(name, 40)
    return modality.title + (f" {modality.input_size}" if modality.input_size not in (None, 224) else "")


def items_of(workspace: Workspace) -> list[Item]:
    """The conditions of the chain in its order, then what is given beside them."""
    schedule, given = workspace.schedule, workspace.state.given
    base = schedule.base
    wanted = base.conditions if base else ()
    targets = {row.target for row in base.rows} if base else set()
    try:
        findings = workspace.check.findings
        problems: Sequence[str] = [each.message for each in findings.problems if each.column == "cond_domains"]
    except FourmError:
        problems = []
    found = []
    for name in dict.fromkeys((*wanted, *given)):
        one = given.get(name)
        problem = next((each for each in problems if _names(each, name)), "")
        note = ""
        if one is None:
            problem = "" if "no value" in problem else problem
        elif name not in wanted:
            whole = "m chooses a mask" if name.startswith("tok_") else "[S_1] opens a part"
            note = "not in the chain" if name not in targets else whole if one.complete else "partly given"
        elif not one.complete:
            note = "partly given"
        found.append(Item(name, title_of(name), one, problem, note))
    return found


def _names(message: str, name: str) -> bool:
    return re.search(rf"(?<![\w@]){re.escape(name)}(?![\w@])", message) is not None


def takes(workspace: Workspace) -> list[str]:
    """The modalities that can be given: what the model takes, and targets of the chain that can be given partly."""
    try:
        architecture = workspace.inputs.architecture()
    except FourmError:
        architecture = None
    names = list(architecture.inputs) if architecture else list(MODALITIES)
    base = workspace.schedule.base
    targets = [row.target for row in base.rows] if base else []
    return [name for name in dict.fromkeys((*names, *targets)) if name in MODALITIES]
