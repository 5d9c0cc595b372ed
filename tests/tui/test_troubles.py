"""Messages in the words of the screens: no options of a command line, no long paths before what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from fourm_tui.conditions.given import Given
from fourm_tui.conditions.loading import load_condition
from fourm_tui.errors import InputError
from fourm_tui.schedule.document import Document
from fourm_tui.schedule.rows import Problem
from fourm_tui.tui.troubles import here, in_words, plain
from fourm_tui.tui.workspace import State


def test_a_file_that_is_no_picture_is_said_by_its_title_and_name(tmp_path: Path) -> None:
    path = tmp_path / "a folder" / "broken.png"
    path.parent.mkdir()
    path.write_bytes(b"no picture")
    given = Given("tok_rgb@224", path=path)
    with pytest.raises(InputError) as caught:
        load_condition(given)
    said = in_words(caught.value, State((Document.parse("a: 1", tmp_path / "m.yaml"),), {given.name: given}))
    assert said.startswith("RGB: broken.png")


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("-i tok_rgb@224: /tmp/x/broken.png is no picture", "RGB: broken.png is no picture"),
        ("-i caption: [s_1] is no sentinel", "Caption: [s_1] is no sentinel"),
        ("/tmp/x/mine.yaml:6:15: cfg_scales: is no number", "mine.yaml:6:15: cfg_scales: is no number"),
        ("/tmp/a.png has 3/4 of it", "a.png has 3/4 of it"),
        ("no model is named; name one with -c, such as 4M-7_B_CC12M", "no model is named; M chooses one"),
        ("nothing differs from x; say with --row from where it is made anew", "nothing differs from x"),
        ("runs cannot be written", "runs cannot be written"),
    ],
)
def test_the_words_of_a_shell_are_not_said(message: str, said: str) -> None:
    assert plain(message) == said


def test_hints_are_said_in_the_words_of_the_screens() -> None:
    assert here(Problem("no model is named; name one with -c, such as X")).message == "no model is named; M chooses one"
