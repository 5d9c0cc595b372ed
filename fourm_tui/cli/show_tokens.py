"""Tokens as a map: what colour each position has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from fourm_tui.errors import InputError, printable
from fourm_tui.modalities import MODALITIES
from fourm_tui.pictures.colormaps import VIRIDIS
from fourm_tui.pictures.labels import color_of
from fourm_tui.runs import GIVEN, LEFT_OPEN, read_tokens
from fourm_tui.terminal.panels import Panel
from fourm_tui.terminal.token_map import TokenMap, token_map

By = Literal["step", "confidence", "token"]
BY: tuple[By, ...] = get_args(By)
_GIVEN_COLOUR = (150, 150, 150)
_WIDE = 16  # tokens in a row of a sequence


@dataclass(frozen=True, eq=False)
class Tokens:
    """The tokens of a target, or of an array of them."""

    modality: str
    """Empty where it is not known."""
    tokens: NDArray[Any]
    """`[N]`."""
    step: NDArray[Any] | None
    """`[N]`; None for an array of tokens."""
    confidence: NDArray[Any] | None
    where: str
    """Names the file in messages."""

    @property
    def title(self) -> str:
        return MODALITIES[self.modality].title if self.modality in MODALITIES else printable(self.modality, 60)

    def facts(self, path: str) -> str:
        """One line: size, modality, ranges."""
        known = self.tokens if self.step is None else self.tokens[self.step != LEFT_OPEN]
        extent = f"{known.min()} to {known.max()}" if known.size else "all open"
        steps = f"  {_steps(self.step)} steps" if self.step is not None else ""
        title = f"  {self.title}" if self.title else ""
        return f"{path}  {len(self.tokens)} tokens{title}{steps}  {extent}"

    def panel(self, by: By, title: str) -> Panel:
        """The map, coloured by what is asked for.

        Raises:
            InputError: an array of tokens knows neither steps nor confidence.
        """
        if by != "token" and (self.step is None or self.confidence is None):
            raise InputError(f"{self.where}: holds tokens without their {by}; show it with --by token")
        map_, note = self._map(by)
        return Panel(title, tokens=map_, note=note)

    def _map(self, by: By) -> tuple[TokenMap, str]:
        open_ = np.zeros(len(self.tokens), dtype=bool) if self.step is None else self.step == LEFT_OPEN
        if by == "token":
            known, index = np.unique(self.tokens, return_inverse=True)
            colours = np.array([color_of(int(token), ("token",)) for token in known], dtype=np.uint8)
            return self._grid(colours[index.reshape(-1)], open_), f"{len(np.unique(self.tokens[~open_]))} different"
        assert self.step is not None and self.confidence is not None
        if by == "confidence":
            values = np.clip(np.nan_to_num(self.confidence.astype(np.float64)), 0, 1)
            mean = f"mean {values[self.step >= 0].mean():.2f}" if (self.step >= 0).any() else "none decoded"
            note = f"confidence 0 to 1, {mean}"
        else:
            last = max(int(self.step.max()), 1)
            values = np.clip(self.step / last, 0, 1)
            note = f"step 0 to {int(self.step.max())}" if (self.step >= 0).any() else "none decoded"
        map_ = token_map(np.where(open_, np.nan, values)[None], VIRIDIS)
        colours = np.where((self.step == GIVEN)[:, None], np.array(_GIVEN_COLOUR, dtype=np.uint8), map_.colours[0])
        return self._grid(colours, open_), note

    def _grid(self, colours: NDArray[np.uint8], open_: NDArray[np.bool_]) -> TokenMap:
        count = len(open_)
        height, width = self._shape(count)
        spare = height * width - count
        filled = np.concatenate([colours, np.zeros((spare, 3), dtype=np.uint8)]).reshape(height, width, 3)
        return TokenMap(filled, np.concatenate([open_, np.ones(spare, dtype=bool)]).reshape(height, width))

    def _shape(self, count: int) -> tuple[int, int]:
        modality = MODALITIES.get(self.modality)
        if modality and modality.grid and modality.grid[0] * modality.grid[1] == count:
            return modality.grid
        side = round(count**0.5)
        if side * side == count and (modality is None or modality.grid):
            return side, side
        width = max(1, min(count, _WIDE))
        return max(1, -(-count // width)), width


def file_tokens(path: Path) -> Tokens:
    """The tokens in a file of a run.

    Raises:
        InputError: it cannot be read, or holds something else.
    """
    target = read_tokens(path)
    return Tokens(target.modality, target.tokens, target.step, target.confidence, printable(path))


def array_tokens(tokens: NDArray[Any], modality: str, where: str) -> Tokens:
    """The tokens `[N]` of an array."""
    return Tokens(modality, tokens, None, None, where)


def _steps(step: NDArray[Any]) -> int:
    return int(step.max()) + 1 if (step >= 0).any() else 0
