"""Noise tables, timesteps and single steps are those of the reference implementation."""

from __future__ import annotations

import re
from typing import Any
from unittest.mock import patch

import pytest
import torch
from torch import Tensor

from fourm_tui.errors import InputError
from fourm_tui.tokenizers import diffusion as diffusion_module
from fourm_tui.tokenizers.config import DiffusionConfig
from fourm_tui.tokenizers.diffusion import Diffusion
from tests.vq.divae_cases import one_source
from tests.vq.reference import Case, stored_part

CASE = Case("schedulers")
STEP = re.compile(
    r"step\.(?P<scheduler>\w+)\.(?P<betas>.+)\.(?P<predicts>\w+)\.th(?P<th>\d)cl(?P<cl>\d)\.zt(?P<zt>\d)\.t(?P<t>\d+)"
)


def ids(prefix: str) -> list[str]:
    return [call["id"] for call in CASE.calls(prefix)]


def non_finite() -> list[str]:
    return [call["id"] for call in CASE.calls("step.") if call["non_finite"]]


def diffusion(**settings: Any) -> Diffusion:
    eta, largest = settings.pop("eta", 0.0), settings.pop("sample_max_value", 1.0)
    given = {"thresholding": False, "scheduler": "ddim", "beta_schedule": "linear", "prediction_type": "sample"}
    return Diffusion(DiffusionConfig(**{**given, **settings}), eta, largest)


def step(call_id: str) -> tuple[Tensor, Tensor]:
    """Image and image before, as a call of a single step has it."""
    found = STEP.fullmatch(call_id)
    assert found is not None
    process = diffusion(
        scheduler=found["scheduler"],
        beta_schedule=found["betas"],
        prediction_type=found["predicts"],
        thresholding=found["th"] == "1",
        clip_sample=found["cl"] == "1",
        zero_terminal_snr=found["zt"] == "1",
    )
    # With the reference's own table: where hardly any noise is left, the last bit of a square root, which is another on
    # other processors, is magnified to more than a step is to differ by. The tables have a test of their own.
    with patch.object(diffusion_module, "_alphas_cumprod", lambda *_: table(found["betas"], found["zt"])):
        return process.step(CASE.input("model_output"), int(found["t"]), CASE.input("sample"), 10, one_source(5))


def table(betas: str, zero_terminal: str) -> Tensor:
    """Cumulative alphas of the reference."""
    (call,) = list(CASE.calls(f"table.{betas}.zt{zero_terminal}"))
    return CASE.expected(call["outputs"]["alphas_cumprod"])


def close(facts: dict[str, Any], full: Tensor) -> None:
    torch.testing.assert_close(stored_part(facts, full), CASE.expected(facts), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("call_id", ids("table."))
def test_noise_tables(call_id: str) -> None:
    found = re.fullmatch(r"table\.(.+)\.zt(\d)", call_id)
    assert found is not None
    table = diffusion(beta_schedule=found[1], zero_terminal_snr=found[2] == "1").alphas_cumprod
    expected = CASE.expected(CASE.call(call_id)["outputs"]["alphas_cumprod"])
    torch.testing.assert_close(table, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("call_id", ids("timesteps."))
def test_timesteps(call_id: str) -> None:
    _, scheduler, *spacing, steps = call_id.split(".")
    timesteps = diffusion(scheduler=scheduler).timesteps(int(steps), *spacing)
    assert timesteps == CASE.expected(CASE.call(call_id)["outputs"]["timesteps"]).tolist()


@pytest.mark.parametrize("call_id", [call_id for call_id in ids("step.") if call_id not in non_finite()])
def test_single_steps(call_id: str) -> None:
    outputs = CASE.call(call_id)["outputs"]
    x0, x_prev = step(call_id)
    close(outputs["pred_original_sample"], x0)
    close(outputs["prev_sample"], x_prev)


@pytest.mark.parametrize("call_id", [call_id for call_id in non_finite() if "th0" in call_id])
def test_noise_predicted_from_noise_alone_is_refused(call_id: str) -> None:
    """The reference goes on with infinities."""
    with pytest.raises(InputError, match=r"timestep 999 is pure noise.*use a model with clip_sample"):
        step(call_id)


@pytest.mark.parametrize("call_id", [call_id for call_id in non_finite() if "th1" in call_id])
def test_noise_predicted_from_noise_alone_is_thresholded_like_clipped(call_id: str) -> None:
    """The reference takes a quantile of infinities, which is no number."""
    for ours, clipped in zip(step(call_id), step(call_id.replace("th1cl0", "th0cl1")), strict=True):
        assert bool(ours.isfinite().all())
        assert torch.equal(ours, clipped)


def test_ddim_with_noise() -> None:
    process = diffusion(eta=1.0)
    _, x_prev = process.step(CASE.input("model_output"), 699, CASE.input("sample"), 10, one_source(5))
    close(CASE.call("ddim_eta1")["outputs"]["prev"], x_prev)


def test_dynamic_threshold() -> None:
    call = CASE.call("threshold.smv2")
    bounded = diffusion(thresholding=True, sample_max_value=2.0).bounded(CASE.input("model_output"))
    close(call["outputs"]["out"], bounded)


def test_thresholding_goes_before_clipping() -> None:
    x0 = CASE.input("model_output")
    both = diffusion(thresholding=True, clip_sample=True, sample_max_value=2.0)
    assert torch.equal(both.bounded(x0), diffusion(thresholding=True, sample_max_value=2.0).bounded(x0))


def test_noising_and_velocity() -> None:
    process, outputs = diffusion(scheduler="ddpm"), CASE.call("add_noise")["outputs"]
    x0, noise, timesteps = CASE.input("sample"), CASE.input("model_output"), torch.tensor([10, 700])
    close(outputs["noisy"], process.add_noise(x0, noise, timesteps))
    close(outputs["velocity"], process.velocity(x0, noise, timesteps))
    close(outputs["noise"], process.noise_of(x0, noise, timesteps))


def test_velocity_and_noised_image_give_the_noise() -> None:
    process = diffusion(beta_schedule="squaredcos_cap_v2")
    x0, noise, timesteps = CASE.input("sample"), CASE.input("model_output"), torch.tensor([10, 700])
    x_t = process.add_noise(x0, noise, timesteps)
    velocity = process.velocity(x0, noise, timesteps)
    torch.testing.assert_close(process.noise_of(x_t, velocity, timesteps), noise, atol=1e-5, rtol=0)
