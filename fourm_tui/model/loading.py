"""From a checkpoint's name to a model on a device."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from fourm_tui.architecture import Architecture
from fourm_tui.checkpoints import find_checkpoint
from fourm_tui.model.fourm import FourM
from fourm_tui.weights import as_dtype, fetched, load_weights, without_values


def load_model(
    name: str,
    device: str | torch.device = "cpu",
    dtype: str | torch.dtype | None = None,
    relative_to: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
    packed: bool = True,
) -> FourM:
    """Loads a 4M model for generation.

    Args:
        name: a Hub id (`EPFL-VILAB/4M-7_B_CC12M`, `@revision` after it if wanted; published ones also bare), a folder
            with `config.json` and `model.safetensors`, or a `.safetensors` file whose header carries the config.
        device: `cpu`, `cuda`, `cuda:1`, `mps`.
        dtype: `fp32`, `bf16`, `fp16` or a torch dtype; None: bf16 on CUDA, else fp32.
        relative_to: folder where a path is also looked for.
        progress: called with the number of tensors loaded and their total; what it raises stops the loading.
        packed: lay the weights out for a CPU's matrix products, which makes them faster, and leaves no weights to read
            or to train.

    Raises:
        InputError: there is no such checkpoint, or its config or its tensors do not fit; all of them are listed.
        FourmError: a download failed.
    """
    checkpoint = fetched(find_checkpoint(name, relative_to), progress)
    assert checkpoint.config is not None and checkpoint.weights is not None
    device = torch.device(device)
    architecture = Architecture.from_config(checkpoint.config, checkpoint.name)
    with without_values():
        model = FourM(architecture)
    shared, default = dict(model.shared_names()), model.default_buffer
    load_weights(model, checkpoint.weights, device, as_dtype(dtype, device), shared, default, progress)
    model.share_modality_embeddings()
    model.source = checkpoint.weights
    if packed:
        model.pack()
    return model.eval().requires_grad_(False)
