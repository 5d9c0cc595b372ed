"""What engine and viewers say to each other: JSON objects, one a line, over a socket that only the user can reach.

The engine speaks first (`greeting`). A request is `{"id": 7, "do": "submit", ...}`, its answer `{"id": 7, "ok": ...}`
or `{"id": 7, "error": "...", "code": 2}`. A viewer that asked to `watch` also gets `{"jobs": [...]}` whenever the queue
changes. What happens inside a run is not sent: it stands in the run's own log, which everybody can follow.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from fourm_tui import __version__
from fourm_tui.errors import FourmError, InputError, printable
from fourm_tui.events.records import SCHEMA, check_schema, parse_object, to_text

LONGEST = 2**20
"""Bytes of a line; who sends a longer one is hung up on."""
NAME = "fourm_tui engine"
AUTO = "auto"
"""The device of runs that name none."""


def greeting() -> dict[str, Any]:
    return {"hello": NAME, "schema": SCHEMA, "version": __version__, "pid": os.getpid()}


def check_greeting(message: Mapping[str, Any]) -> str:
    """The version of the engine that greets.

    Raises:
        FourmError: it is none, or of a newer version.
    """
    if message.get("hello") != NAME:
        raise FourmError("what listens on the engine's socket is no engine; `fourm-tui locate` says where it is")
    check_schema(message, "the engine")
    return str(message.get("version", ""))


def line(message: Mapping[str, Any]) -> bytes:
    return to_text(message).encode("ascii") + b"\n"


def parse(received: bytes) -> dict[str, Any]:
    """The message in a line.

    Raises:
        InputError: it is no JSON object, or longer than a line may be.
    """
    if len(received) > LONGEST:
        raise InputError("a line is too long")
    try:
        return parse_object(received)
    except ValueError:
        raise InputError(f"no JSON object: {printable(repr(received[:40]), 60)}") from None
