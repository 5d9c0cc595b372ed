"""What was not saved: written down while it is edited, so that it comes back after a crash or a closed terminal."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fourm_tui.errors import FourmError, InputError
from fourm_tui.paths import state_dir
from fourm_tui.runs import replace_file
from fourm_tui.schedule.document import Document
from fourm_tui.tui.kept import Kept, digest, given_as_data, given_from_data, keep
from fourm_tui.tui.workspace import Documents, State

SCHEMA = 1
_LARGEST = 2**23  # bytes of a draft that is read


@dataclass(frozen=True)
class Draft:
    """What was edited, and when."""

    state: State
    time: float
    """Seconds since 1970."""


def draft_file(documents: Documents) -> Path:
    """Where the draft of some files lies."""
    return state_dir() / "drafts" / f"{digest([each.path for each in documents])}.json"


class Drafts:
    """Writes and removes the draft of what one application edits, and keeps what it is edited with; from any thread, in
    the order of the calls."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._written: Path | None = None
        self._closed = False

    def write(self, state: State) -> None:
        """Writes the draft; one that cannot be written is no reason to stop anybody from editing."""
        with self._lock, contextlib.suppress(OSError, FourmError):
            if self._closed:
                return
            path = draft_file(state.documents)
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            replace_file(path, json.dumps(_as_data(state)).encode())
            if self._written not in (None, path):
                assert self._written is not None
                self._written.unlink(missing_ok=True)
            self._written = path

    def keep(self, state: State) -> None:
        """Keeps conditions, models and options beside the files, as those edited last."""
        with self._lock:
            if not self._closed:
                keep(Kept.of(state))

    def remove(self, documents: Documents) -> None:
        """There is nothing unsaved any more."""
        with self._lock:
            for path in {draft_file(documents), self._written} - {None}:
                assert path is not None
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)
            self._written = None

    def close(self) -> None:
        """Nothing is written from now on."""
        with self._lock:
            self._closed = True


def find_draft(state: State) -> Draft | None:
    """What somebody edited of the same files and did not save; None if there is nothing, if it is the same as what
    there is, or if the one who edits it is still at it."""
    path = draft_file(state.documents)
    try:
        if path.stat().st_size > _LARGEST:
            return None
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["schema"] > SCHEMA or _is_alive(data):
            return None
        draft = Draft(_from_data(data), float(data["time"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, InputError):
        return None
    same = draft.state == state or (draft.state.documents == state.documents and not draft.state.given)
    return None if same else draft


def throw_away(state: State) -> None:
    """Removes the draft of these files."""
    with contextlib.suppress(OSError):
        draft_file(state.documents).unlink(missing_ok=True)


def _is_alive(data: Mapping[str, Any]) -> bool:
    if data.get("host") != socket.gethostname() or data.get("pid") == os.getpid():
        return False
    try:
        os.kill(int(data["pid"]), 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _as_data(state: State) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "time": time.time(),
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "files": [{"path": str(each.path) if each.path else None, "text": each.text} for each in state.documents],
        "given": [given_as_data(given) for given in state.given.values()],
        "models": state.models,
        "options": dict(state.options),
    }


def _from_data(data: Mapping[str, Any]) -> State:
    documents = tuple(
        Document.parse(each["text"], Path(each["path"]) if each["path"] else None) for each in data["files"]
    )
    given = {each["name"]: given_from_data(each) for each in data["given"]}
    return State(documents, given, data["models"], dict(data["options"]))
