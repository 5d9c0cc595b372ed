"""`fourm-tui models`: what is published, what of it is on this machine; `models pull` and `models remove`."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import TransferSpeedColumn as SpeedColumn
from rich.table import Table
from rich.text import Text

from fourm_tui.checkpoints import BUNDLED
from fourm_tui.cli.console import make_console
from fourm_tui.download import RemoteFile, Transfer, check_space, fetch, finish, look_up
from fourm_tui.errors import FourmError, printable
from fourm_tui.hub import (
    Cached,
    Source,
    cached,
    expand,
    hub_cache,
    is_offline,
    named,
    published_sources,
    removal,
    size_text,
)
from fourm_tui.paths import bundled_dir
from fourm_tui.published import WEIGHTS_LICENCE

SCHEMA = 1
CANCELLED = 130
_HEADINGS = {"model": "models", "tokenizer": "tokenizers", "text tokenizer": "text tokenizer"}


def main(options: argparse.Namespace) -> int:
    if options.action == "pull":
        return _pull(options.names, with_sr=options.sr)
    if options.action == "remove":
        return _remove(options.names)
    found = {source: cached(source) for source in published_sources().values()}
    if options.json:
        print(json.dumps(_as_data(found), indent=1, ensure_ascii=False))
    else:
        _show(found, make_console())
    return 0


# -- the list ---------------------------------------------------------------------------------------------------


def _as_data(found: dict[Source, Cached | None]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "bundled": {"name": BUNDLED, "path": str(bundled_dir()), "bytes": _bundled_bytes()},
        "cache": str(hub_cache()),
        "sources": [
            {
                "name": source.name,
                "kind": source.kind,
                "repo": source.repo,
                "files": list(source.files),
                "bytes": source.bytes,
                "licence": WEIGHTS_LICENCE,
                "cached": bool(have and have.complete),
                "path": str(have.folder) if have else None,
                "bytes_on_disk": have.bytes if have else 0,
                "partial_bytes": have.partial_bytes if have else 0,
                "revisions": [
                    {
                        "commit": revision.commit,
                        "refs": list(revision.refs),
                        "path": str(revision.folder),
                        "bytes": revision.bytes,
                        "missing": list(revision.missing),
                    }
                    for revision in (have.revisions if have else ())
                ],
            }
            for source, have in found.items()
        ],
    }


def _show(found: dict[Source, Cached | None], console: Console) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(Text("in the box", "bold"), Text("size", "dim"), Text(""))
    table.add_row(Text(f"  {BUNDLED}"), size_text(_bundled_bytes()), Text("✓ the default", "green"))
    table.add_row()
    kind = ""
    for source, have in found.items():
        if source.kind != kind:
            if kind:
                table.add_row()
            kind = source.kind
            table.add_row(Text(_HEADINGS[kind], "bold"), Text("size", "dim"), Text("on this machine", "dim"))
        table.add_row(
            Text(f"  {source.name}", "" if have else "dim"), size_text(_size(source, have)), _state(have, source)
        )
    console.print(table)
    facts = Table.grid(padding=(0, 2))
    used = sum(have.bytes for have in found.values() if have)
    facts.add_row()
    facts.add_row(Text("licence", "dim"), Text(WEIGHTS_LICENCE))
    facts.add_row(Text("cache", "dim"), Text(printable(hub_cache(), 400), overflow="fold"))
    facts.add_row("", Text(f"{size_text(used)} used by these, {size_text(_free())} free", "dim"))
    facts.add_row(Text("get", "dim"), Text("fourm-tui models pull 4M-7_B_CC12M", "cyan"))
    facts.add_row("", Text("fourm-tui models pull all-of 4M-7_B_CC12M --sr", "cyan"))
    facts.add_row("", Text("with its tokenizers and super-resolution model", "dim"))
    console.print(facts)


def _bundled_bytes() -> int:
    return sum(file.stat().st_size for file in bundled_dir().rglob("*") if file.is_file())


def _size(source: Source, have: Cached | None) -> int | None:
    """The published size, else that of what is here."""
    return source.bytes or (max(revision.bytes for revision in have.complete) if have and have.complete else None)


def _state(have: Cached | None, source: Source) -> Text:
    """`✓ 1.78 GB @c0ffee1`: on disk altogether, and the revisions that can be used."""
    if have is None:
        return Text("–", "dim")
    state = Text()
    if have.complete:
        state.append(f"✓ {size_text(have.bytes - have.partial_bytes)}", "green")
        for revision in have.complete:
            named_refs = [ref for ref in revision.refs if ref != "main"] or [revision.commit[:7]]
            state.append(f" @{printable(named_refs[0], 40)}", "dim")
    if have.partial_bytes:
        share = f"{100 * have.partial_bytes / source.bytes:.0f} %, " if source.bytes else ""
        state.append(" + " if have.complete else "")
        state.append(f"{share}{size_text(have.partial_bytes)}", "yellow")
    elif not have.complete:
        state.append("incomplete", "yellow")
    return state


def _free() -> int | None:
    place = hub_cache()
    try:
        return shutil.disk_usage(next(path for path in (place, *place.parents) if path.exists())).free
    except OSError:
        return None


# -- pull -------------------------------------------------------------------------------------------------------


def _pull(names: Sequence[str], *, with_sr: bool) -> int:
    sources = expand(names, with_sr=with_sr)
    console = make_console()
    if is_offline():
        missing = [source for source in sources if not _here(source)]
        if missing:
            known = sum(source.bytes or 0 for source in missing)
            total = f" ({size_text(known)})" if known else ""
            raise FourmError(
                f"HF_HUB_OFFLINE is set, so nothing is downloaded; missing: {', '.join(map(str, missing))}{total}"
            )
        console.print("all of it is on this machine; HF_HUB_OFFLINE is set, so the Hub is not asked for newer ones")
        return 0
    with console.status("asking the Hub"):
        plan = [look_up(source) for source in sources]
    files = [file for group in plan for file in group]
    check_space(files)
    missing_bytes = sum(file.bytes - file.present for file in files)
    if missing_bytes:
        kept = sum(file.present for file in files if not file.path.is_file())
        again = f", {size_text(kept)} are here from before" if kept else ""
        console.print(Text(f"{size_text(missing_bytes)} to download{again}"))
        if any(source.kind != "other" for source in sources):
            console.print(Text(f"licence: {WEIGHTS_LICENCE}", "dim"))
    try:
        with _Bars(console, files) as bars, _heard() as asked:
            for group in plan:
                _pull_one(group, bars, console, asked)
    except KeyboardInterrupt:
        left = sum(file.bytes - file.present for file in files)
        console.print(
            Text(
                f"stopped; what has arrived is kept, the same command goes on with the {size_text(left)} left", "yellow"
            )
        )
        return CANCELLED
    return 0


def _here(source: Source) -> bool:
    have, wanted = cached(source), source.revision or "main"
    return have is not None and any(wanted in (revision.commit, *revision.refs) for revision in have.complete)


@contextmanager
def _heard() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed: its exception is lost if it comes while Python is tidying up."""
    asked: list[int] = []

    def hear(number: int, frame: FrameType | None) -> None:
        asked.append(number)
        signal.default_int_handler(number, frame)

    before = signal.signal(signal.SIGINT, hear)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)


def _pull_one(
    group: Sequence[RemoteFile], bars: _Bars, console: Console, asked: Callable[[], bool]
) -> None:  # fmt: skip
    source = group[0].source
    was_here = all(file.path.is_file() for file in group)

    def told(transfer: Transfer) -> None:
        if asked():
            raise KeyboardInterrupt
        bars.update(transfer)

    for file in group:
        fetch(file, told)
    finish(group)
    line = Text.assemble(str(source), "  ", (size_text(sum(file.bytes for file in group)), "dim"))
    line.append("  already here" if was_here else "  ✓ hashes match", "dim" if was_here else "green")
    console.print(line)


class _Bars:
    """A bar for the file that is under way and one for everything; nothing where the output is no terminal."""

    def __init__(self, console: Console, files: Sequence[RemoteFile]) -> None:
        self._files = files
        self._total = sum(file.bytes for file in files)
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(16), DownloadColumn(), SpeedColumn(),
            TimeRemainingColumn(compact=True), console=console, transient=True, disable=not console.is_terminal,
        )  # fmt: skip
        self._now: TaskID | None = None
        self._file: tuple[RemoteFile, str] | None = None
        self._arrived = {file: file.present for file in files}
        self._whole = self._progress.add_task("whole", total=self._total) if len(files) > 2 else None

    def __enter__(self) -> _Bars:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def update(self, transfer: Transfer) -> None:
        file = transfer.file
        if self._file != (file, transfer.doing):
            if self._now is not None:
                self._progress.remove_task(self._now)
            name = _short(file.source.name)
            label = {"downloading": name, "checking": f"checking {name}", "waiting": f"{name} (another process)"}
            self._now = self._progress.add_task(label[transfer.doing], total=file.bytes)
            self._file = (file, transfer.doing)
        assert self._now is not None
        self._progress.update(self._now, completed=transfer.done)
        if transfer.doing == "downloading":
            self._arrived[file] = transfer.done
        if self._whole is not None:
            self._progress.update(self._whole, completed=sum(self._arrived.values()))


def _short(name: str) -> str:
    """A name that leaves room for the bar at 80 columns."""
    return printable(name.removeprefix("4M_tokenizers_").rpartition("/")[2], 24)


# -- remove -----------------------------------------------------------------------------------------------------


def _remove(names: Sequence[str]) -> int:
    removals = [removal(source) for source in dict.fromkeys(named(name) for name in names)]
    for one in removals:
        one.execute()
        print(f"removed {one.source}: {size_text(one.bytes)} freed")
    return 0
