"""Which graphics and colours a terminal gets: a pure function of what is asked for, the environment and its answers.

The order: what the user asks for, then no pictures without a terminal, then nothing but letters for a dumb one; inside
tmux what its client can do (tmux itself claims sixel whatever is outside); outside sixel if the terminal lists it,
kitty graphics if it says so and bears the name of one that means it, and blocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from fourm_tui.errors import InputError, printable

Protocol = Literal["sixel", "kitty", "blocks", "none"]
Colours = Literal["truecolor", "256", "16", "none"]

PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)
COLOURS: tuple[Colours, ...] = get_args(Colours)
PROTOCOL_VARIABLE, COLOURS_VARIABLE = "FOURM_TUI_PROTOCOL", "FOURM_TUI_COLOURS"
DEFAULT_CELL = (10, 20)
"""Pixels of a cell, width and height, where the terminal does not tell."""

_KITTY_NAMES = ("kitty", "ghostty")
_TRUECOLOR_NAMES = ("kitty", "ghostty", "alacritty", "wezterm", "foot", "iterm", "vscode", "contour", "-direct")
_UTF8 = ("utf8", "utf8sig")


@dataclass(frozen=True)
class Tmux:
    """What tmux says about the terminal it is shown in."""

    terminal: str = ""
    """TERM of the client."""
    features: tuple[str, ...] = ()
    passthrough: bool = False


@dataclass(frozen=True)
class Answers:
    """What is known of a terminal beside its environment."""

    tty: bool = False
    """Whether both ends are one: the output, and the terminal that keys come from."""
    attributes: tuple[int, ...] | None = None
    """Of its primary device attributes (DA1); 4 is sixel. None: it was not asked, or did not answer."""
    kitty: bool = False
    """Whether it answered OK to a query in kitty's protocol."""
    cell: tuple[int, int] | None = None
    """Width and height of a cell in pixels."""
    tmux: Tmux | None = None
    """None outside tmux."""


@dataclass(frozen=True)
class Choice:
    """How pictures are shown."""

    protocol: Protocol
    colours: Colours = "truecolor"
    ascii: bool = False
    """Nothing but ASCII characters."""
    cell: tuple[int, int] = DEFAULT_CELL
    """Width and height of a cell in pixels; it sets the proportions of pictures."""
    reason: str = ""
    """One sentence on why it is so."""


def is_dumb(env: Mapping[str, str]) -> bool:
    """Whether TERM names no terminal that knows escape sequences."""
    return env.get("TERM", "") in ("", "dumb", "unknown")


def in_tmux(env: Mapping[str, str]) -> bool:
    """Whether the terminal is a pane of tmux."""
    return bool(env.get("TMUX"))


def names_kitty(env: Mapping[str, str]) -> bool:
    """Whether the environment names kitty or ghostty. Others answer to kitty's query and draw nothing."""
    return _names(env, _KITTY_NAMES)


def choose(
    env: Mapping[str, str],
    answers: Answers,
    protocol: str | None = None,
    ascii: bool = False,
    encoding: str | None = "utf-8",
) -> Choice:
    """The protocol, the colours and the characters for a terminal.

    Args:
        env: the environment.
        answers: what the terminal said.
        protocol: asked for by the user; None or `auto` chooses.
        ascii: asked for by the user.
        encoding: of the output.

    Raises:
        InputError: the protocol or one of our variables has a value that does not exist.
    """
    asked, variable = protocol or "auto", env.get(PROTOCOL_VARIABLE) or "auto"
    _known("--protocol", asked, PROTOCOLS)
    _known(PROTOCOL_VARIABLE, variable, PROTOCOLS)
    plain = is_dumb(env) and answers.tty
    letters = ascii or plain or (encoding or "").lower().replace("-", "").replace("_", "") not in _UTF8
    if asked != "auto":
        found, reason = asked, f"--protocol {asked} asks for it"
    elif variable != "auto":
        found, reason = variable, f"{PROTOCOL_VARIABLE}={variable} asks for it"
    else:
        found, reason = _found(env, answers, ascii)
    colours = _colours(env, answers)
    return Choice(found, colours, letters, answers.cell or DEFAULT_CELL, reason)  # type: ignore[arg-type]


def _found(env: Mapping[str, str], answers: Answers, ascii: bool) -> tuple[Protocol, str]:
    if not answers.tty:
        return "none", "the output is not a terminal"
    if is_dumb(env):
        return "blocks", f"TERM={printable(env.get('TERM', ''), 40)} names no terminal with graphics"
    if ascii:
        return "blocks", "--ascii asks for letters"
    if answers.tmux is not None or in_tmux(env):
        tmux = answers.tmux or Tmux()
        if "sixel" in tmux.features:
            return "sixel", f"tmux says that {printable(tmux.terminal, 40) or 'its terminal'} shows sixel"
        return "blocks", "tmux does not say that its terminal shows sixel"
    if env.get("STY") or env.get("TERM", "").startswith("screen"):
        return "blocks", "screen passes no graphics on"
    if 4 in (answers.attributes or ()):
        return "sixel", "the terminal lists sixel among its attributes"
    if answers.kitty and names_kitty(env):
        return "kitty", "the terminal is kitty or ghostty and answers in kitty's protocol"
    if answers.attributes is None:
        return "blocks", "the terminal did not say what it can do"
    return "blocks", "the terminal lists no graphics"


def _colours(env: Mapping[str, str], answers: Answers) -> Colours:
    variable = env.get(COLOURS_VARIABLE)
    if variable:
        _known(COLOURS_VARIABLE, variable, COLOURS)
        return variable if variable in COLOURS else _of_terminal(env, answers)
    if env.get("NO_COLOR"):
        return "none"
    if not answers.tty:
        return "truecolor"  # a picture was asked for, and who reads it is not known
    return _of_terminal(env, answers)


def _of_terminal(env: Mapping[str, str], answers: Answers) -> Colours:
    if is_dumb(env):
        return "none"
    if answers.tmux is not None:
        features = answers.tmux.features
        return "truecolor" if "RGB" in features else "256" if "256" in features or _has_256(env) else "16"
    if env.get("COLORTERM", "").lower() in ("truecolor", "24bit") or env.get("WT_SESSION"):
        return "truecolor"
    if _names(env, _TRUECOLOR_NAMES):
        return "truecolor"
    return "256" if _has_256(env) else "16"


def _has_256(env: Mapping[str, str]) -> bool:
    return "256" in env.get("TERM", "")


def _names(env: Mapping[str, str], names: tuple[str, ...]) -> bool:
    given = f"{env.get('TERM', '')} {env.get('TERM_PROGRAM', '')}".lower()
    return any(name in given for name in names)


def _known(where: str, value: str, values: tuple[str, ...]) -> None:
    if value != "auto" and value not in values:
        raise InputError(f"{where}: {printable(value, 40)} is none of auto, {', '.join(values)}")
