"""Where outputs lie in a room, and how often they are drawn."""

from __future__ import annotations

from itertools import combinations

import pytest

from fourm_tui.tui.arrange import Rect, arrange, grid
from fourm_tui.tui.pace import Pace

ROOMS = [(83, 16), (76, 18), (70, 50), (40, 8), (30, 5), (200, 60), (12, 3)]


def overlap(a: Rect, b: Rect) -> bool:
    across = a.x < b.x + b.width and b.x < a.x + a.width
    return across and a.y < b.y + b.height and b.y < a.y + a.height


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_nothing_overlaps_or_reaches_out(room: tuple[int, int], count: int) -> None:
    laid = arrange(*room, [1.0] * count, count - 1, [1.0, 1.0])
    rects = [laid.main, *laid.beside, *(rect for _, rect in laid.others)]
    assert all(r.x >= 0 and r.y >= 0 and r.x + r.width <= room[0] and r.y + r.height <= room[1] for r in rects)
    assert not any(overlap(a, b) for a, b in combinations(rects, 2))


@pytest.mark.parametrize("room", [(83, 16), (76, 18), (70, 50), (200, 60)])
def test_all_targets_are_seen_where_there_is_room(room: tuple[int, int]) -> None:
    assert {index for index, _ in arrange(*room, [1.0] * 4, 2).others} == {0, 1, 3}


def test_the_selected_one_is_the_largest() -> None:
    laid = arrange(83, 16, [1.0] * 3, 1)
    assert all(laid.main.area > rect.area for _, rect in laid.others)


def test_a_square_picture_stays_square() -> None:
    main = arrange(83, 16, [1.0], 0).main
    assert main.width == 2 * (main.height - 1)


def test_a_wide_picture_is_not_higher_than_it_has_to_be() -> None:
    main = arrange(40, 30, [4.0], 0).main
    assert (main.width, main.height - 1) == (40, 5)


def test_companions_are_left_out_before_targets_are() -> None:
    laid = arrange(44, 16, [1.0, 1.0], 0, [1.0])
    assert len(laid.others) == 1
    assert laid.beside == ()


def test_a_grid_gives_all_the_same_room() -> None:
    rects = grid(83, 16, [1.0] * 6)
    assert len(rects) == 6
    assert len({(rect.width, rect.height) for rect in rects}) == 1


def test_a_grid_without_room_shows_fewer() -> None:
    assert 0 < len(grid(20, 8, [1.0] * 50)) < 50


def test_drawing_waits_for_the_interval() -> None:
    pace = Pace(0.2)
    pace.drew(10.0, 0)
    assert pace.wait(10.05) == pytest.approx(0.15)


def test_the_first_drawing_does_not_wait() -> None:
    assert Pace(0.2, 40_000).wait(0.0) == 0


def test_much_at_once_is_made_up_for() -> None:
    pace = Pace(0.2, 40_000)
    pace.drew(0.0, 200_000)  # five seconds' worth, one of which may be saved up
    assert pace.wait(0.0) == pytest.approx(4.0)


def test_waiting_pays_debts() -> None:
    pace = Pace(0.2, 40_000)
    pace.drew(0.0, 200_000)
    assert pace.wait(4.5) == 0


def test_a_needed_companion_makes_the_selected_one_smaller() -> None:
    assert arrange(70, 50, [1.0] * 3, 2, [1.0]).beside == ()
    assert len(arrange(70, 50, [1.0] * 3, 2, [1.0], needed=1).beside) == 1
