"""textual-image does not ask the terminal, in any version that the project allows."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import NamedTuple

import pytest

from fourm_tui.terminal.choice import Choice
from fourm_tui.terminal.seed import seed
from tests.terminal.test_probe import in_terminal

IMPORTING = """
import fcntl, json, os, select, sys, termios, tty
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from fourm_tui.terminal.choice import Choice
from fourm_tui.terminal.seed import seed
seed(Choice("blocks", cell=(9, 18)))
from textual_image.renderable import HalfcellImage, SixelImage
import textual_image.widget
from textual_image._terminal import get_cell_size
tty.setcbreak(0)
keys = b""
while select.select([0], [], [], 0.4)[0]:
    keys += os.read(0, 100)
with open(sys.argv[1], "w") as file:
    json.dump({"cell": get_cell_size(), "keys": keys.decode("latin-1")}, file)
"""


@pytest.mark.parametrize("size", [(24, 80, 0, 0), (0, 0, 0, 0), (24, 80, 800, 480)])
def test_importing_textual_images_widgets_asks_nothing(size: tuple[int, int, int, int], tmp_path: Path) -> None:
    said = in_terminal(tmp_path, lambda _: [(0.15, b"\x1b[?64;4c")], size=size, script=IMPORTING)
    assert said["cell"] == [9, 18]
    assert b"\x1b[" not in said["seen"]
    assert b"\x1b_G" not in said["seen"]
    assert said["keys"] == ""


def test_the_names_of_later_versions_are_seeded(monkeypatch: pytest.MonkeyPatch) -> None:
    """From 0.13 on one function asks for everything and keeps its answer."""

    class CellSize(NamedTuple):
        width: int
        height: int

    class TerminalCapabilities(NamedTuple):
        cell_size: CellSize
        sixel: bool
        tgp: bool

    later = ModuleType("textual_image._terminal")
    probe_terminal = SimpleNamespace()
    for name, value in {
        "CellSize": CellSize,
        "TerminalCapabilities": TerminalCapabilities,
        "probe_terminal": probe_terminal,
    }.items():
        setattr(later, name, value)
    monkeypatch.setitem(sys.modules, "textual_image._terminal", later)
    monkeypatch.setattr("textual_image._terminal", later, raising=False)
    seed(Choice("sixel", cell=(8, 16)))
    assert probe_terminal._result == ((8, 16), True, False)
