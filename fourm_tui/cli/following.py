"""A run followed from a terminal: its events as they come, Ctrl-C passed on, and how it ended as an exit code."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from fourm_tui.conditions.condition import Condition
from fourm_tui.engine.client import Engine, NoEngineError
from fourm_tui.engine.jobs import OPEN
from fourm_tui.errors import FourmError, InputError, printable
from fourm_tui.events import Event, RunCancelled, RunDone, RunFailed, being_written, follow
from fourm_tui.runs import Run, open_run
from fourm_tui.terminal.panels import Panel

if TYPE_CHECKING:
    from rich.console import Console

    from fourm_tui.terminal.preview import Previewer

CANCELLED = 130
_POLL = 0.02
_LOOK = 0.5
"""Seconds between two looks into the queue, while nobody writes the log."""


class LeftError(Exception):
    """This process was told to end, while its run goes on elsewhere."""


class Stop:
    """Ctrl-C: the first asks the run to stop at its next step, the second ends it at once.

    SIGTERM does the same, unless the run is elsewhere: then it only ends the following, by `LeftError`.
    """

    def __init__(self) -> None:
        self.count = 0
        self.run_is_elsewhere = False
        """Then the second goes to the engine, too, and only the third ends this process."""

    def asked(self) -> bool:
        return self.count > 0

    def __enter__(self) -> Stop:
        self._before = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: object) -> None:
        if number == signal.SIGTERM and self.run_is_elsewhere:
            raise LeftError
        self.count += 1
        if self.count > (2 if self.run_is_elsewhere else 1):
            raise KeyboardInterrupt
        if self.count == 1:
            print("stopping at the next step; again to end at once", file=sys.stderr)


def followed(
    engine: Engine | None, folder: Run, job: str | None = None, stop: Stop | None = None
) -> Iterator[Event]:  # fmt: skip
    """The events of a run that the engine runs, from the first to the one that ends it.

    Args:
        engine: that runs it; None: nobody, what stands in the log is all there is.
        job: its id in the queue.
        stop: Ctrl-C, which cancels the run; None: it only ends the following.

    Raises:
        FourmError: the run failed, or the engine is gone.
    """
    name = job or str(folder.folder.resolve())
    told = 0
    looked = time.monotonic()
    gone = False
    failure: str | None = None

    def over() -> bool:
        nonlocal told, looked, gone, failure
        while stop is not None and engine is not None and stop.count > told:
            told += 1
            engine.ask("cancel", job=name)
        gone = gone or engine is None or not engine.is_alive
        if engine is not None and not gone and time.monotonic() > looked + _LOOK:
            looked = time.monotonic()
            if being_written(folder.events):
                return False
            # A run may end without a word in its log: where the disk is full, or its folder is gone.
            with contextlib.suppress(NoEngineError):
                is_open, failure = _in_queue(engine, name)
                return not is_open
        return gone and not being_written(folder.events)

    if stop is not None:
        stop.run_is_elsewhere = True
    before = -1  # a run that was resumed ended before, too
    if folder.events.exists():
        before = max((event.seq for event in follow(folder.events, stop=lambda: True)), default=-1)
    for event in follow(folder.events, over, poll=_POLL):
        yield event
        if event.seq < before:
            continue
        if isinstance(event, RunDone | RunCancelled):
            return
        if isinstance(event, RunFailed):
            raise (InputError if event.kind == "input" else FourmError)(event.message)
    if failure:
        raise FourmError(failure)
    status = open_run(folder.folder).record.status
    if status in ("running", "interrupted", "pending"):
        raise FourmError(f"the engine ended while this ran; `fourm-tui queue retry {folder.name}` goes on with it")


def _in_queue(engine: Engine, job: str) -> tuple[bool, str | None]:
    """Whether a job is still to be done, and if not, why it failed."""
    try:
        found = engine.ask("job", job=job)
    except InputError:  # it never was in the queue, or is forgotten
        return False, None
    return found["status"] in OPEN, found["error"]


def left(folder: Run) -> int:
    """Says that a run goes on without this process; its exit code."""
    print(f"left; the run goes on (`fourm-tui attach {printable(folder.name)}`)", file=sys.stderr)
    return CANCELLED


def show_events(
    events: Iterable[Event], folder: Run, panels: list[Panel], *, json_lines: bool, preview: bool | None
) -> int:  # fmt: skip
    """Shows a run's events, or prints them as JSON; its exit code."""
    if json_lines:
        code = 0
        for event in events:
            print(json.dumps(event.to_json(), ensure_ascii=True), flush=True)
            code = CANCELLED if isinstance(event, RunCancelled) else code
        return code
    from fourm_tui.cli.console import make_console
    from fourm_tui.cli.run_view import show_run

    console = make_console()
    return 0 if show_run(events, folder, panels, console, previewer(console, preview)) else CANCELLED


def previewer(console: Console, wanted: bool | None) -> Previewer | None:
    """What shows pictures while the run goes on; by default on a terminal only."""
    from fourm_tui.terminal.choice import choose
    from fourm_tui.terminal.preview import Previewer
    from fourm_tui.terminal.probe import probe

    if wanted is False or (wanted is None and not console.is_terminal):
        return None
    asked = None if console.is_terminal else "blocks"
    choice = choose(os.environ, probe(os.environ), asked, encoding=sys.stdout.encoding)
    return Previewer(console, choice)


def given_panel(condition: Condition) -> Panel:
    """A condition as a run shows it."""
    from fourm_tui.modalities import MODALITIES
    from fourm_tui.pictures.given import given_picture

    modality = MODALITIES[condition.name]
    picture = given_picture(condition, modality)
    text = condition.text or ("" if picture else "given as tokens")
    return Panel(modality.title, picture, text, "given", labels=modality.stem == "tok_semseg")
