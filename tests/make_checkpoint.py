"""Makes a checkpoint folder in the Hub's layout, with weights computed from names instead of trained ones.

    python -m tests.make_checkpoint 4M-7_B_CC12M folder

Names: any folder of `tests/data/fm/configs` or `published`. A text tokenizer is not made.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from fourm_tui.architecture import Architecture
from fourm_tui.model.fourm import FourM
from tests.fm.reference import DATA, filled


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


if __name__ == "__main__":
    make_checkpoint(sys.argv[1], Path(sys.argv[2]))
