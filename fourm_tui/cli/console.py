"""The terminal as commands print to it."""

from __future__ import annotations

import sys

from rich.console import Console


class _Console(Console):
    def on_broken_pipe(self) -> None:
        # The reader has left (`| head`): `main` ends quietly instead of rich with an exit code of 1.
        raise BrokenPipeError


def make_console(*, stderr: bool = False) -> Console:
    """A console that survives terminals without UTF-8 (what they cannot show becomes `?`)."""
    stream = sys.stderr if stderr else sys.stdout
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")
    return _Console(stderr=stderr, highlight=False)
