"""Where a bulk run lies and what it is made of. The same command finds the same folder again, whatever is in it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from fourm_tui.batch.work import Work
from fourm_tui.chain.begin import whole_number
from fourm_tui.chain.inputs import Inputs
from fourm_tui.chain.record import record_of
from fourm_tui.conditions.condition import Condition
from fourm_tui.conditions.loading import load_conditions
from fourm_tui.datasets import Dataset, open_dataset, subset
from fourm_tui.errors import InputError, printable
from fourm_tui.runs import Run, RunRecord, SettingsText, effective_seed, open_run, write_new
from fourm_tui.runs.folder import RECORD
from fourm_tui.runs.record import record_to_bytes
from fourm_tui.schedule.configs import DataConfig


@dataclass(frozen=True)
class Bulk:
    """A bulk run before it begins."""

    inputs: Inputs
    data: DataConfig
    dataset: Dataset
    samples: tuple[int, ...]
    """Numbers in the data set of those that are generated."""
    variations: int
    seed: int
    extra: Mapping[str, Condition]
    """Conditions that every sample has beside its own."""
    record: RunRecord
    name: str
    """Of its folder."""

    @property
    def items(self) -> int:
        return len(self.samples) * self.variations

    def work(self, batch: int) -> Work:
        return Work(self.samples, self.variations, batch)


def prepare(inputs: Inputs, data: DataConfig, options: Mapping[str, Any], base: Path | None) -> Bulk:
    """Opens the data and works out what is to be done.

    Args:
        inputs: as read.
        data: the data config, options applied.
        options: `seed`, `num_variations`, `dtype`, ... as given; None where not.
        base: folder of the data config.

    Raises:
        InputError: the data cannot be read or lacks a condition of the schedule.
    """
    extra = load_conditions(inputs.given, inputs.modalities)
    wanted = [name for name in conditions_of(inputs) if name not in extra]
    dataset = open_dataset(data, wanted, inputs.modalities, base)
    samples = tuple(subset(len(dataset), data.num_samples))
    if not samples:
        raise InputError(f"{printable(dataset.title)}: there is nothing to generate")
    settings = inputs.editor.schedule.settings
    seed, variations = options.get("seed"), options.get("num_variations")
    seed = whole_number(settings.get("seed") if seed is None else seed, 0, 0, "seed")
    variations = whole_number(data.num_variations if variations is None else variations, 1, 1, "num_variations")
    effective_seed(seed)  # complains of one that is out of range
    record = record_of(inputs, {**options, "seed": seed, "num_variations": variations, "device": None}, ())
    record = replace(
        record,
        chain=_chain(inputs),
        settings=(*record.settings, SettingsText("data", json.dumps({"data_path": data.path}), data.path)),
        options={**record.options, "data": dataset.title, "items": len(samples) * variations},
    )
    facts: dict[str, Any] = {
        "settings": [(each.role, each.text) for each in record.settings],
        "overrides": record.overrides,
        "conditions": [(each.name, each.text, each.sha256, each.mask_sha256) for each in record.conditions],
        "models": {role: (model.name, model.fingerprint) for role, model in record.models.items()},
    }
    facts |= {"path": str(Path(data.path).absolute()) if data.path else "", "names": _digest_of(dataset, samples)}
    facts |= {"seed": seed, "variations": variations, "dtype": options.get("dtype")}
    mark = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:8]
    name = "_".join(re.sub(r"[^\w.+-]+", "-", part, flags=re.ASCII).strip("-.")[:80]
                    for part in (record.chain, data.name or "data", mark) if part)  # fmt: skip
    return Bulk(inputs, data, dataset, samples, variations, seed, extra, record, name)


def conditions_of(inputs: Inputs) -> list[str]:
    """What a sample has to bring: the conditions of both chains that no target makes."""
    made: set[str] = set()
    found: dict[str, None] = {}
    for part in inputs.editor.schedule.parts:
        found |= dict.fromkeys(name for name in part.conditions if name not in made)
        made |= {row.target for row in part.rows}
    return list(found)


def begin(bulk: Bulk, out: Path, batch: int | None, choose: Callable[[], int]) -> tuple[Run, int]:
    """Makes the folder of a bulk run, or finds the one that the same command made before.

    Args:
        bulk: the run.
        out: where runs are kept.
        batch: items at once as given; None: as before, or what `choose()` says.

    Returns:
        The run, and its number of items at once.

    Raises:
        FourmError: the folder cannot be written, or holds something else.
    """
    folder = out / bulk.name
    if (folder / RECORD).exists():
        run = open_run(folder)
        kept = run.record.options.get("batch")
        size = batch or (kept if isinstance(kept, int) and kept > 0 else choose())
        return (run if size == kept else run.save(options={**run.record.options, "batch": size})), size
    size = batch or choose()
    now = datetime.now().astimezone().isoformat()
    record = replace(bulk.record, created=now, options={**bulk.record.options, "batch": size})
    write_new(folder / RECORD, record_to_bytes(record))
    return Run(folder, record), size


def _chain(inputs: Inputs) -> str:
    stems = [document.path.stem if document.path else "chain" for document in inputs.files]
    return "--".join(stems)


def _digest_of(dataset: Dataset, samples: tuple[int, ...]) -> str:
    digest = hashlib.sha256()
    for sample in samples:
        digest.update(f"{sample}:{dataset.name(sample)}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
