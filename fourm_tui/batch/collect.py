"""What a chunk has come to, gathered while it is generated; pictures are drawn later, by whoever saves them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from PIL import Image

from fourm_tui.conditions.condition import Condition
from fourm_tui.engine.job import Target
from fourm_tui.engine.outputs import Gallery, Outputs
from fourm_tui.modalities import Modality
from fourm_tui.pictures.save import Output
from fourm_tui.runs import TargetTokens


@dataclass(frozen=True, eq=False)
class Finished:
    """A target of one item."""

    tokens: TargetTokens
    text: str | None = None
    output: Output | None = None
    """What its tokens stand for; None if they stay tokens."""


class Collected(Outputs):
    """Keeps what is finished in memory, item by item, in the order of the rows.

    Args:
        seeds: of the samples of the job.
        decoded: whether targets are to be decoded.
    """

    wants_sheet = False

    def __init__(self, seeds: Sequence[int], decoded: bool) -> None:
        self.seeds = seeds
        self.wants_pictures = decoded
        self.found: dict[int, list[Finished]] = {}

    def gallery(self, samples: Sequence[Mapping[str, Condition]], modalities: Mapping[str, Modality]) -> Gallery:
        return _Undrawn(samples, modalities)

    def tokens(self, target: Target, sample: int) -> tuple[str, ...]:
        row = target.row.number
        arrays = (target.tokens[sample], target.step[sample], target.confidence[sample])
        tokens = TargetTokens(target.name, row, self.seeds[sample], *arrays)
        self.found.setdefault(sample, []).append(Finished(tokens, target.texts.get(sample)))
        return ()

    def picture(self, target: Target, sample: int, output: Output, picture: Image.Image | None) -> tuple[str, ...]:
        finished = self.found[sample]
        finished[-1] = replace(finished[-1], output=output)
        return ()


@dataclass(eq=False)
class _Undrawn(Gallery):
    """Draws nothing: the device need not wait for colour maps."""

    def begin_group(self, numbers: Sequence[int]) -> None:
        self.over = dict.fromkeys(numbers)
        self.placed = {number: self.placed_of(self.samples[number]) for number in numbers}

    def recall(
        self, output: Output, sample: int, picture: Image.Image | None, note: str = ""
    ) -> Image.Image | None:  # fmt: skip
        return None

    def show(self, output: Output, sample: int, note: str = "") -> Image.Image | None:
        return None

    def missing(self, modality: Modality, sample: int, why: str) -> None:
        return None
