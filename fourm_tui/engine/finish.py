"""A finished target: kept as tokens, then, where that is asked for, decoded and kept as a picture."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from fourm_tui.engine.job import Target
from fourm_tui.engine.outputs import Gallery, Outputs
from fourm_tui.engine.pieces import Pieces
from fourm_tui.engine.row import StoppedError
from fourm_tui.engine.tokenize import Decoded, Tokenizers
from fourm_tui.events import Decoding, Event, Note, TargetDone
from fourm_tui.modalities import Modality


class Finisher:
    """Keeps the targets of a run.

    Args:
        tokenizers: that make pictures of tokens.
        gallery: of the run; None: nothing is decoded.
        outputs: where targets go.
        seeds: effective ones of all samples.
        rows: numbers of those that are decoded; text that has no tokenizer always is.
        stop: asked before every step of decoding.
        forget: frees what models keep from pass to pass, and says whether there was anything.
    """

    def __init__(
        self,
        tokenizers: Tokenizers | None,
        gallery: Gallery | None,
        outputs: Outputs,
        seeds: Sequence[int],
        rows: Container[int],
        stop: Callable[[], bool],
        forget: Callable[[], bool] = lambda: False,
    ) -> None:
        self.tokenizers, self.gallery, self.outputs = tokenizers, gallery, outputs
        self.seeds, self.rows, self.stop, self._forget = seeds, rows, stop, forget

    def keep(self, target: Target, modality: Modality, began: float, most: int) -> Iterator[Event]:
        """Hands a finished target on, first as tokens, then as pictures, of at most so many samples at once."""
        files = {sample: self.outputs.tokens(target, sample) for sample in target.tokens}
        if self.gallery is not None:
            for item in self._decoded(target, modality, self.gallery, most):
                if isinstance(item, Event):
                    yield item
                    self.check_stop()
                    continue
                for sample, array in zip(files, item, strict=True):
                    output = self.gallery.output(target, sample, modality, array)
                    files[sample] += self.outputs.picture(target, sample, output, self.gallery.show(output, sample))
        seconds = time.monotonic() - began
        for sample, names in files.items():
            yield TargetDone(target.row.number, target.name, sample, names, seconds)

    def recall(self, target: Target, modality: Modality, most: int) -> Iterator[Event]:
        """A target that was finished before: its pictures are taken from where they are, or made again."""
        if self.gallery is None:
            return
        pictures = {sample: self.outputs.kept(target, sample) for sample in target.tokens}
        if all(picture is not None for picture in pictures.values()):
            for sample, picture in pictures.items():
                self.gallery.recall(self.gallery.output(target, sample, modality, None), sample, picture)
        else:
            yield from self.keep(target, modality, time.monotonic(), most)

    def _decoded(
        self, target: Target, modality: Modality, gallery: Gallery, most: int
    ) -> Iterator[Event | Sequence[NDArray[Any] | None]]:
        """The arrays of a target, one per sample (None: text alone); nothing if it stays tokens."""
        tokenizers = self.tokenizers
        if modality.tokenizer_key is None:
            yield [None] * len(target.tokens)
        elif target.row.number not in self.rows:
            gallery.tokens_only(target, modality)
        elif tokenizers is None or not tokenizers.has(modality.name):
            yield Note(f"{modality.title}: no tokenizer is named ({modality.tokenizer_key}), so its tokens stay tokens")
            gallery.tokens_only(target, modality)
        else:
            yield from self._pictures(tokenizers, target, modality, most)

    def _pictures(
        self, tokenizers: Tokenizers, target: Target, modality: Modality, most: int
    ) -> Iterator[Event | Sequence[NDArray[Any] | None]]:  # fmt: skip
        """What the tokens of all samples stand for, decoded together or in pieces."""
        everyone = list(target.tokens)
        pieces = Pieces(len(everyone), most, tokenizers.device, self._forget)
        arrays: list[NDArray[Any]] = []
        for piece in pieces:
            samples = [everyone[place] for place in piece]
            tokens = [target.tokens[sample] for sample in samples]
            texts = [target.texts[sample] for sample in samples if sample in target.texts]
            seeds = [self.seeds[sample] for sample in samples]
            try:
                for item in tokenizers.decode(modality, target.row.number, tokens, texts, seeds):
                    if isinstance(item, Decoded):
                        arrays += item.arrays
                    elif isinstance(item, Decoding):
                        yield replace(item, samples=tuple(samples))
                    else:
                        yield item
            except (RuntimeError, MemoryError) as error:
                yield from pieces.again(piece, error, modality.name)
        yield arrays

    def check_stop(self) -> None:
        """Raises StoppedError if it is to end."""
        if self.stop():
            raise StoppedError
