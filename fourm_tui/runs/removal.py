"""Runs deleted: whole or not at all, and never one that is at work."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from pathlib import Path

from fourm_tui.errors import InputError, printable
from fourm_tui.events import being_written
from fourm_tui.runs.folder import Run, open_run

_REMOVED = ".removed-"
"""Begins the names of the hidden folders into which runs go before they are deleted."""
_LONG_AGO = 3600  # seconds after which nobody is at such a folder any more


def is_running(run: Run) -> bool:
    """Whether a process is at this run, also if its record does not say so yet or still."""
    return run.record.status == "running" or (run.record.status != "done" and being_written(run.events))


def remove_run(run: Path) -> str | None:
    """Deletes the folder of a run; what kept it from that. It goes into a hidden one first, so that others see all of
    it or nothing."""
    try:
        if is_running(open_run(run)):
            return f"{printable(run)}: runs by now, so it was left"
    except InputError as error:
        return str(error) if run.exists() else None  # another process was faster
    try:
        hidden = Path(tempfile.mkdtemp(prefix=_REMOVED, dir=run.parent))
        try:
            moved = run.rename(hidden / run.name)
            if moved.is_symlink():
                moved.unlink()
            else:
                shutil.rmtree(moved)
        finally:
            with contextlib.suppress(OSError):
                hidden.rmdir()
    except OSError as error:
        return f"{printable(run)}: cannot be removed: {printable(error.filename or '')} {error.strerror}"
    return None


def remove_remainders(folder: Path) -> None:
    """What was left when an earlier removal was killed."""
    for hidden in folder.glob(f"{_REMOVED}*"):
        with contextlib.suppress(OSError):
            if time.time() - hidden.lstat().st_mtime > _LONG_AGO:
                shutil.rmtree(hidden, ignore_errors=True)
