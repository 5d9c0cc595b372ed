"""Samples without anything: unconditional generation."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from fourm_tui.conditions.condition import Condition


@dataclass(frozen=True)
class Empty:
    """As many samples as are asked for."""

    count: int
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return f"no data (unconditional), {self.count:,} sample{'' if self.count == 1 else 's'}"

    def __len__(self) -> int:
        return self.count

    def name(self, number: int) -> str:
        return str(number)

    def conditions(self, number: int) -> dict[str, Condition]:
        return {}

    def picture(self, number: int) -> Image.Image | None:
        return None
