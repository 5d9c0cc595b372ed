"""The log of a run: one event a line, only ever appended to; read whole or followed while it grows.

A line counts once its line break is there. One that was torn when its writer died stays where it is, also after the run
was resumed, and is skipped.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from fourm_tui.errors import FourmError, InputError, printable
from fourm_tui.events.kinds import Event, event_from_json
from fourm_tui.events.records import parse_object, to_text

E = TypeVar("E", bound=Event)
_CHUNK = 2**16


class EventLog:
    """Appends events to a log and numbers them; going on with an old log goes on counting. Safe to use from threads.

    Only one writer can have a log open: a lock of the operating system keeps others off and ends with the process.

    Raises:
        FourmError: the file cannot be written, or another process is writing it.
        InputError: what stands in it already is not of this program, or of a newer version.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock
        self._lock = threading.Lock()
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise cannot_write(path, error) from None
        try:
            self._keep_others_off()
            self._torn = ends_torn(path)
            if self._torn:
                self._write(b"")
            self._seq = max((event.seq for event in read_events(path)), default=-1) + 1
        except BaseException:
            os.close(self._file)
            raise

    def append(self, event: E) -> E:
        """Writes an event and returns it with its number and time; the line is with the operating system then.

        Raises:
            FourmError: it cannot be written, for example because the disk is full. The event is not in the log then;
                it may be appended again.
        """
        with self._lock:
            logged = replace(event, seq=self._seq, time=self._clock())
            self._write(to_text(logged.to_json()).encode("ascii") + b"\n")
            self._seq += 1
        return logged

    def close(self) -> None:
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _write(self, line: bytes) -> None:
        """One write for the whole line; only a disk that fills up makes it more. After a torn line a new one begins."""
        rest = b"\n" + line if self._torn else line
        try:
            while rest:
                written = os.write(self._file, rest)
                self._torn = written < len(rest)
                rest = rest[written:]
        except OSError as error:
            raise cannot_write(self.path, error) from None

    def _keep_others_off(self) -> None:
        for attempt in range(5):  # `being_written` holds the lock for an instant
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.02 * attempt)
            except OSError:
                return  # a file system without locks
            else:
                return
        raise FourmError(f"{printable(self.path)}: another process is working on this run; wait for it or cancel it")


def being_written(path: Path) -> bool:
    """Whether a process has this log open to write; True also where the file system cannot tell."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(file)
    return False


def read_events(path: Path, after: int = -1) -> Iterator[Event]:
    """The events of a log with a `seq` above `after`.

    Raises:
        InputError: the file cannot be read, or a whole line of it is no event this version can read.
    """
    try:
        path.stat()
    except OSError as error:
        raise InputError(f"{printable(path)}: cannot be read: {error.strerror}") from None
    yield from follow(path, stop=lambda: True, after=after)


def follow(path: Path, stop: Callable[[], bool], *, after: int = -1, poll: float = 0.05) -> Iterator[Event]:
    """The events of a log, then those that are appended to it; the file need not exist yet.

    It ends when `stop` says so, after all that stood in the log by then. It does not end by itself with the run,
    which may be resumed.

    Args:
        path: the log.
        stop: asked about every `poll` seconds.
        after: events up to this `seq` are left out.
        poll: seconds between two looks at the file.

    Raises:
        InputError: as for `read_events`.
    """
    rest, number, file = b"", 0, None
    try:
        while True:
            last = stop()
            file = file or _open(path)
            while file and (chunk := file.read(_CHUNK)):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    number += 1
                    event = _event(line, f"{printable(path)}:{number}")
                    if event is not None and event.seq > after:
                        after = event.seq
                        yield event
            if last:
                return
            time.sleep(poll)
    except OSError as error:
        raise InputError(f"{printable(path)}: cannot be read: {error.strerror}") from None
    finally:
        if file:
            file.close()


def _open(path: Path) -> FileIO | None:
    try:
        return path.open("rb", buffering=0)
    except FileNotFoundError:
        return None


def _event(line: bytes, where: str) -> Event | None:
    """None for a torn line."""
    try:
        value = parse_object(line)
    except ValueError:
        return None
    return event_from_json(value, where)


def ends_torn(path: Path) -> bool:
    """Whether the last line of a file has no line break."""
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return False
        file.seek(-1, os.SEEK_END)
        return file.read() != b"\n"


def cannot_write(path: Path, error: OSError) -> FourmError:
    """What to tell when a file of a run cannot be written: the path, the reason, what to do."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    advice = "free some space, then resume the run" if full else "check its permissions, or give another --out"
    return FourmError(f"{printable(path)}: cannot be written: {error.strerror} ({advice})")
