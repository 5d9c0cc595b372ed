"""What a `data_path` is, and the dataset in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from fourm_tui.datasets.braces import expanded, has_braces
from fourm_tui.datasets.contents import Shard
from fourm_tui.datasets.dataset import Dataset
from fourm_tui.datasets.empty import Empty
from fourm_tui.datasets.forms import KNOWN_FORMS
from fourm_tui.datasets.json_lines import open_json_lines
from fourm_tui.datasets.lists import open_captions, open_table
from fourm_tui.datasets.names import files_in, folders_in, shown_folder
from fourm_tui.datasets.parti import NAME, parti_prompts
from fourm_tui.datasets.pictures import open_pictures
from fourm_tui.datasets.shards import open_shards
from fourm_tui.datasets.slots import CROPS, all_slots, known
from fourm_tui.datasets.tree import open_tree
from fourm_tui.errors import InputError, printable
from fourm_tui.modalities import MODALITIES, Modality
from fourm_tui.schedule.configs import DataConfig


def open_dataset(
    config: DataConfig,
    wanted: Collection[str],
    modalities: Mapping[str, Modality] = MODALITIES,
    base: Path | None = None,
) -> Dataset:
    """The dataset that a data config names.

    Args:
        config: the data config; its `num_samples` only counts where there is no data (see `subset`).
        wanted: the conditions that samples are to have.
        modalities: the table as the model sees it.
        base: the folder of the config; a relative path is looked for in the working folder, then there.

    Raises:
        InputError: there is nothing at the path, it is none of the known forms, or it lacks one of the conditions.
        FourmError: PartiPrompts are to be downloaded and cannot be.
    """
    wanted = tuple(dict.fromkeys(wanted))
    for name in wanted:
        known(name, modalities)
    if not wanted:
        if config.num_samples is None:
            raise InputError("num_samples: is to say how many, as there are no conditions (unconditional generation)")
        return Empty(config.num_samples)
    if config.path is None:
        raise InputError(f"data_path: is missing; the settings want {', '.join(wanted)} as conditions")
    if config.path == NAME:
        return open_table(parti_prompts(base), wanted, modalities)
    path = _found(config.path, base)
    if path is None and has_braces(config.path):
        return _range(config.path, base, wanted, modalities)
    if path is None:
        looked = "" if base is None or Path(config.path).is_absolute() else ", nor beside the data config"
        raise InputError(f"data_path: {printable(config.path)} is not there{looked}; it is to be a path, or {NAME}")
    return _folder(path, wanted, modalities) if path.is_dir() else _file(path, wanted, modalities)


def _found(text: str, base: Path | None) -> Path | None:
    """The path in the working folder, or else in that of the config."""
    for folder in (Path(), base) if base else (Path(),):
        try:
            path = folder / Path(text).expanduser()
            if path.exists():
                return path
        except (OSError, ValueError, RuntimeError):  # a NUL in it, too long, a user that is not there
            continue
    return None


def _folder(path: Path, wanted: Collection[str], modalities: Mapping[str, Modality]) -> Dataset:
    slots = all_slots(modalities)
    folders = [name for name in folders_in(path) if name in slots]
    shards = {name: files_in(path / name, ".tar") for name in folders if name != CROPS}
    if any(shards.values()):
        if CROPS in folders:
            shards[CROPS] = files_in(path / CROPS, ".tar")
        found = [Shard(path / slot / name, name[:-4], slot) for slot, names in shards.items() for name in names]
        return open_shards(found, shown_folder(path), wanted, modalities)
    if folders:
        return open_tree(path, folders, wanted, modalities)
    if names := files_in(path, ".tar"):
        return open_shards([Shard(path / name, name[:-4]) for name in names], shown_folder(path), wanted, modalities)
    if packed := [*files_in(path, ".tar.gz"), *files_in(path, ".tgz")]:
        raise InputError(f"data_path: {printable(path / packed[0])} is packed; unpack the shards first (gunzip)")
    return open_pictures(path, wanted, modalities)


def _range(text: str, base: Path | None, wanted: Collection[str], modalities: Mapping[str, Modality]) -> Dataset:
    """Shards whose names stand in braces; all of them are to be there."""
    slots = all_slots(modalities)
    found = []
    missing: list[str] = []
    for name in expanded(text):
        path = _found(name, base)
        if path is None:
            missing.append(name)
        else:
            slot = path.parent.name if path.parent.name in slots else None
            found.append(Shard(path, path.name.removesuffix(".tar"), slot))
    if missing:
        first = ", ".join(printable(name) for name in missing[:3])
        raise InputError(
            f"data_path: {printable(text)} means {len(found) + len(missing):,} shards, of which {len(missing):,} are "
            f"not there: {first}{', …' if len(missing) > 3 else ''}"
        )
    return open_shards(found, printable(text), wanted, modalities)


def _file(path: Path, wanted: Collection[str], modalities: Mapping[str, Modality]) -> Dataset:
    match path.suffix.lower():
        case ".tar":
            slot = path.parent.name if path.parent.name in all_slots(modalities) else None
            return open_shards([Shard(path, path.stem, slot)], printable(path.name), wanted, modalities)
        case ".txt":
            return open_captions(path, wanted, modalities)
        case ".tsv" | ".csv":
            return open_table(path, wanted, modalities)
        case ".jsonl" | ".ndjson":
            return open_json_lines(path, wanted, modalities)
        case ".gz" | ".tgz":
            raise InputError(f"data_path: {printable(path)} is packed; unpack it first (gunzip)")
        case _:
            raise InputError(f"data_path: {printable(path)} is a file of no known form. {KNOWN_FORMS}")
