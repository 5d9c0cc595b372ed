"""Image tokenizers as the engine uses them: loaded when first needed, conditions to tokens, tokens to arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fourm_tui.conditions.condition import Condition
from fourm_tui.errors import InputError
from fourm_tui.events import Decoding, Event, Loading
from fourm_tui.formats import poses as pose_format
from fourm_tui.modalities import MODALITIES, Modality
from fourm_tui.pictures.instances import instances_of
from fourm_tui.runs import decoding_seed
from fourm_tui.schedule.configs import DETOKENIZER_STEPS
from fourm_tui.tokenizers.diffusion import noise_per_sample
from fourm_tui.tokenizers.loading import load_tokenizer
from fourm_tui.tokenizers.vqvae import VQVAE, VQEncoder


@dataclass(frozen=True)
class Decoded:
    """What the detokenizer made of a target: one array per sample, as `pictures.save.Output` takes it."""

    arrays: tuple[NDArray[Any], ...]


class Tokenizers:
    """The image tokenizers that a models config names.

    Args:
        names: checkpoints by key: `{"rgb_tok_id": "EPFL-VILAB/4M_tokenizers_rgb_16k_224-448"}`.
        device, dtype: where and as what; None: fp32.
        relative_to: folder where paths are also looked for.
        steps: of diffusion decoders.
        load: `load_tokenizer`, or what remembers what it loaded.
    """

    def __init__(
        self,
        names: Mapping[str, str],
        device: torch.device,
        dtype: str | None = None,
        relative_to: Path | None = None,
        steps: int = DETOKENIZER_STEPS,
        load: Callable[..., VQEncoder] = load_tokenizer,
    ) -> None:
        self.names, self.device, self.dtype, self.relative_to, self.steps = names, device, dtype, relative_to, steps
        self._load = load
        self._loaded: dict[str, VQEncoder] = {}

    def has(self, name: str) -> bool:
        """Whether there is a tokenizer for a modality."""
        modality = MODALITIES.get(name)
        return modality is not None and modality.tokenizer_key in self.names

    def load(self, name: str) -> Iterator[Event]:
        """Loads the tokenizer of a modality if it is not there yet; tells so before and after."""
        key = MODALITIES[name].tokenizer_key
        if key is None or key not in self.names:
            raise InputError(f"{name} needs its tokenizer; name it in the models config ({key})")
        checkpoint = self.names[key]
        # Canny and SAM edges have the same one under the same key; others may share a checkpoint, too.
        if checkpoint not in self._loaded:
            yield Loading(checkpoint, 0.0)
            self._loaded[checkpoint] = self._load(checkpoint, self.device, self.dtype, self.relative_to)
            yield Loading(checkpoint, 1.0)

    def forget(self) -> bool:
        """Frees what is kept from one decoding to the next; whether there was anything."""
        return sum(tokenizer.forget() for tokenizer in self._loaded.values()) > 0

    def _of(self, name: str) -> VQEncoder:
        key = MODALITIES[name].tokenizer_key
        assert key is not None
        return self._loaded[self.names[key]]

    # -- encoding -----------------------------------------------------------------------------------------------

    def encode(self, samples: Sequence[Mapping[str, Condition]]) -> Iterator[Event | list[dict[str, Condition]]]:
        """The conditions of all samples with their values encoded; events first, the conditions last.

        Raises:
            InputError: a tokenizer is needed that is not named, or a value does not fit it.
        """
        made: dict[int, Condition] = {}
        for condition in {id(c): c for sample in samples for c in sample.values()}.values():
            if condition.needs_tokens:
                yield from self.load(condition.name)
                made[id(condition)] = self._encoded(condition)
        # Variations have the same conditions, which are one mapping then, however many there are.
        own = {id(sample): sample for sample in samples}
        found = {key: {name: made.get(id(c), c) for name, c in sample.items()} for key, sample in own.items()}
        yield [found[id(sample)] for sample in samples]

    @torch.inference_mode()
    def _encoded(self, condition: Condition) -> Condition:
        assert condition.values is not None
        values = torch.from_numpy(np.ascontiguousarray(condition.values)).to(self.device)
        several = condition.untokenized is not None  # people, instances: a batch of parts already
        tokens = self._of(condition.name).encode(values if several else values[None])
        found = tokens.reshape(len(tokens), -1).cpu().numpy()
        return condition.with_tokens(found if several else found[0])

    # -- decoding -----------------------------------------------------------------------------------------------

    def decode(
        self,
        modality: Modality,
        row: int,
        tokens: Sequence[NDArray[Any]],
        texts: Sequence[str],
        seeds: Sequence[int],
        steps: int | None = None,
    ) -> Iterator[Event | Decoded]:
        """What the tokens of a target stand for: progress events, then the arrays.

        Args:
            modality: of the target, as its model sees it; it has a tokenizer.
            row: number of its row, for events.
            tokens: of each sample, `[N]`.
            texts: of each sample, if the target is a sequence (people, instances).
            seeds: effective seeds of the samples.
            steps: of a diffusion decoder, instead of its own.
        """
        name = modality.name
        yield from self.load(name)
        if modality.kind == "sequence":
            yield Decoded(tuple(self._parts(name, text) for text in texts))
            return
        grids = torch.from_numpy(np.stack(tokens)).to(self.device).long()
        made = None
        noise = [decoding_seed(seed, name) for seed in seeds]
        for event in self._pictures(modality, grids, row, noise, steps or self.steps):
            if isinstance(event, torch.Tensor):
                made = event
            else:
                yield event
        assert made is not None
        yield Decoded(tuple(array for array in made.float().cpu().numpy()))

    def _pictures(
        self, modality: Modality, tokens: torch.Tensor, row: int, seeds: Sequence[int], steps: int
    ) -> Iterator[Event | torch.Tensor]:
        tokenizer, everyone = self._of(modality.name), tuple(range(len(tokens)))
        if modality.learned_positions:  # global features: one token per codebook, no grid
            shaped = tokens[:, :, None, None]
        else:
            assert modality.grid is not None
            shaped = tokens.reshape(-1, *modality.grid)
        if isinstance(tokenizer, VQVAE):
            yield Decoding(row, modality.name, everyone, 0, 1)
            with torch.inference_mode():
                made = tokenizer.decode(shaped)
            yield Decoding(row, modality.name, everyone, 1, 1)
            yield made
            return
        from fourm_tui.tokenizers.divae import DiVAE

        assert isinstance(tokenizer, DiVAE)
        picture = None
        for step in tokenizer.denoise(shaped, steps=steps, noise=noise_per_sample(seeds)):
            yield Decoding(row, modality.name, everyone, step.number, step.total)
            picture = step.x_prev
        assert picture is not None
        yield picture

    @torch.inference_mode()
    def _parts(self, name: str, text: str) -> NDArray[Any]:
        """Mask logits `[N, S, S]` of the instances, or body poses `[P, 23, 3, 3]` of the people, in a text."""
        tokenizer = self._of(name)
        assert isinstance(tokenizer, VQVAE)
        if name == "sam_instance":
            found = [instance.tokens for instance in instances_of(text)]
            if not found:
                return np.zeros((0, 64, 64), dtype=np.float32)
            ids = torch.tensor(found, device=self.device)
            side = round(ids.shape[1] ** 0.5)
            return tokenizer.decode(ids.reshape(-1, side, side))[:, 0].float().cpu().numpy()
        people = [person.pose for person in pose_format.decode(text)]
        if not people:
            return np.zeros((0, 23, 3, 3), dtype=np.float32)
        ids = torch.tensor(people, device=self.device)[:, :, None, None]
        return tokenizer.decode(ids).reshape(-1, 23, 3, 3).float().cpu().numpy()
