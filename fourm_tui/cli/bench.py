"""`fourm-tui bench`: how fast a chain runs here, stage by stage, and how near the hardware's limits that is."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from fourm_tui.chain.check import BYTES_PER_WEIGHT, Check, check_chain
from fourm_tui.chain.inputs import Inputs
from fourm_tui.cli.console import make_console
from fourm_tui.cli.inputs import inputs_for
from fourm_tui.errors import InputError, printable

if TYPE_CHECKING:
    import torch

    from fourm_tui.bench.stages import Stage
    from fourm_tui.cost import Calibration

_DIFFUSION_STEPS = 2
_SCHEDULE, _DEMO = "settings_base/T2CR", "demo/T2SDR"


def main(options: argparse.Namespace) -> int:
    from fourm_tui.bench.probe import probe
    from fourm_tui.bench.stages import peak_memory
    from fourm_tui.engine.loading import choose_device, use_cores
    from fourm_tui.weights import as_dtype

    if options.settings is None and options.gen_config is None:
        options.settings = _DEMO if options.models is None else _SCHEDULE
    inputs = inputs_for(options)
    device = choose_device(options.device)
    use_cores()
    check = check_chain(inputs, str(device), options.dtype, alone=True)
    problems = [str(problem) for problem in check.findings.problems if problem not in check.missing]
    if problems or check.plan is None:
        raise InputError("\n".join(problems))
    speed = probe(device, as_dtype(check.dtype, device))
    found: list[Stage] = []
    console = make_console(stderr=options.json)
    for stage in _stages(inputs, check, device, options.batch_size, speed):
        found.append(stage)
        if not options.json:
            console.print(Text(f"measured: {printable(stage.name)}"), style="dim")
    memory = peak_memory(device)
    if options.json:
        facts = {
            "device": str(device),
            "dtype": check.dtype,
            "batch": options.batch_size,
            "probe": asdict(speed),
            "memory_bytes": memory,
            "stages": [{**asdict(stage), "share": stage.share} for stage in found],
        }
        print(json.dumps(facts, indent=1))
        return 0
    flops, streamed = speed.flops_per_second / 1e9, speed.bytes_per_second / 1e9
    words = f"{device} {check.dtype}: {flops:,.0f} GFLOP/s in matrix products, {streamed:,.1f} GB/s streamed"
    console.print(Text(f"{words}; {options.batch_size} together"))
    console.print(_table(found))
    if memory is not None:
        console.print(Text(f"memory {memory / 1e9:.2f} GB"))
    return 0


def _stages(inputs: Inputs, check: Check, device: torch.device, batch: int, speed: Calibration) -> Iterator[Stage]:
    """Loading, the rows, pictures."""
    from fourm_tui.bench.made import made_model
    from fourm_tui.bench.stages import Stage, pictures, rows
    from fourm_tui.engine.tokenize import Tokenizers
    from fourm_tui.model.loading import load_model
    from fourm_tui.weights import as_dtype

    assert check.plan is not None
    models = {}
    for prefix, role in (("", "model"), ("sr_", "sr_model")):
        if not check.plan.part(prefix):
            continue
        checkpoint, architecture = inputs.checkpoints[role], inputs.architecture(role)
        began = time.perf_counter()
        if checkpoint.weights is not None:
            models[prefix] = load_model(checkpoint.name, device, check.dtype, inputs.base)
            yield Stage(printable(checkpoint.name), "loaded", time.perf_counter() - began)
        elif architecture is not None:
            models[prefix] = made_model(architecture, device, as_dtype(check.dtype, device))
            yield Stage(printable(checkpoint.name), "not here: made up, not loaded", time.perf_counter() - began)
        else:
            raise InputError(f"{printable(checkpoint.name)}: is not on this machine, and its config is not known")
    yield from rows(models, check.plan, batch, speed, BYTES_PER_WEIGHT[check.dtype])
    here = {key: name for key, name in inputs.models.tokenizers.items() if inputs.checkpoints[key].weights is not None}
    tokenizers = Tokenizers(here, device, check.dtype, inputs.base, steps=_DIFFUSION_STEPS)
    for row in check.plan.rows:
        modality = models[row.prefix].architecture.modalities[row.row.target]
        if modality.kind == "image" and tokenizers.has(modality.name):
            yield from pictures(tokenizers, modality, batch)


def _table(stages: Sequence[Stage]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("stage", "what"):
        table.add_column(name, overflow="fold", no_wrap=True)
    for name in ("seconds", "each", "tokens/s", "of the limit"):
        table.add_column(name, justify="right")
    for stage in stages:
        table.add_row(
            Text(stage.name), Text(stage.detail), f"{stage.seconds:.2f}",
            f"{1000 * stage.seconds / stage.times:,.0f} ms",
            f"{stage.tokens / stage.seconds:,.0f}" if stage.tokens else "",
            f"{stage.share:.0%}" if stage.share is not None else "",
        )  # fmt: skip
    return table
