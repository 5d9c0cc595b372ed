"""No wasted wait: what makes the host wait for the device is counted, not timed.

On a CPU nothing waits, but the same operators run, and the same methods are called. Left out is what differs between
devices: on a CPU the nucleus is sorted by numpy, so `Tensor.numpy` is no wait here; of a GPU's tensor it is an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.profiler import ProfilerActivity, profile

from fourm_tui.curves import Guidance
from fourm_tui.model.fourm import FourM
from tests.model.steps import WEIGHTS, image_chain, image_state, image_step, text_chain
from tests.tiny import tiny_model

OPERATORS = frozenset(
    f"aten::{name}"
    for name in (
        "_local_scalar_dense", "item", "is_nonzero", "equal", "nonzero", "nonzero_numpy", "argwhere", "masked_select",
        "_unique", "_unique2", "unique_dim", "unique_consecutive", "bincount", "histc",
    )
)  # fmt: skip
"""Whose answer, or the size of whose answer, the host needs before it goes on."""
METHODS = frozenset({"tolist", "cpu", "item", "__bool__", "__int__", "__float__", "__index__"})
"""Of a tensor, that bring values to the host; on a CPU some of them run no operator."""


class Calls(TorchFunctionMode):
    """Counts calls of torch by what `chosen` calls them; None is not counted."""

    def __init__(self, chosen: Callable[[str, Sequence[Any]], str | None]) -> None:
        super().__init__()
        self.chosen, self.found = chosen, Counter[str]()

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:  # fmt: skip
        kwargs = kwargs or {}
        name = self.chosen(getattr(func, "__name__", ""), (*args, *kwargs.values()))
        if name is not None:
            self.found[name] += 1
        return func(*args, **kwargs)


def waits(work: Callable[[], object]) -> Counter[str]:
    """What in `work` makes the host wait, by operator or method."""
    calls = Calls(lambda name, args: name if name in METHODS else None)
    with profile(activities=[ProfilerActivity.CPU]) as ran, calls:
        work()
    operators = Counter({event.key: event.count for event in ran.key_averages() if event.key in OPERATORS})
    return calls.found + operators


def brought(work: Callable[[], object]) -> Counter[str]:
    """Calls in `work` that bring numbers of the host to the device: tensors of lists, and tensors moved."""

    def chosen(name: str, args: Sequence[Any]) -> str | None:
        moves = name == "cuda" or (name == "to" and any(isinstance(each, torch.device | str) for each in args))
        return name if moves or name in ("tensor", "as_tensor") else None

    calls = Calls(chosen)
    with calls:
        work()
    return calls.found


@pytest.fixture(scope="module")
def model() -> FourM:
    return tiny_model()


@pytest.mark.parametrize(
    "work",
    [
        Tensor.tolist, Tensor.cpu, Tensor.item, bool, int, float, Tensor.nonzero, torch.argwhere,
        lambda x: torch.equal(x, x), lambda x: x[x > 0], lambda x: x.masked_select(x > 0), Tensor.unique,
        lambda x: x.unique(dim=0), Tensor.unique_consecutive, Tensor.bincount, lambda x: torch.where(x > 0),
        lambda x: x.repeat_interleave(x), lambda x: x.float().allclose(x.float()), lambda x: range(x),
    ],
)  # fmt: skip
def test_what_waits_is_found(work: Callable[[Tensor], object]) -> None:
    assert waits(lambda: work(torch.tensor([2]))).total() > 0


@pytest.mark.parametrize("scheme", ["roar", "maskgit"])
@pytest.mark.parametrize("guidance", [1.0, 3.0, WEIGHTS], ids=["alone", "guided", "weighted"])
@pytest.mark.parametrize("texts", [(3, 3), (3, 7)], ids=["even", "padded"])
@pytest.mark.parametrize(
    "draw",
    [{"top_p": 0.0}, {}, {"top_k": 20}, {"top_k": 0.5}, {"temperature": 0.0}],
    ids=["all", "top_p", "top_k and top_p", "a share and top_p", "greedy"],
)
def test_a_step_of_an_image_never_waits_for_the_device(
    model: FourM, scheme: str, guidance: Guidance, texts: tuple[int, ...], draw: dict[str, Any]
) -> None:
    steps = (image_step(scheme, 24, index, guidance, **draw) for index in range(2))
    chain = image_chain(model, image_state(20, texts), *steps)
    next(chain)
    assert waits(lambda: next(chain)) == {}


@pytest.mark.parametrize("scheme", ["roar", "maskgit"])
def test_a_guess_of_what_is_open_never_waits_for_the_device(model: FourM, scheme: str) -> None:
    guess = next(image_chain(model, image_state(20), image_step(scheme, 24))).guess
    assert guess is not None
    assert waits(guess) == {}


@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_a_token_of_a_text_waits_for_its_ids_alone(model: FourM, guidance: float) -> None:
    chain = text_chain(model, guidance, 8)
    next(chain)
    assert waits(lambda: next(chain)) == {"tolist": 1}
    assert brought(lambda: next(chain)) == {}


@pytest.mark.parametrize("scheme", ["roar", "maskgit"])
@pytest.mark.parametrize("guidance", [1.0, 3.0, WEIGHTS], ids=["alone", "guided", "weighted"])
def test_a_step_of_an_image_brings_nothing_to_the_device(model: FourM, scheme: str, guidance: Guidance) -> None:
    chain = image_chain(model, image_state(20), image_step(scheme, 24, guidance=guidance))
    assert brought(lambda: list(chain)) == {}


@pytest.mark.parametrize("guidance", [1.0, 3.0, WEIGHTS], ids=["alone", "guided", "weighted"])
def test_where_there_is_padding_its_mask_alone_is_brought(model: FourM, guidance: Guidance) -> None:
    """Once: of all branches one sees the texts of several lengths."""
    chain = image_chain(model, image_state(20, texts=(3, 7)), image_step("roar", 24, guidance=guidance))
    assert brought(lambda: list(chain))["to"] <= 1
