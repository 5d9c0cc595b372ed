"""How fast a run goes, row by row, and how long it is going to take. Without Textual."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from fourm_tui.events import RowFacts

_RECENT = 40  # steps that the speed is measured over


@dataclass
class _Row:
    """Times of a row, in seconds since 1970."""

    first: float | None = None
    """Of the first step that was told."""
    last: float = 0.0
    steps: int = 0
    """That were told after the first."""
    ended: float | None = None
    seconds: float | None = None
    """That its targets took, pictures included."""


@dataclass
class RunTimes:
    """Measures a run by the times of its events. Rows that were finished before count for nothing."""

    _rows: dict[int, _Row] = field(default_factory=dict)
    _paces: dict[int, float] = field(default_factory=dict)
    """Seconds per step of the rows of the samples before."""
    _pictures: float = 0.0
    """Seconds that theirs took."""
    _newest: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT))

    def run_began(self) -> None:
        self._newest.clear()

    def group_began(self) -> None:
        """All rows are made again, of the next samples."""
        self._paces |= {row: pace for row in self._rows if (pace := self._pace(row)) is not None}
        self._pictures = self._after_rows() or self._pictures
        self._rows.clear()

    def row_began(self, row: int, time: float) -> None:
        self._newest.clear()
        known = self._rows.get(row)
        if known is None or known.ended is not None:
            self._rows[row] = _Row()

    def stepped(self, row: int, time: float) -> None:
        self._newest.append(time)
        times = self._rows.setdefault(row, _Row())
        if times.first is None:
            times.first = time
        else:
            times.steps += 1
        times.last = time

    def row_ended(self, row: int, time: float, seconds: float) -> None:
        """A target of a row is there."""
        times = self._rows.setdefault(row, _Row())
        times.ended, times.seconds = time, seconds

    @property
    def speed(self) -> float | None:
        """Steps per second over the newest ones of a row; None where there are too few."""
        if len(self._newest) < 2 or self._newest[-1] <= self._newest[0]:
            return None
        return (len(self._newest) - 1) / (self._newest[-1] - self._newest[0])

    def seconds_of(self, row: int) -> float | None:
        """How long a finished row took, pictures included."""
        times = self._rows.get(row)
        return times.seconds if times else None

    def left(self, rows: Sequence[RowFacts], row: int, step: int, groups: int = 0) -> float | None:
        """Seconds until the end of a run, at step `step` of row `row`.

        A row that is still to come is taken to be as fast as the newest one of its scheme, else as the present one, and
        its pictures to take as long as those before did on average; None before the first speed is known. So many
        groups of samples are to come after this one.
        """
        paces = {facts.number: pace for facts in rows if (pace := self._pace(facts.number)) is not None}
        present = 1 / self.speed if self.speed else paces.get(row, next(reversed(paces.values()), None))
        if present is None:
            return None
        picture = self._after_rows() or self._pictures
        total = 0.0
        for facts in rows:
            alike = [
                paces[other.number]
                for other in rows
                if other.number in paces and _kind(other) == _kind(facts) and other.number < facts.number
            ]
            pace = paces.get(facts.number, alike[-1] if alike else present)
            total += groups * (facts.steps * pace + picture)
            if facts.number < row or self._is_ended(facts.number):
                continue
            if facts.number == row:
                total += max(facts.steps - step, 0) * present + picture
            else:
                total += facts.steps * pace + picture
        return total

    def _pace(self, row: int) -> float | None:
        """Seconds per step."""
        times = self._rows.get(row)
        if times is None or times.first is None or not times.steps:
            return self._paces.get(row)
        return (times.last - times.first) / times.steps

    def _after_rows(self) -> float:
        """Seconds from the last step of a row to its end, on average over those that have ended."""
        found = [each for number in self._rows if (each := self._after_steps(number)) is not None]
        return sum(found) / len(found) if found else 0.0

    def _after_steps(self, row: int) -> float | None:
        times = self._rows[row]
        return None if times.ended is None or not times.last else max(times.ended - times.last, 0.0)

    def _is_ended(self, row: int) -> bool:
        return row in self._rows and self._rows[row].ended is not None


def _kind(facts: RowFacts) -> tuple[str, bool]:
    return facts.scheme, facts.super_resolution
