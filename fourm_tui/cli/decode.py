"""`fourm-tui decode`: pictures of what a run left as tokens."""

from __future__ import annotations

import argparse
from pathlib import Path

from fourm_tui.chain.tokens_only import tokens_only
from fourm_tui.cli.following import Stop, show_events
from fourm_tui.errors import printable
from fourm_tui.runs import find_run, open_run


def main(options: argparse.Namespace) -> int:
    folder = open_run(find_run(options.run, Path(options.runs)))
    rows = tokens_only(folder, options.targets)
    if not rows:
        if not options.json:
            print(f"{printable(folder.name)}: nothing to decode; every picture that its tokenizers can make is there")
        return 0
    from fourm_tui.engine.decode import decode
    from fourm_tui.engine.loading import use_cores

    use_cores()
    with Stop() as stop:
        events = decode(folder, rows, stop.asked, options.device)
        return show_events(events, folder, [], json_lines=options.json, preview=options.preview)
