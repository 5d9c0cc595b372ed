"""The numerical cases of the reference implementation: models with weights computed from names, inputs, results.

`tests/data/fm` holds numbers and configs only; `filled_model` makes the weights.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fourm_tui.architecture import Architecture
from fourm_tui.model.fourm import FourM
from fourm_tui.plan import Step
from fourm_tui.sampling.images import patches
from fourm_tui.sampling.state import ImageTokens, Sequence, State, Values, Vectors

DATA = Path(__file__).parents[1] / "data" / "fm"

# (pattern in the name, whether the spread is divided by the root of the fan-in, spread, centre); first match wins
_RULES = [
    (r"\.(q_norm|k_norm)\.weight$", False, 0.2, 2.0),
    (r"(^|\.)(norm1|norm2|query_norm|context_norm|encoder_norm|decoder_norm)\.weight$", False, 0.1, 1.0),
    (r"\.bias$", False, 0.02, 0.0),
    (r"\.token_emb\.weight$", False, 1.0, 0.0),
    (r"\.mod_emb$", False, 0.2, 0.0),
    (r"\.pos_emb$", False, 1.0, 0.0),
    (r"^mask_token$", False, 0.05, 0.0),
    (r"^register_tokens$", False, 1.0, 0.0),
    (r"\.to_logits\.weight$", True, 2.5, 0.0),
    (r"\.(qkv|q|kv)\.weight$", True, 2.5, 0.0),
    (r"\.mlp\.fc[123]\.weight$", True, 3.0, 0.0),
    (r"\.weight$", True, 1.0, 0.0),
]


def uniform(name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Numbers from 0 to 1 that depend on a name and a shape only."""
    seed = zlib.crc32(name.encode())
    return np.random.Generator(np.random.PCG64(seed)).random(shape)


def filled(name: str, shape: tuple[int, ...], salt: str = "") -> Tensor:
    """The weight of a name."""
    _, fan_in, spread, centre = next(rule for rule in _RULES if re.search(rule[0], name))
    spread *= math.sqrt(3.0 / shape[1]) if fan_in else 1.0
    return torch.from_numpy((centre + (uniform(name + salt, shape) - 0.5) * 2 * spread).astype(np.float32))


def noise(name: str, shape: tuple[int, ...], lo: float, hi: float) -> Tensor:
    return torch.from_numpy((lo + (hi - lo) * uniform(name, shape)).astype(np.float32))


@lru_cache(maxsize=4)
def filled_model(config: str, salt: str = "") -> FourM:
    """The model of `configs/<config>` with its deterministic weights."""
    architecture = Architecture.from_config(json.loads((DATA / "configs" / config / "config.json").read_text()))
    model = FourM(architecture)
    shared = {decoder: encoder for encoder, decoder in model.shared_names()}
    for name, parameter in model.named_parameters():
        parameter.data = filled(shared.get(name, name), tuple(parameter.shape), salt)
    return model.eval().requires_grad_(False)


@dataclass(frozen=True)
class Case:
    """One case, read."""

    name: str

    @cached_property
    def facts(self) -> dict[str, Any]:
        return json.loads((DATA / "cases" / self.name / "case.json").read_text())

    @cached_property
    def inputs(self) -> dict[str, Tensor]:
        with np.load(DATA / "cases" / self.name / "inputs.npz") as file:
            return {name: torch.from_numpy(file[name]) for name in file}

    @cached_property
    def expected(self) -> dict[str, Tensor]:
        with np.load(DATA / "cases" / self.name / "expected.npz") as file:
            return {name: torch.from_numpy(file[name]) for name in file}

    @property
    def model(self) -> FourM:
        return filled_model(self.facts["config"].split("/")[1], self.facts["fill_salt"])

    def tensor(self, entry: dict[str, Any]) -> Tensor:
        name = entry["modality"]
        if entry.get("tensor_stored", True):
            return self.inputs[f"{name}.tensor"]
        given = entry["noise"]
        values = noise(given["name"], tuple(given["shape"]), given["lo"], given["hi"])
        if name == "t5_caption":
            values[:, given.get("valid", entry.get("valid")) :] = 0
        return values

    @cached_property
    def state(self) -> State:
        """The inputs as a sampler takes them."""
        modalities: dict[str, Values] = {}
        batch = 0
        for entry in self.facts["inputs"]:
            values = self.values(entry)
            modalities[entry["modality"]] = values
            batch = len(self.inputs[f"{entry['modality']}.input_mask"])
        order = self.facts["input_order"]
        return State({name: modalities[name] for name in order}, batch)

    def values(self, entry: dict[str, Any]) -> Values:
        name, tensor = entry["modality"], self.tensor(entry)
        visible, to_decode = ~self.inputs[f"{name}.input_mask"], ~self.inputs[f"{name}.target_mask"]
        kind = self.model.architecture.modalities[name].kind
        if kind == "pixels":
            return Vectors.of(patches(tensor, 16))
        if kind == "image":
            return ImageTokens.of(tensor.long(), visible)
        if kind == "embeddings":
            return Vectors.of(tensor, tuple(visible.sum(1).tolist()))
        texts = [row[seen].tolist() for row, seen in zip(tensor.long(), visible, strict=True)]
        generation: dict[str, int] = {}
        if any(step["target_domain"] == name for step in self.facts["schedule"]):
            target = tensor[0][to_decode[0]].tolist()
            generation = {"start": target[0], "stop": target[-1], "room": len(target)}
        return Sequence.of(texts, **generation)

    @cached_property
    def steps(self) -> list[Step]:
        """The schedule as steps of a plan; weights are named after the conditions of the multi-guided call."""
        call, found = self.facts["call"], []
        conditions = [names[0] for names in self.facts.get("multi_guided", {}).get("cond_dicts", [])]
        finished: list[str] = []
        for index, step in enumerate(self.facts["schedule"]):
            target = step["target_domain"]
            if found and found[-1].target != target:
                finished.append(found[-1].target)
            scale = step["cfg_scale"]
            if isinstance(scale, list):
                scale = dict(zip([*conditions, *finished], scale, strict=True))
            number, guided = 1 + len(finished), tuple(step["cfg_cond_domains"])
            temperature, tokens = step["temperature"], step["num_tokens"]
            filters = (call["top_p"], call["top_k"])
            found.append(Step(index, number, target, step["scheme"], tokens, temperature, scale, guided, *filters))
        return found


def case_names(*kinds: str) -> list[str]:
    """Names of all cases of these kinds."""
    return [name for name in sorted(p.name for p in (DATA / "cases").iterdir()) if Case(name).facts["kind"] in kinds]
