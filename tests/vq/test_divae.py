"""Tokenizers that decode by diffusion give the numbers of the reference implementation."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from torch import Tensor

from fourm_tui.tokenizers.unet import sinusoid
from tests.vq.divae_cases import case_and_model, diffusion_of, one_source, tolerance
from tests.vq.reference import DATA, TIE, Case, stored_part

CASES = sorted(path.name for path in (DATA / "cases").glob("divae_*"))
REAL = ["real_rgb_16k_224", "real_edge_8k_224"]


def marked(name: str, *values: Any) -> Any:
    marks = [pytest.mark.slow] if name in REAL else []
    return pytest.param(name, *values, marks=marks, id="-".join([name, *map(str, values)]))


def calls_of(pattern: str) -> list[Any]:
    found = [(name, call["id"]) for name in [*CASES, *REAL] for call in Case(name).facts["calls"]]
    return [marked(name, call) for name, call in found if re.fullmatch(pattern, call)]


def close(case: Case, call_id: str, output: str, full: Tensor) -> None:
    facts = case.call(call_id)["outputs"][output]
    torch.testing.assert_close(
        stored_part(facts, full), case.expected(facts), atol=tolerance(case, call_id), rtol=0, check_dtype=False
    )


def stored_tokens(case: Case) -> Tensor:
    return case.expected(case.call("encode")["outputs"]["tokens"]).long()


@pytest.mark.parametrize("name", [marked(name) for name in [*CASES, *REAL]])
def test_encodes_to_the_same_tokens(name: str) -> None:
    case, model = case_and_model(name)
    outputs = case.call("encode")["outputs"]
    pixels = case.input("x")
    torch.testing.assert_close(
        stored_part(outputs["pre_quant"], model.latent(pixels)), case.expected(outputs["pre_quant"]), atol=1e-3, rtol=0
    )
    decided = case.expected(outputs["tokens_margin"]) > TIE
    assert torch.equal(model.encode(pixels)[decided], stored_tokens(case)[decided])


@pytest.mark.parametrize("name", [marked(name) for name in [*CASES, *REAL]])
def test_has_as_many_parameters(name: str) -> None:
    case, model = case_and_model(name)
    tensors = {tensor.data_ptr(): tensor for key, tensor in model.state_dict().items() if "._codebook." not in key}
    assert sum(tensor.numel() for tensor in tensors.values()) == case.facts["num_parameters"]


@pytest.mark.parametrize(("name", "call_id"), calls_of(r"forward_.*"))
def test_the_network_says_the_same(name: str, call_id: str) -> None:
    case, model = case_and_model(name)
    tokens, x = stored_tokens(case), case.input("x_noised")
    mask, timestep = None, 123
    if call_id == "forward_masked":
        mask = (torch.arange(tokens[0].numel()) % 3 == 0).view(tokens[0].shape).expand(tokens.shape)
    else:
        timestep = int(call_id.removeprefix("forward_t"))
    height, width = x.shape[2:]
    condition = model.decoder.condition(model.embed_tokens(tokens), (height, width), mask)
    close(case, call_id, "out", model.decoder(x, torch.tensor([timestep]), condition))


@pytest.mark.parametrize(("name", "call_id"), calls_of("time_embedding"))
def test_embeds_timesteps_the_same(name: str, call_id: str) -> None:
    case, model = case_and_model(name)
    waves = sinusoid(torch.tensor([0, 1, 37, 500, 999]), model.decoder.size.model_channels)
    close(case, call_id, "sinusoid", waves)
    close(case, call_id, "mlp", model.decoder.time_embed(waves))


@pytest.mark.parametrize(("name", "call_id"), calls_of(r"decode_.*"))
def test_decodes_to_the_same_picture(name: str, call_id: str) -> None:
    case, model = case_and_model(name)
    call = case.call(call_id)
    spacing = re.search(r"trailing|linspace|leading", call_id)
    size = call["outputs"]["decoded"]["shape"][2:]
    steps = list(
        model.denoise(
            stored_tokens(case),
            (size[0], size[1]),
            int(call_id.rpartition("_")[2]),
            noise=one_source(call["seed"]),
            diffusion=diffusion_of(model, call),
            spacing=spacing.group() if spacing else None,
        )
    )
    outputs = call["outputs"]
    assert [step.timestep for step in steps] == case.expected(outputs["timesteps"]).tolist()
    assert [(step.number, step.total) for step in steps] == [(n, len(steps)) for n in range(1, len(steps) + 1)]
    for output, attribute in [("x_t", "x_t"), ("model_output",) * 2, ("pred_x0", "x0"), ("x_prev", "x_prev")]:
        if output in outputs:
            close(case, call_id, output, torch.stack([getattr(step, attribute) for step in steps]))
    close(case, call_id, "decoded", steps[-1].x_prev)
