"""`fourm-tui engine`: the process that holds the models warm and does the runs."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from rich.table import Table
from rich.text import Text

from fourm_tui.cli.console import make_console
from fourm_tui.engine.client import Engine, NoEngineError
from fourm_tui.engine.places import log_file
from fourm_tui.errors import FourmError, printable
from fourm_tui.hub import size_text

_LOG_LINES = 40
_ENDING_SECONDS = 8.0


def main(options: argparse.Namespace) -> int:
    return {"start": _start, "status": _status, "stop": _stop, "logs": _logs, "serve": _serve}[options.action](options)


def _start(options: argparse.Namespace) -> int:
    with Engine.start() as engine:
        print(f"engine {engine.ask('status')['pid']} is running")
    return 0


def _status(options: argparse.Namespace) -> int:
    try:
        with Engine.find() as engine:
            status = engine.ask("status")
    except NoEngineError:
        print(json.dumps(None) if options.json else "no engine is running; a run starts one")
        return 0
    if options.json:
        print(json.dumps(status, indent=1))
    else:
        _show(status)
    return 0


def _show(status: dict[str, Any]) -> None:
    console = make_console()
    table = Table.grid(padding=(0, 2))
    minutes = (time.time() - status["began"]) / 60
    idle = f"ends after {status['idle'] / 60:g} min without work" if status["idle"] else "stays"
    viewers = status["viewers"] - 1  # one of them asks this
    table.add_row(Text("engine", "dim"), f"{status['pid']}, since {minutes:.0f} min, {viewers} viewers, {idle}")
    for worker in status["workers"]:
        doing = f"runs {worker['job']}" if worker["job"] else "is free" if worker["pid"] else "is not there"
        table.add_row(Text(printable(worker["device"], 20), "bold"), f"worker {worker['pid'] or '–'} {doing}")
        memory = worker.get("memory") or {}
        if memory:
            free, total = size_text(memory["free"]), size_text(memory["total"])
            table.add_row("", Text(f"{size_text(memory['own']):>9}  of its memory; {free} of {total} are free", "dim"))
        for held in worker["held"]:
            table.add_row("", Text(f"{size_text(held['bytes']):>9}  {printable(held['name'], 60)}", "dim"))
    waiting = sum(job["status"] == "waiting" for job in status["jobs"])
    table.add_row(Text("queue", "dim"), f"{waiting} waiting")
    console.print(table)


def _stop(options: argparse.Namespace) -> int:
    try:
        with Engine.find() as engine:
            pid = engine.ask("status")["pid"]
            engine.ask("stop")
            until = time.monotonic() + _ENDING_SECONDS
            while engine.is_alive:
                if time.monotonic() > until:
                    raise FourmError(f"the engine (process {pid}) has been told to end, and is still there")
                time.sleep(0.02)
    except NoEngineError:
        print("no engine is running")
        return 0
    print("the engine has ended; what ran is interrupted and can be resumed (`fourm-tui queue`)")
    return 0


def _logs(options: argparse.Namespace) -> int:
    file = log_file()
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
    except FileNotFoundError:
        lines = []
    for line in lines:
        print(printable(line, 500))
    print(f"({printable(file)})")
    return 0


def _serve(options: argparse.Namespace) -> int:
    from fourm_tui.engine.supervisor import IDLE_SECONDS, serve

    return serve(IDLE_SECONDS if options.idle is None else options.idle * 60)
