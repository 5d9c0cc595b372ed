"""What is told beside the screens: that a long run has ended, and what goes on after leaving. Without Textual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fourm_tui.engine.jobs import OPEN, QueuedJob
from fourm_tui.errors import printable
from fourm_tui.tui.run_lines import run_name

BELL = "\a"


def notice(how: str, status: str, in_tmux: bool = False, pictures: bool = False) -> str:
    """What is written to the terminal when a run has ended; nothing from outside is in it.

    Args:
        how: `bell`, `osc9` or `none`.
        status: of the run, in a word.
        in_tmux: whether tmux stands between, which knows no notices and has to pass them on as they are.
        pictures: whether it was about its pictures alone.
    """
    word = next((each for each in ("done", "failed", "cancelled", "interrupted") if each == status), "over")
    told = f"\x1b]9;fourm: {'decoding' if pictures else 'the run'} is {word}\a"
    if in_tmux:
        told = "\x1bPtmux;{}\x1b\\".format(told.replace("\x1b", "\x1b\x1b"))
    return {"bell": BELL, "osc9": told}.get(how, "")


class Stopwatch:
    """How long jobs ran, as seen from here."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def ended(self, jobs: Sequence[QueuedJob], now: float) -> list[tuple[QueuedJob, float]]:
        """The jobs that have ended since the last call, and how many seconds they ran."""
        found = []
        for job in jobs:
            if job.status in ("running", "paused"):
                self._since.setdefault(job.id, now)
            elif job.id in self._since:
                began = self._since.pop(job.id)
                if job.status not in OPEN:
                    found.append((job, now - began))
        return found


def parting_words(jobs: Sequence[QueuedJob], status: Mapping[str, Any] | None, sweeps: int = 0) -> str:
    """One line about what goes on, what stays on the device, for how long, and how to stop it; empty if nothing does.

    Args:
        jobs: the queue.
        status: what the engine says of itself; None: there is none.
        sweeps: that are under way.
    """
    running = [job for job in jobs if job.status in ("running", "paused")]
    waiting = [job for job in jobs if job.status == "waiting"]
    sheet = "; the sheet of the sweep is drawn when the screens are opened again" if sweeps else ""
    if status is None:
        return (
            f"{len(waiting)} runs wait for the engine: `fourm-tui engine start` begins them{sheet}" if waiting else ""
        )
    if running or waiting:
        job = (running or waiting)[0]
        does = {"running": "goes on", "paused": "is paused"}.get(job.status, "waits")
        others = len(running) + len(waiting) - 1
        more = f" and {others} more" if others else ""
        return (
            f"{printable(run_name(Path(job.run).name), 40)}{more} {does}: `fourm-tui attach` follows, "
            f"`fourm-tui queue cancel {job.id}` stops it, `fourm-tui engine stop` all{sheet}"
        )
    held, where = _held(status)
    if not held:
        return ""
    size, count = sum(held), len(held)
    where = "in memory" if where == "cpu" else f"on {where}"
    models, stay, them = ("model", "stays", "it") if count == 1 else ("models", "stay", "them")
    return (
        f"{count} {models} ({in_bytes(size)}) {stay} {where} {_how_long(status)}; "
        f"`fourm-tui engine stop` frees {them} now{sheet}"
    )


def _held(status: Mapping[str, Any]) -> tuple[list[int], str]:
    """The sizes of the models that the engine holds, in bytes, and on which devices."""
    sizes, devices = [], []
    for worker in _workers(status):
        held = worker.get("held")
        mine = [each.get("bytes") for each in held if isinstance(each, Mapping)] if isinstance(held, list) else []
        sizes += [each for each in mine if isinstance(each, int)]
        if mine:
            devices.append(printable(worker.get("device"), 20))
    return sizes, " and ".join(devices)


def _workers(status: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    workers = status.get("workers")
    return [each for each in workers if isinstance(each, Mapping)] if isinstance(workers, list) else []


def _how_long(status: Mapping[str, Any]) -> str:
    idle = status.get("idle")
    if not isinstance(idle, int | float) or not idle:
        return "until the engine is stopped"
    return f"for {idle / 60:.0f} minutes" if idle >= 120 else f"for {idle:.0f} seconds"


def memory_line(status: Mapping[str, Any] | None, resident: int) -> str:
    """What is free on the devices of the engine and what it holds there, in a line; empty where nothing is known.

    Args:
        status: what the engine says of itself; None: there is none.
        resident: bytes of main memory that its workers have, said where they do not tell of their devices' memory.
    """
    if status is None:
        return ""
    held, where = _held(status)
    there = [worker for worker in _workers(status) if worker.get("pid") and worker.get("device") != "auto"]
    where = where or " and ".join(printable(worker.get("device"), 20) for worker in there)
    known = [memory for worker in there if (memory := _memory_of(worker)) is not None]
    said = []
    if known:
        free, total = (" and ".join(_gigabytes(memory[each]) for memory in known) for each in ("free", "total"))
        said.append(f"{free} of {total} GB free")
    if held:
        said.append(f"{len(held)} {'model' if len(held) == 1 else 'models'} {in_bytes(sum(held))}")
    own = sum(memory["own"] for memory in known) or resident
    if own:
        said.append(f"{in_bytes(own)} in use")
    return "  ".join((where, *said)) if said else ""


def _memory_of(worker: Mapping[str, Any]) -> dict[str, int] | None:
    """Bytes `free`, `total` and `own` of a worker's device, as far as it tells what makes sense."""
    memory = worker.get("memory")
    if not isinstance(memory, Mapping):
        return None
    found = {each: memory.get(each) for each in ("free", "total", "own")}
    known = {each: value for each, value in found.items() if isinstance(value, int) and value >= 0}
    return known if len(known) == len(found) else None


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f}"


def in_bytes(count: float) -> str:
    """`17.9 GB`, `82 MB`."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
