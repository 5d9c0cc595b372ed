"""A sweep: one cell with several values, a run for each; all but the first take the rows before over from the first.

All runs are given to the engine at once, so that they go on whatever becomes of the screens; what is still to be done
in the end, the sheet, is kept beside the runs. Without Textual.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from fourm_tui.chain.sweep import Cell, parse, rows_of, sheet_name, sheet_of, target_of
from fourm_tui.engine.jobs import OPEN, QueuedJob
from fourm_tui.errors import FourmError, InputError, printable
from fourm_tui.events.records import SCHEMA, check_schema, parse_object
from fourm_tui.runs import Run, RunRecord, open_run, replace_file
from fourm_tui.schedule.overrides import override
from fourm_tui.tui.workspace import Workspace


def checked(text: str, workspace: Workspace) -> tuple[str, int, list[str]]:
    """Key, first row that it changes, and values of a sweep, as `chain.sweep.parse`, all of which fit.

    Raises:
        InputError: it cannot be read, or a value does not fit.
    """
    key, row, values = parse(text)
    for value in values:
        workspace.trial().edit("sweep", lambda editor, value=value: override(editor, f"{key}={value}"))  # type: ignore[misc]
    return key, row, values


@dataclass
class Sweep:
    """A sweep under way."""

    text: str
    """`temps.2=0.5,1,2`."""
    out: Path
    """Where runs are kept."""
    folders: Mapping[str, Path]
    """Of the runs, by their values; the first has one."""
    errors: Mapping[str, str] = field(default_factory=dict)
    """Why other values have none."""
    is_old: bool = False
    """Whether its runs were given to the engine long ago, so that those that are not in the queue are over."""

    @classmethod
    def begin(cls, text: str, workspace: Workspace, out: Path) -> Self:
        """Makes the runs of all values; those that do not go together are failed cells.

        Args:
            text: `temps.2=0.5,1,2`.
            workspace: as it is now; what is edited later does not matter.
            out: where runs are kept.

        Raises:
            FourmError: it cannot be read, its first run does not go together, or cannot be written.
        """
        key, row, values = checked(text, workspace)
        first: Run | None = None
        folders: dict[str, Path] = {}
        errors: dict[str, str] = {}
        for value in values:
            trial = workspace.trial()
            trial.edit("sweep", lambda editor, value=value: override(editor, f"{key}={value}"))  # type: ignore[misc]
            try:
                run = trial.begin(out, first, row if first else None).run
            except FourmError as error:
                if first is None:
                    raise
                errors[value] = str(error)
                continue
            run = run.save(swept=f"{key}={value}")
            first = first or run
            folders[value] = run.folder
        sweep = cls(text, out, folders, errors)
        sweep._keep()
        return sweep

    @property
    def values(self) -> list[str]:
        return parse(self.text)[2]

    @property
    def runs(self) -> list[Path]:
        """Folders of the runs, in the order of their values."""
        return [self.folders[value] for value in self.values if value in self.folders]

    def is_over(self, jobs: Sequence[QueuedJob]) -> bool:
        """Whether all its runs have ended, however."""
        status = {Path(job.run): job.status for job in jobs}
        missing = "done" if self.is_old else "waiting"
        return all(status.get(folder.resolve(), missing) not in OPEN for folder in self.runs)

    # -- the sheet ----------------------------------------------------------------------------------------------------

    def sheets(self) -> dict[str, Path]:
        """Draws the contact sheets beside the runs: by their titles, that of the swept row first, then those of the
        rows behind it.

        Raises:
            FourmError: one cannot be written.
        """
        from fourm_tui.pictures.png import png_bytes

        key, row, values = parse(self.text)
        cells = [self._cell(value) for value in values]
        first = Run(self.runs[0], RunRecord(""))
        found: dict[str, Path] = {}
        for number in rows_of(row, cells):
            path = self.out / sheet_name(first, number)
            replace_file(path, png_bytes(sheet_of(key, cells, number), {"sweep": self.text}))
            found[f"{target_of(cells, number)} by {key}"] = path
        self.forget()
        return found

    def _cell(self, value: str) -> Cell:
        folder = self.folders.get(value)
        if folder is None:
            return Cell(value, None, self.errors.get(value, "was not begun"))
        try:
            run = open_run(folder)
        except FourmError as error:
            return Cell(value, None, str(error))
        why = run.record.error or ("" if run.record.status == "done" else run.record.status)
        return Cell(value, run, printable(why, 300))

    # -- what outlives the screens ------------------------------------------------------------------------------------

    @property
    def _kept(self) -> Path:
        return self.out / f"sweep_{self.runs[0].name}.json"

    def _keep(self) -> None:
        runs = {value: folder.name for value, folder in self.folders.items()}
        facts = {"schema": SCHEMA, "sweep": self.text, "runs": runs, "errors": dict(self.errors)}
        with contextlib.suppress(FourmError):  # then it lives as long as the screens
            replace_file(self._kept, json.dumps(facts, indent=1).encode("ascii") + b"\n")

    def forget(self) -> None:
        """Nothing is to be done any more."""
        with contextlib.suppress(OSError):
            self._kept.unlink(missing_ok=True)


def kept_sweeps(out: Path) -> list[Sweep]:
    """The sweeps whose sheets are still to be drawn; files that make no sense are passed over."""
    found = []
    for file in sorted(out.glob("sweep_*.json")):
        try:
            facts = parse_object(file.read_bytes())
            check_schema(facts, str(file))
            sweep = _sweep_of(facts, out)
            if any(folder.is_dir() for folder in sweep.runs):
                found.append(sweep)
            else:
                sweep.forget()
        except (OSError, ValueError, InputError):
            continue
    return found


def _sweep_of(facts: Mapping[str, Any], out: Path) -> Sweep:
    text, runs, errors = facts.get("sweep"), facts.get("runs"), facts.get("errors")
    if not isinstance(text, str) or not isinstance(runs, dict) or not isinstance(errors, dict):
        raise InputError("this is no sweep")
    # Names, not paths: nothing outside the folder of runs is looked at.
    folders = {value: out / name for value, name in runs.items() if isinstance(name, str) and Path(name).name == name}
    sweep = Sweep(text, out, folders, {value: printable(why, 300) for value, why in errors.items()}, is_old=True)
    if not sweep.runs:
        raise InputError("it has no runs")
    return sweep
