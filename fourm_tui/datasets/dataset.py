"""What a dataset is, and which of its samples are generated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from PIL import Image

from fourm_tui.conditions.condition import Condition
from fourm_tui.datasets.parts import Part


class Dataset(Protocol):
    """Samples by number, from 0. Safe to be read by several threads at once."""

    @property
    def title(self) -> str:
        """For people: `coco/val: one folder per modality, 5,000 samples`."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be told once: names that are left out, columns that are not used, damaged shards."""

    def __len__(self) -> int: ...

    def name(self, number: int) -> str:
        """`a_class/s1`: stable and printable, for manifests and messages."""

    def conditions(self, number: int) -> dict[str, Condition]:
        """The conditions of a sample, by modality.

        Raises:
            InputError: the sample is broken; the message names it, the modality and the file or column.
        """

    def picture(self, number: int) -> Image.Image | None:
        """The sample's real picture in RGB, cropped to the rectangle that belongs to it (else to its central square)
        and as large as it is; None if the data has none.

        Raises:
            InputError: the picture is broken.
        """


class Index(Protocol):
    """Where the values of each sample are. A value goes by its slot: what the data calls a modality (`rgb`)."""

    @property
    def title(self) -> str: ...

    @property
    def notes(self) -> tuple[str, ...]: ...

    def __len__(self) -> int: ...

    def name(self, number: int) -> str: ...

    def parts(self, number: int) -> Mapping[str, Part]:
        """The values of the slots that were asked for, by slot.

        Raises:
            InputError: the row or member that says so cannot be read.
        """

    def part(self, number: int, slot: str) -> Part | None:
        """Another value of the sample; None if it has none."""


def subset(length: int, num_samples: int | None) -> list[int]:
    """The numbers of the samples that are generated: those that run_generation.py draws, sorted; None: all of them."""
    if num_samples is None or num_samples >= length:
        return list(range(length))
    drawn = np.random.RandomState(0).permutation(length)[:num_samples]
    return sorted(int(number) for number in drawn)
