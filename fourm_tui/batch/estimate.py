"""What a bulk run will take: how many items fit at once, and passes, time, memory and disk of all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fourm_tui.chain.calibration import Timing
from fourm_tui.chain.check import BYTES_PER_WEIGHT, Check
from fourm_tui.cost import Cost, peak_bytes
from fourm_tui.modalities import MODALITIES, Modality

SIZES = (1, 2, 4, 8, 16, 32, 64)
"""Items at once that are chosen from."""
_MOST_ON_CPU = 16  # more gain nothing there
_USED = 0.7  # share of free memory that is planned with; the rest is for what the estimate does not know
_PICTURE_COPIES = 24
"""Rough: how many float copies of 64 channels of the finished picture a detokenizer keeps at once."""
_FILE_BYTES = {"image": 2.5, "sequence": 600}
"""Rough: bytes of the files of a target, per pixel of a picture, and of a text."""


@dataclass(frozen=True)
class Estimate:
    """What is to be expected; None where it cannot be told."""

    items: int
    batch: int
    passes: int | None
    """Of all items, each by itself; those of a batch are made together."""
    flops: float | None
    memory: int | None
    """Bytes on the device, at most."""
    disk: int
    """Bytes."""
    seconds: float | None
    """On one device."""
    is_measured: bool
    """Whether the time rests on earlier runs of the model here; else on figures of an ordinary machine."""


def items_at_once(check: Check, free: int, on_cpu: bool) -> int:
    """How many items fit into memory, roughly."""
    sizes = [size for size in SIZES if not on_cpu or size <= _MOST_ON_CPU]
    fitting = [size for size in sizes if (memory_of(check, size) or 0) <= free * _USED]
    return max(fitting, default=1)


def memory_of(check: Check, batch: int) -> int | None:
    """The most bytes needed at once with so many items; None if a model is not known."""
    if check.plan is None:
        return None
    weight = BYTES_PER_WEIGHT[check.dtype]
    needs = []
    for role, prefix in (("model", ""), ("sr_model", "sr_")):
        rows = check.plan.part(prefix)
        architecture = check.inputs.architecture(role)
        if rows and architecture is None:
            return None
        if rows and architecture is not None:
            needs.append((architecture.parameters * weight, peak_bytes(architecture, rows, batch, weight)))
    weights = sum(each for each, _ in needs)
    passes = max((most - its for its, most in needs), default=0)
    pictures = max((_decoding(MODALITIES[row.row.target], weight) for row in check.plan.rows), default=0)
    return weights + max(passes, batch * pictures)


def _decoding(modality: Modality, weight: int) -> int:
    side = modality.input_size or 0
    return 64 * side * side * weight * _PICTURE_COPIES // 16 if modality.tokenizer_key else 0


def estimate(check: Check, items: int, batch: int, timing: Timing, device: str) -> Estimate:
    """What a bulk run of a chain will take, by what earlier runs on this machine took."""
    costs = [cost for cost in check.costs if cost is not None]
    whole = Cost.total(costs) if check.plan is not None and len(costs) == len(check.plan.rows) else None
    model = check.inputs.models.model or ""
    seconds = None
    if whole is not None:
        seconds = sum(timing.seconds(cost, model, device, batch) for cost in costs) * -(-items // batch)
    return Estimate(
        items, batch, whole.passes * items if whole else None, whole.flops * items if whole else None,
        memory_of(check, batch), items * _disk(check), seconds, timing.knows(model, device),
    )  # fmt: skip


def _disk(check: Check) -> int:
    """Bytes of the files of one item."""
    rows: Iterable[str] = [row.row.target for row in check.plan.rows] if check.plan else []
    total = 0.0
    for name in rows:
        modality = MODALITIES[name]
        total += modality.max_tokens * 10 + 400  # tokens, steps, confidences
        if modality.kind == "image" and modality.tokenizer_key:
            side = modality.input_size or 224
            total += _FILE_BYTES["image"] * side * side
        else:
            total += _FILE_BYTES["sequence"]
    return int(total)
