"""What the terminal shows already is not sent again."""

from __future__ import annotations

import asyncio

import pytest
from rich.console import Console
from rich.segment import Segment
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from fourm_tui.tui.sent import Parts, Sent
from fourm_tui.tui.widgets.title import TitleLine
from tests.tui.conftest import screen

CONSOLE = Console(width=10, height=2, force_terminal=True)


def whole(*rows: list[str]) -> LayoutUpdate:
    return LayoutUpdate([[Strip([Segment(text)]) for text in row] for row in rows], Region(0, 0, 10, len(rows)))


def part(y: int, x: int, text: str) -> ChopsUpdate:
    chops: list[dict[int, Strip | None]] = [{} for _ in range(2)]
    chops[y] = {x: Strip([Segment(text)])}
    ends = [[] for _ in range(2)]
    ends[y] = [x + len(text)]
    return ChopsUpdate(chops, [(y, x, x + len(text))], ends)


def written(update: object) -> list[tuple[int, int, str]]:
    assert update is None or isinstance(update, Parts)
    return [] if update is None else [(part.y, part.x, part.text) for part in update.parts]


def test_the_first_picture_is_sent_whole_and_a_second_of_the_same_not_at_all() -> None:
    sent = Sent()
    assert written(sent.new_of(whole(["ab", "cd"], ["efgh"]), CONSOLE)) == [(0, 0, "ab"), (0, 2, "cd"), (1, 0, "efgh")]
    assert sent.new_of(whole(["ab", "cd"], ["efgh"]), CONSOLE) is None


def test_only_the_pieces_that_differ_are_sent() -> None:
    sent = Sent()
    sent.new_of(whole(["|", "same", "|"]), CONSOLE)
    assert written(sent.new_of(whole(["!", "same", "!"]), CONSOLE)) == [(0, 0, "!"), (0, 5, "!")]


def test_what_a_part_has_overwritten_is_sent_again() -> None:
    sent = Sent()
    sent.new_of(whole(["ab", "cd"]), CONSOLE)
    assert written(sent.new_of(part(0, 1, "XY"), CONSOLE)) == [(0, 1, "XY")]
    assert written(sent.new_of(whole(["ab", "cd"]), CONSOLE)) == [(0, 1, "b"), (0, 2, "c")]


def test_pieces_that_are_cut_otherwise_are_compared_cell_by_cell() -> None:
    sent = Sent()
    sent.new_of(whole(["ab", "cdef"]), CONSOLE)
    assert written(sent.new_of(whole(["abXYef"]), CONSOLE)) == [(0, 2, "XY")]
    assert written(sent.new_of(whole(["ab", "cd", "ef"]), CONSOLE)) == [(0, 2, "cd")]


def test_a_wide_character_is_never_cut_in_two() -> None:
    sent = Sent()
    sent.new_of(whole(["a狐狸b"]), CONSOLE)
    assert written(sent.new_of(whole(["a狐狗b"]), CONSOLE)) == [(0, 3, "狗")]
    assert written(sent.new_of(whole(["axy狗b"]), CONSOLE)) == [(0, 1, "xy")]
    assert written(sent.new_of(whole(["axz狗b"]), CONSOLE)) == [(0, 2, "z")]


def test_a_part_that_is_shown_already_is_not_sent() -> None:
    sent = Sent()
    sent.new_of(whole(["ab", "cd"]), CONSOLE)
    assert sent.new_of(part(0, 2, "cd"), CONSOLE) is None


def test_nothing_is_known_after_a_picture_or_when_told_to_forget() -> None:
    sent = Sent()
    sent.new_of(whole(["ab"]), CONSOLE)
    sent.new_of(whole(["\x1bPq\x1b\\"]), CONSOLE)
    assert written(sent.new_of(whole(["ab"]), CONSOLE)) == [(0, 0, "ab")]
    sent.forget()
    assert written(sent.new_of(whole(["ab"]), CONSOLE)) == [(0, 0, "ab")]
    assert sent.new_of(None, CONSOLE) is None
    assert sent.new_of(whole(["ab"]), CONSOLE) is None


def test_under_a_dialog_only_what_has_changed_is_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with screen() as (app, pilot):
            await pilot.press("question_mark")
            await pilot.pause()
            painted: list[Region] = []
            title = app.main.query_one(TitleLine)
            monkeypatch.setattr(app.screen, "refresh", lambda *regions, **_: painted.extend(regions))
            for _ in range(2):
                title.refresh()
                await pilot.pause(0.1)
            assert set(painted) == {title.region}

    asyncio.run(run())
