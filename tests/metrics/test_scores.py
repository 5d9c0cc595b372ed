"""FID and Inception Score against their formulae written out, and against torchmetrics fed with pictures."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from torch import Tensor

from fourm_tui.metrics.figures import Figures, frechet_distance, inception_score
from fourm_tui.metrics.wanted import Wanted
from tests.metrics.tiny import TinyInception, needs_torchmetrics, pictures, tiny_networks

ALL = Wanted(fid=True, inception=True, clip=False)


@pytest.fixture(autouse=True)
def _extra() -> None:
    needs_torchmetrics()


def normal(count: int, width: int, seed: int) -> Tensor:
    draw = torch.Generator().manual_seed(seed)
    mix = torch.randn(width, width, generator=draw)
    return torch.randn(count, width, generator=draw) @ mix + torch.randn(width, generator=draw)


def root(matrix: np.ndarray) -> np.ndarray:
    """Square root of a symmetric matrix without negative eigenvalues."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(values.clip(0))) @ vectors.T


@pytest.mark.parametrize(("count", "width"), [(200, 8), (3000, 32), (20, 40)])
def test_frechet_distance_is_the_formula(count: int, width: int) -> None:
    a, b = normal(count, width, 0), normal(count + 7, width, 1)
    x, y = a.double().numpy(), b.double().numpy()
    A, B = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    mixed = root(root(A) @ B @ root(A))
    expected = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(A) + np.trace(B) - 2 * np.trace(mixed)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-4)


def test_frechet_distance_to_itself_is_none() -> None:
    a = normal(500, 16, 0)
    assert frechet_distance(a, a.flip(0)) == pytest.approx(0, abs=1e-3)


def test_inception_score_of_one_split_is_the_formula() -> None:
    logits = normal(300, 10, 0)
    p = torch.softmax(logits.double(), 1).numpy()
    expected = np.exp((p * (np.log(p) - np.log(p.mean(0)))).sum(1).mean())
    assert inception_score(logits, splits=1)[0] == pytest.approx(expected, rel=1e-4)


def test_inception_score_of_splits_is_mean_and_deviation_of_a_fixed_shuffle() -> None:
    logits = normal(95, 10, 0)
    torch.manual_seed(0)
    order = torch.randperm(95)
    torch.manual_seed(12345)
    before = torch.get_rng_state()
    found = inception_score(logits)
    assert torch.equal(torch.get_rng_state(), before), "others draw from this generator"
    p = [torch.softmax(part.double(), 1).numpy() for part in logits[order].chunk(10)]
    scores = [np.exp((q * (np.log(q) - np.log(q.mean(0)))).sum(1).mean()) for q in p]
    assert found == pytest.approx((np.mean(scores), np.std(scores, ddof=1)), rel=1e-4)


def test_figures_are_those_of_torchmetrics_on_the_same_pictures() -> None:
    from torchmetrics.image.fid import FrechetInceptionDistance
    from torchmetrics.image.inception import InceptionScore

    real, generated = pictures(60, 0), pictures(60, 1)
    inception = TinyInception()
    fid = FrechetInceptionDistance(feature=inception)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        score = InceptionScore(feature=torch.nn.Sequential(inception, _Times(inception.fc)), splits=10)
    ours = Figures(ALL, tiny_networks(), size=32)
    for start in range(0, 60, 7):
        keys = list(range(start, min(start + 7, 60)))
        fid.update(real[keys], real=True)
        fid.update(generated[keys], real=False)
        score.update(generated[keys])
        ours.add_real(keys, real[keys])
        ours.add_generated(keys, generated[keys])
    torch.manual_seed(0)
    mean, deviation = score.compute()
    found = ours.compute()
    assert found["fid"] == pytest.approx(fid.compute().item(), rel=1e-4)
    assert found["inception_mean"] == pytest.approx(mean.item(), rel=1e-5)
    assert found["inception_std"] == pytest.approx(deviation.item(), rel=1e-4)


class _Times(torch.nn.Module):
    def __init__(self, matrix: Tensor) -> None:
        super().__init__()
        self.matrix = matrix

    def forward(self, features: Tensor) -> Tensor:
        return features @ self.matrix


def test_ranks_and_interruptions_change_nothing_at_all() -> None:
    real, generated = pictures(50, 0), pictures(50, 1)

    def part(keys: list[int]) -> dict[str, Tensor]:
        some = Figures(ALL, tiny_networks(), size=32)
        some.add_real(keys, real[keys])
        some.add_generated(keys, generated[keys])
        return some.state()

    def whole(states: list[dict[str, Tensor]]) -> dict[str, float]:
        merged = Figures(ALL, tiny_networks(), size=32)
        merged.load(states)
        return merged.compute()

    once = whole([part(list(range(50)))])
    assert set(once) == {"fid", "inception_mean", "inception_std"}
    assert whole([part(list(range(r, 50, 4))) for r in (2, 0, 3, 1)]) == once
    assert whole([part(list(range(30))), part(list(range(20, 50)))]) == once


def test_one_picture_has_a_score_but_neither_distance_nor_deviation() -> None:
    one = Figures(ALL, tiny_networks(), size=32)
    one.add_real([0], pictures(1, 0))
    one.add_generated([0], pictures(1, 1))
    assert one.compute() == {"inception_mean": pytest.approx(1)}
