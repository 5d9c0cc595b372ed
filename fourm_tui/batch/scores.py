"""Figures of a bulk run: what each rank sees of its pictures, kept chunk by chunk, and what comes of all of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save
from torch import Tensor

from fourm_tui.batch.saving import Made
from fourm_tui.batch.work import Item
from fourm_tui.datasets import Dataset
from fourm_tui.errors import InputError, printable
from fourm_tui.metrics.figures import Figures
from fourm_tui.metrics.networks import Networks
from fourm_tui.metrics.wanted import Wanted
from fourm_tui.runs.files import replace_file

FOLDER, RESULTS = "metrics", "metrics.json"
_REAL_SIZE = 224
"""Pixels a side of real pictures, as the reference's loader gives them."""


class Scores:
    """Looks at the pictures of chunks.

    Args:
        wanted: which figures.
        targets: whose pictures are measured.
        networks: loaded.
        size: `image_size_metrics`.
        folder: of the run.
        dataset: whose real pictures are compared with.
        variations: of each sample.
    """

    def __init__(
        self, wanted: Wanted, targets: Sequence[str], networks: Networks, size: int, folder: Path, dataset: Dataset,
        variations: int,
    ) -> None:  # fmt: skip
        self.wanted, self.targets, self.dataset, self.variations = wanted, targets, dataset, variations
        self.folder = folder / FOLDER
        self.folder.mkdir(parents=True, exist_ok=True)
        self._figures = {target: Figures(wanted, networks, size) for target in targets}

    def add(self, made: Sequence[Made]) -> None:
        """Adds the items of a chunk; on the disk when it returns."""
        for target, figures in self._figures.items():
            pairs = [(one, picture) for one in made if (picture := _picture(one, target)) is not None]
            if not pairs:
                continue
            keys = [one.item.sample * self.variations + one.item.variation for one, _ in pairs]
            captions = [_caption(one) for one, _ in pairs] if self.wanted.clip else None
            figures.add_generated(keys, torch.stack([picture for _, picture in pairs]), captions)
            if self.wanted.fid:
                self._add_real(figures, [one.item for one, _ in pairs])
            name = f"{target}_{pairs[0][0].item.key}.safetensors"
            replace_file(self.folder / name, save(figures.state()))
            figures.clear()

    def _add_real(self, figures: Figures, items: Sequence[Item]) -> None:
        for sample in dict.fromkeys(item.sample for item in items if item.variation == 0):
            picture = self.dataset.picture(sample)
            if picture is not None:
                figures.add_real([sample], real_picture(picture)[None])

    def compute(self) -> dict[str, dict[str, float]]:
        """The figures of all chunks of all ranks, by target; kept in `metrics.json`, too.

        Raises:
            InputError: a file of them is damaged.
        """
        found = {}
        for target, figures in self._figures.items():
            figures.clear()
            figures.load([_read(path) for path in sorted(self.folder.glob(f"{target}_*.safetensors"))])
            found[target] = figures.compute()
        replace_file(self.folder.parent / RESULTS, json.dumps(found, indent=1).encode() + b"\n")
        return found


def real_picture(picture: Image.Image) -> Tensor:
    """A picture of the data as it is compared: uint8 `[3, 224, 224]`."""
    resized = picture.convert("RGB").resize((_REAL_SIZE, _REAL_SIZE), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(resized)).permute(2, 0, 1)


def _picture(made: Made, target: str) -> Tensor | None:
    """A generated picture, uint8 `[3, H, W]`, cut off to whole levels as the reference does."""
    for finished in made.finished:
        if finished.tokens.modality == target and finished.output is not None and finished.output.array is not None:
            unit = (torch.from_numpy(finished.output.array).float() + 1) / 2
            return (255 * unit.clamp(0, 1)).to(torch.uint8)
    return None


def _caption(made: Made) -> str:
    condition = made.conditions.get("caption")
    return (condition.text or "") if condition is not None else ""


def _read(path: Path) -> Mapping[str, Tensor]:
    try:
        return load_file(path)
    except Exception as error:  # whatever the library says of a damaged file
        raise InputError(
            f"{printable(path)}: is damaged ({printable(error, 80)}); remove it with its samples"
        ) from None
