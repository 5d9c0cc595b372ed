"""T5 embeddings of a caption, computed with the extra `t5` (transformers), which nothing else here imports."""

from __future__ import annotations

import importlib
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourm_tui.errors import InputError, printable

MODEL = "google/t5-v1_1-xxl"
"""Hub id of the encoder; ml-4m names it only as T5-XXL. `FOURM_T5` may name another id or a folder."""
LENGTH = 77
"""Tokens of a caption."""


def embed(text: str, where: str) -> NDArray[np.float32]:
    """The embeddings `[L, 4096]` of the last layer of T5-XXL's encoder for a text of up to 77 tokens, `</s>` included.

    Raises:
        InputError: the extra is not installed, or the model cannot be had.
    """
    try:
        transformers: Any = importlib.import_module("transformers")
    except ImportError:
        raise InputError(
            f"{where}: embeddings of a text need the extra t5 (pip install 'fourm-tui[t5]'); or give them as a file "
            "(.npz, .safetensors)"
        ) from None
    name = os.environ.get("FOURM_T5") or MODEL
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(name)
        load = transformers.T5EncoderModel.from_pretrained
        encoder = load(name, torch_dtype="auto", use_safetensors=True).eval().requires_grad_(False)
    except (OSError, ValueError, ImportError) as error:
        raise InputError(f"{where}: the T5 model {printable(name)} cannot be loaded: {printable(error, 150)}") from None
    tokens = tokenizer(text, return_tensors="pt", truncation=True, max_length=LENGTH)
    states = encoder(**tokens).last_hidden_state[0]  # [L, 4096]
    return np.asarray(states.float().cpu().numpy(), dtype=np.float32)
