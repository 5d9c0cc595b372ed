"""Samples done together or, where memory does not allow that, in parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch

from fourm_tui.engine.memory import does_not_fit, forget_unused, is_out_of_memory
from fourm_tui.events import Note


def pieces_of(count: int, most: int) -> list[range]:
    """So many places, at most `most` in each part."""
    return [range(at, min(at + most, count)) for at in range(0, count, most)]


class Pieces:
    """Parts of so many places, to be done one after the other.

    Args:
        count: of the places.
        most: in each part, to begin with.
        device: where they are done.
        forget: frees what models keep from pass to pass, and says whether there was anything.
    """

    def __init__(self, count: int, most: int, device: torch.device, forget: Callable[[], bool]) -> None:
        self.most, self.device, self._forget = most, device, forget
        self._left = pieces_of(count, most)
        self._has_freed = False

    def __iter__(self) -> Iterator[range]:
        while self._left:
            yield self._left.pop(0)

    def again(self, piece: range, error: Exception, what: str) -> Iterator[Note]:
        """Has a part done again that has failed: as it is, once, if there was something to free, else in halves, which
        is told.

        Raises:
            OutOfMemoryError: it is a single sample.
            Exception: `error`, if it is about something else.
        """
        if not is_out_of_memory(error):
            raise error
        if self._forget() and not self._has_freed:
            self._has_freed = True
            self._left.insert(0, piece)
            forget_unused()
            return
        if len(piece) == 1:
            raise does_not_fit(error, self.device) from None
        middle = piece.start + (len(piece) + 1) // 2
        self._left[:0] = [range(piece.start, middle), range(middle, piece.stop)]
        self.most = min(self.most, middle - piece.start)
        forget_unused()
        yield Note(
            f"{what}: {len(piece)} samples at once do not fit in memory; going on with {len(self._left[0])}", True
        )
