"""The prompts of PartiPrompts (P2), which `data_path: parti_prompts` means, as in run_generation.py."""

from __future__ import annotations

from pathlib import Path

from fourm_tui.download import download
from fourm_tui.errors import FourmError, printable
from fourm_tui.hub import Source, cached
from fourm_tui.paths import cache_dir

NAME = "parti_prompts"
FILE = "PartiPrompts.tsv"
SOURCE = Source("PartiPrompts", "nateraw/parti-prompts", "data", (FILE,))


def parti_prompts(base: Path | None = None) -> Path:
    """The file of the prompts: in the working folder, beside the data config, in the program's cache, in the Hub's,
    or downloaded.

    Raises:
        FourmError: it is in none of these places, and cannot be downloaded.
    """
    places = [Path(), *([base] if base else []), cache_dir()]
    for folder in places:
        if (folder / FILE).is_file():
            return folder / FILE
    try:
        there = cached(SOURCE)
        if there is not None and there.complete:
            return there.complete[-1].folder / FILE
        return download(SOURCE) / FILE
    except FourmError as error:
        raise FourmError(
            f"data_path: {NAME}: {error}. Or put {FILE} (of https://huggingface.co/datasets/{SOURCE.repo}) into the "
            f"working folder or {printable(cache_dir())}"
        ) from None
