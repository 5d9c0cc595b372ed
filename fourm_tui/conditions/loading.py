"""From a condition as given to what the engine takes: text, pixels, tokens, vectors, or what a tokenizer encodes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourm_tui.conditions.arrays import is_array_file, read_arrays
from fourm_tui.conditions.condition import Condition
from fourm_tui.conditions.given import Given, parse_conditions
from fourm_tui.conditions.images import image_values, picture_values
from fourm_tui.conditions.masks import known_tokens
from fourm_tui.conditions.pictures import LARGEST_MAP, LARGEST_PIXELS, normalised, opened, square
from fourm_tui.conditions.sequences import sequence
from fourm_tui.conditions.t5 import embed
from fourm_tui.conditions.views import View
from fourm_tui.errors import InputError, printable
from fourm_tui.modalities import MODALITIES, Modality

__all__ = ["Condition", "load_condition", "load_conditions"]

_LEFT_OPEN = -2
"""In the `step` of a run's token file: a position that was not decoded."""


def load_conditions(
    given: Mapping[str, Any], modalities: Mapping[str, Modality] = MODALITIES
) -> dict[str, Condition]:  # fmt: skip
    """Loads conditions by name: text for sequences, a path, an array, or a `Given` for the rest.

    Boxes, people and instances that are not in the native form are those of the whole picture. If a picture is given
    too (RGB pixels, else RGB tokens, else the first of all), they are moved here with its crop or padding.

    Raises:
        InputError: a name is no modality, or a value does not fit its modality.
    """
    order = {name: place for place, name in enumerate(given)}
    found: dict[str, Condition] = {}
    late: dict[str, Given] = {}
    for name, value in given.items():
        if isinstance(value, str | Path):
            (value,) = parse_conditions([f"{name}={value}"], modalities).values()
        if isinstance(value, Condition):
            found[name] = value
        elif name not in modalities:
            raise InputError(f"{printable(name)} is no 4M modality")
        elif not isinstance(value, Given):
            found[name] = _from_array(modalities[name], np.asarray(value), Given(name), name)
        elif modalities[name].kind == "sequence":
            late[name] = value
        else:
            found[name] = load_condition(value, modalities)
    view = picture_view(found, modalities)
    for name, value in late.items():
        found[name] = load_condition(value, modalities, view)
    return {name: found[name] for name in sorted(found, key=lambda name: order[name])}


def picture_view(conditions: Mapping[str, Condition], modalities: Mapping[str, Modality] = MODALITIES) -> View | None:
    """What the model sees of the picture that boxes, people and instances belong to; None if no picture is given."""
    ranked = sorted(
        (c for c in conditions.values() if c.view is not None),
        key=lambda c: (modalities[c.name].kind != "pixels", modalities[c.name].stem != "tok_rgb"),
    )
    return ranked[0].view if ranked else None


def load_condition(
    given: Given, modalities: Mapping[str, Modality] = MODALITIES, view: View | None = None
) -> Condition:  # fmt: skip
    """Opens what a condition names.

    Args:
        given: the condition.
        modalities: the table as the model sees it.
        view: of the picture that boxes, people and instances belong to; None if it is not given.

    Raises:
        InputError: the file cannot be read or does not fit; the message names it, what was found and what is expected.
    """
    modality = modalities[given.name]
    where = f"-i {given.name}" + (f": {printable(given.path)}" if given.path else "")
    if modality.kind == "sequence":
        return sequence(modality, given, where, view)
    if given.text is not None:
        return Condition(given.name, vectors=embed(given.text, where)[: modality.max_tokens])
    assert given.path is not None
    if is_array_file(given.path):
        names = ("emb", "embeddings", "mask_valid") if modality.kind == "embeddings" else ("tokens", "step")
        arrays = read_arrays(given.path, where, names)
        stored = arrays.facts.get("modality", given.name)
        if modality.kind == "image" and stored != given.name:
            raise InputError(f"{where} holds tokens of {printable(stored, 40)}; expected are those of {given.name}")
        return _with_mask(_from_file(modality, dict(arrays.arrays), given, where), given, modality)
    if modality.kind == "embeddings":
        raise InputError(f"{where}: expected is a file of T5 embeddings (.npz, .npy, .safetensors)")
    assert modality.input_size is not None
    largest = LARGEST_MAP if modality.stem in ("tok_depth", "tok_normal", "tok_semseg") else LARGEST_PIXELS
    with opened(given.path, where, modality.input_size, largest) as picture:
        shown = picture.view(given.fit, given.crop, given.flip)
        if modality.kind == "pixels":
            pixels = normalised(square(picture, shown, modality.input_size, where))
            return Condition(given.name, pixels=pixels, view=shown)
        values = picture_values(modality, picture, shown, given, where)
    return _with_mask(Condition(given.name, values=values, view=shown), given, modality)


def _from_file(modality: Modality, arrays: dict[str, NDArray[Any]], given: Given, where: str) -> Condition:
    if modality.kind == "embeddings":
        valid = arrays.pop("mask_valid", None)
        if not arrays:
            raise InputError(f"{where} holds only a mask; expected are T5 embeddings named emb")
        return _embeddings(modality, next(iter(arrays.values())), valid, given.index, where)
    step = arrays.pop("step", None)
    if not arrays:
        raise InputError(f"{where} holds only steps; expected are tokens")
    found = _from_array(modality, next(iter(arrays.values())), given, where)
    if step is None or found.tokens is None:
        return found
    known = step.reshape(-1) != _LEFT_OPEN
    if len(known) != len(found.tokens):
        raise InputError(f"{where} has {len(found.tokens)} tokens, but {len(known)} steps")
    return found if known.all() else Condition(modality.name, False, tokens=found.tokens, known=known)


def _from_array(modality: Modality, array: NDArray[Any], given: Given, where: str) -> Condition:
    if modality.kind == "image":
        tokens = _tokens(modality, array, given.index, where)
        if tokens is not None:
            return Condition(modality.name, tokens=tokens)
        values, view = image_values(modality, array, given, where)
        return Condition(modality.name, values=values, view=view)
    if modality.kind == "embeddings":
        return _embeddings(modality, array, None, given.index, where)
    if modality.kind == "pixels" and array.shape == (3, modality.input_size, modality.input_size):
        return Condition(modality.name, pixels=array.astype(np.float32))
    raise InputError(f"{where}: an array of the shape {list(array.shape)} does not fit {modality.name}")


def _tokens(modality: Modality, array: NDArray[Any], index: int, where: str) -> NDArray[np.int64] | None:
    """The tokens in whole numbers of the shape `[N]`, `[crops, N]` or `[rows, columns]`; None if they are a map."""
    if array.dtype.kind not in "iu":
        return None
    count = modality.max_tokens
    if array.shape in ((count,), modality.grid) or (array.shape[:1] == (1,) and array.shape[1:] == modality.grid):
        tokens = array.reshape(-1)
    elif array.ndim == 2 and array.shape[1] == count:
        if index >= len(array):
            raise InputError(f"{where} has the tokens of {len(array)} crops; number {index + 1} is asked for")
        tokens = array[index]
    elif array.ndim > 1 and modality.stem in ("tok_rgb", "tok_depth", "tok_normal", "tok_semseg", *_EDGES):
        return None
    else:
        raise InputError(
            f"{where} has {array.dtype} values of the shape {list(array.shape)}; expected are {count} token ids"
        )
    if tokens.min() < 0 or tokens.max() >= modality.vocab_size:
        found, last = f"from {tokens.min()} to {tokens.max()}", modality.vocab_size - 1
        raise InputError(f"{where} has token ids {found}; expected are 0 to {last}")
    return tokens.astype(np.int64)


_EDGES = ("tok_canny_edge", "tok_sam_edge")


def _embeddings(
    modality: Modality, array: NDArray[Any], valid: NDArray[Any] | None, index: int, where: str
) -> Condition:  # fmt: skip
    """T5 embeddings `[L, 4096]`, or of several captions `[captions, L, 4096]`, of which the one at `index` counts."""
    if array.ndim == 3:
        number = 0 if len(array) == 1 else index
        if number >= len(array):
            raise InputError(f"{where} has the embeddings of {len(array)} captions; number {index + 1} is asked for")
        valid = valid[number] if valid is not None and valid.ndim == 2 and len(valid) == len(array) else valid
        array = array[number]
    if array.ndim != 2 or array.shape[1] != 4096 or array.dtype.kind != "f" or not len(array):
        raise InputError(
            f"{where} has {array.dtype} values of the shape {list(array.shape)}; expected are T5 embeddings, "
            "[length, 4096]"
        )
    if valid is not None:
        if valid.shape != array.shape[:1]:
            raise InputError(f"{where} has a mask of the shape {list(valid.shape)} for {len(array)} embeddings")
        array = array[valid.astype(bool)]
    else:
        filled = np.flatnonzero(np.abs(array).sum(axis=1) > 0)
        array = array[: filled[-1] + 1 if len(filled) else 1]
    if not len(array):
        raise InputError(f"{where} has a mask that leaves none of the embeddings")
    return Condition(modality.name, vectors=array[: modality.max_tokens].astype(np.float32))


def _with_mask(found: Condition, given: Given, modality: Modality) -> Condition:
    if given.mask is None:
        return found
    known = known_tokens(given.mask, modality, found.view)
    if found.known is not None:
        known = known & found.known
    return Condition(
        found.name, False, tokens=found.tokens, values=found.values, known=known, view=found.view
    )  # fmt: skip
