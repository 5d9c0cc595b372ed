"""Pictures of targets that are not finished yet, every so many steps.

Open positions take the most probable token of one more pass, MaskGIT those of the step itself; diffusion decoders make
one step. Neither draws random numbers of the run, so that its tokens are the same with and without.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from numpy.typing import NDArray

from fourm_tui.engine.memory import forget_unused, is_out_of_memory
from fourm_tui.engine.outputs import Gallery, Outputs
from fourm_tui.engine.tokenize import Decoded as Pictures
from fourm_tui.engine.tokenize import Tokenizers
from fourm_tui.events import Decoding, Event, Note, Preview, StepDone
from fourm_tui.modalities import Modality
from fourm_tui.pictures.save import Output, output_picture
from fourm_tui.sampling.chain import Decoded


class Previews:
    """Makes them, and counts what they cost.

    Args:
        every: so many steps there is one; 0: never.
        tokenizers: that make pictures of tokens.
        gallery: of the run.
        outputs: where the pictures go.
        seeds: effective ones of all samples.
    """

    def __init__(
        self, every: int, tokenizers: Tokenizers | None, gallery: Gallery | None, outputs: Outputs, seeds: Sequence[int]
    ) -> None:  # fmt: skip
        self.every, self.tokenizers, self.gallery, self.outputs, self.seeds = every, tokenizers, gallery, outputs, seeds
        self.count, self.seconds = 0, 0.0

    def after(self, event: StepDone, decoded: Decoded, modality: Modality) -> Iterator[Event]:
        """What is to be told after a step: its picture, if it is one that has one."""
        last = event.step + 1 == event.steps
        if not self.every or last or (event.step + 1) % self.every or decoded.guess is None:
            return
        if self.tokenizers is None or self.gallery is None or not self.tokenizers.has(modality.name):
            return
        if modality.grid is None or modality.learned_positions:
            return
        began = time.monotonic()
        try:
            arrays: Sequence[NDArray[Any]] = ()
            tokens = list(decoded.guess().cpu().numpy())
            seeds = [self.seeds[sample] for sample in event.samples]
            for item in self.tokenizers.decode(modality, event.row, tokens, (), seeds, steps=1):
                if isinstance(item, Pictures):
                    arrays = item.arrays
                elif not isinstance(item, Decoding):
                    yield item
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            self.tokenizers.forget()
            forget_unused()
            self.every = 0
            yield Note("there is no memory for previews of unfinished targets; going on without", True)
            return
        for sample, array in zip(event.samples, arrays, strict=True):
            output = Output(modality, array, None, self.gallery.over[sample], self.gallery.placed[sample])
            picture = output_picture(output)
            file = None if picture is None else self.outputs.preview(event.row, event.target, sample, picture)
            if file is not None:
                self.count += 1
                yield Preview(event.row, event.target, sample, event.step, file)
        self.seconds += time.monotonic() - began

    def cost(self) -> Iterator[Event]:
        """What is to be said of their cost in the end."""
        if self.count:
            yield Note(f"{self.count} previews of unfinished targets took {self.seconds:.1f} s of this run")
