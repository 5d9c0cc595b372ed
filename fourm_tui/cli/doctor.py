"""`fourm-tui doctor`: what this terminal and this machine can do, and what mends what is missing."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fourm_tui.cli.console import make_console
from fourm_tui.doctor import Finding, examine, terminal_findings
from fourm_tui.errors import printable

if TYPE_CHECKING:
    from PIL import Image

    from fourm_tui.terminal.choice import Colours

_SIGNS = {"ok": ("✓", "green"), "note": ("!", "yellow"), "missing": ("–", "yellow"), "wrong": ("✗", "red")}
_SAMPLE = (16, 4)
"""Columns and rows of a test picture: four stand side by side at 80 columns."""


def main(options: argparse.Namespace) -> int:
    terminal = _terminal()  # asked first: nothing else may write while it answers
    if options.json:
        findings = [*terminal, *examine()]
        print(json.dumps({"schema": 1, "findings": [asdict(finding) for finding in findings]}, indent=1))
        return _code(findings)
    console = make_console()
    _show(console, terminal)
    _show_samples(console)
    console.print()
    with console.status("looking at the machine, the files and the Hub"):
        machine = examine()
    _show(console, machine)
    findings = [*terminal, *machine]
    lacking = [finding for finding in findings if finding.state in ("missing", "wrong")]
    console.print()
    console.print(Text(f"{len(lacking)} missing", "yellow") if lacking else Text("nothing is missing", "green"))
    return _code(findings)


def _code(findings: Sequence[Finding]) -> int:
    return 1 if any(finding.state == "wrong" for finding in findings) else 0


def _terminal() -> list[Finding]:
    try:
        from fourm_tui.terminal.choice import choose
        from fourm_tui.terminal.probe import probe

        answers = probe(os.environ)
        choice = choose(os.environ, answers, encoding=sys.stdout.encoding)
        return terminal_findings(os.environ, choice, answers, shutil.get_terminal_size())
    except Exception as error:  # whatever it is, the other checks are to be seen
        return [Finding("terminal", "terminal", f"could not be found out: {printable(error)}", "note")]


def _show(console: Console, findings: Sequence[Finding]) -> None:
    width = max(len(finding.what) for finding in findings)
    for number, section in enumerate(dict.fromkeys(finding.section for finding in findings)):
        if number:
            console.print()
        console.print(Text(section, "bold"))
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, min_width=max(width, 14), style="dim")
        table.add_column(overflow="fold")
        for finding in findings:
            if finding.section == section:
                sign, style = _SIGNS[finding.state]
                value = Text(finding.value)
                if finding.fix:
                    value.append(f"\n{finding.fix}", "cyan")
                table.add_row(Text(f" {sign}", style), finding.what, value)
        console.print(table)


# -- the test picture -------------------------------------------------------------------------------------------


def _show_samples(console: Console) -> None:
    """The same picture in each text mode; which of them look right tells what the terminal can do."""
    if not console.is_terminal:
        return
    try:
        lines = list(_samples())
    except Exception as error:  # the picture is a help, not a need
        console.print(Text(f"no test picture: {printable(error)}", "dim"))
        return
    out = console.file
    out.write("".join(f"    {line}\n" for line in lines))
    out.flush()


def _samples() -> Iterator[str]:
    from fourm_tui.terminal.blocks import render
    from fourm_tui.terminal.cells import ansi_lines

    columns, rows = _SAMPLE
    picture = _picture()
    modes: tuple[tuple[Colours, bool], ...] = (("truecolor", False), ("256", False), ("16", False), ("none", True))
    yield "".join(f"{'ascii' if ascii else name:<{columns + 2}}" for name, ascii in modes).rstrip()
    shown = [ansi_lines(render(picture, columns, rows, colours, ascii=ascii)) for colours, ascii in modes]
    for row in zip(*shown, strict=True):
        yield "  ".join(row)


def _picture() -> Image.Image:
    """Every hue from left to right, darker downwards, and a white ring: steps, hues and edges show what is wrong."""
    import numpy as np
    from PIL import Image, ImageDraw

    width, height = 128, 64
    hue = np.broadcast_to(np.linspace(0, 255, width), (height, width))
    value = np.broadcast_to(np.linspace(255, 60, height)[:, None], (height, width))
    hsv = np.stack([hue, np.full_like(hue, 200), value], axis=-1).astype(np.uint8)
    picture = Image.fromarray(hsv, "HSV").convert("RGB")
    ImageDraw.Draw(picture).ellipse((40, 8, 88, 56), outline="white", width=5)
    return picture
