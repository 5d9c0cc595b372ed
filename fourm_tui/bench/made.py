"""Models of any config without a download: weights that mean nothing, but take as long to compute with."""

from __future__ import annotations

import torch

from fourm_tui.architecture import Architecture
from fourm_tui.model.fourm import FourM
from fourm_tui.weights import without_values


def made_model(architecture: Architecture, device: torch.device, dtype: torch.dtype) -> FourM:
    """A model with the same made-up weights each time."""
    with without_values():
        model = FourM(architecture)
    model.to_empty(device=device)
    model = model.to(dtype)
    model.share_modality_embeddings()
    source = torch.Generator(device).manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.02, generator=source)
        for name, buffer in model.named_buffers():
            buffer.copy_(model.default_buffer(name))
        for name, parameter in model.named_parameters():
            if "norm" in name:
                parameter.fill_(1.0)
    model.pack()
    return model.eval().requires_grad_(False)
