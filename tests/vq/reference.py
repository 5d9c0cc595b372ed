"""The numerical cases of the reference implementation for image tokenizers: weights computed from names, inputs, results.

`tests/data/vq` holds numbers and configs only; `filled` makes the weights.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

DATA = Path(__file__).parents[1] / "data" / "vq"

TIE = 1e-4
"""Where the best code leads the second best by no more, another machine may find the second."""

# (pattern in the name, whether the spread is divided by the root of the fan-in, spread, centre); first match wins
_RULES = [
    (r"_codebook\.(initted|cluster_size)$", False, 0.0, 1.0),
    (r"_codebook\.embed$", False, 1.0, 0.0),
    (r"(quantize\.codes|cls_emb\.weight)$", False, 1.0, 0.0),
    (r"gamma$", False, 0.2, 0.0),
    (r"mask_token$", False, 0.5, 0.0),
    (r"decoder\.(out\.2|conv_out)\.bias$", False, 1.2, 0.0),
    (r"\.bias$", False, 0.02, 0.0),
    (r"encoder\.proj\.weight$", True, 4.0, 0.0),
    (r"\.qkv\..*weight$", True, 1.5, 0.0),
    (r"\.(attn\.proj|fc2)\.weight$", True, 0.5, 0.0),
    (r"decoder\.(out\.2|conv_out)\.weight$", True, 0.2, 0.0),
    (r"adaLN.*\.weight$", True, 0.35, 0.0),
    (r"\.weight$", True, 1.0, 0.0),
]


def uniform(name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Numbers from 0 to 1 that depend on a name and a shape only."""
    seed = zlib.crc32(name.encode())
    return np.random.Generator(np.random.PCG64(seed)).random(shape)


def noise(name: str, shape: tuple[int, ...], lo: float, hi: float, salt: str = "") -> Tensor:
    return torch.from_numpy((lo + (hi - lo) * uniform(name + salt, shape)).astype(np.float32))


def token_ids(name: str, shape: tuple[int, ...], vocab: int, salt: str = "") -> Tensor:
    return torch.from_numpy(np.floor(uniform(name + salt, shape) * vocab).astype(np.int64))


def filled(name: str, shape: tuple[int, ...], salt: str = "", norm_codes: bool = True) -> Tensor | None:
    """The weight of a name; None for position embeddings, which keep what the model computes."""
    if name.endswith("pos_emb"):
        return None
    name = name.removesuffix("_avg")  # a codebook's averages are its codes
    spread_out = 2.0 * uniform(name + salt, shape) - 1.0
    if name.endswith("_codebook.embed") and norm_codes:
        spread_out /= np.sqrt((spread_out * spread_out).sum(-1, keepdims=True))
    _, fan_in, spread, centre = next(rule for rule in _RULES if re.search(rule[0], name))
    if re.search(r"\.weight$", name) and len(shape) == 1:  # the scales of all norms
        fan_in, spread, centre = False, 0.1, 1.0
    if re.search(r"quantize\.to_[kv]\.weight$", name):
        spread *= math.sqrt(3.0 / shape[1])
    elif fan_in:
        spread *= math.sqrt(3.0 / math.prod(shape[1:]))
    return torch.from_numpy((centre + spread * spread_out).astype(np.float32))


def fill(model: nn.Module, salt: str = "", norm_codes: bool = True) -> None:
    """Gives every tensor of a model its deterministic weight."""
    with torch.no_grad():
        for name, tensor in model.state_dict(keep_vars=True).items():
            weight = filled(name, tuple(tensor.shape), salt, norm_codes)
            if weight is not None:
                tensor.copy_(weight)
    model.eval().requires_grad_(False)


@dataclass(frozen=True)
class Case:
    """One case, read."""

    name: str

    @cached_property
    def facts(self) -> dict[str, Any]:
        return json.loads((DATA / "cases" / self.name / "case.json").read_text())

    @cached_property
    def arrays(self) -> dict[str, Tensor]:
        with np.load(DATA / "cases" / self.name / "arrays.npz") as file:
            return {name: torch.from_numpy(file[name]) for name in file}

    def call(self, call_id: str) -> dict[str, Any]:
        return next(call for call in self.facts["calls"] if call["id"] == call_id)

    def calls(self, prefix: str) -> list[dict[str, Any]]:
        return [call for call in self.facts["calls"] if call["id"].startswith(prefix)]

    def expected(self, output: dict[str, Any]) -> Tensor:
        """The stored part of an output of a call."""
        return self.arrays[output["array"].removeprefix("arrays.npz:")]

    def input(self, name: str) -> Tensor:
        """An input, made from its name."""
        given = self.facts["inputs"][name]
        shape, salt = tuple(given["shape"]), given["salt"]
        if given["rule"] == "noise":
            values = noise(given["name"], shape, given["lo"], given["hi"], salt)
        else:
            values = token_ids(given["name"], shape, given["vocab"], salt)
        then = given.get("then", "")
        if threshold := re.fullmatch(r"x = \(x > (.+)\)\.float\(\)", then):
            return (values > float(threshold[1])).float()
        if then.startswith("repeat every value 8x8"):
            return values.repeat_interleave(8, 1).repeat_interleave(8, 2)
        assert not then, f"no rule for: {then}"
        return values

    def fill(self, model: nn.Module) -> None:
        """Gives a model this case's weights."""
        weights = self.facts["weights"]
        fill(model, weights["salt"], weights["norm_codes"])


def stored_part(output: dict[str, Any], full: Tensor) -> Tensor:
    """The part of a full result that a case stores; the full result has to have the case's shape."""
    assert list(full.shape) == output["shape"]
    text = output["stored_slice"]
    if text == "all":
        return full
    parts = [part.strip() for part in text.strip("[]").split(",")]
    return full[tuple(slice(*(int(n) if n else None for n in part.split(":"))) for part in parts)]


def published() -> list[str]:
    """Names of the folders of all published configs."""
    return sorted(path.parent.name for path in (DATA / "published").glob("*/config.json"))


def published_facts(name: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Config, state dict (name: shape, type, whether it is a buffer) and counts of a published tokenizer."""
    folder = DATA / "published" / name
    index = json.loads((DATA / "published" / "index.json").read_text())
    return *(json.loads((folder / file).read_text()) for file in ("config.json", "state_dict.json")), index[name]


def check_state_dict(model: nn.Module, name: str) -> None:
    """Whether a model has the tensors of a published tokenizer, name by name and shape by shape, and as many bytes."""
    _, state_dict, counts = published_facts(name)
    tensors = model.state_dict()
    assert {key: list(tensor.shape) for key, tensor in tensors.items()} == {
        key: entry[0] for key, entry in state_dict.items()
    }
    elements = {key: tensor.numel() for key, tensor in tensors.items()}
    statistics = sum(count for key, count in elements.items() if "._codebook." in key)
    assert sum(elements.values()) - statistics == counts["num_parameters"]
    assert statistics == counts["num_buffer_elements"]
    assert 4 * sum(elements.values()) == counts["fp32_bytes"]
