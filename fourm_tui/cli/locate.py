"""`fourm-tui locate`: the folders and files that the program uses."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from rich.text import Text

from fourm_tui import paths
from fourm_tui.cli.console import make_console
from fourm_tui.engine.places import log_file, queue_dir, socket_dir
from fourm_tui.errors import printable
from fourm_tui.hub import hub_cache

RUNS = Path("runs")


def main(options: argparse.Namespace) -> int:
    found = places()
    if options.json:
        data = {name: {"path": str(path), "exists": _exists(path)} for name, path in found.items()}
        print(json.dumps({"schema": 1, "places": data}, indent=1))
        return 0
    console = make_console()
    width = max(map(len, found))
    for name, path in found.items():
        state = ("exists", "green") if _exists(path) else ("missing", "dim")
        line = Text.assemble(f"{name:{width}}  {printable(path, 4096)}  ", ("(", "dim"), state, (")", "dim"))
        console.print(line, soft_wrap=True)
    return 0


def places() -> dict[str, Path]:
    """Folders by what is kept there."""
    return {
        "config": paths.config_dir(),
        "cache": paths.cache_dir(),
        "state": paths.state_dir(),
        "engine socket": socket_dir(),
        "engine log": log_file(),
        "queue": queue_dir(),
        "demo model": paths.bundled_dir(),
        "schedules": paths.schedules_dir(),
        "themes": paths.themes_dir(),
        "hub cache": hub_cache(),
        "runs": Path(os.path.abspath(RUNS)),  # noqa: PTH100 - resolve() would follow links, which hides what is meant
    }


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False
