"""A sweep: one cell with several values, a run for each, the first from the beginning, the others branching off it.

What is to be done next follows from how the runs stand in the queue. Without Textual.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from fourm_tui.chain.sweep import Cell, parse, sheet_of
from fourm_tui.engine.jobs import OPEN, QueuedJob
from fourm_tui.errors import FourmError, printable
from fourm_tui.runs import Run, open_run, replace_file
from fourm_tui.schedule.overrides import override
from fourm_tui.tui.workspace import Workspace

Next = Literal["others", "sheet"]


def checked(text: str, workspace: Workspace) -> tuple[str, int, list[str]]:
    """Key, first row that it changes, and values of a sweep, as `chain.sweep.parse`, all of which fit.

    Raises:
        InputError: it cannot be read, or a value does not fit.
    """
    key, row, values = parse(text)
    for value in values:
        workspace.trial().edit("sweep", lambda editor, value=value: override(editor, f"{key}={value}"))  # type: ignore[misc]
    return key, row, values


class Sweep:
    """A sweep under way.

    Args:
        text: `temps.2=0.5,1,2`.
        workspace: as it is now; what is edited later does not matter to the sweep.
        out: where runs are kept.

    Raises:
        InputError: as for `checked`.
    """

    def __init__(self, text: str, workspace: Workspace, out: Path) -> None:
        self.text, self.out = text, out
        self.key, self.row, self.values = checked(text, workspace)
        self._workspace = workspace.trial()
        self._runs: dict[str, Path] = {}
        self._errors: dict[str, str] = {}
        self._has_others = False
        self.asked: Next | None = None
        """What was said to be next, and is being done."""

    @property
    def runs(self) -> list[Path]:
        """Folders of the runs that there are, in the order of their values."""
        return [self._runs[value] for value in self.values if value in self._runs]

    @property
    def open(self) -> int:
        """Values for which there is no run yet."""
        return len(self.values) - len(self._runs) - len(self._errors)

    def first(self) -> Run:
        """Makes the run of the first value.

        Raises:
            FourmError: it does not go together, or cannot be written.
        """
        return self._begin(self.values[0], None)

    def others(self) -> list[Run]:
        """Makes the runs of the other values, which share the rows before with the first; those that do not go together
        are failed cells."""
        found = []
        for value in self.values[1:]:
            try:
                found.append(self._begin(value, open_run(self.runs[0])))
            except FourmError as error:
                self._errors[value] = str(error)
        self._has_others = True
        return found

    def _begin(self, value: str, parent: Run | None) -> Run:
        trial = self._workspace.trial()
        trial.edit("sweep", lambda editor: override(editor, f"{self.key}={value}"))
        run = trial.begin(self.out, parent, self.row if parent else None).run
        self._runs[value] = run.folder
        return run

    def next(self, jobs: Sequence[QueuedJob]) -> Next | None:
        """What is to be done now: the other runs made, or the sheet; None while there is something to wait for, or to
        be done that was told before."""
        if self.asked == "sheet" or not self._runs or (self.asked == "others" and not self._has_others):
            return None
        status = {Path(job.run): job.status for job in jobs}
        stands = [status.get(folder.resolve(), "waiting") for folder in self.runs]
        if not self._has_others:
            stopped = stands[0] in ("cancelled", "interrupted")
            if stopped:
                self.asked = "sheet"
            elif self.row == 1 or stands[0] not in OPEN:
                self.asked = "others"
            return self.asked
        if all(each not in OPEN for each in stands):
            self.asked = "sheet"
        return "sheet" if self.asked == "sheet" else None

    def sheet(self) -> Path:
        """Draws the contact sheet beside the runs.

        Raises:
            FourmError: it cannot be written.
        """
        from fourm_tui.pictures.png import png_bytes

        cells = [self._cell(value) for value in self.values]
        first = self.runs[0]
        path = first.parent / f"sweep_{first.name}.png"
        replace_file(path, png_bytes(sheet_of(self.key, cells), {"sweep": self.text}))
        return path

    def _cell(self, value: str) -> Cell:
        folder = self._runs.get(value)
        if folder is None:
            return Cell(value, None, self._errors.get(value, "was not begun"))
        try:
            run = open_run(folder)
        except FourmError as error:
            return Cell(value, None, str(error))
        why = run.record.error or ("" if run.record.status == "done" else run.record.status)
        return Cell(value, run, printable(why, 300))
