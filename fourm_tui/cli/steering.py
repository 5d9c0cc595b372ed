"""The commands about the engine and its queue: engine, queue, attach."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import _SubParsersAction


def add_steering_commands(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds their parsers."""
    _add_engine(commands)
    _add_queue(commands)
    attach = commands.add_parser(
        "attach",
        allow_abbrev=False,
        help="follow a run from its beginning, then live",
        description="Follows a run from any terminal. Ctrl-C leaves; the run goes on.",
    )
    attach.add_argument("run", nargs="?", metavar="RUN", help="path, name, its beginning, latest; default: what runs")
    attach.add_argument("--runs", metavar="FOLDER", default="runs", help="where runs are kept (default: runs)")
    attach.add_argument("--json", action="store_true", help="print its events")
    attach.add_argument("--preview", action=argparse.BooleanOptionalAction, help="show outputs in the terminal")


def _add_engine(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    engine = commands.add_parser(
        "engine",
        allow_abbrev=False,
        help="the process that runs things: start, status, stop, logs",
        description="Runs are done by a process of its own, which keeps models loaded and outlives the terminal. It is "
        "started by the first run, and ends 15 minutes after the last one (FOURM_ENGINE_IDLE: other minutes, 0 never).",
    )
    actions = engine.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("start", allow_abbrev=False, help="start it, if there is none")
    status = actions.add_parser("status", allow_abbrev=False, help="what it does, and which models it holds")
    status.add_argument("--json", action="store_true", help="print data")
    actions.add_parser("stop", allow_abbrev=False, help="end it; what runs is interrupted and can be resumed")
    actions.add_parser("logs", allow_abbrev=False, help="the last lines of its log")
    serve = actions.add_parser("serve", allow_abbrev=False, help="be the engine, in this process")
    serve.add_argument("--idle", type=float, metavar="MINUTES", help="end after so long without work; 0: never")


def _add_queue(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    queue = commands.add_parser(
        "queue",
        allow_abbrev=False,
        help="runs that wait, run and have ended",
        description="Lists the queue, or steers it. JOB is its id, or the name or path of its run.",
    )
    queue.add_argument("--json", action="store_true", help="print data")
    actions = queue.add_subparsers(dest="action", metavar="ACTION")
    for name, help_ in (
        ("pause", "hold a job, between two steps if it runs"),
        ("resume", "go on with a paused one"),
        ("cancel", "end a job at its next step; asked twice, at once"),
        ("retry", "go on with one that failed, was cancelled or interrupted, after its last finished target"),
        ("up", "move a waiting job up"),
        ("down", "move it down"),
        ("first", "let it be the next"),
        ("last", "let it be the last"),
    ):
        action = actions.add_parser(name, allow_abbrev=False, help=help_)
        action.add_argument("names", nargs="*", metavar="JOB")
        if name == "cancel":
            action.add_argument("--others", action="store_true", help="all that wait or are paused, but not what runs")
    skip = actions.add_parser("skip", allow_abbrev=False, help="leave a sample out from the next step on")
    skip.add_argument("names", nargs=1, metavar="JOB")
    skip.add_argument(
        "sample", nargs="?", type=int, metavar="SAMPLE", help="from 0; may be left out where there is one"
    )
