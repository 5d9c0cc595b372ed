"""Small data for tests: files, pictures, tar files."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from fourm_tui.datasets import Dataset, open_dataset
from fourm_tui.schedule.configs import DataConfig


def opened(path: object, *wanted: str) -> Dataset:
    return open_dataset(DataConfig(str(path)), wanted)


def names(dataset: Dataset) -> list[str]:
    return [dataset.name(number) for number in range(len(dataset))]


def captions(dataset: Dataset) -> list[str | None]:
    return [dataset.conditions(number)["caption"].text for number in range(len(dataset))]


def put(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Writes files below a folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def picture(width: int = 40, height: int = 30, colour: tuple[int, int, int] = (200, 100, 50)) -> bytes:
    return saved(Image.new("RGB", (width, height), colour))


def saved(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def npy(values: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(values), allow_pickle=True)
    return file.getvalue()


def tokens(first: int = 0, crops: int = 2) -> bytes:
    """A token file of ml-4m: `[crops, 196]`."""
    return npy(np.arange(crops * 196, dtype=np.int16).reshape(crops, 196) + first)


def tar(
    path: Path, members: Mapping[str, str | bytes] | Sequence[tuple[str, str | bytes]], form: int = tarfile.PAX_FORMAT
) -> Path:  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", format=form) as archive:
        for name, content in members.items() if isinstance(members, Mapping) else members:
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path
