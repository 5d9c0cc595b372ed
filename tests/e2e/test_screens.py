"""The screens in a real terminal with the model in the box, by keyboard: what a person does, and what may befall one."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fourm_tui.paths import schedules_dir, state_dir
from fourm_tui.runs import list_runs, open_run
from fourm_tui.schedule.document import Document
from fourm_tui.schedule.editor import Editor
from tests.e2e.tmux import PROGRAM, Tmux, end_engine, processes

pytestmark = [
    pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux, a terminal that can be read"),
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes in /proc"),
]

OURS = state_dir().name
"""What the program's folders are called."""
SCENE = schedules_dir() / "demo" / "scene"
CAPTION = "-i 'caption=a small blue box'"
LONG = "demo/T2R --set decoding_steps=196 --num-variations 64 " + CAPTION
"""Longer than a test waits."""
SECONDS = "demo/T2R --set decoding_steps=196 --num-variations 2 " + CAPTION
"""Some of them."""
READY = "q quit"
"""In the last line of the main screen, whatever has the focus."""

Start = Callable[..., Tmux]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
def start(home: Path) -> Iterator[Start]:
    """Opens the screens in a terminal; the first start's welcome is over where nobody asks for it."""
    opened: list[Tmux] = []

    def open_(words: str = "", first: bool = False, shows: str = READY, **env: str) -> Tmux:
        if not first:
            (home / "xdg_state_home" / OURS).mkdir(parents=True, exist_ok=True)
            (home / "xdg_state_home" / OURS / "welcomed").touch()
        if opened:
            opened[-1].close()
        opened.append(Tmux(f"{PROGRAM} {words}", home, **env))
        opened[-1].wait_for(shows)
        return opened[-1]

    yield open_
    for each in opened:
        each.close()
    end_engine(home)
    for pid in processes(home):
        os.kill(pid, signal.SIGKILL)


def wait(until: Callable[[], Any], seconds: float = 60) -> Any:
    limit = time.monotonic() + seconds
    while not (found := until()):
        assert time.monotonic() < limit, "it did not happen"
        time.sleep(0.02)
    return found


def the_screens(home: Path) -> list[int]:
    """The processes that draw, not those of the engine."""
    return [pid for pid, words in processes(home).items() if "fourm_tui" in words and "engine" not in words]


def status(home: Path) -> str:
    """Of the newest run; empty if there is none."""
    runs = list_runs(home / "runs").runs
    return open_run(runs[0].folder).record.status if runs else ""


def edit(terminal: Tmux, value: str, shown: str) -> None:
    """Types a value into the cell under the cursor, and waits until it stands there and the cell is closed."""
    terminal.type(value)
    terminal.keys("Enter")
    terminal.wait_for(shown)


def schedule(path: Path) -> list[tuple[Any, Any]]:
    """Steps and temperature of each row of a file."""
    rows = [row for _, _, row in Editor((Document.read(path),)).schedule.rows()]
    return [(row.steps, row.temp) for row in rows]


# -- the story ----------------------------------------------------------------------------------------------------


def test_a_demo_runs_in_three_keys_from_a_first_start(start: Start) -> None:
    terminal = start(first=True)
    terminal.wait_for("Welcome. r makes the first picture")
    terminal.keys("r", "F4", "z")
    terminal.wait_for(r"4 preview(.|\n)*RGB(.|\n)*seed 0")


def test_from_a_picture_through_three_cells_and_a_run_to_a_file_and_back(start: Start, home: Path) -> None:
    for picture in SCENE.glob("*.png"):
        shutil.copy(picture, home)
    terminal = start("demo/RGB2all")
    # A picture is chosen as a condition.
    terminal.keys("F1", "a")
    terminal.wait_for("give what")
    terminal.keys("Enter")
    terminal.wait_for("photo.png")
    terminal.keys("/")
    terminal.wait_for("part of a name")
    terminal.type("photo")
    terminal.wait_for("1 of")
    terminal.keys("Enter")
    terminal.wait_for(r"RGB +photo.png +224 x 224")
    # Three cells are edited.
    terminal.keys("F2")
    terminal.wait_for("a add row")
    terminal.keys("Right", "Right")
    edit(terminal, "196", r"roar +196 +196")
    terminal.keys("Right", "Right", "Right")
    edit(terminal, "0.7", r"tok_semseg.* 0\.7 ")
    terminal.keys("Down")
    edit(terminal, "0.6", r"tok_depth.* 0\.6 ")
    # It runs, and its map fills.
    terminal.keys("r")
    terminal.wait_for(r"step \d+ of 196  \d+ of 196")
    assert re.search(r"· · ·|··", terminal.screen()), "no position is open"
    terminal.wait_for("✓ done")
    terminal.keys("F4", "n")
    filled = terminal.wait_for(r"196 steps  196 tokens")
    assert "··" not in filled
    assert any(char in filled for char in "▄▀▆▂")
    assert re.search(r"\x1b\[[0-9;]*48;[25];", terminal.coloured()), "no cell has a ground of its own"
    # It is saved, left, and opened again.
    terminal.keys("F2", "s")
    terminal.wait_for("save as")
    terminal.keys("Enter")
    terminal.wait_for("saved .*RGB2all_roar1_t0.01.yaml")
    assert schedule(home / "RGB2all_roar1_t0.01.yaml")[:3] == [(196, 0.7), (1, 0.6), (1, 0.01)]
    terminal.keys("q")
    terminal.wait_for("ended with 0")
    again = start("RGB2all_roar1_t0.01.yaml")
    again.wait_for(r"tok_semseg@224 +roar +196 .* 0\.7 ")
    assert re.search(r"tok_depth@224 +roar +1 .* 0\.6 ", again.screen())


# -- what is not saved comes back -------------------------------------------------------------------------------------


def test_what_was_edited_comes_back_after_the_program_was_killed(start: Start, home: Path) -> None:
    terminal = start("demo/T2SDR")
    terminal.keys("Right", "Right")
    edit(terminal, "11", "roar +11 ")
    wait(lambda: list(home.glob(f"xdg_state_home/{OURS}/drafts/*.json")))
    for pid in the_screens(home):
        os.kill(pid, signal.SIGKILL)
    terminal.wait_for("ended with 137")
    again = start("demo/T2SDR", shows="take the draft over")  # lies over the main screen at once
    again.wait_for(r"has changes (.|\n)* not saved")
    again.keys("t")
    again.wait_for(r"tok_semseg@224 +roar +11 ")


# -- terminals that go, shrink, or are left ---------------------------------------------------------------------------


def test_a_run_goes_on_after_its_terminal_was_closed(start: Start, home: Path) -> None:
    terminal = start(SECONDS)
    terminal.keys("r")
    terminal.wait_for(r"step \d+ of 196")
    terminal.close()
    wait(lambda: not the_screens(home))
    assert status(home) == "running"
    wait(lambda: status(home) == "done")


def test_everything_is_back_after_a_storm_of_sizes(start: Start, home: Path) -> None:
    config(home, "settings.yaml", "warm_engine: false\n")  # whose memory would change what is seen
    terminal = start("demo/T2SDR")
    # The first pictures of the screen come in pieces; keys are answered when that is over.
    terminal.keys("Down")
    terminal.wait_for("row 2 Depth")
    terminal.keys("Up")
    before = terminal.wait_for(r"▸ 1 tok_semseg@224 +roar(.|\n)*row 1 Segmentation")
    assert before.count("╭") == before.count("╯") == 4
    for at in range(20):
        terminal.resize(*((40, 10), (200, 60), (80, 24), (79, 23), (100, 30))[at % 5])
    terminal.resize(30, 8)
    terminal.wait_for("a little more room(.|\n)*30 x 8")
    terminal.keys("r", "x", "q")  # nothing is done unseen
    terminal.resize(31, 8)
    terminal.wait_for("31 x 8")
    wait(lambda: not terminal.unread())  # keys that are read only when there is room again are not unseen
    terminal.resize(120, 40)
    terminal.wait_for(lambda screen: screen == before)


def is_restored(terminal: Tmux) -> bool:
    """Whether the terminal shows what it showed before, its cursor, and sends keys as a shell expects them."""
    return terminal.ask("#{alternate_on} #{cursor_flag} #{mouse_any_flag}") == "0 1 0"


def test_the_terminal_is_as_it_was_after_leaving(start: Start) -> None:
    terminal = start("demo/T2SDR")
    assert terminal.ask("#{alternate_on}") == "1"
    terminal.keys("q")
    terminal.wait_for("ended with 0")
    assert is_restored(terminal)


def test_the_terminal_is_as_it_was_after_sigterm(start: Start, home: Path) -> None:
    terminal = start("demo/T2SDR")
    for pid in the_screens(home):
        os.kill(pid, signal.SIGTERM)
    terminal.wait_for("ended with 143")
    assert is_restored(terminal)


# -- what comes from outside ------------------------------------------------------------------------------------------

HOSTILE = ("\x1b]2;taken\x07.png", "\x1b[2J.png", "a\u202egnp.png", "\u9ad8\u3044\u5c71.png", "line\nbreak.png")


def test_no_file_name_reaches_the_terminal_raw(start: Start, home: Path) -> None:
    for name in HOSTILE:
        shutil.copy(SCENE / "photo.png", home / name)
    terminal = start("demo/RGB2all")
    terminal.keys("F1", "a")
    terminal.wait_for("give what")
    terminal.keys("Enter")
    screen = terminal.wait_for("高い山.png")
    assert "\u202e" not in screen
    assert terminal.ask("#{pane_title}") != "taken"
    assert sum(".png" in line for line in screen.splitlines()) == len(HOSTILE)
    assert is_in_frame(screen)


def is_in_frame(screen: str) -> bool:
    """Whether the right border of the outermost frame stands in one column: nothing has moved a line."""
    from rich.cells import cell_len

    borders = [cell_len(line) for line in screen.splitlines() if line.startswith("│") and line.endswith("│")]
    return len(borders) > 10 and set(borders) == {120}


def test_no_caption_reaches_the_terminal_raw(start: Start, home: Path) -> None:
    (home / "caption.txt").write_text("one \x1b]2;taken\x07 \x1b[31m two \u202e three 高い山 \u05d0\u05d1 \u200d end")
    terminal = start("demo/T2R -i caption=@caption.txt")
    screen = terminal.wait_for("end")
    assert "\u202e" not in screen
    assert terminal.ask("#{pane_title}") != "taken"
    assert is_in_frame(screen)


def test_a_paste_of_100_kilobytes_does_nothing_outside_of_texts(start: Start, home: Path) -> None:
    config(home, "settings.yaml", "warm_engine: false\n")  # whose memory would change what is seen
    terminal = start("demo/T2SDR")
    terminal.wait_for("runs in ml-4m")
    terminal.keys("Down")
    terminal.wait_for("row 2 Depth")
    terminal.keys("Up")
    before = terminal.wait_for("row 1 Segmentation")
    terminal.paste("rxqd " * 20000)
    terminal.keys("F1")
    terminal.wait_for("a add")
    terminal.keys("F2")
    terminal.wait_for(lambda screen: screen.splitlines()[:30] == before.splitlines()[:30])
    assert not (home / "runs").exists()


def test_a_paste_of_100_kilobytes_into_a_text_is_taken_or_refused_and_keys_go_on(start: Start) -> None:
    terminal = start(f"demo/T2R {CAPTION}")
    terminal.keys("F1", "Enter")
    terminal.wait_for("4 words")
    terminal.paste("fox " * 25000)
    terminal.wait_for("25000 words")
    terminal.keys("Escape")
    terminal.wait_for("not taken yet")
    terminal.keys("Escape")
    terminal.wait_for(lambda screen: "[S_1]" not in screen)
    terminal.keys("?")
    terminal.wait_for("Everywhere")


# -- what breaks -----------------------------------------------------------------------------------------------------


def test_a_run_whose_engine_is_killed_is_said_to_have_ended_and_the_next_one_works(start: Start, home: Path) -> None:
    terminal = start(LONG)
    terminal.keys("r")
    terminal.wait_for(r"step \d+ of 196")
    for pid in processes(home):
        if pid not in the_screens(home) and "engine" in processes(home).get(pid, ""):
            os.kill(pid, signal.SIGKILL)
    terminal.wait_for("interrupted")
    terminal.keys("r")
    terminal.wait_for(r"3 run · \d+%(.|\n)*step \d+ of 196")


def config(home: Path, name: str, text: str) -> None:
    path = home / "xdg_config_home" / OURS / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("settings.yaml", "theme: [night\n", r"settings\.yaml:\d+:\d+:.*thedefaultshold"),
        ("settings.yaml", "theme: nowhere\n", "thereisnothemenowhere"),
        ("settings.yaml", "keys: {app.start: x y z, nothing.there: q}\n", "nothing.there"),
        ("themes/broken.yaml", "primary: no colour\n", "broken.yaml:primary:nocolourisnocolour"),
    ],
)
def test_a_broken_file_of_the_user_is_said_once_and_the_defaults_hold(
    start: Start, home: Path, name: str, text: str, said: str
) -> None:
    config(home, name, text)
    terminal = start("demo/T2SDR")
    screen = terminal.wait_for(lambda seen: re.search(said, "".join(seen.split())))  # wherever its lines break
    assert len(re.findall(said, "".join(screen.split()))) == 1
    terminal.keys("?")
    terminal.wait_for("Everywhere")
