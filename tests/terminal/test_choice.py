"""What a terminal gets, from what is asked for, its environment and its answers."""

from __future__ import annotations

import pytest

from fourm_tui.errors import InputError
from fourm_tui.terminal.choice import Answers, Tmux, choose

XTERM = {"TERM": "xterm-256color"}
TRUE = {**XTERM, "COLORTERM": "truecolor"}
KITTY, GHOSTTY = {"TERM": "xterm-kitty"}, {"TERM": "xterm-256color", "TERM_PROGRAM": "ghostty"}
WEZTERM = {**XTERM, "TERM_PROGRAM": "WezTerm"}
IN_TMUX = {"TERM": "tmux-256color", "TMUX": "/tmp/tmux-0/default,1,0", "COLORTERM": "truecolor"}
SIXEL, PLAIN, MUTE = Answers(True, (64, 4, 22)), Answers(True, (62, 22)), Answers(True, None)
SAYS_KITTY = Answers(True, (62,), kitty=True)


@pytest.mark.parametrize(
    ("env", "answers", "protocol", "colours", "ascii"),
    [
        (TRUE, SIXEL, "sixel", "truecolor", False),
        (XTERM, SIXEL, "sixel", "256", False),
        (XTERM, PLAIN, "blocks", "256", False),
        ({"TERM": "xterm"}, MUTE, "blocks", "16", False),
        (KITTY, SAYS_KITTY, "kitty", "truecolor", False),
        (GHOSTTY, SAYS_KITTY, "kitty", "truecolor", False),
        (KITTY, PLAIN, "blocks", "truecolor", False),
        (WEZTERM, SAYS_KITTY, "blocks", "truecolor", False),
        (XTERM, SAYS_KITTY, "blocks", "256", False),
        ({"TERM": "foot"}, PLAIN, "blocks", "truecolor", False),
        ({"TERM": "screen"}, SIXEL, "blocks", "16", False),
        ({**TRUE, "STY": "1.pts"}, SIXEL, "blocks", "truecolor", False),
        ({"TERM": "dumb"}, MUTE, "blocks", "none", True),
        ({}, MUTE, "blocks", "none", True),
        ({**TRUE, "NO_COLOR": "1"}, PLAIN, "blocks", "none", False),
        (IN_TMUX, Answers(True, (64, 4), tmux=Tmux("xterm-256color", ("256", "RGB"))), "blocks", "truecolor", False),
        (IN_TMUX, Answers(True, tmux=Tmux("xterm-256color", ("256", "RGB", "sixel"))), "sixel", "truecolor", False),
        (IN_TMUX, Answers(True, tmux=Tmux("xterm-kitty", ("256", "title"), True)), "blocks", "256", False),
        (IN_TMUX, Answers(True, tmux=Tmux()), "blocks", "256", False),
        ({**IN_TMUX, "TERM": "screen"}, Answers(True, tmux=Tmux()), "blocks", "16", False),
        (TRUE, Answers(False), "none", "truecolor", False),
        ({**TRUE, "FOURM_TUI_PROTOCOL": "blocks"}, SIXEL, "blocks", "truecolor", False),
        ({**XTERM, "FOURM_TUI_COLOURS": "truecolor"}, PLAIN, "blocks", "truecolor", False),
        ({**XTERM, "FOURM_TUI_COLOURS": "auto"}, PLAIN, "blocks", "256", False),
    ],
)
def test_what_is_chosen(env: dict[str, str], answers: Answers, protocol: str, colours: str, ascii: bool) -> None:
    choice = choose(env, answers)
    assert (choice.protocol, choice.colours, choice.ascii) == (protocol, colours, ascii)
    assert choice.reason


@pytest.mark.parametrize("answers", [SIXEL, Answers(False)])
def test_what_is_asked_for_beats_everything(answers: Answers) -> None:
    choice = choose({**TRUE, "FOURM_TUI_PROTOCOL": "sixel"}, answers, "kitty")
    assert choice.protocol == "kitty"
    assert "--protocol" in choice.reason


def test_ascii_when_asked_for_or_where_the_output_is_not_utf_8() -> None:
    assert choose(TRUE, SIXEL, ascii=True).protocol == "blocks"
    assert choose(TRUE, PLAIN, ascii=True).ascii
    assert choose(TRUE, PLAIN, encoding="ANSI_X3.4-1968").ascii
    assert not choose(TRUE, PLAIN, encoding="utf8").ascii


def test_the_cell_is_the_terminals_or_ten_by_twenty() -> None:
    assert choose(TRUE, PLAIN).cell == (10, 20)
    assert choose(TRUE, Answers(True, cell=(7, 15))).cell == (7, 15)


@pytest.mark.parametrize("variable", ["FOURM_TUI_PROTOCOL", "FOURM_TUI_COLOURS"])
def test_a_variable_with_a_value_that_does_not_exist_is_an_error(variable: str) -> None:
    with pytest.raises(InputError, match=variable):
        choose({**TRUE, variable: "ansi\x1b"}, PLAIN)
