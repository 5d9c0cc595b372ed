"""From an image tokenizer's name to the tokenizer on a device."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import torch
from torch import nn

from fourm_tui.checkpoints import find_checkpoint, read_header
from fourm_tui.errors import InputError, printable
from fourm_tui.tokenizers.config import TokenizerConfig
from fourm_tui.tokenizers.vqvae import VQVAE, VQEncoder
from fourm_tui.weights import as_dtype, fetched, load_weights, without_values

if TYPE_CHECKING:
    from fourm_tui.tokenizers.divae import DiVAE


def load_tokenizer(
    name: str,
    device: str | torch.device = "cpu",
    dtype: str | torch.dtype | None = None,
    relative_to: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> VQVAE | DiVAE:
    """Loads an image tokenizer for encoding and decoding.

    Args:
        name: a Hub id (`EPFL-VILAB/4M_tokenizers_rgb_16k_224-448`, `@revision` after it if wanted; published ones also
            bare), a folder with `config.json` and `model.safetensors`, or a `.safetensors` file whose header carries
            the config.
        device: `cpu`, `cuda`, `cuda:1`, `mps`.
        dtype: `fp32`, `bf16`, `fp16` or a torch dtype; None: fp32 on every device, because the nearest of thousands of
            codes hangs on small differences.
        relative_to: folder where a path is also looked for.
        progress: called with the number of tensors loaded and their total; what it raises stops the loading.

    Raises:
        InputError: there is no such checkpoint, its config or its tensors do not fit (all of them are listed), or its
            codebook was never set.
        FourmError: a download failed.
    """
    checkpoint = fetched(find_checkpoint(name, relative_to), progress)
    assert checkpoint.config is not None and checkpoint.weights is not None
    device = torch.device(device)
    config = TokenizerConfig.from_config(checkpoint.config, checkpoint.name)
    try:
        with without_values():
            tokenizer = build(config)
    except InputError as error:
        raise InputError(f"{printable(checkpoint.name)}: {error}") from None
    _take_stored_grids(tokenizer, checkpoint.weights)
    dtype = as_dtype(torch.float32 if dtype is None else dtype, device)
    shared, default = dict(tokenizer.shared_names()), tokenizer.default_buffer
    load_weights(tokenizer, checkpoint.weights, device, dtype, shared, default, progress)
    initted = dict(tokenizer.named_buffers()).get("quantize._codebook.initted")
    if initted is not None and not bool(initted.all()):
        raise InputError(f"{printable(checkpoint.name)}: its codebook was never set, so it has no tokens")
    return tokenizer.eval().requires_grad_(False)


def build(config: TokenizerConfig) -> VQVAE | DiVAE:
    """The tokenizer of a config, with weights that mean nothing yet.

    Raises:
        InputError: there is no diffusion decoder of this name.
    """
    if config.diffusion is None:
        return VQVAE(config)
    from fourm_tui.tokenizers.divae import DiVAE

    return DiVAE(config)


def _take_stored_grids(tokenizer: VQEncoder, file: Path) -> None:
    """Makes room for position embeddings as a file stores them, on the grid of another image size than the config's.

    They are interpolated to the grid at hand anyway.
    """
    header = read_header(file)
    for name, buffer in list(tokenizer.named_buffers()):
        if not name.endswith("pos_emb") or name not in header:
            continue
        stored = header[name].get("shape") if isinstance(header[name], dict) else None
        if _is_grid(stored) and stored[:2] == list(buffer.shape[:2]):
            owner, _, leaf = name.rpartition(".")
            module: nn.Module = tokenizer.get_submodule(owner)
            module.register_buffer(leaf, torch.empty(stored, device="meta"))


def _is_grid(shape: Any) -> TypeGuard[list[int]]:
    return isinstance(shape, list) and len(shape) == 4 and all(isinstance(n, int) and 0 < n <= 2**16 for n in shape)
