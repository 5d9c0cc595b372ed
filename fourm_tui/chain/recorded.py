"""What a run was started with, out of its record: its effective schedule, and where its files are still to be found."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from fourm_tui.checkpoints import BUNDLED
from fourm_tui.errors import InputError
from fourm_tui.paths import schedules_dir
from fourm_tui.runs import RunRecord, SettingsText
from fourm_tui.schedule.configs import ModelsConfig, read_models
from fourm_tui.schedule.document import Document
from fourm_tui.schedule.editor import Editor
from fourm_tui.schedule.overrides import override
from fourm_tui.schedule.rows import Schedule
from fourm_tui.schedule.shipped import find_file
from fourm_tui.schedule.text_files import read_text


def document_of(settings: SettingsText) -> Document:
    """A file of the run, to be looked at.

    Raises:
        InputError: it cannot be read.
    """
    return Document.parse(settings.text, Path(settings.file) if settings.file else None)


def schedule_roles(record: RunRecord) -> list[str]:
    """Roles of the files that make the schedule, in the order of `edited(record).documents`."""
    return [role for role in ("settings", "sr") if any(each.role == role for each in record.settings)]


def edited(record: RunRecord) -> Editor:
    """The settings of a run with its overrides applied.

    Raises:
        InputError: they cannot be read.
    """
    by_role = {each.role: each for each in record.settings}
    editor = Editor([document_of(by_role[role]) for role in schedule_roles(record)])
    for assignment in record.overrides:
        override(editor, assignment)
    return editor


def schedule_of(record: RunRecord) -> Schedule | None:
    """The effective schedule of a run; None if its settings cannot be read."""
    try:
        return edited(record).schedule if schedule_roles(record) else None
    except InputError:
        return None


def models_of(record: RunRecord) -> ModelsConfig | None:
    """What its files say of models; None if they cannot be read."""
    try:
        configs = [document_of(each) for each in record.settings if each.role == "models"]
        return read_models([*configs, *edited(record).documents])
    except InputError:
        return None


def file_of(settings: SettingsText) -> str | None:
    """What the command line calls a file with this text: the name of a ready-made one, or a path; None if no file has
    this text any more."""
    own = settings.file if settings.file and _reads(Path(settings.file), settings.text) else None
    if own and not Path(own).is_relative_to(schedules_dir()):
        return own
    for shipped in sorted(schedules_dir().rglob("*.yaml")):
        if _reads(shipped, settings.text):
            if settings.role == "models" and shipped.stem == BUNDLED:
                return BUNDLED
            name = shipped.relative_to(schedules_dir())
            word = (name if settings.role == "models" else name.with_suffix("")).as_posix()
            if _means(word, shipped):
                return word
    return own


def state_of_file(settings: SettingsText) -> Literal["same", "changed", "gone", "unknown"]:
    """What became of a file; unknown where the run does not say which it was."""
    if settings.file is None:
        return "unknown"
    path = Path(settings.file)
    if _reads(path, settings.text):
        return "same"
    return "changed" if path.exists() else "gone"


def _reads(path: Path, text: str) -> bool:
    try:
        return path.is_file() and read_text(path) == text
    except (InputError, OSError, ValueError):
        return False


def _means(name: str, shipped: Path) -> bool:
    try:
        return find_file(name) == shipped
    except InputError:
        return False
