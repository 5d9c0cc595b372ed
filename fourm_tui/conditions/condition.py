"""A condition, ready for the engine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fourm_tui.conditions.views import View


class Untokenized(Protocol):
    """A sequence, parts of which a tokenizer has yet to encode."""

    def text(self, tokens: NDArray[Any]) -> str:
        """The native string, given the tokens `[M, K]` of the M parts in `Condition.values`."""


@dataclass(frozen=True, eq=False)
class Condition:
    """One condition of one sample; which field is filled depends on the modality's kind."""

    name: str
    complete: bool = True
    text: str | None = None
    """Sequences: text, with sentinels `[S_1]` where something is to be generated."""
    pixels: NDArray[np.float32] | None = None
    """Pictures: `[3, H, W]`, ImageNet-normalised."""
    tokens: NDArray[np.int64] | None = None
    """Image tokens: `[N]`, row by row. None where `values` are to be encoded first."""
    known: NDArray[np.bool_] | None = None
    """Which tokens are given, `[N]`; None: all."""
    vectors: NDArray[np.float32] | None = None
    """T5 embeddings: `[L, 4096]`."""
    values: NDArray[Any] | None = None
    """What the modality's tokenizer takes, if tokens were not given: `[C, H, W]` float32 for pictures and features
    (`[C, 1, 1]` for global features), `[H, W]` int64 class ids for segmentation, `[M, 207, 1, 1]` float32 rotation
    matrices for M people, `[M, 1, 64, 64]` float32 masks (0 or 1) for M instances."""
    untokenized: Untokenized | None = None
    """For people and instances: makes the text from their tokens."""
    view: View | None = None
    """What of a picture is shown, if the condition came from one."""

    @property
    def needs_tokens(self) -> bool:
        """Whether a tokenizer has to encode `values` before the model can take the condition."""
        return self.values is not None and self.tokens is None and self.text is None

    def with_tokens(self, tokens: NDArray[Any]) -> Condition:
        """The condition with its values encoded.

        Args:
            tokens: image tokens, as many as the modality has positions, or those of people or instances, `[M, K]`.
        """
        if self.untokenized is not None:
            return replace(self, text=self.untokenized.text(tokens))
        return replace(self, tokens=tokens.reshape(-1).astype(np.int64))
