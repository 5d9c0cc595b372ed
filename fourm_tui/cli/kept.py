"""The commands about runs that are there: open, decode, runs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import _SubParsersAction

_FOLDER = "where runs are kept (default: runs)"


def add_run_folder_commands(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds their parsers."""
    opened = commands.add_parser(
        "open",
        allow_abbrev=False,
        help="the chain behind an output, and the command that makes it again",
        description="Says what made an output: conditions, models, seeds, settings, whether the files are still what "
        "they were, and the command that makes it again. A PNG of a run carries this in itself, wherever it was "
        "copied to; any other file is looked up in the run folder that it lies in.",
    )
    opened.add_argument("what", metavar="FILE_OR_RUN", help="a file of a run; a run: path, name, its beginning, latest")
    opened.add_argument(
        "--save",
        metavar="FOLDER",
        help="write settings (overrides applied), models config and texts into a folder; nothing is overwritten",
    )
    opened.add_argument("--runs", metavar="FOLDER", help=_FOLDER)
    opened.add_argument("--json", action="store_true", help="print data")
    _add_decode(commands)
    _add_runs(commands)


def _add_decode(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    decode = commands.add_parser(
        "decode",
        allow_abbrev=False,
        help="make the pictures of targets that a run left as tokens",
        description="Makes the pictures of what a run left as tokens (`run --decode last` or `none`), beside the "
        "tokens, as the run itself would have made them, and its contact sheet anew. Ctrl-C stops at the next step.",
    )
    decode.add_argument("run", metavar="RUN", help="path, name, its beginning, latest")
    decode.add_argument("targets", nargs="*", metavar="TARGET", help="targets or numbers of rows (default: all)")
    decode.add_argument("--runs", metavar="FOLDER", default="runs", help=_FOLDER)
    decode.add_argument("--device", metavar="DEVICE", help="cpu, cuda, cuda:1, mps (default: as the run)")
    decode.add_argument("--json", action="store_true", help="print events")
    decode.add_argument("--preview", action=argparse.BooleanOptionalAction, help="show outputs in the terminal")


def _add_runs(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    runs = commands.add_parser(
        "runs",
        allow_abbrev=False,
        help="the runs there are: list, compare, remove",
        description="Lists runs, the newest first. Words narrow the list: each is to be in the run's name, chain, "
        "conditions or models. --compare shows in what two runs differ, --prune removes old ones.",
    )
    runs.add_argument("words", nargs="*", metavar="WORD", help="only runs with all of these words")
    runs.add_argument(
        "--status",
        metavar="STATUS",
        help="only runs of this status: done, failed, cancelled, interrupted, running, pending; several with commas",
    )
    runs.add_argument("--limit", type=int, metavar="N", help="how many are listed (default: 20; 0: all)")
    runs.add_argument("--compare", nargs=2, metavar=("RUN", "RUN"), help="two runs, cell by cell")
    runs.add_argument("--all", action="store_true", help="with --compare: also what is the same")
    runs.add_argument("--prune", action="store_true", help="remove runs, after asking")
    runs.add_argument("--keep", type=int, metavar="N", help="with --prune: the newest N of all runs stay")
    runs.add_argument("--older", type=float, metavar="DAYS", help="with --prune: only runs older than this")
    runs.add_argument("--yes", action="store_true", help="with --prune: do not ask")
    runs.add_argument("--runs", metavar="FOLDER", help=_FOLDER)
    runs.add_argument("--json", action="store_true", help="print data")
