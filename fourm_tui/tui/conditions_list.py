"""The conditions of a chain, given and missing ones, as the pane shows them. Without Textual."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fourm_tui.conditions.given import Given
from fourm_tui.errors import FourmError, printable
from fourm_tui.modalities import MODALITIES
from fourm_tui.tui.uses import rows_of
from fourm_tui.tui.workspace import Workspace

NOT_USED = "not used"


@dataclass(frozen=True)
class Item:
    """One condition."""

    name: str
    title: str
    given: Given | None = None
    """None: the chain names it, and nothing is given yet."""
    problem: str = ""
    """What keeps the chain from running because of it."""
    flag: str = ""
    """What is most to be known of it, in two words: that it is not used, or given partly."""
    rows: tuple[int, ...] = ()
    """Rows of the chain that generate it."""

    @property
    def is_used(self) -> bool:
        return self.flag != NOT_USED

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
    schedule, given, used = workspace.schedule, workspace.state.given, workspace.used
    wanted = schedule.base.conditions if schedule.base else ()
    try:
        findings = workspace.check.findings
        problems: Sequence[str] = [each.message for each in findings.problems if each.column == "cond_domains"]
    except FourmError:
        problems = []
    found = []
    for name in dict.fromkeys((*wanted, *given)):
        one = given.get(name)
        problem = next((each for each in problems if _names(each, name)), "")
        if one is None and "no value" in problem:
            problem = ""
        flag = ""
        if one is not None:
            flag = NOT_USED if name not in used else "" if one.complete else "given partly"
        found.append(Item(name, title_of(name), one, problem, flag, rows_of(schedule, name)))
    return found


def _names(message: str, name: str) -> bool:
    return re.search(rf"(?<![\w@]){re.escape(name)}(?![\w@])", message) is not None


def unused_words(workspace: Workspace) -> str:
    """What is given and not used, in a sentence; empty if all of it is used."""
    names = [title_of(name) for name in workspace.state.given if name not in workspace.used]
    if not names:
        return ""
    return f"not used, as the chain does not take {'it' if len(names) == 1 else 'them'}: {', '.join(names)} (F1, enter)"


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
