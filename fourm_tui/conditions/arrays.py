"""Array files (.npy, .npz, .safetensors), read without executing anything in them and without trusting their sizes."""

from __future__ import annotations

import json
import tokenize
import zipfile
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fourm_tui.conditions.files import open_file
from fourm_tui.errors import InputError, printable

ENDINGS = (".npy", ".npz", ".safetensors")
LARGEST = 2**29
"""Bytes of an array."""


@dataclass(frozen=True, eq=False)
class Arrays:
    """The arrays of a file that were asked for, and what its header says (safetensors only)."""

    arrays: Mapping[str, NDArray[Any]]
    facts: Mapping[str, str] = field(default_factory=dict)


def is_array_file(path: Path) -> bool:
    return path.suffix.lower() in ENDINGS


def read_arrays(path: Path, where: str, names: Collection[str]) -> Arrays:
    """The arrays with these names; the one of a `.npy`, or the only one of another file, whatever its name, as the
    first of them.

    Raises:
        InputError: the file cannot be read, is damaged, far too large, holds Python objects or numbers that are not
            finite, or none of the names.
    """
    with open_file(path, where) as file:
        try:
            found = _READERS[path.suffix.lower()](file, where, names)
        except (
            OSError,
            ValueError,
            EOFError,
            KeyError,
            NotImplementedError,
            RuntimeError,
            MemoryError,
            *_DAMAGE,
        ) as error:
            shown = printable(error, 100) if not isinstance(error, MemoryError) else "it does not fit in memory"
            raise InputError(f"{where} is damaged, or no {path.suffix} file: {shown}") from None
    for array in found.arrays.values():
        if array.dtype.kind not in "biuf":
            raise InputError(f"{where} holds values of the type {array.dtype}; expected are numbers")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise InputError(f"{where} holds values that are no finite numbers (NaN or infinite)")
    return found


_DAMAGE = (
    zipfile.BadZipFile, zlib.error, SyntaxError, tokenize.TokenError, TypeError, OverflowError, AttributeError,
    IndexError,
)  # fmt: skip


def _npy(file: BinaryIO, where: str, names: Collection[str]) -> Arrays:
    return Arrays({next(iter(names)): _one_npy(file, where)})


def _npz(file: BinaryIO, where: str, names: Collection[str]) -> Arrays:
    with zipfile.ZipFile(file) as archive:
        entries = {entry.filename.removesuffix(".npy"): entry for entry in archive.infolist()}
        arrays = {}
        for name, stored in _chosen(list(entries), names, where).items():
            with archive.open(entries[stored]) as member:
                arrays[name] = _one_npy(member, where)
    return Arrays(arrays)


def _one_npy(file: IO[bytes], where: str) -> NDArray[Any]:
    """The array of a `.npy`, whose header is read first: it says how much memory the array would take."""
    version = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read_header(file)
    if dtype.hasobject:
        raise InputError(f"{where} holds Python objects, which are not read because they could run anything")
    size = dtype.itemsize * int(np.prod(shape, dtype=object))
    _check_size(size, shape, where)
    content = file.read(size)
    if len(content) < size:
        raise InputError(f"{where} is cut off: its header says {size} bytes of values, it has {len(content)}")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


def _safetensors(file: BinaryIO, where: str, names: Collection[str]) -> Arrays:
    # Read by hand: the library's numpy reader knows no bfloat16, in which language models store their embeddings.
    length = int.from_bytes(file.read(8), "little")
    if not 2 <= length <= 2**24:
        raise InputError(f"{where} is no safetensors file: its header would have {length} bytes")
    header = json.loads(file.read(length))
    if not isinstance(header, dict):
        raise InputError(f"{where} is no safetensors file: its header is no JSON object")
    facts = header.pop("__metadata__", {})
    arrays = {}
    for name, stored in _chosen(list(header), names, where).items():
        entry = header[stored]
        shape, (start, end) = [int(n) for n in entry["shape"]], entry["data_offsets"]
        kind = _DTYPES[entry["dtype"]]
        size = np.dtype(kind).itemsize * int(np.prod(shape, dtype=object))
        _check_size(size, shape, where)
        if start < 0 or end - start != size:
            raise InputError(f"{where} is damaged: {printable(stored, 40)} does not have the size that its header says")
        file.seek(8 + length + start)
        content = file.read(size)
        if len(content) < size:
            raise InputError(f"{where} is cut off")
        values = np.frombuffer(content, kind).reshape(shape)
        bf16 = entry["dtype"] == "BF16"
        arrays[name] = (values.astype(np.uint32) << 16).view(np.float32) if bf16 else values
    return Arrays(arrays, {str(k): str(v) for k, v in facts.items()})


_DTYPES = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4", "U64": "<u8",
    "I64": "<i8", "F16": "<f2", "F32": "<f4", "F64": "<f8", "BF16": "<u2",
}  # fmt: skip
_READERS = {".npy": _npy, ".npz": _npz, ".safetensors": _safetensors}


def _chosen(stored: list[str], names: Collection[str], where: str) -> dict[str, str]:
    chosen = {name: name for name in names if name in stored}
    if chosen:
        return chosen
    if len(stored) == 1:
        return {next(iter(names)): stored[0]}
    shown = ", ".join(printable(name, 30) for name in stored[:5]) or "nothing"
    raise InputError(f"{where} holds {shown}; expected is one array, or one named {' or '.join(names)}")


def _check_size(size: int, shape: Collection[int], where: str) -> None:
    if min(shape, default=0) < 0:
        raise InputError(f"{where} is damaged: its header says the shape {list(shape)}")
    if size > LARGEST:
        raise InputError(f"{where} has an array of the shape {list(shape)}, larger than {LARGEST // 2**20} MiB")
