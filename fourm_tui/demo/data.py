"""Scenes as arrays on disk, as the tokenizers take them; rendered once, by as many processes as there are cores."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourm_tui.conditions.maps import standardised
from fourm_tui.demo.scenes import FAR, SIZE, Rendered, boxes, caption, metadata, palette, render, scene
from fourm_tui.formats import boxes as box_format
from fourm_tui.formats import metadata as metadata_format
from fourm_tui.formats import palette as palette_format

HELD_OUT = 10_000_000
"""Scenes from this seed on are never trained on."""

ARRAYS: Mapping[str, tuple[type, tuple[int, ...]]] = {
    "rgb": (np.uint8, (SIZE, SIZE, 3)),
    "depth": (np.float16, (SIZE, SIZE)),
    "normal": (np.uint8, (SIZE, SIZE, 3)),
    "semseg": (np.uint8, (SIZE, SIZE)),
}
"""What is kept of each scene; depth is standardised, as 4M has it."""

PHRASINGS = 4
"""Captions kept of each scene; the first is the usual one."""

_CHUNK = 64


@dataclass(frozen=True)
class Scenes:
    """Rendered scenes on disk, memory-mapped."""

    arrays: Mapping[str, NDArray[Any]]
    texts: tuple[Mapping[str, Any], ...]
    """Of each scene: `captions` (a list), `det`, `color_palette` and `metadata` as 4M's strings."""

    def __len__(self) -> int:
        return len(self.texts)


def maps(rendered: Rendered) -> dict[str, NDArray[Any]]:
    """The arrays of one scene, as `ARRAYS` has them."""
    levels = np.round(rendered.depth / FAR * 65535).astype(np.float32) / np.float32(65535)
    return {
        "rgb": rendered.rgb,
        "depth": standardised(levels).astype(np.float16),
        "normal": np.round((rendered.normals + 1) * 127.5).astype(np.uint8),
        "semseg": rendered.classes,
    }


def texts(seed: int, rendered: Rendered) -> dict[str, Any]:
    """The strings of one scene, as `Scenes.texts` has them."""
    described = scene(seed)
    return {
        "captions": [caption(described, 0 if i == 0 else seed * PHRASINGS + i) for i in range(PHRASINGS)],
        "det": box_format.encode(boxes(described, rendered)),
        "color_palette": palette_format.encode(palette(rendered)),
        "metadata": metadata_format.encode(metadata(described, rendered)),
    }


def scenes_on_disk(
    folder: Path, first: int, count: int, progress: Callable[[int, int], None] = lambda done, total: None
) -> Scenes:
    """The scenes of the seeds from `first` on; rendered into the folder unless they are there already.

    Args:
        progress: called with the scenes that are done and their total.
    """
    name = f"scenes-{first}-{count}"
    done = folder / f"{name}.json"
    if not done.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        for key, (dtype, shape) in ARRAYS.items():
            np.lib.format.open_memmap(folder / f"{name}-{key}.npy", "w+", dtype, (count, *shape))
        found: list[Mapping[str, Any]] = []
        starts = range(0, count, _CHUNK)
        with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            for part in pool.map(
                _write, *zip(*((folder, name, first, i, min(_CHUNK, count - i)) for i in starts), strict=True)
            ):
                found += part
                progress(len(found), count)
        beside = done.with_suffix(".part")
        beside.write_text(json.dumps(found), encoding="utf-8")
        beside.replace(done)
    arrays = {key: np.load(folder / f"{name}-{key}.npy", mmap_mode="r") for key in ARRAYS}
    return Scenes(arrays, tuple(json.loads(done.read_text(encoding="utf-8"))))


def _write(folder: Path, name: str, first: int, start: int, count: int) -> list[dict[str, Any]]:
    files = {key: np.load(folder / f"{name}-{key}.npy", mmap_mode="r+") for key in ARRAYS}
    found = []
    for index in range(start, start + count):
        rendered = render(scene(first + index))
        for key, values in maps(rendered).items():
            files[key][index] = values
        found.append(texts(first + index, rendered))
    return found
