"""Denoising steps recorded without a GPU: pictures come out the same, of whatever was recorded before."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from fourm_tui.engine.tokenize import Tokenizers
from fourm_tui.recording import LARGEST_BATCH, SWITCH, Recordings
from fourm_tui.tokenizers import divae
from fourm_tui.tokenizers.config import TokenizerConfig
from fourm_tui.tokenizers.diffusion import noise_per_sample
from fourm_tui.tokenizers.divae import DiVAE
from fourm_tui.tokenizers.loading import build
from tests.tiny_tokenizers import small_sizes
from tests.traces import Traces
from tests.vq.reference import fill, published_facts

STEPS = 4


@pytest.fixture(scope="module")
def model() -> DiVAE:
    config, _, _ = published_facts("4M_tokenizers_rgb_16k_224-448")
    with small_sizes(), torch.no_grad():
        made = build(TokenizerConfig.from_config({**config, "codebook_size": 64}))
        fill(made)
    assert isinstance(made, DiVAE)
    return made.eval().requires_grad_(False)


def tokens(seed: int, batch: int = 2, side: int = 4) -> Tensor:
    return torch.randint(64, (batch, side, side), generator=torch.Generator().manual_seed(seed))


def picture(model: DiVAE, of: Tensor, recordings: Recordings | None = None, seed: int = 0) -> Tensor:
    model.recordings = recordings
    made = model.decode(of, steps=STEPS, noise=noise_per_sample(range(seed, seed + len(of))))
    model.recordings = None
    return made


def test_pictures_are_the_same_whatever_was_recorded_before(model: DiVAE) -> None:
    traces = Traces()
    recordings = Recordings(torch.device("cpu"), 4, traces)
    cases = [(tokens(0), 0), (tokens(1), 7), (tokens(2, batch=1), 3), (tokens(3, side=6), 4), (tokens(0), 9)]
    for of, seed in cases:
        assert torch.equal(picture(model, of, recordings, seed), picture(model, of, seed=seed))
    assert traces.recorded == 3  # one for each shape
    assert traces.replayed == len(cases) * STEPS - 3


def test_a_steps_results_stay_as_they_were(model: DiVAE) -> None:
    model.recordings = Recordings(torch.device("cpu"), 1, Traces())
    done = list(model.denoise(tokens(0), steps=STEPS, noise=noise_per_sample([0, 1])))
    model.recordings = None
    plain = list(model.denoise(tokens(0), steps=STEPS, noise=noise_per_sample([0, 1])))
    for found, expected in zip(done, plain, strict=True):
        for name in ("x_t", "model_output", "x0", "x_prev"):
            assert torch.equal(getattr(found, name), getattr(expected, name))


def test_many_pictures_are_not_recorded(model: DiVAE) -> None:
    traces = Traces()
    recordings = Recordings(torch.device("cpu"), 1, traces)
    picture(model, tokens(0, batch=LARGEST_BATCH + 1, side=2), recordings)
    assert (traces.recorded, len(recordings)) == (0, 0)


def test_memory_of_recordings_is_freed_when_it_is_needed(model: DiVAE) -> None:
    recordings = Recordings(torch.device("cpu"), 1, Traces())
    picture(model, tokens(0), recordings)
    picture(model, tokens(0, side=6), recordings)
    assert len(recordings) == 1
    model.recordings = recordings
    tokenizers = Tokenizers({"rgb_tok_id": "here"}, torch.device("cpu"), load=lambda *_: model)
    list(tokenizers.load("tok_rgb@224"))
    tokenizers.forget()
    model.recordings = None
    assert len(recordings) == 0


def test_only_a_gpu_records(model: DiVAE, monkeypatch: pytest.MonkeyPatch) -> None:
    picture(model, tokens(0))
    assert model.recordings is None
    traces = Traces()
    monkeypatch.setattr(divae, "is_recorded", lambda device: True)
    monkeypatch.setattr("fourm_tui.recording.CudaGraphs", lambda device: traces)
    model.decode(tokens(0), steps=STEPS, noise=noise_per_sample([0, 1]))
    model.recordings = None
    assert (traces.recorded, traces.replayed) == (1, STEPS - 1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_graphs_make_the_same_pictures(model: DiVAE, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model.cuda()
    found = [model.decode(tokens(0).cuda(), steps=STEPS, noise=noise_per_sample([0, 1])) for _ in range(2)]
    assert model.recordings is not None and len(model.recordings) == 1
    monkeypatch.setenv(SWITCH, "0")
    model.recordings = None
    plain = model.decode(tokens(0).cuda(), steps=STEPS, noise=noise_per_sample([0, 1]))
    for picture in found:
        torch.testing.assert_close(picture, plain, atol=1e-4, rtol=0)
    model.cpu()
