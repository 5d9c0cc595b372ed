"""No wasted pass: what a step runs is counted, not timed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.nn import functional as F
from torch.profiler import ProfilerActivity, profile

from fourm_tui.model import layers
from fourm_tui.model.fourm import FourM, Seen
from fourm_tui.model.layers import CrossAttention, Group, Linear, Mlp
from fourm_tui.plan import Step, plan
from fourm_tui.sampling.chain import run_chain, step_seeds
from fourm_tui.sampling.state import ImageTokens, Sequence, State
from fourm_tui.schedule.document import Document
from fourm_tui.schedule.editor import Editor
from tests.tiny import tiny_model

RGB, BATCH = "tok_rgb@224", 2


@pytest.fixture(scope="module")
def model() -> FourM:
    return tiny_model().eval().requires_grad_(False)


def steps_of(target: str, scheme: str, steps: int | None, guidance: float, tokens: int) -> tuple[Step, ...]:
    text = f"""cond_domains: {"tok_depth@224" if target == "caption" else "caption"}
target_domains: {target}
tokens_per_target: {tokens}
autoregression_schemes: {scheme}
decoding_steps: {steps or "null"}
token_decoding_schedules: {"null" if steps is None else "linear"}
temps: 1.0
temp_schedules: constant
cfg_scales: {guidance}
cfg_schedules: constant
top_p: 0.9
"""
    return plan(Editor([Document.parse(text)]).schedule).steps


def state_for(target: str) -> State:
    if target == "caption":
        depth = ImageTokens.of(torch.randint(64, (BATCH, 196)))
        return State({"tok_depth@224": depth, "caption": Sequence.empty(BATCH, 8)}, BATCH)
    return State({"caption": Sequence.of([[10, 11, 3]] * BATCH), target: ImageTokens.empty(BATCH, 196)}, BATCH)


@contextmanager
def counted(model: FourM, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Calls of the encoder, of the decoder, and of what makes keys and values of a context."""
    calls: Counter[str] = Counter()
    for owner, name in ((model, "encode"), (model, "decode"), (model, "keys_values")):
        method = getattr(owner, name)

        def counting(*args: object, _method: object = method, _name: str = name, **more: object) -> object:
            calls[_name] += 1
            return _method(*args, **more)  # type: ignore[operator]

        monkeypatch.setattr(owner, name, counting)
    yield calls
    monkeypatch.undo()


@pytest.mark.parametrize("scheme", ["roar", "maskgit"])
@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_a_step_of_an_image_encodes_and_decodes_all_branches_in_one_pass(
    model: FourM, scheme: str, guidance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = steps_of(RGB, scheme, 4, guidance, 196)
    with counted(model, monkeypatch) as calls:
        assert len(list(run_chain(model, state_for(RGB), steps, step_seeds([0, 1])))) == 4
    assert calls == {"encode": 4, "keys_values": 4, "decode": 4}


@pytest.mark.parametrize(("guidance", "branches"), [(1.0, 1), (2.0, 2)])
def test_a_text_encodes_once_and_decodes_one_token_a_pass(
    model: FourM, guidance: float, branches: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = steps_of("caption", "autoregressive", None, guidance, 8)
    rows: list[int] = []
    with counted(model, monkeypatch) as calls:
        decode = model.decode
        monkeypatch.setattr(
            model, "decode", lambda y, *args, **more: rows.append(y.shape[:2]) or decode(y, *args, **more)
        )
        tokens = len(list(run_chain(model, state_for("caption"), steps, step_seeds([0, 1]))))
    assert calls == {"encode": 1, "keys_values": 1, "decode": tokens}
    assert set(rows) == {(branches * BATCH, 1)}


def test_only_the_positions_of_a_step_have_logits(model: FourM, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = steps_of(RGB, "roar", 4, 3.0, 196)
    logits, shapes = model.output(RGB).to_logits, []
    forward = logits.forward
    monkeypatch.setattr(logits, "forward", lambda x: shapes.append(tuple(x.shape[:2])) or forward(x))
    list(run_chain(model, state_for(RGB), steps, step_seeds([0, 1])))
    assert shapes == [(2 * BATCH, step.num_tokens) for step in steps]


def test_the_empty_branch_encodes_its_few_tokens_only(model: FourM, monkeypatch: pytest.MonkeyPatch) -> None:
    encode, lengths = model.encode, []
    monkeypatch.setattr(
        model, "encode", lambda parts: lengths.extend(part.tokens.shape[1] for part in parts) or encode(parts)
    )
    list(run_chain(model, state_for(RGB), steps_of(RGB, "roar", 2, 3.0, 196), step_seeds([0, 1])))
    assert lengths == [3, 1, 3 + 98, 1 + 98]  # the caption, or its `[S_1]`, and what is decoded


def test_the_operators_of_a_step_do_not_grow_with_the_steps_before(model: FourM) -> None:
    steps = run_chain(model, state_for(RGB), steps_of(RGB, "roar", 6, 3.0, 196), step_seeds([0, 1]))
    counts = []
    for _ in range(3):
        with profile(activities=[ProfilerActivity.CPU]) as found:
            next(steps)
        counts.append(sum(event.count for event in found.key_averages() if event.key.startswith("aten::")))
    assert counts[1] == counts[2] <= 900


def test_several_branches_in_one_pass_give_what_each_gives_alone(model: FourM) -> None:
    draw = torch.Generator().manual_seed(0)
    y = torch.randn(BATCH, 5, model.architecture.dim, generator=draw)
    parts = []
    for length in (7, 3, 0):
        shape = BATCH, length, model.architecture.dim
        visible = torch.rand(BATCH, length, generator=draw) > 0.3 if length == 7 else None
        parts.append(Seen(torch.randn(shape, generator=draw), torch.randn(shape, generator=draw), visible))
    together = model.decode(y.repeat(3, 1, 1), model.keys_values(model.encode(parts))).chunk(3)
    for made, part in zip(together, parts, strict=True):
        alone = model.decode(y, model.keys_values(model.encode([part])))
        torch.testing.assert_close(made, alone, atol=1e-5, rtol=1e-5)


@pytest.fixture(params=["GenuineIntel", "AuthenticAMD"])
def maker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Whose processor it is taken for: that decides whose products are used."""
    monkeypatch.setattr(layers, "processor_maker", lambda: request.param)
    return str(request.param)


@pytest.mark.parametrize("rows", [0, 1, 2, 8, 33, 70, 300, 2001])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.bfloat16, 0.05), (torch.float32, 1e-5)])
def test_packed_weights_multiply_as_before(
    maker: str, rows: int, bias: bool, dtype: torch.dtype, tolerance: float
) -> None:
    width = 512 if dtype == torch.float32 else 48
    layer = Linear(width, 2 * width, bias=bias).to(dtype).requires_grad_(False)
    weight, x = layer.weight.clone(), torch.randn(1, rows, width).to(dtype)
    before, size = layer(x), layer.bytes
    layer.pack()
    if layer.packed is None:
        pytest.skip("this torch has no packed products on this processor")
    torch.testing.assert_close(layer(x), before, atol=tolerance, rtol=tolerance)
    exact = F.linear(x.double(), weight.double(), layer.bias.double() if bias else None)
    torch.testing.assert_close(layer(x).double(), exact, atol=tolerance, rtol=0)
    assert layer.bytes == size


@pytest.mark.parametrize("width", [48, 512])
def test_narrow_layers_in_fp32_are_laid_out_on_processors_of_other_makers_only(maker: str, width: int) -> None:
    layer = Linear(width, width)
    if not Linear(512, 512).can_be_packed:
        pytest.skip("this torch has no packed products on this processor")
    assert layer.can_be_packed == (maker == "AuthenticAMD" or width == 512)


@pytest.mark.parametrize("act", ["SiLU", "GELU"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.bfloat16, 0.02), (torch.float32, 1e-5)])
def test_a_gate_is_one_product_once_it_is_packed(
    maker: str, act: str, bias: bool, dtype: torch.dtype, tolerance: float
) -> None:
    how: dict[str, Any] = {"dim": 512, "mlp_ratio": 2, "act_layer": act, "gated_mlp": True, "mlp_bias": bias}
    mlp = Mlp(replace(tiny_model().architecture, **how)).to(dtype).requires_grad_(False)
    x = torch.randn(2, 5, 512).to(dtype)
    before, size = mlp(x), sum(part.bytes for part in mlp.modules() if isinstance(part, Linear))
    for part in mlp.modules():
        if isinstance(part, Linear | Mlp):
            part.pack()
    if not mlp.is_joined:
        pytest.skip("this torch has no packed products on this processor")
    torch.testing.assert_close(mlp(x), before, atol=tolerance, rtol=tolerance)
    assert mlp.fc3 is None
    assert size == sum(part.bytes for part in mlp.modules() if isinstance(part, Linear))


def test_cross_attention_to_nothing_adds_its_bias_alone(model: FourM) -> None:
    layer = next(module for module in model.modules() if isinstance(module, CrossAttention))
    (nothing,) = layer.keys_values(torch.zeros(0, model.architecture.dim), [Group(1, 0)])
    found = layer(torch.randn(1, 4, model.architecture.dim), [(nothing, None)])
    bias = torch.zeros(model.architecture.dim) if layer.proj.bias is None else layer.proj.bias
    torch.testing.assert_close(found, bias.expand_as(found))
