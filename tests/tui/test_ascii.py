"""With `--ascii` nothing else reaches the terminal."""

from __future__ import annotations

import asyncio

from fourm_tui.terminal.choice import Choice
from fourm_tui.tui.ascii import as_ascii
from fourm_tui.tui.workspace import Workspace
from tests.tui.conftest import DEMO, screen, text


def test_likenesses_take_the_same_room() -> None:
    assert as_ascii("╭─ 2 a ─╮ b → c … é 漢") == "+- 2 a -+ b > c ~ ? ??"


def test_the_whole_screen_is_ascii() -> None:
    async def body() -> None:
        workspace = Workspace.open(DEMO, conditions=["caption=un château près de la mer, 漢字"])
        async with screen(workspace, choice=Choice("blocks", ascii=True)) as (app, pilot):
            for keys in ((), ("f1",), ("question_mark",), ("escape", "colon"), ("escape", "M")):
                await pilot.press(*keys)
                await pilot.pause()
                assert all(line.isascii() for line in text(app)), keys

    asyncio.run(body())
