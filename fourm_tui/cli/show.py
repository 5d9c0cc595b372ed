"""`fourm-tui show`: pictures, maps, tokens and runs in the terminal."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from fourm_tui.cli.console import make_console
from fourm_tui.cli.show_files import SUFFIXES, Shown, show_file, text_of
from fourm_tui.cli.show_tokens import By
from fourm_tui.errors import InputError, printable
from fourm_tui.modalities import MODALITIES
from fourm_tui.runs import LATEST, Run, find_run, open_run
from fourm_tui.terminal.choice import Choice, choose
from fourm_tui.terminal.panels import Panel, grid
from fourm_tui.terminal.probe import probed

RUNS = Path("runs")
_MOST_SAMPLES = 8
_GRAPHIC_PIXELS = 480  # width of a picture that fills no window, in sixel or kitty's protocol
_OVERSAMPLED = 8  # pixels that a block renderer looks at, each way in a cell


def main(options: argparse.Namespace) -> int:
    if options.width is not None and options.width < 1:
        raise InputError(f"--width {options.width}: is to be a number of columns from 1 on")
    asked = options.protocol not in (None, "auto")
    runs = Path(options.runs) if options.runs else RUNS
    with probed(os.environ, ask=not asked) as answers:
        choice = choose(os.environ, answers, options.protocol, options.ascii, sys.stdout.encoding)
        for part in _parts(options.what, runs, options.by):
            # stdout with replacement of what it cannot encode
            file = make_console().file
            for piece in _drawn(part, choice, options.width):
                file.write(piece)
                file.flush()
    return 0


def _parts(what: Sequence[str], runs: Path, by: By | None) -> list[tuple[str, list[Shown]]]:
    """Titles with what stands below them: files are together, each run is for itself. All is looked at first."""
    parts: list[tuple[str, list[Shown]]] = []
    for name in what:
        found = _run(name, runs)
        if found is not None:
            parts.append((found.name, list(_of_run(found, by))))
        elif parts and not parts[-1][0]:
            parts[-1][1].append(show_file(Path(name).expanduser(), by))
        else:
            parts.append(("", [show_file(Path(name).expanduser(), by)]))
    return parts


def _run(name: str, runs: Path) -> Run | None:
    """The run that is meant; None for a file.

    Raises:
        InputError: it is neither.
    """
    if "\0" in name:
        raise InputError(f"{printable(name)}: is no name of a file or a run")
    path = Path(name)
    if name != LATEST:
        if path.is_file() and path.name != "run.json":
            return None
        if not path.is_dir() and (path.suffix.lower() in SUFFIXES or os.sep in name) and path.name != "run.json":
            reason = "there is no such file" if not path.exists() else "is no file"
            raise InputError(f"{printable(name)}: {reason}")
        if path.is_dir() and not (path / "run.json").exists():
            raise InputError(f"{printable(name)}: is a folder without a run in it")
    return open_run(find_run(name, runs))


def _of_run(run: Run, by: By | None) -> Iterator[Shown]:
    """Conditions and outputs in the order of the chain. With `by` the tokens are shown instead of what they became."""
    for condition in run.record.conditions:
        title = _title(condition.name)
        if condition.text is not None:
            yield _text(f"{printable(condition.name)}  {printable(condition.text, 80)}", title, condition.text)
        elif condition.path is not None:
            yield _or_why(Path(condition.path), None, title)
    samples = len(run.record.samples)
    for sample in range(min(samples, _MOST_SAMPLES)):
        for row in run.record.rows:
            title = f"{row.number} {_title(row.target)}" + (f" · {sample}" if samples > 1 else "")
            files = [run.path_for(row.number, row.target, sample, end) for end in (".png", ".txt", ".safetensors")]
            if by is not None:
                files = files[2:]
            elif row.target == "caption":
                files = files[1:]
            path = next((file for file in files if file.is_file()), None)
            if path is None:
                why = row.state if row.state != "done" else "its files are gone"
                yield _text(f"{printable(files[-1])}  {why}", title, why)
            else:
                yield _or_why(path, by, title)
    if samples > _MOST_SAMPLES:
        more = f"and {samples - _MOST_SAMPLES} more samples"
        yield _text(f"{printable(run.folder)}  {more}", "", more)


def _or_why(path: Path, by: By | None, title: str) -> Shown:
    """A file of a run, or why it cannot be shown: one that is gone does not hide the others."""
    if path.suffix == ".txt":
        text = text_of(path)
        return _text(f"{printable(path)}  {printable(' '.join(text.split()), 80)}", title, text)
    try:
        return show_file(path, by, title)
    except InputError as error:
        return _text(str(error), title, str(error))


def _text(facts: str, title: str, text: str) -> Shown:
    return Shown(facts, lambda _: Panel(title, text=text))


def _title(name: str) -> str:
    return MODALITIES[name].title if name in MODALITIES else name


def _drawn(part: tuple[str, list[Shown]], choice: Choice, width: int | None) -> Iterator[str]:
    """Strings to be written one by one."""
    title, shown = part
    if choice.protocol == "none":
        for one in shown:
            yield f"{one.facts}\n"
        return
    columns, rows = shutil.get_terminal_size()
    if title:
        yield from grid([Panel(title)], choice, columns, rows, columns)
    each = width
    if each is None and len(shown) == 1:
        limit = columns if choice.protocol == "blocks" else max(_GRAPHIC_PIXELS // choice.cell[0], 1)
        each = min(columns, limit)
    across = choice.cell[0] if choice.protocol != "blocks" else _OVERSAMPLED
    pixels = 2 * max(across, 1) * min(each or 40, columns)
    panels = [one.draw(pixels) for one in shown]
    if title:
        panels = [replace(panel, note="" if panel.picture else panel.note) for panel in panels]
    yield from grid(panels, choice, columns, rows, each)
