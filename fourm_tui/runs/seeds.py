"""Seeds: what makes a sample again, whatever it was generated together with."""

from __future__ import annotations

import hashlib

from fourm_tui.errors import InputError, printable

_SEEDS = 2**64


def effective_seed(seed: int, sample: int = 0, variation: int = 0) -> int:
    """The one seed of a sample, from 0 to 2^64 - 1.

    Variation 0 of sample 0 has the given seed itself, so that a sample's effective seed given as `seed` makes that
    sample again. All others have a hash of the three numbers, which depends on nothing else.

    Args:
        seed: as given, from 0 to 2^64 - 1.
        sample: number of the item in its data, from 0; without data 0.
        variation: from 0.

    Raises:
        InputError: the seed is out of range.
    """
    if not 0 <= seed < _SEEDS:
        raise InputError(f"seed {printable(seed, 40)}: is to be from 0 to 2^64 - 1")
    if sample == variation == 0:
        return seed
    return _hash(b"sample", *(number.to_bytes(8, "little") for number in (seed, sample, variation)))


def decoding_seed(effective: int, target: str) -> int:
    """The seed of the noise from which a diffusion decoder makes the picture of a target."""
    return _hash(b"decoding", effective.to_bytes(8, "little"), target.encode("utf-8", "surrogatepass"))


def _hash(use: bytes, *parts: bytes) -> int:
    # All but the last part have a fixed width, so that (1, 23) and (12, 3) differ.
    return int.from_bytes(hashlib.blake2b(b"".join(parts), digest_size=8, person=use).digest(), "little")
