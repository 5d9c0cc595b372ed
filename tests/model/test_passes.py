"""Recorded passes without a GPU (`tests.traces`)."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from fourm_tui.model.fourm import FourM, Seen
from fourm_tui.model.passes import MOST, Passes, RecordedPasses, passes_of
from fourm_tui.plan import Step
from fourm_tui.recording import LARGEST_BATCH, SWITCH, Compute
from fourm_tui.sampling.chain import Decoded, run_chain, step_seeds
from fourm_tui.sampling.state import ImageTokens, Sequence, State
from tests.model.test_counts import RGB, steps_of
from tests.tiny import tiny_model
from tests.traces import Traces


@pytest.fixture
def model() -> FourM:
    return tiny_model().eval().requires_grad_(False)


@pytest.fixture
def traces(model: FourM) -> Traces:
    traces = Traces()
    model.passes = RecordedPasses(model, traces)
    return traces


def state_of(target: str, batch: int = 2, length: int = 3, first: int = 10, device: str = "cpu") -> State:
    """Captions of different lengths, one per sample, or a depth map each."""
    where = torch.device(device)
    if target == "caption":
        draw = torch.Generator().manual_seed(first)
        depth = ImageTokens.of(torch.randint(64, (batch, 196), generator=draw).to(where))
        return State({"tok_depth@224": depth, "caption": Sequence.empty(batch, 8, where)}, batch, where)
    texts = [[first + n for n in range(max(length - b, 1))] for b in range(batch)]
    return State({"caption": Sequence.of(texts, where), target: ImageTokens.empty(batch, 196, where)}, batch, where)


def decoded(model: FourM, state: State, steps: tuple[Step, ...]) -> Iterator[tuple[list[int], list[int]]]:
    found: Decoded
    for found in run_chain(model, state, steps, step_seeds(range(state.batch))):
        yield found.positions.tolist(), found.tokens.tolist()


KINDS = [
    (RGB, "roar", 12, 1.0),
    (RGB, "roar", 12, 3.0),
    (RGB, "maskgit", 5, 3.0),
    ("caption", "autoregressive", None, 1.0),
    ("caption", "autoregressive", None, 2.0),
]


@pytest.mark.parametrize(("target", "scheme", "count", "guidance"), KINDS)
def test_recorded_passes_decode_the_same_tokens(
    model: FourM, traces: Traces, target: str, scheme: str, count: int | None, guidance: float
) -> None:
    steps = steps_of(target, scheme, count, guidance, 8 if target == "caption" else 196)
    recorded = model.passes
    # Longer, shorter, others of the same size: nothing of a pass before may be left in the next one.
    for state in (state_of(target, length=9), state_of(target, length=2), state_of(target, length=2, first=30)):
        model.passes = recorded
        found = list(decoded(model, state, steps))
        model.passes = Passes(model)
        assert found == list(decoded(model, state, steps))
    assert traces.replayed > traces.recorded > 0


@pytest.mark.parametrize(("target", "scheme", "count", "guidance"), KINDS)
def test_what_came_before_is_only_replayed(
    model: FourM, traces: Traces, target: str, scheme: str, count: int | None, guidance: float
) -> None:
    steps = steps_of(target, scheme, count, guidance, 8 if target == "caption" else 196)
    for _ in range(2):
        list(decoded(model, state_of(target), steps))
    recorded, replayed = traces.recorded, traces.replayed
    made = len(list(decoded(model, state_of(target, first=30), steps)))
    assert traces.recorded == recorded
    assert traces.replayed == replayed + made


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


@torch.inference_mode()
def test_nothing_of_a_longer_pass_is_left_in_a_shorter_one(model: FourM, traces: Traces) -> None:
    draw, plain = torch.Generator().manual_seed(0), Passes(model)
    for length, count in ((9, 7), (8, 6), (4, 3), (2, 8)):
        shape = (2, length, model.architecture.dim)
        parts = [Seen(torch.randn(shape, generator=draw), torch.randn(shape, generator=draw))] * 2
        query = torch.randn(2, count, model.architecture.dim, generator=draw)
        close(traced(model).image(RGB, parts, query), plain.image(RGB, parts, query))
        recorded, expected = (passes.text("caption", parts, 2, count) for passes in (traced(model), plain))
        for position in range(count):
            newest = torch.randint(20, (2, 1), generator=draw)
            close(recorded(newest, position), expected(newest, position))
    assert (traces.recorded, len(traced(model).recordings)) == (2, 2)


def traced(model: FourM) -> RecordedPasses:
    assert isinstance(model.passes, RecordedPasses)
    return model.passes


def test_a_chain_has_few_recordings(model: FourM, traces: Traces) -> None:
    steps = steps_of(RGB, "roar", 49, 3.0, 196)
    for _ in range(2):
        list(decoded(model, state_of(RGB), steps))
    assert traces.recorded <= 196 / 32 * 2 + 2


def test_many_samples_are_not_recorded(model: FourM, traces: Traces) -> None:
    for target, scheme, count in ((RGB, "roar", 3), ("caption", "autoregressive", None)):
        steps = steps_of(target, scheme, count, 3.0, 8 if target == "caption" else 196)
        for _ in range(3):
            list(decoded(model, state_of(target, batch=LARGEST_BATCH + 1), steps))
    assert traces.recorded == 0


def test_only_so_many_recordings_are_kept(model: FourM, traces: Traces, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fourm_tui.model.passes.MOST", 2)
    assert MOST > 2
    model.passes = RecordedPasses(model, traces)
    steps = steps_of(RGB, "roar", 49, 3.0, 196)
    list(decoded(model, state_of(RGB), steps))
    assert len(traced(model).recordings) == 2
    traced(model).forget()
    assert not len(traced(model).recordings)


def test_where_nothing_can_be_recorded_passes_run_as_they_are(
    model: FourM, caplog: pytest.LogCaptureFixture
) -> None:  # fmt: skip
    def refuse(compute: Compute) -> Compute:
        raise RuntimeError("operation not permitted when stream is capturing")

    steps = steps_of(RGB, "roar", 12, 3.0, 196)
    expected = list(decoded(model, state_of(RGB), steps))
    model.passes = RecordedPasses(model, refuse)
    with caplog.at_level(logging.WARNING):
        assert list(decoded(model, state_of(RGB), steps)) == expected
    assert caplog.text.count("cannot be recorded") == 1


def test_a_recording_without_memory_frees_all_of_them(model: FourM) -> None:
    def full(compute: Compute) -> Compute:
        raise torch.OutOfMemoryError("CUDA out of memory")

    steps = steps_of(RGB, "roar", 49, 3.0, 196)
    expected = list(decoded(model, state_of(RGB), steps))
    passes = model.passes = RecordedPasses(model, full)
    assert list(decoded(model, state_of(RGB), steps)) == expected  # without a recording
    had = len(passes.recordings)
    assert had <= 1
    assert model.forget() == (had > 0)
    assert not model.forget()


def test_only_a_gpu_has_recorded_passes(model: FourM, monkeypatch: pytest.MonkeyPatch) -> None:
    assert type(passes_of(model)) is Passes
    model.passes = None
    monkeypatch.setattr(FourM, "device", torch.device("cuda"))
    monkeypatch.setattr("fourm_tui.recording.CudaGraphs", lambda device: Traces())
    assert type(passes_of(model)) is RecordedPasses
    model.passes = None
    monkeypatch.setenv(SWITCH, "0")
    assert type(passes_of(model)) is Passes


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_graphs_decode_the_same_tokens() -> None:
    model = tiny_model().eval().requires_grad_(False).cuda()
    for target, scheme, count, guidance in KINDS:
        steps = steps_of(target, scheme, count, guidance, 8 if target == "caption" else 196)
        state = state_of(target, device="cuda")
        model.passes = RecordedPasses(model)
        found = [list(decoded(model, state, steps)) for _ in range(3)]
        assert found[0] == found[1] == found[2]
