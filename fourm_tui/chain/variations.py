"""How many variations one run may have."""

from __future__ import annotations

from fourm_tui.errors import InputError

MOST_VARIATIONS = 10_000


def check_variations(count: int) -> None:
    """Whether a run may have so many variations.

    Raises:
        InputError: they are too many.
    """
    if count > MOST_VARIATIONS:
        raise InputError(
            f"variations: {count} are more than the {MOST_VARIATIONS} of one run; `fourm-tui batch` makes what is more"
        )
