"""Keys that come in a burst go where a person means them who types slowly."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from fourm_tui.tui.app import FourmApp
from tests.tui.conftest import screen, text


def burst(app: FourmApp, *keys: str) -> None:
    """All of them at once, before any is taken."""
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))


def seen(app: FourmApp) -> str:
    return "\n".join(text(app))


def value(app: FourmApp) -> str:
    return app.screen.query_one(Input).value


@pytest.mark.parametrize(
    ("keys", "found", "wanted"),
    [
        (("colon", *"zoom"), value, "zoom"),
        (("H", "slash", *"xrd"), value, "xrd"),
        (("f1", "a", *"rgb", "enter", "slash", *"xyz"), value, "xyz"),
        (("right", "right", "f1", "f2", *"12", "enter"), lambda app: app.workspace.schedule.base.rows[0].steps, 12),
        (("O", "escape", "right", "right", *"13", "enter"), lambda app: app.workspace.schedule.base.rows[0].steps, 13),
        (("S", *"xx", "escape", "plus", "u", "q"), lambda app: app.return_code, 0),
    ],
    ids=["palette", "filter", "browser", "pane", "dialog left", "many"],
)
def test_each_key_goes_where_the_one_before_leads(
    keys: tuple[str, ...], found: Callable[[FourmApp], object], wanted: object
) -> None:
    async def run() -> None:
        async with screen() as (app, pilot):
            burst(app, *keys)
            await reached(app, pilot, lambda: has(found(app), wanted))

    def has(what: object, part: object) -> bool:
        return what.endswith(part) if isinstance(what, str) and isinstance(part, str) else what == part

    async def reached(app: FourmApp, pilot: Pilot[int], is_there: Callable[[], bool]) -> None:
        for _ in range(300):
            await asyncio.sleep(0.01)
            try:
                if is_there():
                    return
            except Exception:  # not yet on that screen
                continue
        raise AssertionError(seen(app))

    asyncio.run(run())


def test_what_is_pasted_after_a_key_goes_where_the_key_leads() -> None:
    async def run() -> None:
        async with screen() as (app, pilot):
            burst(app, "colon")
            app.post_message(events.Paste("save"))
            await pilot.pause()
            while not isinstance(app.focused, Input) or not app.focused.value:
                await pilot.pause(0.01)
            assert value(app) == "save"

    asyncio.run(run())
