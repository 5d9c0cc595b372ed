"""From an output to the run that made it: by the folder it lies in, or by the facts that a PNG carries in itself."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fourm_tui.errors import InputError, printable
from fourm_tui.events.records import from_json
from fourm_tui.modalities import MODALITIES
from fourm_tui.runs import LATEST, Run, RunRecord, SampleRecord, find_run, open_run
from fourm_tui.runs.folder import RECORD, SAMPLES

_DEPTH = 4
"""How many folders above a file are looked at for a `run.json`."""
_NAME = re.compile(r"(?P<time>\d{4}-\d{2}-\d{2}_\d{6})_(?P<chain>.+)_[0-9a-f]{6}")
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@-]*")
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Output:
    """The single file that was asked for."""

    file: Path
    row: int | None = None
    target: str | None = None
    seed: int | None = None
    """Effective seed of its sample; None where it is no output of one sample (a contact sheet), or unknown."""


@dataclass(frozen=True)
class Chain:
    """What made an output, as far as it is known."""

    name: str
    """Of the run."""
    record: RunRecord
    """Without the run's folder: only what its picture carries."""
    run: Run | None = None
    output: Output | None = None
    notes: tuple[str, ...] = ()

    @property
    def samples(self) -> tuple[SampleRecord, ...]:
        """The samples that are meant: that of the output, else all."""
        if self.output is None or self.output.seed is None:
            return tuple(self.record.samples)
        seed = self.output.seed
        return tuple(sample for sample in self.record.samples if sample.seed == seed)[:1] or (SampleRecord(seed),)


def find_chain(what: str, runs: Path) -> Chain:
    """The chain behind a file or a run.

    Args:
        what: a file of a run, a PNG that was one, or a run as `find_run` takes it.
        runs: where runs are kept.

    Raises:
        InputError: it is none of these, or damaged.
    """
    path = _path(what)
    if what == LATEST or path is None or not path.exists():
        if path is not None and (path.suffix.lower() in (".png", ".safetensors") or os.sep in what):
            raise InputError(f"{printable(what)}: there is no such file or run")
        return _of_run(open_run(find_run(what, runs)))
    if path.is_dir():
        folder = path if (path / RECORD).is_file() else _folder_around(path)
        if folder is None:
            raise InputError(f"{printable(what)}: is a folder without a run in it")
        return _of_run(open_run(folder))
    if not path.is_file():
        raise InputError(f"{printable(what)}: is no file that can be read")
    if path.name == RECORD:
        return _of_run(open_run(path))
    folder = _folder_around(path)
    if path.suffix.lower() == ".png" or folder is None:
        return _of_picture(path, folder, runs)
    return _of_file(path, open_run(folder))


def _path(what: str) -> Path | None:
    if not what or "\0" in what:
        raise InputError(f"{printable(what) or 'nothing'}: is no name of a file or a run")
    try:
        path = Path(what).expanduser()
        path.exists()
    except (OSError, RuntimeError):  # a name too long, the home of a user that does not exist
        return None
    return path


def _folder_around(path: Path) -> Path | None:
    return next((folder for folder in path.resolve().parents[:_DEPTH] if (folder / RECORD).is_file()), None)


def _of_run(run: Run) -> Chain:
    return Chain(run.name, run.record, run)


def _of_file(path: Path, run: Run, notes: tuple[str, ...] = ()) -> Chain:
    """A file that lies in the folder of its run; its place tells sample and row: `samples/000/02_tok_rgb@224.npy`."""
    parts = path.resolve().relative_to(run.folder.resolve()).parts
    output = Output(path)
    if len(parts) == 3 and parts[0] == SAMPLES and parts[1].isdecimal():
        sample, number = int(parts[1]), re.match(r"\d+(?=_)", parts[2])
        seed = run.record.samples[sample].seed if sample < len(run.record.samples) else None
        row = next((row for row in run.record.rows if number and row.number == int(number.group())), None)
        output = Output(path, row.number if row else None, row.target if row else None, seed)
    return Chain(run.name, run.record, run, output, notes)


# -- pictures ---------------------------------------------------------------------------------------------------


def _of_picture(path: Path, folder: Path | None, runs: Path) -> Chain:
    facts: dict[str, str] = {}
    damage: InputError | None = None
    try:
        facts = _facts(path)
    except InputError as error:
        damage = error
    around = _readable(folder)
    if around is not None and not facts:
        return _of_file(path, around, (f"{damage}; its place says what it was",) if damage else ())
    if around is not None and _is_of(around, facts):
        return Chain(around.name, around.record, around, _output(path, facts))
    if damage is not None:
        raise damage
    if not facts:
        raise InputError(
            f"{printable(path)}: carries no facts about its making: no run of fourm-tui wrote it, or another program "
            "has saved it anew"
        )
    return _of_facts(path, facts, runs)


def _facts(path: Path) -> dict[str, str]:
    from fourm_tui.pictures.png import read_facts

    if path.suffix.lower() == ".safetensors":
        raise InputError(
            f"{printable(path)}: lies in no run folder, and tokens do not say which run made them; open the run, or "
            "one of its pictures"
        )
    try:
        facts = read_facts(path)
    except InputError:
        with suppress(OSError), path.open("rb") as file:
            if file.read(len(_SIGNATURE)) == _SIGNATURE:
                raise InputError(f"{printable(path)}: is a damaged PNG file, its facts cannot be read") from None
        raise
    return facts if {"run", "settings"} <= facts.keys() else {}


def _readable(folder: Path | None) -> Run | None:
    """The run in a folder, as long as it is whole."""
    try:
        return open_run(folder) if folder else None
    except InputError:
        return None


def _is_of(run: Run, facts: Mapping[str, str]) -> bool:
    """Whether a picture is that run's, also if its folder was given another name: then everything is to be the same."""
    record, seed = run.record, _whole(facts.get("seed"))
    made = {
        "settings": [{"role": each.role, "text": each.text} for each in record.settings],
        "overrides": record.overrides,
        "conditions": {each.name: each.text or each.path for each in record.conditions},
    }
    return facts["run"] == run.name or (
        all(facts.get(key) == json.dumps(value) for key, value in made.items())
        and (seed is None or any(sample.seed == seed for sample in record.samples))
    )


def _output(path: Path, facts: Mapping[str, str]) -> Output:
    return Output(path, _whole(facts.get("row")), facts.get("target"), _whole(facts.get("seed")))


def _of_facts(path: Path, facts: Mapping[str, str], runs: Path) -> Chain:
    where = f"{printable(path)}: its facts are damaged"
    record = _record(facts, where)
    output, name = _output(path, facts), facts["run"]
    kept = _readable(runs / name) if _SAFE_NAME.fullmatch(name) else None
    if kept is not None:
        return Chain(kept.name, kept.record, kept, output)
    if output.seed is not None:
        record = replace(record, samples=(SampleRecord(output.seed),))
    note = f"its run is not in {printable(runs)} (--runs FOLDER names another place): shown is what the picture carries"
    return Chain(name, record, None, output, (note,))


def _record(facts: Mapping[str, str], where: str) -> RunRecord:
    """A record with what a picture carries; whatever it does not is left empty."""
    found = _NAME.fullmatch(facts["run"])
    time = re.sub(r"_(..)(..)(..)$", r"T\1:\2:\3", found["time"]) if found else ""
    conditions, models = _json(facts, "conditions", {}, where), _json(facts, "models", {}, where)
    seeds, options = _json(facts, "seeds", [], where), _json(facts, "options", {}, where)
    if not isinstance(seeds, list) or not all(isinstance(each, dict) for each in (conditions, models, options)):
        raise InputError(where)
    return from_json(
        RunRecord,
        {
            "chain": found["chain"] if found else "run",
            "settings": _json(facts, "settings", [], where),
            "overrides": _json(facts, "overrides", [], where),
            "conditions": [{"name": name, _kind(name, value): value} for name, value in conditions.items()],
            "models": {role: {"name": name} for role, name in models.items()},
            "samples": [{"seed": seed, "variation": variation} for variation, seed in enumerate(seeds)],
            "options": options,
            "status": "done",
            "created": time,
            "version": facts.get("version", ""),
        },
        where,
    )


def _json(facts: Mapping[str, str], key: str, default: Any, where: str) -> Any:
    try:
        return json.loads(facts[key]) if key in facts else default
    except (ValueError, RecursionError):
        raise InputError(where) from None


def _kind(name: str, value: Any) -> str:
    """Pictures do not tell text from the name of a file; the modality does, and the ending where both are possible."""
    modality = MODALITIES.get(name)
    if modality is None or modality.kind == "sequence":
        return "text"
    arrays = (".npz", ".npy", ".safetensors")
    is_text = modality.kind == "embeddings" and isinstance(value, str) and not value.lower().endswith(arrays)
    return "text" if is_text else "path"


def _whole(text: str | None) -> int | None:
    whole = int(text) if text is not None and text.isascii() and text.isdecimal() and len(text) <= 20 else None
    return whole if whole is not None and whole < 2**64 else None
