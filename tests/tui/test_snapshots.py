"""What every screen looks like, in dark and light colours, on terminals of three sizes.

`pytest tests/tui/test_snapshots.py --update-snapshots` keeps what there is now; look at the difference before it is
committed.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from huggingface_hub import constants
from PIL import Image
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from fourm_tui.chain import times
from fourm_tui.events import Event, RowStarted, RunDone, RunFailed, RunStarted
from fourm_tui.runs import Run
from fourm_tui.terminal.choice import Choice
from fourm_tui.tui.app import FourmApp
from fourm_tui.tui.run_state import RunState
from fourm_tui.tui.settings import Settings
from fourm_tui.tui.workspace import Workspace
from tests.tui import kept_run
from tests.tui.conftest import CAPTION, DEMO, screen
from tests.tui.snapshots import FOLDER, check, snapshot

MIDDLE = ((120, 40),)
SIZES = ((80, 24), (120, 40), (200, 60))
NAMES = ("2026-11-20_101503_T2SDR_a1b2c3", "2026-11-20_093000_T2SDR_d4e5f6")
"""Of the run folders, the newest first."""
BOX = "det=red sphere 0.1 0.2 0.6 0.7"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

Open = Callable[[FourmApp, Pilot[int]], Awaitable[None]]


@dataclass(frozen=True)
class Scene:
    """A screen: the run that is shown below it, and what is pressed for it to come."""

    keys: tuple[str, ...] = ()
    run: str = ""
    """`half`, `done` or `failed`; empty: none."""
    given: tuple[str, ...] = (f"caption={CAPTION}",)
    chain: str = DEMO
    sizes: tuple[tuple[int, int], ...] = SIZES
    light: tuple[tuple[int, int], ...] = MIDDLE
    """Sizes at which it is looked at in light colours."""


SCENES = {
    "main-first": Scene(light=SIZES),
    "main-half": Scene(("f4",), "half", light=SIZES),
    "main-done": Scene(("f4",), "done", light=SIZES),
    "main-failed": Scene(("f3",), "failed", light=SIZES),
    "main-conditions": Scene(("f1",), given=("caption=a red fox", "tok_normal@224=normals.png")),
    "help": Scene(("?",)),
    "palette": Scene((":",)),
    "palette-found": Scene((":", *"save"), sizes=MIDDLE, light=()),
    "history": Scene(("H",)),
    "history-filter": Scene(("H", "/", *"done"), sizes=MIDDLE, light=()),
    "open": Scene(("o",)),
    "save-as": Scene(("S",)),
    "confirm": Scene(("+", "q")),
    "themes": Scene(("T",)),
    "settings": Scene((",",)),
    "options": Scene(("O",)),
    "models": Scene(("M",)),
    "choose": Scene(("f1", "a")),
    "browser": Scene(("f1", "enter"), chain="demo/RGB2all", given=()),
    "text-caption": Scene(("f1", "enter")),
    "text-boxes": Scene(("f1", "down", "enter"), chain="demo/TB2SR", given=("caption=two things", BOX)),
    "weights": Scene(("g",)),
    "sweep": Scene(("right", "right", "w")),
    "full": Scene(("f4", "n", "n", "p"), "done"),
    "full-tokens": Scene(("f4", "n", "n", "p", "t"), "done", sizes=MIDDLE, light=()),
    "compare": Scene(("f4", "n", "n", "="), "done"),
    "too-small": Scene(sizes=((60, 15),), light=()),
}
LOOKS = [
    *((name, size, "night") for name, scene in SCENES.items() for size in scene.sizes),
    *((name, size, "day") for name, scene in SCENES.items() for size in scene.light),
]


@pytest.fixture(autouse=True)
def same_everywhere(own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Clock, home, models and settings of nobody in particular."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setenv("HOME", str(own_folders))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(own_folders / ".hub"))
    ago = times.ago
    monkeypatch.setattr("fourm_tui.tui.earlier.ago", lambda then, now: ago(then, NOW))
    monkeypatch.setattr(
        "fourm_tui.tui.screens.settings.settings_file", lambda: Path("~/.config/fourm-tui/settings.yaml")
    )
    for widget in (Input, TextArea):
        monkeypatch.setattr(widget, "cursor_blink", False)
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def runs(own_folders: Path) -> list[Run]:
    """Two finished runs with pictures, the newest first."""
    made = []
    for name, temperature, shade in zip(NAMES, (0.7, 0.5), (90, 200), strict=True):
        run = kept_run.kept(own_folders / "runs", 1, temperature, shade)
        run.folder.rename(run.folder.with_name(name))
        run = Run(run.folder.with_name(name), run.record)
        for path in run.folder.rglob("*.png"):
            four_colours(shade).save(path, compress_level=0)  # its size is shown
        date, clock, *_ = name.split("_")
        when = datetime.strptime(date + clock, "%Y-%m-%d%H%M%S").replace(tzinfo=UTC)
        made.append(run.save(created=when.isoformat(), seconds=3.0))
    return made


def four_colours(shade: int) -> Image.Image:
    picture = Image.new("RGB", (64, 64), (shade, 80, 60))
    for at, colour in (((0, 32), (60, shade, 90)), ((32, 0), (40, 60, shade)), ((32, 32), (shade, shade, 40))):
        picture.paste(colour, (*at, at[0] + 32, at[1] + 32))
    return picture


def state(run: Run, how: str) -> RunState:
    """The run as far as it has come; ten events a second."""
    start: list[Event] = [RunStarted(run.name, kept_run.ROWS, (0,), "cpu", "fp32")]
    first = [*kept_run.steps(1, 1), *kept_run.done(run, 1, 1)]
    second = [*kept_run.steps(2, 1), *kept_run.done(run, 2, 1)]
    rest = {
        "half": [*first, *kept_run.steps(2, 1, 2)],
        "done": [*first, *second, *kept_run.words(1), *kept_run.done(run, 3, 1), RunDone(3.0)],
        "failed": [*first, RowStarted(2, "tok_rgb@224", 4, (0,)), RunFailed("out of memory: the device has 24 GB; fewer variations need less", "OutOfMemoryError")],
    }[how]  # fmt: skip
    made = RunState(run.folder, run.name)
    for at, event in enumerate([*start, *rest]):
        made.apply(replace(event, time=1_795_000_000 + at / 10))
    return made


async def settled(app: FourmApp, pilot: Pilot[int]) -> None:
    """Until everything that is read or drawn beside the event loop is there."""
    for _ in range(3):
        await pilot.pause()
        await app.workers.wait_for_complete()
        while not all(is_idle(widget) for shown in app.screen_stack for widget in [shown, *shown.query("*")]):
            await pilot.pause(0.005)
        await pilot.pause()


def is_idle(widget: object) -> bool:
    parts = [widget, *(getattr(widget, name, None) for name in ("_drawings", "_slot", "_thumbnails"))]
    return all(getattr(part, "idle", True) for part in parts if part is not None)


def copy_of_the_scene(folder: Path) -> None:
    from fourm_tui.paths import schedules_dir

    for name in ("photo", "normals"):
        shutil.copy(schedules_dir() / "demo" / "scene" / f"{name}.png", folder)


@pytest.mark.parametrize(
    ("name", "size", "theme"),
    LOOKS,
    ids=map("-".join, [(name, f"{width}x{height}", theme) for name, (width, height), theme in LOOKS]),
)
def test_it_looks_as_before(
    name: str, size: tuple[int, int], theme: str, runs: list[Run], own_folders: Path, request: pytest.FixtureRequest
) -> None:
    scene = SCENES[name]
    copy_of_the_scene(own_folders)
    looks: list[str] = []

    async def look() -> None:
        workspace = Workspace.open(scene.chain, conditions=scene.given, options={"device": "cpu"})
        async with screen(workspace, size, Settings(theme=theme), Choice("blocks")) as (app, pilot):
            if scene.run:
                app.run_state = state(runs[0], scene.run)
                app.run_signal.publish(app.run_state)
            await settled(app, pilot)
            for key in scene.keys:
                await pilot.press(KEYS.get(key, key))
                await settled(app, pilot)
            looks.append(snapshot(app))

    asyncio.run(look())
    assert str(own_folders) not in looks[0], "a path of this machine"
    check(f"{name}-{size[0]}x{size[1]}-{theme}", looks[0], request.config.getoption("--update-snapshots"))


KEYS = {"?": "question_mark", ":": "colon", "/": "slash", "+": "plus", ",": "comma", "=": "equals_sign"}


def test_every_snapshot_belongs_to_a_screen(request: pytest.FixtureRequest) -> None:
    wanted = {f"{name}-{width}x{height}-{theme}" for name, (width, height), theme in LOOKS}
    extra = [path for path in FOLDER.glob("*.txt") if path.stem not in wanted]
    if request.config.getoption("--update-snapshots"):
        for path in extra:
            path.unlink()
    else:
        assert not extra
