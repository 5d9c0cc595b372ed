"""What `run.json` says: all that is needed to tell what a run was, to resume it, and to make a sample of it again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from fourm_tui import __version__
from fourm_tui.errors import InputError, printable
from fourm_tui.events import RowFacts
from fourm_tui.events.records import SCHEMA, check_schema, from_json, parse_object, to_json

Status = Literal["pending", "running", "done", "failed", "cancelled", "interrupted"]
"""`interrupted`: its process ended without a word."""
RowState = Literal["pending", "running", "done", "failed"]
_LARGEST = 2**28  # bytes of a run.json


@dataclass(frozen=True)
class SettingsText:
    """A file that the run was started with, as it stood."""

    role: str
    """`settings`, `sr`, `models` or `data`."""
    text: str
    file: str | None = None
    """Where it was, absolute; None for what was never saved."""


@dataclass(frozen=True)
class ConditionRecord:
    """A condition as given: text, or a file that stays where it is and can be recognised."""

    name: str
    text: str | None = None
    path: str | None = None
    """Absolute."""
    sha256: str | None = None
    mask: str | None = None
    """Absolute."""
    mask_sha256: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    """How the file is taken, where that is not the default: `fit`, `reading`, `ids`, `crop`, `flip`, `index`."""


@dataclass(frozen=True)
class ModelRecord:
    """A checkpoint that takes part."""

    name: str
    revision: str | None = None
    weights: str | None = None
    """The file that was loaded, absolute."""
    fingerprint: str | None = None
    """Of that file, see `fingerprint`."""


@dataclass(frozen=True)
class SampleRecord:
    """One chain of outputs: the folder `samples/000`."""

    seed: int
    """Its effective seed."""
    sample: int = 0
    """Number of the item in its data."""
    variation: int = 0
    source: str | None = None
    """Name of the item in its data."""
    skipped: bool = False
    """Whether it is left out from some row on, because the user asked for that."""


@dataclass(frozen=True)
class RowRecord(RowFacts):
    """A row and how far it is."""

    state: RowState = "pending"
    seconds: float | None = None


@dataclass(frozen=True)
class ParentRecord:
    """The run that this one branched off."""

    run: str
    path: str
    """Its folder, absolute."""
    row: int
    """The first row that is this run's own; those before are copies of the parent's."""


@dataclass(frozen=True)
class RunRecord:
    """The content of `run.json`. Fields that are not known are ignored when it is read."""

    chain: str
    """Name of the chain, for people and for the folder: `T2CR`."""
    settings: tuple[SettingsText, ...] = ()
    overrides: tuple[str, ...] = ()
    """`KEY=VALUE` as given, applied in this order."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Further options of the command that matter to its outputs: seed, dtype, device, ..."""
    conditions: tuple[ConditionRecord, ...] = ()
    models: Mapping[str, ModelRecord] = field(default_factory=dict)
    """By role: `model`, `sr_model`, and the keys of the tokenizers."""
    samples: tuple[SampleRecord, ...] = ()
    """By their number."""
    rows: tuple[RowRecord, ...] = ()
    parent: ParentRecord | None = None
    status: Status = "pending"
    error: str | None = None
    """Why it failed."""
    created: str = ""
    """ISO 8601 with the offset from UTC; set when the folder is made."""
    seconds: float | None = None
    """How long it ran, all resumptions together."""
    version: str = __version__
    """Of the program that made it."""
    schema: int = SCHEMA


def condition_record(
    name: str,
    *,
    text: str | None = None,
    path: Path | None = None,
    mask: Path | None = None,
    options: Mapping[str, Any] | None = None,
) -> ConditionRecord:
    """A condition with its files made absolute and recognisable.

    Raises:
        InputError: a file cannot be read.
    """
    return ConditionRecord(
        name,
        text,
        str(path.absolute()) if path else None,
        sha256(path) if path else None,
        str(mask.absolute()) if mask else None,
        sha256(mask) if mask else None,
        dict(options or {}),
    )


def changed_conditions(record: RunRecord) -> tuple[str, ...]:
    """Sentences about files of conditions that are no longer what the run was started with; empty if all are."""
    found = []
    for condition in record.conditions:
        for path, digest in ((condition.path, condition.sha256), (condition.mask, condition.mask_sha256)):
            if path is None or digest is None:
                continue
            try:
                if sha256(Path(path)) != digest:
                    found.append(f"{condition.name}: {printable(path)} has changed since the run began")
            except InputError as error:
                found.append(f"{condition.name}: {error}")
    return tuple(found)


def sha256(path: Path) -> str:
    """Hash of a file, in hexadecimal.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        raise InputError(f"{printable(path)}: cannot be read: {getattr(error, 'strerror', None) or error}") from None


def fingerprint(path: Path) -> str:
    """A hash by which a file of any size is known again at once: of its length, its first mebibyte (of safetensors the
    names and shapes of all tensors) and 64 samples of what follows, in hexadecimal.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            length = file.seek(0, 2)
            digest = hashlib.sha256(str(length).encode())
            for start, count in ((0, 2**20), *((length * i // 64, 2**14) for i in range(64))):
                file.seek(start)
                digest.update(file.read(count))
            return digest.hexdigest()
    except OSError as error:
        raise InputError(f"{printable(path)}: cannot be read: {error.strerror or error}") from None


def record_to_bytes(record: RunRecord) -> bytes:
    """The text of a `run.json`."""
    return json.dumps(to_json(record), indent=1, allow_nan=False).encode("ascii") + b"\n"


def read_record(path: Path) -> RunRecord:
    """Reads a `run.json`.

    Raises:
        InputError: it is missing, torn, not of this program, or of a newer version.
    """
    where = printable(path)
    try:
        if not path.is_file():
            raise InputError(f"{where}: there is no such file, so this is no run folder")
        if path.stat().st_size > _LARGEST:
            raise InputError(f"{where}: is too large for a run.json")
        value = parse_object(path.read_bytes())
    except OSError as error:
        raise InputError(f"{where}: cannot be read: {error.strerror}") from None
    except ValueError:
        raise InputError(f"{where}: is damaged or no run.json") from None
    check_schema(value, where)
    return from_json(RunRecord, value, where)
