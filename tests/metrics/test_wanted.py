"""Which figures a chain and its data allow."""

from __future__ import annotations

import pytest

from fourm_tui.metrics.wanted import Wanted, measured, wanted_for
from fourm_tui.schedule.rows import Part, Row, Schedule


def part(prefix: str, conditions: str, targets: str) -> Part:
    rows = [
        Row(target, 1, "roar", 1, "linear", 1.0, "constant", 1.0, "constant", 0.0, 0.0) for target in targets.split()
    ]
    return Part(prefix, tuple(conditions.split()), tuple(rows))


BASE = part("", "caption", "tok_clip@224 tok_rgb@224")
UNSEEN = part("sr_", "tok_rgb@224", "tok_clip@448 tok_rgb@448")


@pytest.mark.parametrize(
    ("schedule", "pictures", "wanted", "outputs"),
    [
        (Schedule(BASE), True, "fid inception clip", "tok_rgb@224"),
        (Schedule(BASE), False, "inception clip", "tok_rgb@224"),
        (Schedule(part("", "det", "tok_rgb@224")), True, "fid inception", "tok_rgb@224"),
        (Schedule(part("", "", "tok_rgb@224")), False, "inception", "tok_rgb@224"),
        (Schedule(part("", "caption rgb@224", "tok_depth@224")), True, "", ""),
        (Schedule(BASE, UNSEEN), True, "fid inception clip", "tok_rgb@224 tok_rgb@448"),
        (Schedule(part("", "caption", "tok_clip@224"), UNSEEN), False, "inception clip", "tok_rgb@448"),
        (Schedule(part("", "det", "caption tok_rgb@224"), part("sr_", "caption", "tok_rgb@448")), True,
         "fid inception", "tok_rgb@224 tok_rgb@448"),
        (Schedule(None, part("sr_", "caption tok_rgb@224", "tok_rgb@448")), True, "fid inception clip", "tok_rgb@448"),
    ],
)  # fmt: skip
def test_what_is_measured(schedule: Schedule, pictures: bool, wanted: str, outputs: str) -> None:
    expected = Wanted(**{name: name in wanted.split() for name in ("fid", "inception", "clip")})
    assert wanted_for(schedule, pictures) == expected
    assert measured(schedule) == tuple(outputs.split())
    assert bool(expected) == bool(outputs)
