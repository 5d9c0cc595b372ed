"""Telling textual-image what the terminal can do, so that it does not ask itself.

It asks when its renderables or widgets are imported, takes a slow terminal for a mute one, and leaves the late answer
to be read as keys. `seed` has to be called before that import. The names are private ones of 0.12 and 0.14; those of
older versions are the same as of 0.12, as far as they exist.
"""

from __future__ import annotations

from typing import Any, NoReturn

from fourm_tui.terminal.choice import Choice


def seed(choice: Choice) -> None:
    """Sets the cell size and the answers that textual-image would ask the terminal for. Nothing of it asks then."""
    from textual_image import _terminal

    module: Any = _terminal
    width, height = choice.cell
    cell = module.CellSize(width, height)
    if hasattr(module, "probe_terminal"):  # from 0.13 on: one question for all
        sixel, kitty = choice.protocol == "sixel", choice.protocol == "kitty"
        module.probe_terminal._result = module.TerminalCapabilities(cell, sixel, kitty)
    if hasattr(module, "get_cell_size"):
        module.get_cell_size._result = cell
    if hasattr(module, "capture_terminal_response"):

        def refuse(*_: object, **__: object) -> NoReturn:
            raise module.TerminalError("the terminal has been asked already")

        module.capture_terminal_response = refuse
