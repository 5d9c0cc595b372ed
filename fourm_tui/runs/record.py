"""What `run.json` says: all that is needed to tell what a run was, to resume it, and to make a sample of it again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, overload

from fourm_tui import __version__
from fourm_tui.errors import InputError, printable
from fourm_tui.events import RowFacts
from fourm_tui.events.records import SCHEMA, check_schema, from_json, parse_object, to_json
from fourm_tui.runs.seeds import effective_seed

Status = Literal["pending", "running", "done", "failed", "cancelled", "interrupted"]
"""`interrupted`: its process ended without a word."""
RowState = Literal["pending", "running", "done", "failed"]
_LARGEST = 2**28  # bytes of a run.json
_MOST_SAMPLES = 10**7
_LISTED = 16  # samples that run.json has one by one, for people and other programs


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


class Variations(Sequence[SampleRecord]):
    """Samples that all come of one seed, worked out when they are looked at: thousands of them cost nothing.

    Args:
        seed: of the first.
        total: how many there are.
        skipped: numbers of those that are left out.
    """

    def __init__(self, seed: int, total: int, skipped: Iterable[int] = ()) -> None:
        self.seed, self.total, self.skipped = seed, total, frozenset(skipped)

    @classmethod
    def of(cls, samples: Sequence[SampleRecord]) -> Variations | None:
        """The same samples, if they are variations of one seed."""
        if isinstance(samples, Variations):
            return samples
        if not samples:
            return None
        made = cls(samples[0].seed, len(samples), (n for n, sample in enumerate(samples) if sample.skipped))
        return made if made == samples else None

    def __len__(self) -> int:
        return self.total

    @overload
    def __getitem__(self, at: int) -> SampleRecord: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[SampleRecord, ...]: ...
    def __getitem__(self, at: int | slice) -> SampleRecord | tuple[SampleRecord, ...]:
        if isinstance(at, slice):
            return tuple(self[number] for number in range(*at.indices(self.total)))
        number = at + self.total if at < 0 else at
        if not 0 <= number < self.total:
            raise IndexError(at)
        return SampleRecord(effective_seed(self.seed, 0, number), 0, number, skipped=number in self.skipped)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Variations):
            return (self.seed, self.total, self.skipped) == (other.seed, other.total, other.skipped)
        if not isinstance(other, Sequence) or len(other) != self.total:
            return False
        return all(one == sample for one, sample in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash((self.seed, self.total, self.skipped))

    def to_json(self) -> dict[str, Any]:
        """What stands in `run.json` in the place of a list."""
        return {"seed": self.seed, "count": self.total, "skipped": sorted(self.skipped)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], where: str) -> Variations:
        """Raises InputError where it is none."""
        seed, count, skipped = (value.get(name) for name in ("seed", "count", "skipped"))
        whole = all(type(each) is int for each in (seed, count, *(skipped if isinstance(skipped, list) else [None])))
        if not whole or not 0 <= seed < 2**64 or not 0 <= count <= _MOST_SAMPLES:  # type: ignore[operator]
            raise InputError(f"{where}: samples is to be a list, or seed, count and skipped")
        return cls(seed, count, skipped)  # type: ignore[arg-type]


def without(samples: Sequence[SampleRecord], number: int) -> Sequence[SampleRecord]:
    """The same samples, one of which is left out."""
    if isinstance(samples, Variations):
        return Variations(samples.seed, samples.total, {*samples.skipped, number})
    return tuple(replace(sample, skipped=sample.skipped or n == number) for n, sample in enumerate(samples))


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
    samples: Sequence[SampleRecord] = ()
    """By their number."""
    rows: tuple[RowRecord, ...] = ()
    parent: ParentRecord | None = None
    swept: str = ""
    """Of a run of a sweep the cell and its value: `temps.2=0.5`."""
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


def is_bulk(record: RunRecord) -> bool:
    """Whether a run goes over a data set: then its items stand in its manifest, not in its record."""
    return "items" in record.options


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
    samples = Variations.of(record.samples) if len(record.samples) > _LISTED else None
    value = to_json(replace(record, samples=() if samples else tuple(record.samples)))
    if samples:
        value["samples"] = samples.to_json()
    return json.dumps(value, indent=1, allow_nan=False).encode("ascii") + b"\n"


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
    samples = value.get("samples")
    if not isinstance(samples, dict):
        return from_json(RunRecord, value, where)
    record = from_json(RunRecord, {**value, "samples": []}, where)
    return replace(record, samples=Variations.from_json(samples, where))
