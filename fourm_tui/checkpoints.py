"""What a checkpoint's name means, found without torch and without the network: its config, its size, where it lies.

A checkpoint is named by a Hub id (`EPFL-VILAB/4M-7_B_CC12M`, for published ones also the bare name, and optionally
`@revision`), by a folder in the Hub's layout (`config.json` + `model.safetensors`), or by one `.safetensors` file
whose header carries the config. `demo` is the model in the box, `demo/tok_rgb` one of its tokenizers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fourm_tui.errors import InputError, printable
from fourm_tui.paths import bundled_dir
from fourm_tui.published import MODELS, TOKENIZERS, find

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
BUNDLED = "demo"
"""The name of the model in the box."""
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_LARGEST_HEADER = 100 * 2**20


@dataclass(frozen=True)
class Checkpoint:
    """Where a checkpoint is and what is known of it before anything is loaded."""

    name: str
    """As given; a published bare name completed to its Hub id."""
    revision: str | None = None
    weights: Path | None = None
    """The file with the tensors; None if it is to be downloaded first."""
    config: Mapping[str, Any] | None = None
    """The constructor config; None if it is not known before the download."""
    bytes: int | None = None
    """Size of the weights on disk, or of the download; None if unknown."""
    is_path: bool = False
    """Whether the name is a path on this machine."""


def find_checkpoint(name: str, relative_to: Path | None = None) -> Checkpoint:
    """Looks a checkpoint up: published table, disk, the Hub's cache.

    Args:
        name: Hub id, folder, or `.safetensors` file.
        relative_to: folder of the config file that names it; paths are tried there after the working directory.

    Raises:
        InputError: a path that does not exist or is no checkpoint, or a name that is neither path nor Hub id.
    """
    bundled = _bundled(name)
    if bundled is not None:
        return _from_folder(name, bundled)
    local = _existing(name, relative_to)
    if local is not None:
        found = _from_folder(name, local) if local.is_dir() else _from_file(name, local)
        return replace(found, is_path=True)
    repo, _, revision = name.partition("@")
    published = find(repo)
    repo = published.id if published else repo
    looks_local = name.startswith((".", "/", "~")) or name.endswith(".safetensors")
    if looks_local or not _HUB_ID.fullmatch(repo):
        known = ", ".join(key.partition("/")[2] for key in MODELS)
        raise InputError(
            f"{printable(name)}: no such folder or file, and no published model; there are {BUNDLED} (in the box), "
            f"{known}"
            if not looks_local
            else f"{printable(name)}: no such folder or file"
        )
    return _from_hub(repo, revision or None)


def _bundled(name: str) -> Path | None:
    """The folder of a checkpoint in the box, by its name there: `demo` or `demo/tok_rgb`."""
    first, _, part = name.partition("/")
    if first != BUNDLED or not re.fullmatch(r"[a-z_]*", part):
        return None
    folder = bundled_dir() / (part or "model")
    return folder if folder.is_dir() else None


def _existing(name: str, relative_to: Path | None) -> Path | None:
    path = Path(name).expanduser()
    candidates = [path] if path.is_absolute() or relative_to is None else [path, relative_to / path]
    try:
        return next((candidate for candidate in candidates if candidate.exists()), None)
    except (OSError, ValueError) as error:
        raise InputError(f"{printable(name)}: cannot be looked at: {error}") from None


def _from_folder(name: str, folder: Path) -> Checkpoint:
    weights, config = folder / WEIGHTS_FILE, folder / CONFIG_FILE
    missing = [path.name for path in (weights, config) if not path.is_file()]
    if missing:
        raise InputError(f"{printable(folder)}: is no checkpoint, {' and '.join(missing)} missing")
    return Checkpoint(name, None, weights, read_config(config), weights.stat().st_size)


def _from_file(name: str, file: Path) -> Checkpoint:
    return Checkpoint(name, None, file, config_of_header(file), file.stat().st_size)


def _from_hub(repo: str, revision: str | None) -> Checkpoint:
    from huggingface_hub import constants

    known = MODELS.get(repo)
    size = known.bytes if known else TOKENIZERS[repo].bytes if repo in TOKENIZERS else None
    folder = Path(constants.HF_HUB_CACHE) / f"models--{repo.replace('/', '--')}"
    if not folder.is_dir():  # looked at first because the rest of the Hub's client takes its time to import
        return Checkpoint(repo, revision, None, known.config if known else None, size)
    from huggingface_hub import try_to_load_from_cache

    weights = try_to_load_from_cache(repo, WEIGHTS_FILE, revision=revision)
    config = try_to_load_from_cache(repo, CONFIG_FILE, revision=revision)
    contents = read_config(Path(config)) if isinstance(config, str) else known.config if known else None
    if isinstance(weights, str):
        path = Path(weights)
        return Checkpoint(repo, revision, path, contents, path.stat().st_size)
    return Checkpoint(repo, revision, None, contents, size)


def read_config(path: Path) -> dict[str, Any]:
    """A `config.json`.

    Raises:
        InputError: it cannot be read or is no JSON object.
    """
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{printable(path)}: cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{printable(path)}: is no JSON: {printable(error)}") from None
    if not isinstance(config, dict):
        raise InputError(f"{printable(path)}: is to be a JSON object with the model's configuration")
    return config


def read_header(path: Path) -> dict[str, Any]:
    """The header of a `.safetensors` file: names, types, shapes and places of its tensors, and `__metadata__`.

    Raises:
        InputError: it cannot be read or is no safetensors file.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= _LARGEST_HEADER:
                raise ValueError("the header's length is out of range")
            header = json.loads(file.read(length))
    except OSError as error:
        raise InputError(f"{printable(path)}: cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{printable(path)}: is no safetensors file: {printable(error)}") from None
    if not isinstance(header, dict):
        raise InputError(f"{printable(path)}: is no safetensors file: its header is no JSON object")
    return header


def config_of_header(path: Path) -> dict[str, Any]:
    """The config that a single `.safetensors` file carries, as ml-4m writes it: one metadata entry per key, each the
    text of a Python or JSON value.

    Raises:
        InputError: the file carries none.
    """
    import yaml

    metadata = read_header(path).get("__metadata__") or {}
    if "config" in metadata and isinstance(metadata["config"], str):
        try:
            return dict(json.loads(metadata["config"]))
        except (ValueError, TypeError):
            raise InputError(f"{printable(path)}: the config in its header is no JSON object") from None
    config: dict[str, Any] = {}
    for key, text in metadata.items():
        try:
            value = yaml.safe_load(text) if isinstance(text, str) and len(text) <= 10_000 else text
        except yaml.YAMLError:
            value = text
        config[key] = None if value == "None" else value
    if "domains_in" not in config and "enc_type" not in config:
        raise InputError(f"{printable(path)}: carries no config in its header; give the folder with its {CONFIG_FILE}")
    return config
