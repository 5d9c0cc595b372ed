"""Figures over many pictures, gathered in chunks, by several ranks, with interruptions.

Of each picture its Inception features and its CLIP score are kept under its key (8 kB a picture), not sums: parts can
then be merged in any order, a picture that was done twice counts once, and the result does not depend on how the
pictures were shared out.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fourm_tui.errors import InputError
from fourm_tui.metrics.networks import Networks
from fourm_tui.metrics.resize import SIZE, resized
from fourm_tui.metrics.wanted import Wanted

SPLITS = 10
"""Parts that the Inception Score is computed of; their mean and deviation are given."""

_GENERATED, _REAL, _CLIP = "generated", "real", "clip"
_BLOCK = 1024


class Figures:
    """The figures of one output (`wanted.measured`). A picture's key is a number that is its own and stays the same
    after a resume, such as sample number times variations plus variation."""

    def __init__(self, wanted: Wanted, networks: Networks, size: int = SIZE) -> None:
        """
        Args:
            networks: may be shared by all outputs.
            size: `image_size_metrics`.
        """
        self.wanted, self.networks, self.size = wanted, networks, size
        self._rows: dict[str, list[tuple[Tensor, Tensor]]] = {}
        self.clear()

    def clear(self) -> None:
        """Forgets all pictures."""
        self._rows = {name: [] for name in (_GENERATED, _REAL, _CLIP)}

    @torch.inference_mode()
    def add_real(self, keys: Sequence[int], pictures: Tensor) -> None:
        """Adds pictures of the data; of use for FID only, else they are passed over.

        Args:
            keys: of the samples.
            pictures: uint8 `[B, 3, H, W]`.
        """
        if self.wanted.fid:
            self._keep(_REAL, keys, self._features(pictures))

    @torch.inference_mode()
    def add_generated(self, keys: Sequence[int], pictures: Tensor, captions: Sequence[str] | None = None) -> None:
        """Adds generated pictures.

        Args:
            pictures: uint8 `[B, 3, H, W]`.
            captions: one for each picture; needed for the CLIP score.
        """
        if self.wanted.fid or self.wanted.inception:
            self._keep(_GENERATED, keys, self._features(pictures))
        if self.wanted.clip:
            assert self.networks.similarity is not None and captions is not None
            self._keep(_CLIP, keys, self.networks.similarity(resized(pictures, self.size), captions)[:, None])

    def state(self) -> dict[str, Tensor]:
        """All that was added since the beginning or `clear`, on the CPU, to be kept as safetensors or gathered.

        Saved after each chunk and cleared, it stays as small as the chunk.
        """
        kept: dict[str, Tensor] = {}
        for name, rows in self._rows.items():
            if rows:
                kept[f"{name}.keys"] = torch.cat([keys for keys, _ in rows])  # [N]
                kept[f"{name}.values"] = torch.cat([values for _, values in rows])  # [N, F]
        return kept

    def load(self, states: Sequence[Mapping[str, Tensor]]) -> None:
        """Adds states: of ranks, of chunks, of before an interruption, in any order.

        Raises:
            InputError: something is no state, or they are of different networks.
        """
        for state in states:
            names = {name for name in self._rows if f"{name}.keys" in state or f"{name}.values" in state}
            if set(state) != {f"{name}.{part}" for name in names for part in ("keys", "values")}:
                raise InputError("this is no state of figures")
            for name in names:
                keys, values = state[f"{name}.keys"], state[f"{name}.values"]
                widths = {rows.shape[1] for _, rows in self._rows[name]} | {values.shape[-1]}
                if keys.dtype != torch.int64 or values.ndim != 2 or keys.shape != values.shape[:1] or len(widths) > 1:
                    raise InputError(f"this is no state of figures, or one of other networks: {name}")
                self._rows[name].append((keys.cpu(), values.float().cpu()))

    def compute(self) -> dict[str, float]:
        """The figures: `fid`, `inception_mean`, `inception_std`, `clip_score`. Those for which there are too few
        pictures (two for FID and the deviation, else one) are left out."""
        generated, real, clip = (self._merged(name) for name in (_GENERATED, _REAL, _CLIP))
        figures: dict[str, float] = {}
        if self.wanted.fid and min(len(generated), len(real)) >= 2:
            figures["fid"] = frechet_distance(real, generated)
        if self.wanted.inception and len(generated):
            assert self.networks.logits is not None
            with torch.inference_mode():
                logits = torch.cat([self.networks.logits(block).cpu() for block in generated.split(_BLOCK)])
            figures["inception_mean"], deviation = inception_score(logits)
            if len(generated) >= 2:
                figures["inception_std"] = deviation
        if self.wanted.clip and len(clip):
            figures["clip_score"] = max(clip.double().mean().item(), 0.0)
        return figures

    def _features(self, pictures: Tensor) -> Tensor:
        assert self.networks.features is not None
        return self.networks.features(resized(pictures, self.size))

    def _keep(self, name: str, keys: Sequence[int], values: Tensor) -> None:
        if len(keys) != len(values):
            raise ValueError(f"{len(keys)} keys for {len(values)} pictures")
        self._rows[name].append((torch.tensor(list(keys), dtype=torch.int64), values.float().cpu().clone()))

    def _merged(self, name: str) -> Tensor:
        """Values in the order of their keys, the last of each key. `[N, F]`"""
        rows = self._rows[name]
        if not rows:
            return torch.empty(0, 0)
        keys, values = torch.cat([keys for keys, _ in rows]), torch.cat([values for _, values in rows])
        _, last = np.unique(keys.numpy()[::-1], return_index=True)
        return values[torch.from_numpy(len(keys) - 1 - last)]


def frechet_distance(real: Tensor, generated: Tensor) -> float:
    """Fréchet distance of two sets of features `[N, F]`, `[M, F]` (Heusel et al. 2017, arXiv:1706.08500), by
    torchmetrics, on the CPU in double precision."""
    metric: Any = _torchmetrics("fid", "FrechetInceptionDistance", feature=_Given(real.shape[1]))
    for features, is_real in ((real, True), (generated, False)):
        for block in features.split(_BLOCK):
            metric.update(block, real=is_real)
    return float(metric.compute())


def inception_score(logits: Tensor, splits: int = SPLITS) -> tuple[float, float]:
    """Mean and deviation over splits of the Inception Score (Salimans et al. 2016, arXiv:1606.03498) of logits
    `[N, C]`, by torchmetrics. It shuffles; the order is that of a fixed seed here."""
    metric: Any = _torchmetrics("inception", "InceptionScore", feature=_Given(logits.shape[1]), splits=splits)
    metric.update(logits)
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that one split has no deviation
        torch.manual_seed(0)
        mean, deviation = metric.compute()
    return float(mean), float(deviation)


class _Given(nn.Module):
    """In place of a network: the features are given to the metric instead of pictures."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        return features


def _torchmetrics(module: str, name: str, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the Inception Score keeps all features
        return getattr(importlib.import_module(f"torchmetrics.image.{module}"), name)(sync_on_compute=False, **options)
