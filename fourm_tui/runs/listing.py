"""Finding runs: the newest ones, and one by its name, a unique beginning of it, its path, or `latest`."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path

from fourm_tui.errors import InputError, printable
from fourm_tui.runs.folder import RECORD, Run, open_run

LATEST = "latest"
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}_\d{6}(?=_)")
_SHOWN = 5  # candidates that a message names


@dataclass(frozen=True)
class Listing:
    """Runs, the newest first, and what is wrong with folders that could not be read."""

    runs: tuple[Run, ...]
    problems: tuple[str, ...] = ()


def list_runs(folder: Path, limit: int | None = None) -> Listing:
    """The runs in a folder, the newest first; none if there is no such folder.

    Only as many are opened as are asked for: the names begin with the time, to the second.

    Raises:
        InputError: the folder cannot be read.
    """
    runs: list[Run] = []
    problems: list[str] = []
    if limit is not None and limit <= 0:
        return Listing(())
    for found in each_run(folder):
        if isinstance(found, str):
            problems.append(found)
            continue
        runs.append(found)
        if limit is not None and len(runs) >= limit:
            break
    return Listing(tuple(runs), tuple(problems))


def each_run(folder: Path) -> Iterator[Run | str]:
    """The runs in a folder, the newest first, opened one after the other; of one that cannot be read, what is wrong.

    Raises:
        InputError: the folder cannot be read.
    """
    for _, same_second in groupby(sorted(_run_folders(folder), key=_time, reverse=True), key=_time):
        opened: list[Run] = []
        for path in same_second:
            try:
                opened.append(open_run(path))
            except InputError as error:
                yield str(error)
        yield from sorted(opened, key=_created, reverse=True)


def find_run(name: str, folder: Path) -> Path:
    """The folder of a run.

    Args:
        name: `latest`, the path of a run, or the name or a unique beginning of the name of one in `folder`.
        folder: where runs are kept.

    Raises:
        InputError: there is none, or the beginning fits several.
    """
    if name == LATEST:
        newest = list_runs(folder, 1)
        if newest.runs:
            return newest.runs[0].folder
        raise InputError("; ".join((f"{printable(folder)}: there are no runs yet", *newest.problems[:1])))
    path = _path(name)
    if path is not None and _is_run(path):
        return path
    found = sorted(run for run in _run_folders(folder) if name and run.name.startswith(name))
    if found and (len(found) == 1 or found[0].name == name):  # a name sorts before those that it begins
        return found[0]
    if not found:
        raise InputError(f"{printable(name)}: no such run in {printable(folder)}; `fourm-tui runs` lists them")
    shown = ", ".join(printable(run.name) for run in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    raise InputError(f"{printable(name)}: fits {len(found)} runs: {shown}{more}; write more of the name")


def _path(name: str) -> Path | None:
    if not name:
        return None
    with contextlib.suppress(RuntimeError):  # the home of a user that does not exist
        path = Path(name).expanduser()
        return path.parent if path.name == RECORD else path
    return None


def _run_folders(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if _is_run(path)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(f"{printable(folder)}: cannot be read: {error.strerror}") from None


def _is_run(path: Path) -> bool:
    try:
        return (path / RECORD).is_file()
    except (OSError, ValueError):
        return False


def _time(path: Path) -> str:
    """When a run began, from its name; from the file's time for a folder that was given another name."""
    found = _TIME.match(path.name)
    if found:
        return found.group()
    try:
        changed = (path / RECORD).stat().st_mtime
    except OSError:
        return ""
    return f"{datetime.fromtimestamp(changed):%Y-%m-%d_%H%M%S}"


def _created(run: Run) -> float:
    try:
        return datetime.fromisoformat(run.record.created).timestamp()
    except ValueError:
        return 0.0
