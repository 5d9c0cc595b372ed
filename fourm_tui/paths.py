"""Folders the program uses: XDG locations with their environment overrides, and the files that ship with it."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).parent


def _xdg(variable: str, default: str) -> Path:
    """The XDG base directory specification: a relative path in the variable counts as unset."""
    given = os.environ.get(variable, "")
    base = Path(given) if given and Path(given).is_absolute() else Path.home() / default
    return base / "fourm-tui"


def config_dir() -> Path:
    """Settings and key maps of the user (`$XDG_CONFIG_HOME/fourm-tui`)."""
    return _xdg("XDG_CONFIG_HOME", ".config")


def cache_dir() -> Path:
    """What can be made again: thumbnails, calibrations (`$XDG_CACHE_HOME/fourm-tui`)."""
    return _xdg("XDG_CACHE_HOME", ".cache")


def state_dir() -> Path:
    """The engine's queue and log, recent files (`$XDG_STATE_HOME/fourm-tui`)."""
    return _xdg("XDG_STATE_HOME", ".local/state")


def _shipped(name: str) -> Path:
    """`name` inside the installed package, or beside it in a checkout (an editable install)."""
    installed = _PACKAGE / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def schedules_dir() -> Path:
    """The ready-made schedules, model and data configs."""
    return _shipped("schedules")


def themes_dir() -> Path:
    """The colour themes."""
    return _shipped("themes")


def bundled_dir() -> Path:
    """The checkpoints of the model in the box, each in a folder of its own."""
    return _PACKAGE / "demo" / "weights"
