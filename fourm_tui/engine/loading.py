"""Which device, which number type, which tokenizer: from the names in a models config to loaded models."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import torch

from fourm_tui.checkpoints import find_checkpoint
from fourm_tui.cores import computing_threads
from fourm_tui.engine.asked import check_models
from fourm_tui.engine.job import Models
from fourm_tui.engine.store import ModelStore
from fourm_tui.engine.tokenize import Tokenizers
from fourm_tui.errors import InputError, printable
from fourm_tui.modalities import MODALITIES
from fourm_tui.schedule.configs import ModelsConfig
from fourm_tui.schedule.rows import Schedule
from fourm_tui.tokenizers.text import TextTokenizer, find_text_tokenizer
from fourm_tui.weights import fetched


def choose_device(name: str | None) -> torch.device:
    """The device of a name; None: the first CUDA device, else Apple's GPU, else the CPU.

    Raises:
        InputError: there is no such device on this machine.
    """
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = printable(error, 120).splitlines()[0]
        raise InputError(f"--device {printable(name, 40)}: cannot be used here: {reason}") from None
    return device


def use_cores(spare: int = 0, ranks: int = 1) -> None:
    """Has torch compute with as many threads as this process has cores to itself, unless the user has chosen.

    Args:
        spare, ranks: see `computing_threads`.
    """
    threads = computing_threads(spare, ranks)
    if threads is not None:
        # Torch's own number may be smaller: that of cores, where the system counts each of them twice.
        torch.set_num_threads(min(threads, torch.get_num_threads()) if ranks == 1 else threads)


def needs_text(names: Iterable[str]) -> bool:
    """Whether any of these modalities is text."""
    return any(MODALITIES[name].kind == "sequence" for name in names if name in MODALITIES)


def load_models(
    config: ModelsConfig,
    schedule: Schedule,
    device: torch.device,
    dtype: str | None = None,
    relative_to: Path | None = None,
    progress: Callable[[str, float], None] = lambda what, fraction: None,
    store: ModelStore | None = None,
) -> Models:
    """Loads what a schedule needs and no more.

    Args:
        config: names of the checkpoints.
        schedule: whose chains are to be run.
        device, dtype: where and as what; None: bf16 on CUDA, else fp32.
        relative_to: folder of the models config.
        progress: called with the name of what is being downloaded or loaded and from 0 to 1; what it raises stops it.
        store: where models are kept, and may be already; None: they are loaded for this once.

    Raises:
        FourmError: something is missing, does not fit, or cannot be downloaded.
    """
    check_models(config, schedule)
    assert config.model is not None

    def told(name: str) -> Callable[[int, int], None]:
        return lambda done, total: progress(name, done / total)

    # What is missing is downloaded, or complained of, before anything is loaded.
    names = [config.model, *([config.sr_model] if schedule.super_resolution and config.sr_model else [])]
    found = [fetched(find_checkpoint(name, relative_to), told(name)) for name in names]
    used = [name for part in schedule.parts for name in (*part.conditions, *(row.target for row in part.rows))]
    text = None
    if needs_text(used):
        text = TextTokenizer(find_text_tokenizer(found[0].weights, config.text_tokenizer, relative_to))
    store = store or ModelStore()
    models = [store.model(name, device, dtype, relative_to, told(name)) for name in names]
    tokenizers = Tokenizers(config.tokenizers, device, dtype, relative_to, config.detokenizer_steps, store.tokenizer)
    sr_model = models[1] if len(models) > 1 else None
    return Models(models[0], sr_model, text, tokenizers if config.tokenizers else None)
