"""How tokens, temperature and guidance go over the steps of a row.

The formulas are those of apple/ml-4m (`fourm/utils/generation.py`; 4M, Mizrahi et al. 2023, arXiv:2312.06647, and
4M-21, Bachmann et al. 2024, arXiv:2406.09406). They differ from it only where it gives no usable numbers (token counts
below 1, more steps than tokens, temperatures that are not numbers), and in what it does not have: `linear` and
`cosine` guidance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fourm_tui.errors import InputError, printable

Guidance: TypeAlias = float | Mapping[str, float]
"""A guidance scale, or a weight per condition."""
Counts: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]

LOWEST_TEMPERATURE = 1e-9
"""What decaying temperatures end at; just above greedy decoding."""


# -- tokens -----------------------------------------------------------------------------------------------------------


def token_schedule(scheme: str, name: str | None, steps: int, tokens: int) -> Counts:
    """How many tokens each step decodes: `[steps]`, all at least 1, adding up to `tokens`.

    - linear: differences of the integer parts of `linspace(0, tokens, steps + 1)`, the larger ones first. ROAR decodes
      linearly whatever `name` says.
    - cosine: with `a(i) = (1 + cos(pi i / steps)) / 2`, the rounded `tokens * (a(i) - a(i + 1))`, and for the last step
      what is left (after MaskGIT, Chang et al. 2022, arXiv:2202.04200).

    The rounding can leave a cosine schedule without tokens for some step, or with a negative count for the last one
    (for 92 of the 196 step counts at 196 tokens). There, and nowhere else, the result is the schedule of whole
    numbers, each at least 1, that has the least squared distance to the unrounded one. More steps than tokens become
    one step per token.

    Raises:
        InputError: no tokens, no steps, or an unknown name.
    """
    if tokens < 1:
        raise InputError(f"{tokens} tokens leave nothing to decode")
    if steps < 1:
        raise InputError(f"{steps} steps decode nothing; write 1 or more")
    steps = min(steps, tokens)
    if scheme == "roar" or name == "linear":
        ends = np.linspace(0, tokens, steps + 1, dtype=np.int64)
        counts = np.sort(ends[1:] - ends[:-1])[::-1]
        return counts[counts > 0]
    if name == "cosine":
        return np.array(_cosine_counts(steps, tokens), dtype=np.int64)
    raise InputError(f"{named(name)} is no token schedule; use cosine or linear")


def reference_cosine_counts(steps: int, tokens: int) -> list[int]:
    """The cosine schedule as ml-4m rounds it; the last count may be zero or negative, any may be zero."""
    counts = [round(share) for share in _cosine_shares(steps, tokens)[:-1]]
    return [*counts, tokens - sum(counts)]


def _cosine_shares(steps: int, tokens: int) -> list[float]:
    left = [0.5 * (1 + math.cos(math.pi * i / steps)) for i in range(steps)] + [0.0]
    return [tokens * (a - b) for a, b in pairwise(left)]


@lru_cache(maxsize=1024)
def _cosine_counts(steps: int, tokens: int) -> tuple[int, ...]:
    counts = reference_cosine_counts(steps, tokens)
    if min(counts) >= 1:
        return tuple(counts)
    shares = np.array(_cosine_shares(steps, tokens))
    closest = np.maximum(np.rint(shares), 1).astype(np.int64)
    # The distance is convex in every count, so the best single changes lead to the best schedule.
    while (surplus := int(closest.sum()) - tokens) > 0:
        closest[np.argmax(np.where(closest > 1, closest - shares, -np.inf))] -= 1
    for _ in range(-surplus):
        closest[np.argmin(closest - shares)] += 1
    return tuple(closest.tolist())


# -- temperature ------------------------------------------------------------------------------------------------------


def temp_schedule(spec: str, temp: float, tokens: Counts) -> Floats:
    """The temperature of each step, `[steps]`, for token counts `tokens` with cumulative shares c(i).

    - constant: `temp`.
    - linear: `temp` at first, then `temp * (1 - c(i - 1))`.
    - onex:m:p: `m + (temp - m) * (1 - c(i)) * y(i)`, where y falls from 1 to 0 like `x^-p` between x = 1 and 100, with
      one sample per token (step i takes the i-th). The last step always has m; where `temp` is below m, it rises. For
      a power of 0, where ml-4m divides 0 by 0, y is its limit `1 - log(x) / log(100)`; for a single token it is m.

    linear and onex end at 1e-9 at the lowest, so they never become greedy.

    Raises:
        InputError: an unknown or malformed `spec`.
    """
    if spec == "constant":
        return np.full(len(tokens), float(temp))
    total = int(tokens.sum())
    left = 1 - tokens.cumsum() / total
    if spec == "linear":
        temperature = temp * np.concatenate(([1.0], left[:-1]))
    else:
        lowest, power = parse_onex(spec)
        log_x = np.log(np.linspace(1.0, 100.0, total)[: len(tokens)])
        end = math.log(100.0)
        fall = (
            np.exp(-power * log_x) * np.expm1(power * (log_x - end)) / math.expm1(-power * end)
            if power
            else 1 - log_x / end
        )
        temperature = lowest + (temp - lowest) * left * fall
    return np.maximum(temperature, LOWEST_TEMPERATURE)


def parse_onex(text: str) -> tuple[float, float]:
    """The lowest temperature and the power in `onex:{min}:{power}`, both finite and at least 0.

    Raises:
        InputError: anything else.
    """
    kind, *numbers = text.split(":")
    if kind != "onex":
        raise InputError(f"{named(text)} is no temperature schedule; use constant, linear or onex:{{min}}:{{power}}")
    try:
        lowest, power = map(float, numbers)
    except ValueError:
        lowest = power = math.nan
    if not (0 <= lowest < math.inf and 0 <= power < math.inf):
        raise InputError(f"{named(text)} is not of the form onex:{{min}}:{{power}}; write onex:0.5:0.5, for example")
    return lowest, power


# -- guidance ---------------------------------------------------------------------------------------------------------

RAMPS: Mapping[str, Callable[[float], float]] = {
    "constant": lambda share: 1.0,
    "linear": lambda share: share,
    "cosine": lambda share: (1 - math.cos(math.pi * share)) / 2,
}
"""Guidance schedules: from the share of tokens decoded (0 to 1) to how much of the guidance there is (0 to 1)."""


def guidance_at(spec: str, scale: Guidance, share: float) -> Guidance:
    """The guidance where a `share` (0 to 1) of the target's tokens will be decoded, this step's among them.

    It grows over a row: linear as in Muse (Chang et al. 2023, arXiv:2301.00704, section 2.7), cosine as in MDT (Gao et
    al. 2023, arXiv:2303.14389). With x the share or `(1 - cos(pi share)) / 2`, a scale goes from 1, which is none, as
    `1 + (scale - 1) * x`; weights go as `weight * x`. The last step, so also a single one, has them in full. For an
    autoregressive target the share is that of its tokens, over the most there can be.

    Raises:
        InputError: an unknown `spec`.
    """
    if spec not in RAMPS:
        raise InputError(f"{named(spec)} is no guidance schedule; use constant, linear or cosine")
    x = RAMPS[spec](share)
    if isinstance(scale, Mapping):
        return {name: weight * x for name, weight in scale.items()}
    return float(scale) if x == 1 else 1 + (scale - 1) * x


def guidance_schedule(spec: str, scale: Guidance, tokens: Counts) -> tuple[Guidance, ...]:
    """The guidance of each step, for token counts `tokens`: see `guidance_at`."""
    return tuple(guidance_at(spec, scale, share) for share in (tokens.cumsum() / tokens.sum()).tolist())


def named(value: object) -> str:
    """A wrong value as messages name it."""
    return repr(printable(value, 40)) if isinstance(value, str) else "nothing" if value is None else printable(value)
