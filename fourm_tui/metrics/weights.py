"""Where the networks behind the figures come from, and a check before a run that they are there.

Inception is published only as a pickled `.pth`, which is never loaded: `convert` makes a safetensors file of it once.
CLIP is had from the Hugging Face Hub.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

from fourm_tui.download import Transfer, check_space, download, look_up
from fourm_tui.errors import FourmError, InputError, printable
from fourm_tui.hub import Source, cached
from fourm_tui.metrics.wanted import Wanted
from fourm_tui.paths import cache_dir

INCEPTION_FILE = "inception-2015-12-05.safetensors"
INCEPTION_URL = (
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth"
)
INCEPTION_HASH = "6726825d"
"""The SHA-256 of the published file begins with this."""

CLIP_FOLDER = "clip-vit-large-patch14"
CLIP = Source(
    name=f"openai/{CLIP_FOLDER}",
    repo=f"openai/{CLIP_FOLDER}",
    kind="other",
    files=("config.json", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"),
    bytes=1_710_000_000,
)

_EXTRA = "pip install 'fourm_tui[metrics]'"


def weights_dir() -> Path:
    """Where weights are looked for if no folder is given."""
    return cache_dir() / "metrics"


def check(wanted: Wanted, weights: Path | None = None) -> None:
    """Whether all that the figures need is there or can be downloaded. For before a run, not after it.

    Args:
        weights: the folder of the weights; None: `weights_dir()`. CLIP may also lie in the Hub's cache.

    Raises:
        InputError: the extra is not installed, or weights cannot be had; it says which file belongs where.
    """
    if wanted.fid or wanted.inception:
        _installed("torchmetrics.image.fid", "torchmetrics")
        _installed("torch_fidelity.feature_extractor_inceptionv3", "torch-fidelity")
    if wanted.clip:
        _installed("transformers", "transformers")
    problems = []
    if wanted.fid or wanted.inception:
        problems += _missing_inception(weights)
    if wanted.clip:
        problems += _missing_clip(weights)
    if problems:
        raise InputError("\n".join([*problems, "or go without metrics"]))


def inception_file(weights: Path | None = None) -> Path:
    """Inception's weights.

    Raises:
        InputError: they are not there.
    """
    missing = _missing_inception(weights)
    if missing:
        raise InputError(missing[0])
    return (weights or weights_dir()) / INCEPTION_FILE


def clip_folder(weights: Path | None = None, progress: Callable[[Transfer], None] | None = None) -> Path:
    """The folder of CLIP's files, downloaded into the Hub's cache if they are nowhere.

    Raises:
        FourmError: the Hub cannot be reached, or there is no room.
    """
    return _local_clip(weights) or download(CLIP, progress)


def _installed(module: str, package: str) -> None:
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise InputError(f"figures need the extra metrics ({printable(error, 100)}): {_EXTRA}") from None
    except Exception as error:  # compiled for another torch, say: each package fails in its own way
        raise InputError(
            f"{package} of the extra metrics is installed but cannot be loaded: {printable(error, 150)}; "
            "torchvision must be the release that belongs to the installed torch"
        ) from None


def _missing_inception(weights: Path | None) -> list[str]:
    path = (weights or weights_dir()) / INCEPTION_FILE
    if path.is_file():
        return []
    return [
        f"{printable(path)}: is missing; FID and Inception Score need it. Get {INCEPTION_URL} (95 MB) and convert it: "
        f"python -m fourm_tui.metrics.convert {INCEPTION_URL.rpartition('/')[2]} {printable(path)}"
    ]


def _local_clip(weights: Path | None) -> Path | None:
    given = (weights or weights_dir()) / CLIP_FOLDER
    if all((given / name).is_file() for name in CLIP.files):
        return given
    found = cached(CLIP)
    return found.complete[-1].folder if found and found.complete else None


def _missing_clip(weights: Path | None) -> list[str]:
    try:
        if _local_clip(weights) is None:
            check_space(look_up(CLIP))
    except FourmError as error:
        folder = (weights or weights_dir()) / CLIP_FOLDER
        return [
            f"{printable(folder)}: the CLIP score needs {CLIP} (1.7 GB), which is neither there nor in the Hub's "
            f"cache, and cannot be downloaded: {str(error).removeprefix(f'{CLIP}: ')}. Put "
            f"{', '.join(CLIP.files)} there (from https://huggingface.co/{CLIP.repo})"
        ]
    return []
