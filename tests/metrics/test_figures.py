"""Figures gathered in parts; what the parts come to does not depend on how they were made."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from fourm_tui.errors import InputError
from fourm_tui.metrics.figures import Figures
from fourm_tui.metrics.wanted import Wanted
from tests.metrics.tiny import F, pictures, tiny_networks

ALL = Wanted(fid=True, inception=True, clip=True)
CLIP_ONLY = Wanted(fid=False, inception=False, clip=True)
N = 30
REAL, GENERATED = pictures(N, 0), pictures(N, 1)
CAPTIONS = ["x" * (number % 7) for number in range(N)]


def figures(wanted: Wanted = ALL) -> Figures:
    return Figures(wanted, tiny_networks(), size=32)


def add(to: Figures, keys: list[int]) -> Figures:
    to.add_real(keys, REAL[keys])
    to.add_generated(keys, GENERATED[keys], [CAPTIONS[key] for key in keys])
    return to


def values(of: Figures) -> dict[str, Tensor]:
    """What `of` would compute with, whatever the order in which it came."""
    return {name: of._merged(name) for name in ("real", "generated", "clip")}


def same(a: Figures, b: Figures) -> bool:
    return all(torch.equal(values(a)[name], values(b)[name]) for name in values(a))


WHOLE = list(range(N))


@pytest.mark.parametrize("ranks", [1, 2, 3, 7])
def test_any_number_of_ranks_in_any_order_gives_the_same(ranks: int) -> None:
    states = [add(figures(), WHOLE[rank::ranks]).state() for rank in range(ranks)]
    merged = figures()
    merged.load(states[::-1])
    assert same(merged, add(figures(), WHOLE))


def test_chunks_kept_as_safetensors_across_an_interruption_give_the_same(tmp_path: Path) -> None:
    running = figures()
    for chunk in range(2):
        add(running, WHOLE[chunk * 10 : chunk * 10 + 10])
        save_file(running.state(), tmp_path / f"{chunk}.safetensors")
        running.clear()
    resumed = add(figures(), WHOLE[20:])
    resumed.load([load_file(path) for path in sorted(tmp_path.iterdir())])
    assert same(resumed, add(figures(), WHOLE))


def test_a_state_after_clear_is_only_as_large_as_what_came_since() -> None:
    running = add(figures(), WHOLE)
    running.clear()
    assert running.state() == {}
    state = add(running, [3, 4]).state()
    assert state["generated.keys"].tolist() == [3, 4]
    assert state["generated.values"].shape == (2, F) and state["clip.values"].shape == (2, 1)
    assert state["real.values"].dtype == torch.float32


def test_a_picture_done_twice_counts_once() -> None:
    twice = add(add(figures(), [4, 5, 6]), WHOLE)
    twice.load([add(figures(), [7, 8]).state()])
    assert same(twice, add(figures(), WHOLE))


def test_the_last_of_a_key_counts() -> None:
    other = figures()
    other.add_generated([0, 1, 0], GENERATED[[5, 6, 7]], ["", "", ""])
    expected = figures()
    expected.add_generated([0, 1], GENERATED[[7, 6]], ["", ""])
    assert same(other, expected)


def test_only_what_is_wanted_is_computed_and_kept() -> None:
    kept = add(figures(CLIP_ONLY), WHOLE)
    assert set(kept.state()) == {"clip.keys", "clip.values"}
    kept = add(figures(Wanted(fid=False, inception=True, clip=False)), WHOLE)
    assert set(kept.state()) == {"generated.keys", "generated.values"}


def test_clip_score_is_the_mean_over_pictures() -> None:
    scores = GENERATED.double().mean((1, 2, 3)) - torch.tensor([float(len(caption)) for caption in CAPTIONS])
    assert add(figures(CLIP_ONLY), WHOLE).compute() == {"clip_score": pytest.approx(scores.mean().item(), abs=1e-4)}


def test_a_negative_clip_score_is_zero() -> None:
    dark = figures(CLIP_ONLY)
    dark.add_generated([0], torch.zeros(1, 3, 32, 32, dtype=torch.uint8), ["long"])
    assert dark.compute() == {"clip_score": 0}


def test_without_pictures_there_are_no_figures() -> None:
    assert figures().compute() == {}


def test_pictures_are_measured_at_one_size() -> None:
    large = Figures(ALL, tiny_networks(), size=32)
    large.add_generated([0], GENERATED[:1].repeat_interleave(2, -1).repeat_interleave(2, -2), [""])
    seen = large.state()["clip.values"]
    assert seen.item() == pytest.approx(GENERATED[0].double().mean().item(), abs=0.3)


@pytest.mark.parametrize(
    "state",
    [
        {"something": torch.zeros(1)},
        {"clip.keys": torch.zeros(1, dtype=torch.int64)},
        {"clip.keys": torch.zeros(1), "clip.values": torch.zeros(1, 1)},
        {"clip.keys": torch.zeros(2, dtype=torch.int64), "clip.values": torch.zeros(1, 1)},
        {"clip.keys": torch.zeros(1, dtype=torch.int64), "clip.values": torch.zeros(1, 9)},
        {"clip.keys": torch.zeros(1, dtype=torch.int64), "clip.values": torch.zeros(1)},
    ],
)
def test_what_is_no_state_is_said(state: dict[str, Tensor]) -> None:
    with pytest.raises(InputError, match="no state of figures"):
        add(figures(), [1]).load([state])


def test_keys_and_pictures_of_different_number_are_a_bug() -> None:
    with pytest.raises(ValueError, match="1 keys for 2 pictures"):
        figures().add_real([0], REAL[:2])
