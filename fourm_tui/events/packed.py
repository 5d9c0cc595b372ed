"""Arrays of a step as they travel in events: short ones as lists to read, others as base64 of 16-bit numbers."""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from fourm_tui.errors import InputError, printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

_LONGEST_LIST = 64
"""Numbers in an array that is still written as a list."""
_LARGEST = 2**16 - 1


@dataclass(frozen=True)
class Packed:
    """Whole numbers `[B, n]` from 0 to 65535: positions or tokens of `B` samples."""

    shape: tuple[int, int]
    data: bytes
    """Unsigned, 16 bits each, little-endian, sample after sample."""

    def __post_init__(self) -> None:
        if min(self.shape) < 0 or len(self.data) != 2 * self.shape[0] * self.shape[1]:
            raise ValueError(f"{len(self.data)} bytes do not make an array of shape {self.shape}")

    @classmethod
    def of(cls, values: ArrayLike) -> Self:
        """From an array or nested lists `[B, n]`.

        Raises:
            ValueError: another number of axes, no whole numbers, or one that 16 bits cannot hold.
        """
        import numpy as np

        array = np.asarray(values)
        if array.size and array.dtype.kind not in "iu":
            raise ValueError(f"an array of {array.dtype} holds no whole numbers")
        if array.size and (array.min() < 0 or array.max() > _LARGEST):
            raise ValueError(f"numbers from {array.min()} to {array.max()} do not fit into 16 bits")
        return cls._pack(array)

    @classmethod
    def _pack(cls, array: NDArray[Any]) -> Self:
        if array.ndim != 2:
            raise ValueError(f"an array of shape {array.shape} is not [B, n]")
        return cls((array.shape[0], array.shape[1]), array.astype("<u2").tobytes())

    @property
    def array(self) -> NDArray[Any]:
        """The numbers as int64 `[B, n]`."""
        import numpy as np

        return self._unpacked().astype(np.int64)

    def _unpacked(self) -> NDArray[np.uint16]:
        import numpy as np

        return np.frombuffer(self.data, dtype="<u2").reshape(self.shape)

    def to_json(self) -> Any:
        """`[[3, 5], [1, 0]]`, or `{"shape": [2, 500], "u16": "..."}`."""
        B, n = self.shape
        if B == 0 or B * n > _LONGEST_LIST:  # an empty list has no n
            return {"shape": [B, n], "u16": base64.b64encode(self.data).decode("ascii")}
        numbers = struct.unpack(f"<{B * n}H", self.data)
        return [[self._to_number(number) for number in numbers[b * n : (b + 1) * n]] for b in range(B)]

    @classmethod
    def from_json(cls, value: Any, where: str) -> Self:
        """Either form of `to_json`.

        Raises:
            InputError: it is neither.
        """
        try:
            if isinstance(value, dict):
                B, n = map(cls._whole, value["shape"])
                return cls((B, n), base64.b64decode(value["u16"], validate=True))
            widths = {len(row) for row in value}
            if len(widths) > 1:
                raise ValueError("rows of different lengths")
            numbers = [cls._from_number(number) for row in value for number in row]
            return cls((len(value), max(widths, default=0)), struct.pack(f"<{len(numbers)}H", *numbers))
        except (KeyError, TypeError, ValueError, OverflowError, binascii.Error, struct.error):
            raise InputError(f"{where}: is no array of 16-bit numbers: {printable(value, 40)}") from None

    @staticmethod
    def _to_number(packed: int) -> float:
        return packed

    @classmethod
    def _from_number(cls, number: Any) -> int:
        return cls._whole(number)

    @staticmethod
    def _whole(number: Any) -> int:
        if type(number) is not int:
            raise ValueError("no whole number")
        return number


@dataclass(frozen=True)
class PackedProbabilities(Packed):
    """Probabilities `[B, n]`, each to 1/65535."""

    @classmethod
    def of(cls, values: ArrayLike) -> Self:
        """From an array or nested lists `[B, n]`; what lies outside 0 to 1 is clipped, NaN becomes 0."""
        import numpy as np

        array = np.nan_to_num(np.asarray(values, dtype=np.float64), nan=0.0)
        return cls._pack(np.rint(np.clip(array, 0.0, 1.0) * _LARGEST))

    @property
    def array(self) -> NDArray[Any]:
        """The probabilities as float32 `[B, n]`."""
        import numpy as np

        return self._unpacked().astype(np.float32) / np.float32(_LARGEST)

    # Five decimals are enough to find each of the 65536 values again.
    @staticmethod
    def _to_number(packed: int) -> float:
        return round(packed / _LARGEST, 5)

    @classmethod
    def _from_number(cls, number: Any) -> int:
        if type(number) not in (int, float):
            raise ValueError("no number")
        return round(number * _LARGEST)
