"""Undo and redo without limit, for any kind of immutable state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class History(Generic[T]):
    """States in the order in which they came to be, and which of them is the present one."""

    states: tuple[T, ...]
    labels: tuple[str, ...] = ("",)
    """What led to each state."""
    at: int = 0

    @classmethod
    def start(cls, state: T) -> History[T]:
        return cls((state,))

    @property
    def state(self) -> T:
        return self.states[self.at]

    @property
    def can_undo(self) -> bool:
        return self.at > 0

    @property
    def can_redo(self) -> bool:
        return self.at + 1 < len(self.states)

    def push(self, state: T, label: str) -> History[T]:
        """With a new present; what was undone before is forgotten. The same state again is no step."""
        if state == self.state:
            return self
        end = self.at + 1
        return History((*self.states[:end], state), (*self.labels[:end], label), end)

    def undo(self) -> History[T]:
        return History(self.states, self.labels, max(0, self.at - 1))

    def redo(self) -> History[T]:
        return History(self.states, self.labels, min(len(self.states) - 1, self.at + 1))
