"""`fourm-tui [SETTINGS]`: the screens."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys

from fourm_tui.errors import InputError
from fourm_tui.terminal.choice import choose
from fourm_tui.terminal.probe import probe
from fourm_tui.tui.ending import Ending
from fourm_tui.tui.settings import read_settings


def main(options: argparse.Namespace) -> int:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError("the screens need a terminal; headless, there are `fourm-tui run` and `fourm-tui check`")
    ending = Ending()
    settings, problems = read_settings()
    answers = probe(os.environ)
    asked = None if settings.graphics == "auto" else settings.graphics
    choice = choose(os.environ, answers, asked, options.ascii or settings.ascii, sys.stdout.encoding)
    # Textual reads it when it is imported; over SSH it would guess too low.
    colours = {"truecolor": "truecolor", "256": "256", "16": "standard"}.get(choice.colours)
    if colours and "TEXTUAL_COLOR_SYSTEM" not in os.environ:
        os.environ["TEXTUAL_COLOR_SYSTEM"] = colours

    # So does it how long it waits after Escape for what would make it another key: as little as tmux users are used to,
    # and a little more over the network.
    os.environ.setdefault("ESCDELAY", "60" if "SSH_CONNECTION" in os.environ else "40")

    from fourm_tui.tui.app import FourmApp
    from fourm_tui.tui.beginning import begun
    from fourm_tui.tui.escape import hasten_escape
    from fourm_tui.tui.workspace import CHOSEN

    workspace, greeting = begun(
        options.settings, sr=options.sr, models=options.models, conditions=list(options.input), overrides=options.set,
        options={name: getattr(options, name) for name in CHOSEN},
    )  # fmt: skip
    hasten_escape()
    app = FourmApp(workspace, choice, settings, problems, greeting=greeting)
    ending.of(app, app.files.rescue)
    code = app.run(mouse=settings.mouse and not options.no_mouse) or app.return_code or 0
    app.conductor.hand_over()
    words = app.conductor.parting_words()
    if words and code == 0:
        with contextlib.suppress(OSError):  # the terminal may be gone
            print(words, flush=True)
    _let_go_of_terminal()
    return code


def _let_go_of_terminal() -> None:
    """If it is gone, what is still to be written goes nowhere, and does not change the exit code."""
    try:
        for stream in (sys.stdout, sys.__stdout__, sys.stderr, sys.__stderr__):
            if stream is not None:
                stream.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
