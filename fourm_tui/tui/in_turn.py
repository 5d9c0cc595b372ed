"""Keys in their turn: one is given on when the one before has done all it does.

Textual gives a key to what has the focus the moment it arrives. Keys that come in a burst (a slow line, a busy
machine, a macro) would thus go to the place that the first of them is about to leave: `/` and the word that is looked
for, to the list; `F2` and a number, to another pane.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from textual import events
from textual.app import App, ScreenStackError
from textual.message_pump import MessagePump
from textual.widgets import Input, TextArea

_PATIENCE = 0.5
"""Seconds after which the next key is given on in any case: what the one before was given to may be gone."""


class InTurn:
    """See the module.

    Args:
        app: whose keys they are.
        deliver: gives a key to what has the focus.
    """

    def __init__(self, app: App[Any], deliver: Callable[[events.Event], Awaitable[None]]) -> None:
        self._app, self._deliver = app, deliver
        self._waiting: deque[events.Key | events.Paste] = deque()
        self._turn = 0
        self._busy = False
        self._watchdog: asyncio.TimerHandle | None = None

    async def take(self, event: events.Key | events.Paste) -> None:
        """Gives a key on, now or when its turn comes."""
        if self._busy or self._waiting:
            self._waiting.append(event)
        else:
            await self._give(event)

    async def _give(self, event: events.Key | events.Paste) -> None:
        target: MessagePump = self._app.focused or self._app.screen
        self._turn += 1
        await self._deliver(event)
        if isinstance(target, Input | TextArea) and isinstance(event, events.Key) and event.is_printable:
            await self._go_on()  # a letter that is written moves no focus
            return
        self._busy = True
        loop, turn = asyncio.get_running_loop(), self._turn
        self._watchdog = loop.call_later(_PATIENCE, self._app.call_later, self._done, turn, True)
        self._follow(target, turn, target)

    def _follow(self, node: MessagePump | None, turn: int, then: MessagePump | None) -> None:
        """Comes after the key, and after what its taking sent, up through all who may hear of it; `then` once more
        from there: bindings are looked for when the key has gone all the way up, and what they do is told below."""
        if node is not None and node is not self._app:
            if not node.call_later(node.call_later, self._follow, node._parent, turn, then):
                self._follow(node._parent, turn, then)
        elif then is not None:
            self._app.call_later(self._app.call_later, self._follow, then, turn, None)
        else:
            self._app.call_later(self._app.call_later, self._done, turn)

    async def _done(self, turn: int, late: bool = False) -> None:
        """A key has done what it does; a screen that it opened is to be there before the next one."""
        if turn != self._turn or not self._busy:
            return
        try:
            screen = self._app.screen
        except ScreenStackError:
            return  # it ends
        if not screen.is_mounted and not late:
            screen.call_later(self._app.call_later, self._done, turn)
            return
        self._busy = False
        if self._watchdog is not None:
            self._watchdog.cancel()
        await self._go_on()

    async def _go_on(self) -> None:
        if self._waiting:
            await self._give(self._waiting.popleft())
