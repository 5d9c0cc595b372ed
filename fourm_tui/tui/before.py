"""The run before: what its pictures are, and in what its settings differ. Without Textual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fourm_tui.chain.compare import Pair, named, settings_differ
from fourm_tui.errors import FourmError
from fourm_tui.runs import Run, list_runs, open_run

_LOOKED_AT = 12  # runs


@dataclass(frozen=True)
class Before:
    """A run to compare with."""

    run: Run
    pairs: tuple[Pair, ...]
    """What was changed since."""
    pictures: Mapping[tuple[str, int], Path]
    """By target and sample."""

    def note(self, ascii: bool = False) -> str:
        """What was changed, in a few words."""
        return named(self.pairs, "->" if ascii else "→")


def run_before(folder: Path, out: Path) -> Before | None:
    """The newest run that was begun before one and has something to show; None if there is none, or no way to know."""
    try:
        run = open_run(folder)
        for other in list_runs(out, _LOOKED_AT).runs:
            if other.name != run.name and other.record.created < run.record.created:
                found = compared_with(run, other)
                if found.pictures:
                    return found
    except FourmError:
        return None
    return None


def compared_with(run: Run, other: Run) -> Before:
    """Another run, as one to compare with."""
    return Before(other, tuple(settings_differ(other, run)), pictures_of(other))


def pictures_of(run: Run) -> dict[tuple[str, int], Path]:
    """The pictures of a run that are there, by target and sample."""
    paths = {
        (row.target, sample): run.path_for(row.number, row.target, sample, ".png")
        for row in run.record.rows
        for sample in range(len(run.record.samples))
    }
    return {key: path for key, path in paths.items() if path.is_file()}
