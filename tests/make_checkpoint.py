"""Makes a checkpoint folder in the Hub's layout, with weights computed from names instead of trained ones.

    python -m tests.make_checkpoint 4M-7_B_CC12M folder

Names: any folder of `tests/data/fm/configs`, `tests/data/fm/published` or `tests/data/vq/published`. A text tokenizer
is not made.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from fourm_tui.architecture import Architecture
from fourm_tui.model.fourm import FourM
from fourm_tui.tokenizers.config import TokenizerConfig
from fourm_tui.tokenizers.loading import build
from tests.fm.reference import DATA, filled
from tests.vq.reference import fill, published_facts


def make_checkpoint(name: str, folder: Path, salt: str = "") -> Path:
    """Writes `config.json` and `model.safetensors` (fp32) for a config of the reference, and returns the folder."""
    found = next(path for kind in ("configs", "published") if (path := DATA / kind / name / "config.json").exists())
    config = json.loads(found.read_text())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    with torch.device("meta"):
        model = FourM(Architecture.from_config(config, name))
    shared = {decoder: encoder for encoder, decoder in model.shared_names()}
    tensors = {
        key: model.default_buffer(key) if key in dict(model.named_buffers()) else filled(key, tuple(value.shape), salt)
        for key, value in model.state_dict().items()
        if key not in shared
    }
    save_file(tensors, folder / "model.safetensors")
    return folder


def make_tokenizer(name: str, folder: Path) -> Path:
    """The same for a published image tokenizer."""
    config, _, _ = published_facts(name)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    tokenizer = build(TokenizerConfig.from_config(config, name))
    fill(tokenizer)
    shared = {other for _, other in tokenizer.shared_names()}
    tensors = {key: value.contiguous() for key, value in tokenizer.state_dict().items() if key not in shared}
    save_file(tensors, folder / "model.safetensors")
    return folder


if __name__ == "__main__":
    make = make_tokenizer if sys.argv[1].startswith("4M_tokenizers") else make_checkpoint
    make(sys.argv[1], Path(sys.argv[2]))
