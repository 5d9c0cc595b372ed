"""The worker: the process that has torch, on one device. It is told what to do on its standard input and answers there.

It ends when its input does, so that nothing stays on a device when the supervisor is gone. Messages, one a line:
`{"do": "run", "job": ..., "run": ...}`, `stop`, `pause`, `go`, `{"do": "skip", "sample": ...}`;
answers `{"ready": ...}`, `{"job": ..., "state": ...}`, and `{"memory": ...}` of its device in each of them and while
it works.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from fourm_tui.engine.protocol import AUTO, line, parse
from fourm_tui.errors import FourmError, InputError

_LOOK = 0.02
"""Seconds between two looks at whether a pause is over."""
_MEMORY = 2.0
"""Seconds between two looks at the memory of the device while a run goes on."""


class Writer(Protocol):
    """What takes bytes at once."""

    def write(self, data: bytes, /) -> object: ...


class Orders:
    """What the supervisor wants, kept by a thread that reads it."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._stop, self._pause = threading.Event(), threading.Event()
        self._skip: frozenset[int] = frozenset()
        self._runs: list[dict[str, Any]] = []
        self._news = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def next(self) -> dict[str, Any]:
        """The next run to do; waits for it."""
        with self._news:
            while not self._runs:
                self._news.wait()
            return self._runs.pop(0)

    def stopped(self) -> bool:
        """Whether the run is to end; waits here while it is paused."""
        while self._pause.is_set() and not self._stop.is_set():
            time.sleep(_LOOK)
        return self._stop.is_set()

    def skipped(self) -> frozenset[int]:
        """The samples that are to be left out."""
        return self._skip

    def _read(self) -> None:
        for received in iter(self._source.readline, b""):
            try:
                message = parse(received)
            except InputError:
                continue
            match message.get("do"):
                case "run":
                    # Not when it begins: what is said of it before, while torch is being imported, is meant, too.
                    self._stop.clear()
                    self._pause.clear()
                    self._skip = frozenset(message.get("skip") or ())
                    with self._news:
                        self._runs.append(message)
                        self._news.notify()
                case "stop":
                    self._stop.set()
                case "pause":
                    self._pause.set()
                case "go":
                    self._pause.clear()
                case "skip":
                    self._skip |= {message.get("sample", -1)}
        os._exit(0)  # the supervisor is gone


class Voice:
    """What the worker says, on whichever thread.

    Args:
        out: where it is heard.
    """

    def __init__(self, out: Writer) -> None:
        self._out = out
        self._one = threading.Lock()
        self._working = threading.Event()

    def say(self, **message: Any) -> None:
        with self._one:
            self._out.write(line(message))

    def tell_memory(self, look: Callable[[], Mapping[str, int] | None]) -> None:
        """From now on says what `look` finds while there is work, whenever it is something else."""
        threading.Thread(target=self._tell_memory, args=(look,), daemon=True).start()

    def works(self, is_so: bool) -> None:
        (self._working.set if is_so else self._working.clear)()

    def _tell_memory(self, look: Callable[[], Mapping[str, int] | None]) -> None:
        told: Mapping[str, int] | None = None
        while self._working.wait():
            found = look()
            if found is not None and found != told:
                self.say(memory=found)
                told = found
            time.sleep(_MEMORY)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default=AUTO)
    options = parser.parse_args(argv)
    voice = Voice(os.fdopen(os.dup(1), "wb", buffering=0))
    say = voice.say
    os.dup2(2, 1)  # whatever a library prints goes to the log
    orders = Orders(sys.stdin.buffer)

    import torch

    from fourm_tui.engine.decode import decode
    from fourm_tui.engine.execute import execute
    from fourm_tui.engine.keep import kind_of
    from fourm_tui.engine.loading import choose_device, use_cores
    from fourm_tui.engine.memory import device_memory
    from fourm_tui.engine.store import ModelStore
    from fourm_tui.events import RunCancelled
    from fourm_tui.runs import open_run

    try:
        device = choose_device(None if options.device == AUTO else options.device)
    except FourmError as error:
        say(trouble=str(error))
        return 2
    if device.type == "cpu":
        os.nice(10)
    elif str(device) == "cuda":
        device = torch.device("cuda", torch.cuda.current_device())  # as others may name it
    use_cores(spare=1)  # which is left to the screens
    store = ModelStore()

    def memory() -> Mapping[str, int] | None:
        try:
            return cast("Mapping[str, int] | None", device_memory(device))
        except RuntimeError:  # an error of the device, which the run tells of
            return None

    voice.tell_memory(memory)
    say(ready=str(device), memory=memory())
    while True:
        asked = orders.next()
        job = asked["job"]
        say(job=job, state="started")
        voice.works(True)
        try:
            state, message, kind = "done", None, None
            folder, rows = open_run(Path(asked["run"])), asked.get("decode")
            if rows:
                events = decode(folder, rows, orders.stopped, str(device), store)
            else:
                events = execute(folder, store, orders.stopped, str(device), skipped=orders.skipped)
            for event in events:
                if isinstance(event, RunCancelled):
                    state = "cancelled"
        except FourmError as failure:
            state, message, kind = "failed", str(failure), kind_of(failure)
        except Exception as failure:
            traceback.print_exc()
            state, message, kind = "failed", str(failure) or type(failure).__name__, kind_of(failure)
        voice.works(False)
        held = [{"name": each.name, "kind": each.kind, "bytes": each.bytes} for each in store.held]
        say(job=job, state=state, error=message, held=held, memory=memory())
        if kind == "device":  # after a CUDA error nothing works in this process any more
            return 1


if __name__ == "__main__":
    raise SystemExit(main())
