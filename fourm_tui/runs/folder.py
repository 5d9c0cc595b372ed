"""The folder of a run: how it is made, what lies where in it, what of it is finished."""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from fourm_tui.errors import FourmError, InputError, printable
from fourm_tui.events import being_written
from fourm_tui.events.log import cannot_write
from fourm_tui.runs.files import replace_file, write_new
from fourm_tui.runs.record import ParentRecord, RunRecord, read_record, record_to_bytes

RECORD, EVENTS, SAMPLES, TOKENS = "run.json", "events.jsonl", "samples", ".safetensors"
_TRIES = 100


@dataclass(frozen=True)
class Run:
    """A run folder and what its `run.json` said when it was read or written last."""

    folder: Path
    record: RunRecord

    @property
    def name(self) -> str:
        return self.folder.resolve().name  # also of `.`

    @property
    def events(self) -> Path:
        """The log of events."""
        return self.folder / EVENTS

    def path_for(self, row: int, target: str, sample: int, suffix: str) -> Path:
        """Where an output lies: `samples/000/01_tok_clip@224.png` for row 1, sample 0 and the suffix `.png`.

        Row and sample are numbers in this run, from 1 and from 0. Nothing is made.
        """
        return self.folder / SAMPLES / f"{sample:03d}" / f"{named_target(row, target)}{suffix}"

    def relative(self, path: Path) -> str:
        """How events name a file of this run."""
        return path.relative_to(self.folder).as_posix()

    def file(self, name: str) -> Path:
        """The file that an event names.

        Raises:
            InputError: the name leads out of the folder.
        """
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\0" in name:
            raise InputError(f"{printable(self.folder)}: {printable(name)} is no file of this run")
        return self.folder / path

    def finished(self, samples: Iterable[int] | None = None) -> frozenset[tuple[int, int]]:
        """Row and sample of all targets whose tokens are there, or of those of some samples. Pictures and text are made
        from these again."""
        return frozenset(
            (row.number, sample)
            for sample in (range(len(self.record.samples)) if samples is None else samples)
            for row in self.record.rows
            if self.path_for(row.number, row.target, sample, TOKENS).is_file()
        )

    def clear(self, row: int, sample: int | None = None, keep: Path | None = None) -> None:
        """Removes what lies there of a row, of one sample or of all, the tokens first; one file may be kept.

        Raises:
            FourmError: a file cannot be removed.
        """
        files = self.folder.glob(f"{SAMPLES}/{'*' if sample is None else f'{sample:03d}'}/{row:02d}_*")
        for file in sorted(set(files) - {keep}, key=lambda file: file.suffix != TOKENS):
            try:
                file.unlink(missing_ok=True)
            except OSError as error:
                raise cannot_write(file, error) from None

    def check_there(self) -> None:
        """Whether nobody has removed the folder meanwhile; it is not to be made again by writing into it.

        Raises:
            FourmError: it is gone.
        """
        if not (self.folder / RECORD).is_file():
            raise FourmError(f"{printable(self.folder)}: the folder of this run is gone, so it cannot go on")

    def save(self, **changes: Any) -> Run:
        """Writes `run.json` anew with other values of some fields of the record, and returns the run as it is then.

        Raises:
            FourmError: it cannot be written; the old one is still there.
        """
        self.check_there()
        run = replace(self, record=replace(self.record, **changes))
        try:
            replace_file(run.folder / RECORD, record_to_bytes(run.record))
        except FourmError:
            self.check_there()  # that it is gone says more
            raise
        return run


def named_target(row: int, target: str) -> str:
    """What files of a row are called: `01_tok_clip@224`."""
    return f"{row:02d}_" + re.sub(r"[^\w@+-]", "_", target, flags=re.ASCII)[:80]


def create_run(folder: Path, record: RunRecord, now: datetime | None = None) -> Run:
    """Makes a folder for a new run, `2026-11-20_101503_T2CR_a1b2c3`, with its `run.json`.

    Args:
        folder: where runs are kept; made if it is not there.
        record: what is known of the run; `created` is filled in.
        now: local time with its offset; None for the clock.

    Raises:
        FourmError: the folder cannot be written.
    """
    now = now or datetime.now().astimezone()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = _new_folder(folder, f"{now:%Y-%m-%d_%H%M%S}_{_safe(record.chain)}")
    except OSError as error:
        raise cannot_write(folder, error) from None
    run = Run(path, replace(record, created=now.isoformat()))
    try:
        write_new(path / RECORD, record_to_bytes(run.record))
    except FourmError:
        with contextlib.suppress(OSError):
            path.rmdir()
        raise
    return run


def open_run(path: Path) -> Run:
    """The run in a folder. One that says it runs while nobody writes its log is `interrupted`.

    Args:
        path: the folder, or its `run.json`.

    Raises:
        InputError: there is no run, or it is damaged, or of a newer version.
    """
    folder = path.parent if path.name == RECORD else path
    record = read_record(folder / RECORD)
    run = Run(folder, record)
    if record.status == "running" and not being_written(run.events):
        return replace(run, record=replace(record, status="interrupted"))
    return run


def branch_off(parent: Run, row: int) -> ParentRecord:
    """What a run that goes its own way from a row on says about its parent."""
    return ParentRecord(parent.name, str(parent.folder.absolute()), row)


def copy_rows(parent: Run, run: Run) -> frozenset[tuple[int, int]]:
    """Copies what the parent finished of the rows before the branch, for the samples that both have.

    What is there already is left as it is, so that it can be called again after an interruption.

    Returns:
        Row and sample of what is in the new run now.

    Raises:
        FourmError: a file cannot be read or written.
    """
    first = run.record.parent.row if run.record.parent else 1
    for row, sample in sorted(parent.finished()):
        if row >= first or sample >= len(run.record.samples):
            continue
        source = parent.folder / SAMPLES / f"{sample:03d}"
        # The tokens go last: they say that the rest is there.
        files = sorted(source.glob(f"{row:02d}_*"), key=lambda file: (file.suffix == TOKENS, file.name))
        for file in files:
            copy = run.folder / SAMPLES / source.name / file.name
            if not copy.exists():
                write_new(copy, _read(file))
    return run.finished()


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise FourmError(f"{printable(file)}: cannot be read: {error.strerror}") from None


def _new_folder(folder: Path, beginning: str) -> Path:
    for _ in range(_TRIES):
        path = folder / f"{beginning}_{secrets.token_hex(3)}"
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path
    raise FourmError(f"{printable(folder)}: no free name for a run was found; give another --out")


def _safe(chain: str) -> str:
    """The name of a chain as part of a file name: letters, digits and `._+-` only."""
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", chain).strip("-._")[:60] or "run"
