"""The tokens of a finished target, one safetensors file per sample: what was decoded where, when, how certainly."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fourm_tui.errors import InputError, printable
from fourm_tui.events.records import SCHEMA, check_schema
from fourm_tui.runs.files import write_new

if TYPE_CHECKING:
    from numpy.typing import NDArray

GIVEN, LEFT_OPEN = -1, -2
"""Instead of the step: a position that was given, and one that the row did not decode."""
_DTYPES = {"tokens": ("int32", "I32"), "step": ("int16", "I16"), "confidence": ("float32", "F32")}


@dataclass(frozen=True, eq=False)
class TargetTokens:
    """A target of one sample. Arrays have one entry per position; of a sequence, per token generated."""

    modality: str
    row: int
    """From 1."""
    seed: int
    """Effective seed of the sample."""
    tokens: NDArray[Any]
    """int32 `[N]`; 0 where a position was left open."""
    step: NDArray[Any]
    """int16 `[N]`: the step within the row, from 0, or `GIVEN`, or `LEFT_OPEN`."""
    confidence: NDArray[Any]
    """float32 `[N]`, from 0 to 1; see `StepDone`."""


def write_tokens(path: Path, target: TargetTokens) -> None:
    """Writes a token file.

    Raises:
        FourmError: it is there already, or cannot be written.
        ValueError: the arrays are not of one length.
    """
    write_new(path, token_bytes(target))


def token_bytes(target: TargetTokens) -> bytes:
    """The content of a token file.

    Raises:
        ValueError: the arrays are not of one length.
    """
    import numpy as np
    from safetensors.numpy import save

    arrays = {name: np.ascontiguousarray(getattr(target, name), dtype) for name, (dtype, _) in _DTYPES.items()}
    if arrays["tokens"].ndim != 1 or len({array.shape for array in arrays.values()}) > 1:
        raise ValueError(f"arrays of shapes {[array.shape for array in arrays.values()]} are not [N] each")
    facts = {"schema": SCHEMA, "modality": target.modality, "row": target.row, "seed": target.seed}
    return save(arrays, {name: str(fact) for name, fact in facts.items()})


def read_tokens(path: Path) -> TargetTokens:
    """Reads a token file.

    Raises:
        InputError: it is missing, torn, not of this program, or of a newer version.
    """
    from safetensors import SafetensorError, safe_open

    where = printable(path)
    try:
        with safe_open(str(path), framework="numpy") as file:
            facts: dict[str, Any] = file.metadata() or {}
            check_schema({"schema": _whole(facts.get("schema"))}, where)
            names = set(file.keys())
            if not _DTYPES.keys() <= names or any(
                file.get_slice(name).get_dtype() != stored for name, (_, stored) in _DTYPES.items()
            ):
                raise InputError(f"{where}: does not hold tokens, step and confidence of a target")
            arrays = {name: file.get_tensor(name) for name in _DTYPES}
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or printable(error)
        raise InputError(f"{where}: cannot be read as tokens: {reason}") from None
    row, seed = _whole(facts.get("row")), _whole(facts.get("seed"))
    if row is None or seed is None or "modality" not in facts:
        raise InputError(f"{where}: does not say modality, row and seed")
    if arrays["tokens"].ndim != 1 or len({array.shape for array in arrays.values()}) > 1:
        raise InputError(f"{where}: tokens, step and confidence are not of one length")
    return TargetTokens(facts["modality"], row, seed, **arrays)


def _whole(text: Any) -> int | None:
    return int(text) if isinstance(text, str) and text.isdecimal() and len(text) < 40 else None
