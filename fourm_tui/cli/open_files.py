"""What `open --save` writes: settings with their overrides, models config, and the texts of conditions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from fourm_tui.chain.recorded import document_of, edited, schedule_roles
from fourm_tui.checkpoints import BUNDLED
from fourm_tui.errors import FourmError, InputError, printable
from fourm_tui.runs import RunRecord, SettingsText, write_new
from fourm_tui.schedule.columns import MODEL_KEYS
from fourm_tui.schedule.values import quoted

Files = Mapping[str, tuple[Path, str]]
"""Path and text, by the role of a settings file (`settings`, `sr`, `models`, `data`) or `-i NAME` of a condition."""


def planned(record: RunRecord, folder: Path) -> Files:
    """The files of a run as they would be saved.

    Raises:
        InputError: its settings cannot be read.
    """
    files: dict[str, tuple[Path, str]] = {}
    texts = dict(zip(schedule_roles(record), (each.text for each in edited(record).documents), strict=True))
    for each in record.settings:
        text = _with_absolute_paths(each) if each.role == "models" else texts.get(each.role, each.text)
        name = Path(each.file).stem if each.file else record.chain if each.role == "settings" else each.role
        files[each.role] = (folder / f"{_safe(name)}.yaml", text)
    for condition in record.conditions:
        if condition.text is not None:
            files[f"-i {condition.name}"] = (folder / f"{_safe(condition.name)}.txt", condition.text)
    taken: set[Path] = set()
    for role, (path, text) in files.items():
        if path in taken:  # settings and sr of one name, from two folders
            files[role] = (path.with_name(f"{_safe(role)}_{path.name}"), text)
        taken.add(files[role][0])
    return files


def write(files: Files, folder: Path) -> tuple[Path, ...]:
    """Writes all of them or none.

    Raises:
        InputError: one of them is there already.
        FourmError: one cannot be written.
    """
    where = f"--save {printable(folder)}"
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{where}: is a file; name a folder")
    taken = [path.name for path, _ in files.values() if path.exists() or path.is_symlink()]
    if taken:
        names = f"{', '.join(taken)} {'is' if len(taken) == 1 else 'are'}"
        raise InputError(f"{where}: {names} there already, and nothing is overwritten; name another folder")
    written: list[Path] = []
    try:
        for path, text in files.values():
            write_new(path, text.encode("utf-8", "backslashreplace"))
            written.append(path)
    except FourmError:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    return tuple(written)


def _with_absolute_paths(config: SettingsText) -> str:
    """A models config that can lie in another folder: paths to what lies beside it are written out."""
    if config.file is None:
        return config.text
    document, folder = document_of(config), Path(config.file).parent
    for key in sorted(MODEL_KEYS.intersection(document.keys())):
        name = document[key]
        if isinstance(name, str) and name and name.partition("/")[0] != BUNDLED and (folder / name).exists():
            document = document.replace(key, quoted(str(folder / name)))
    return document.text


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._+@-]+", "-", name).strip("-.")[:100] or "file"
