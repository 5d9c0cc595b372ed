"""Scenes as tokens: what the 4M model is trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from fourm_tui.demo.data import PHRASINGS, Scenes, scenes_on_disk
from fourm_tui.demo.model import IMAGES, TEXTS
from fourm_tui.demo.tokenizers import RECIPES, values_of
from fourm_tui.formats.vocabulary import EOS, PAD
from fourm_tui.tokenizers.text import TextTokenizer
from fourm_tui.tokenizers.vqvae import VQVAE


@dataclass(frozen=True)
class TokenSet:
    """Tokens of many scenes."""

    images: Mapping[str, NDArray[np.int16]]
    """`[N, 196]` of each image modality."""
    texts: Mapping[str, NDArray[np.int16]]
    """Padded, each ending in [EOS]: `[N, L]`; of captions every phrasing, `[N, PHRASINGS, L]`."""

    @cached_property
    def things(self) -> NDArray[np.bool_]:
        """`[N, 196]`: where the segmentation is not what it is there in most scenes."""
        semseg = self.images["tok_semseg@224"]
        usual = np.array([np.bincount(column).argmax() for column in semseg.T])
        return semseg != usual

    def __len__(self) -> int:
        return len(self.images[IMAGES[0]])


@torch.inference_mode()
def tokenized(scenes: Scenes, tokenizers: Mapping[str, VQVAE], text: TextTokenizer) -> TokenSet:
    """The tokens of scenes."""
    images: dict[str, NDArray[np.int16]] = {}
    for name, tokenizer in tokenizers.items():
        recipe, device = RECIPES[name], tokenizer.quant_proj.weight.device
        parts = [
            tokenizer.encode(values_of(recipe, scenes.arrays[recipe.array][start : start + 32]).to(device)).cpu()
            for start in range(0, len(scenes), 32)
        ]
        images[name] = torch.cat(parts).flatten(1).numpy().astype(np.int16)
    texts = {name: _padded([[*text.encode(row[name]), EOS] for row in scenes.texts]) for name in TEXTS[1:]}
    captions = _padded([[*text.encode(words), EOS] for row in scenes.texts for words in row["captions"]])
    return TokenSet(images, {"caption": captions.reshape(len(scenes), PHRASINGS, -1), **texts})


def tokens_on_disk(
    folder: Path, first: int, count: int, tokenizers: Mapping[str, VQVAE], text: TextTokenizer, chunk: int = 2000,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> TokenSet:  # fmt: skip
    """The tokens of the scenes of many seeds, rendered and encoded a chunk at a time unless they are there already.

    Only the tokens stay on disk.
    """
    parts = []
    for start in range(0, count, chunk):
        size = min(chunk, count - start)
        file = folder / f"tokens-{first + start}-{size}.npz"
        if not file.is_file():
            scenes = scenes_on_disk(folder, first + start, size)
            made = tokenized(scenes, tokenizers, text)
            beside = file.with_suffix(".part.npz")
            np.savez(beside, **dict(made.images), **dict(made.texts))  # type: ignore[arg-type]
            beside.replace(file)
            for scratch in folder.glob(f"scenes-{first + start}-{size}*"):
                scratch.unlink()
        with np.load(file, allow_pickle=False) as stored:
            parts.append({name: stored[name] for name in stored})
        progress(start + size, count)
    images = {name: np.concatenate([part[name] for part in parts]) for name in IMAGES}
    texts = {name: _joined([part[name] for part in parts]) for name in TEXTS}
    return TokenSet(images, texts)


def _padded(rows: list[list[int]]) -> NDArray[np.int16]:
    width = max(map(len, rows))
    return np.array([row + [PAD] * (width - len(row)) for row in rows], dtype=np.int16)


def _joined(parts: list[NDArray[np.int16]]) -> NDArray[np.int16]:
    width = max(part.shape[-1] for part in parts)
    padding = ([(0, 0)] * (part.ndim - 1) + [(0, width - part.shape[-1])] for part in parts)
    return np.concatenate([np.pad(part, pad, constant_values=PAD) for part, pad in zip(parts, padding, strict=True)])
