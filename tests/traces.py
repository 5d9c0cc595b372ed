"""Recordings without a GPU: traces of operators on fixed tensors, which hold what a CUDA graph holds. What the host
computes in Python while it is recorded is frozen in them, and so is the place of every tensor."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx

from fourm_tui.recording import Compute


class Traces:
    """Records by tracing, and counts."""

    def __init__(self) -> None:
        self.recorded = self.replayed = 0

    def __call__(self, compute: Compute) -> Compute:
        self.recorded += 1
        nothing = torch.zeros(())  # a trace is to have an argument
        trace = make_fx(lambda _: compute())(nothing)

        def replay() -> Tensor:
            self.replayed += 1
            return trace(nothing)

        return replay
