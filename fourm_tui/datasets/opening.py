"""What a `data_path` is, and the dataset in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from fourm_tui.datasets.dataset import Dataset
from fourm_tui.datasets.empty import Empty
from fourm_tui.datasets.lists import open_captions, open_table
from fourm_tui.datasets.names import folders_in
from fourm_tui.datasets.slots import all_slots, known
from fourm_tui.datasets.tree import open_tree
from fourm_tui.errors import InputError, printable
from fourm_tui.modalities import MODALITIES, Modality
from fourm_tui.schedule.configs import DataConfig

FORMS = """\
- a folder with one folder per modality: ROOT/caption/CLASS/NAME.txt, ROOT/rgb/CLASS/NAME.jpg
- a text file of captions, one in each line (.txt)
- a table with a column per modality (.tsv, .csv); `Prompt` is a caption"""


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
    path = _found(config.path, base)
    return _folder(path, wanted, modalities) if path.is_dir() else _file(path, wanted, modalities)


def _found(text: str, base: Path | None) -> Path:
    path = Path(text).expanduser()
    places = [path] if path.is_absolute() or base is None else [path, base / path]
    for place in places:
        try:
            if place.exists():
                return place
        except (OSError, ValueError):  # a NUL in it, or too long
            break
    looked = " nor beside the data config" if len(places) > 1 else ""
    raise InputError(f"data_path: {printable(text)} is not there{looked}. {_forms()}")


def _folder(path: Path, wanted: Collection[str], modalities: Mapping[str, Modality]) -> Dataset:
    slots = all_slots(modalities)
    folders = [name for name in folders_in(path) if name in slots]
    if folders:
        return open_tree(path, folders, wanted, modalities)
    raise InputError(f"data_path: {printable(path)} is a folder, but none of a known form. {_forms()}")


def _file(path: Path, wanted: Collection[str], modalities: Mapping[str, Modality]) -> Dataset:
    match path.suffix.lower():
        case ".txt":
            return open_captions(path, wanted, modalities)
        case ".tsv" | ".csv":
            return open_table(path, wanted, modalities)
        case _:
            raise InputError(f"data_path: {printable(path)} is a file of no known form. {_forms()}")


def _forms() -> str:
    return f"Known are:\n{FORMS}"
