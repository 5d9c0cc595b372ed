"""What can go wrong through no fault of the program, each with a message for a person.

A message says what is wrong, where (file, line, row, column) and what to do. Anything else that is raised is a bug
and shows its traceback.
"""

from __future__ import annotations

import re

# C0 and C1 controls, and the marks that reorder or hide text (bidi overrides, zero-width characters).
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def printable(text: object, limit: int = 200) -> str:
    """Text from outside (file names, values, captions, checkpoint fields) made safe to show on a terminal.

    Control characters become visible escapes such as `\\x1b`, a lone surrogate its `\\udcxx`; text longer than
    `limit` characters is cut with an ellipsis.
    """
    shown = str(text)
    if len(shown) > limit:
        shown = shown[: limit - 1] + "…"
    shown = shown.encode("utf-8", "backslashreplace").decode("utf-8")
    return _UNPRINTABLE.sub(lambda match: match.group().encode("unicode_escape").decode("ascii"), shown)


class FourmError(Exception):
    """Something failed for a reason that the user can understand. `fourm-tui` exits with `exit_code`."""

    exit_code = 1


class InputError(FourmError):
    """What the user gave is wrong: a file, a value, an option."""

    exit_code = 2
