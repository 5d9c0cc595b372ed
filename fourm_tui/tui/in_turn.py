"""Keys in their turn: one is given on when the one before has done all it does.

Textual gives a key to what has the focus the moment it arrives. Keys that come in a burst (a slow line, a busy
machine, a macro) would thus go to the place that the first of them is about to leave: `/` and the word that is looked
for, to the list; `F2` and a number, to another pane.

A text that comes as keys (a paste where the terminal does not mark it as one) is given on as a paste, unless it comes
to where text is written anyway: as keys it would be dozens of commands.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from textual import events
from textual.app import App, ScreenStackError
from textual.message_pump import MessagePump

from fourm_tui.tui.blocks import GAP, block, written

_PATIENCE = 0.5
"""Seconds after which is looked whether what a key was given to is gone, and with it what was to come after the key."""
_MOST = 20
"""Such looks after which the next key is given on in any case: a slow machine is waited for, but not for ever."""

_BREATH = 0.002
"""Seconds for which a letter that would be a command is held back, to see whether it is one of a text."""
_ROOM = 20_000
"""Keys that may wait."""


class InTurn:
    """See the module.

    Args:
        app: whose keys they are.
        deliver: gives a key to what has the focus.
        tell: says of a text that came as keys that it is given on as a paste.
    """

    def __init__(
        self,
        app: App[Any],
        deliver: Callable[[events.Event], Awaitable[None]],
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._app, self._deliver, self._tell = app, deliver, tell
        self._waiting: deque[events.Key | events.Paste] = deque()
        self._text: list[events.Key] = []
        """Of a block of text that may not be over."""
        self._is_asked = self._has_looked = False
        """Whether `_look_again` is to come back, or just did."""
        self._since = 0.0
        """Keys of before are not given on; Textual's clock."""
        self._turn = 0
        self._busy = False
        self._watchdog: asyncio.TimerHandle | None = None
        self._at: MessagePump | None = None
        """What the news that a key was taken has come to."""

    async def take(self, event: events.Key | events.Paste) -> None:
        """Gives a key on, now or when its turn comes."""
        if event.time < self._since or len(self._waiting) >= _ROOM:
            return
        is_first = not self._waiting
        self._waiting += self._parted(event)
        if self._busy or not is_first or self._is_asked:
            return
        if written(event) and not self._writes:
            await asyncio.sleep(_BREATH)  # what comes with it is on its way
        await self._go_on()

    def _parted(self, event: events.Key | events.Paste) -> list[events.Key | events.Paste]:
        """Escape and a key right after it come as Alt and that key. Where this means nothing, it was the two."""
        if not isinstance(event, events.Key) or not event.key.startswith("alt+") or not event.is_printable:
            return [event]
        if event.key in self._app.screen.active_bindings:
            return [event]
        parts = events.Key("escape", "\x1b"), events.Key(event.character or "", event.character)
        for part in parts:
            part.time = event.time
        return [*parts]

    def forget(self) -> None:
        """What was typed before another program had the terminal was meant for that one, if for any."""
        self._waiting.clear()
        self._text.clear()
        self._since = time.monotonic()

    @property
    def _target(self) -> MessagePump:
        return self._app.focused or self._app.screen

    @property
    def _writes(self) -> bool:
        """Whether what has the focus wants text."""
        target = self._target
        return _is_field(target) or getattr(target, "editing", None) is not None

    async def _go_on(self) -> None:
        """Gives on what waits, until one has to be waited for."""
        while self._waiting and not self._busy and not self._is_asked:
            head = self._waiting[0]
            if not self._text and (self._writes or not written(head)):
                await self._give(self._waiting.popleft())
                continue
            if self._app.message_queue_size and not self._has_looked:
                self._look_again()
                return
            self._has_looked = False
            if not self._text and not block(self._waiting):
                await self._give(self._waiting.popleft())
            elif not await self._gather():
                return

    def _look_again(self) -> None:
        """Comes back when what is there already has been taken."""

        async def look() -> None:
            self._is_asked = False
            await self._go_on()

        self._has_looked = self._is_asked = self._app.call_later(look)

    async def _gather(self) -> bool:
        """Takes the text at the head; what comes at once after it belongs to it. Whether it is over."""
        while self._waiting and written(head := self._waiting[0]):
            if self._text and head.time - self._text[-1].time > GAP:
                break
            self._text.append(self._waiting.popleft())  # type: ignore[arg-type]
        if not self._waiting:
            count = len(self._text)

            async def over() -> None:
                if self._text and len(self._text) == count and not self._waiting:
                    await self._paste()

            asyncio.get_running_loop().call_later(2 * GAP, self._app.call_later, over)
            return False
        await self._paste()
        return True

    async def _paste(self) -> None:
        text = "".join(map(written, self._text))
        self._text.clear()
        self._tell(text)
        await self._give(events.Paste(text))

    async def _give(self, event: events.Key | events.Paste) -> None:
        target = self._target
        self._turn += 1
        await self._deliver(event)
        if _is_field(target) and isinstance(event, events.Key) and event.is_printable:
            return  # a letter that is written moves no focus
        self._busy = True
        turn = self._turn
        self._watch(turn)
        self._follow(target, turn, target)

    def _watch(self, turn: int, looks: int = 1) -> None:
        """Sees to it that the next key gets its turn when the one before is lost. Where the machine is slow it is not:
        then it would come too early, to what the one before is about to leave."""

        async def look() -> None:
            if turn != self._turn or not self._busy:
                return
            if looks < _MOST and self._at is not None and self._at.is_running:
                self._watch(turn, looks + 1)
            else:
                await self._done(turn, late=True)

        self._watchdog = asyncio.get_running_loop().call_later(_PATIENCE, self._app.call_later, look)

    def _follow(self, node: MessagePump | None, turn: int, then: MessagePump | None) -> None:
        """Comes after the key, and after what its taking sent, up through all who may hear of it; `then` once more
        from there: bindings are looked for when the key has gone all the way up, and what they do is told below."""
        self._at = node or self._app
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
            self._at = screen
            screen.call_later(self._app.call_later, self._done, turn)
            return
        self._busy = False
        if self._watchdog is not None:
            self._watchdog.cancel()
        await self._go_on()


def _is_field(target: MessagePump) -> bool:
    from textual.widgets import Input, TextArea  # they take long to load, and nothing is typed before the first picture

    return isinstance(target, Input | TextArea)
