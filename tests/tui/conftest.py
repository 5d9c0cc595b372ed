"""What the tests of the screens share: the application without an engine, in folders of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from fourm_tui.terminal.choice import Choice
from fourm_tui.tui.app import FourmApp
from fourm_tui.tui.settings import Settings
from fourm_tui.tui.workspace import Workspace

DEMO = "demo/T2SDR"
CAPTION = "a large red sphere on grey ground"


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the test works in; settings and state of the program lie there too."""
    for name in ("CONFIG", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / f".{name.lower()}"))
    for name in ("SSH_CONNECTION", "VISUAL", "EDITOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def demo() -> Workspace:
    """The demonstration schedule with a caption."""
    return Workspace.open(DEMO, conditions=[f"caption={CAPTION}"])


@asynccontextmanager
async def screen(
    workspace: Workspace | None = None,
    size: tuple[int, int] = (120, 40),
    settings: Settings | None = None,
    choice: Choice | None = None,
) -> AsyncIterator[tuple[FourmApp, Pilot[int]]]:
    """The application on a terminal that is none, as soon as all is drawn."""
    app = FourmApp(workspace or demo(), choice, settings, with_engine=False)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield app, pilot


def text(app: FourmApp) -> list[str]:
    """The lines of the screen that is on top, as they are seen."""
    update = app.screen._compositor.render_full_update()
    return ["".join(segment.text for segment in strip) for strip in update.strips]
