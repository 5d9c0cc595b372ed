"""From a condition as given to what the engine takes: text, pixels, tokens or vectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourm_tui.conditions.given import Given, parse_conditions
from fourm_tui.conditions.pictures import normalised, read_picture
from fourm_tui.errors import InputError, printable
from fourm_tui.modalities import MODALITIES, Modality


@dataclass(frozen=True, eq=False)
class Condition:
    """One condition of one sample; which field is filled depends on the modality's kind."""

    name: str
    complete: bool = True
    text: str | None = None
    """Sequences: text, with sentinels `[S_1]` where something is to be generated."""
    pixels: NDArray[np.float32] | None = None
    """Pictures: `[3, H, W]`, ImageNet-normalised."""
    tokens: NDArray[np.int64] | None = None
    """Image tokens: `[N]`, row by row."""
    known: NDArray[np.bool_] | None = None
    """Which tokens are given, `[N]`; None: all."""
    vectors: NDArray[np.float32] | None = None
    """T5 embeddings: `[L, 4096]`."""


def load_conditions(
    given: Mapping[str, Any], modalities: Mapping[str, Modality] = MODALITIES
) -> dict[str, Condition]:  # fmt: skip
    """Loads conditions by name: text for sequences, a path, an array, or a `Given` for the rest.

    Raises:
        InputError: a name is no modality, or a value does not fit its modality.
    """
    found = {}
    for name, value in given.items():
        if isinstance(value, Condition):
            found[name] = value
        elif isinstance(value, Given):
            found[name] = load_condition(value, modalities)
        elif isinstance(value, str | Path):
            (parsed,) = parse_conditions([f"{name}={value}"], modalities).values()
            found[name] = load_condition(parsed, modalities)
        elif name in modalities:
            found[name] = _from_array(modalities[name], np.asarray(value), f"{name}")
        else:
            raise InputError(f"{printable(name)} is no 4M modality")
    return found


def load_condition(given: Given, modalities: Mapping[str, Modality] = MODALITIES) -> Condition:
    """Opens what a condition names.

    Raises:
        InputError: the file cannot be read or does not fit; the message names it, what was found and what is expected.
    """
    modality = modalities[given.name]
    if modality.kind == "sequence":
        return Condition(given.name, given.complete, text=given.text)
    assert given.path is not None
    if modality.kind == "pixels":
        assert modality.input_size is not None
        return Condition(given.name, pixels=normalised(read_picture(given.path, modality.input_size, given.name)))
    where = f"-i {given.name}: {printable(given.path)}"
    found = _from_array(modality, _array(given.path, where), where)
    if given.mask is None or found.tokens is None:
        return found
    return Condition(given.name, False, tokens=found.tokens, known=_known(given.mask, modality))


def _from_array(modality: Modality, values: NDArray[Any], where: str) -> Condition:
    if modality.kind == "image":
        tokens = values.reshape(-1)
        if len(tokens) != modality.max_tokens or not np.issubdtype(values.dtype, np.integer):
            raise InputError(
                f"{where} has {values.dtype} values of the shape {list(values.shape)}; expected are "
                f"{modality.max_tokens} token ids, whole numbers"
            )
        if tokens.min() < 0 or tokens.max() >= modality.vocab_size:
            found, last = f"from {tokens.min()} to {tokens.max()}", modality.vocab_size - 1
            raise InputError(f"{where} has token ids {found}; expected are 0 to {last}")
        return Condition(modality.name, tokens=tokens.astype(np.int64))
    if modality.kind == "embeddings":
        vectors = values[0] if values.ndim == 3 and len(values) == 1 else values
        if vectors.ndim != 2 or vectors.shape[1] != 4096 or not np.issubdtype(vectors.dtype, np.floating):
            raise InputError(
                f"{where} has {values.dtype} values of the shape {list(values.shape)}; expected are T5 embeddings, "
                "[length, 4096]"
            )
        vectors = vectors[: modality.max_tokens]
        filled = np.flatnonzero(np.abs(vectors).sum(axis=1) > 0)
        return Condition(modality.name, vectors=vectors[: filled[-1] + 1 if len(filled) else 1].astype(np.float32))
    if modality.kind == "pixels" and values.shape == (3, modality.input_size, modality.input_size):
        return Condition(modality.name, pixels=values.astype(np.float32))
    raise InputError(f"{where}: an array of the shape {list(values.shape)} does not fit {modality.name}")


def _array(path: Path, where: str) -> NDArray[Any]:
    """The one array in a `.npy`, `.npz` or `.safetensors` file; `emb` or `tokens` if there are several."""
    if path.suffix.lower() not in (".npy", ".npz", ".safetensors"):
        raise InputError(f"{where}: expected is a file of tokens or embeddings (.npy, .npz, .safetensors)")
    try:
        if path.suffix.lower() == ".safetensors":
            from safetensors import SafetensorError
            from safetensors.numpy import load_file

            try:
                arrays = load_file(path)
            except SafetensorError as error:
                raise InputError(f"{where} is no safetensors file: {printable(error, 100)}") from None
        else:
            loaded = np.load(path, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return loaded
            with loaded:
                arrays = {name: loaded[name] for name in loaded}
    except OSError as error:
        raise InputError(f"{where} cannot be read: {error.strerror or printable(error, 100)}") from None
    except (ValueError, EOFError, KeyError) as error:
        raise InputError(f"{where} is damaged, or holds Python objects: {printable(error, 100)}") from None
    names: list[str] = [name for name in ("tokens", "emb", "embeddings") if name in arrays] or list(arrays)
    if len(names) != 1:
        raise InputError(f"{where} holds {len(arrays)} arrays; expected is one, or one named tokens or emb")
    return arrays[names[0]]


def _known(path: Path, modality: Modality) -> NDArray[np.bool_]:
    """Which positions a mask leaves as given: those where most of the cell is black (white is generated)."""
    assert modality.grid is not None and modality.input_size is not None
    picture = read_picture(path, modality.input_size, modality.name).convert("L")
    rows, columns = modality.grid
    height, width = picture.height // rows, picture.width // columns
    cells = np.asarray(picture, dtype=np.float32).reshape(rows, height, columns, width)
    known = (cells.mean(axis=(1, 3)) < 128).reshape(-1)
    if known.all() or not known.any():
        what = "black, so that nothing is left to generate" if known.all() else "white, so that nothing is given"
        raise InputError(f"-i {modality.name}: the mask {printable(path)} is all {what}")
    return known
