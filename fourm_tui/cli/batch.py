"""`fourm-tui batch`: a chain over a data set, alone or under PyTorch's launcher."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fourm_tui.batch.launch import Rank, read_rank
from fourm_tui.chain.check import Check, check_chain
from fourm_tui.chain.inputs import Inputs, is_yaml
from fourm_tui.cli.following import CANCELLED, Stop
from fourm_tui.cli.inputs import inputs_for
from fourm_tui.errors import InputError
from fourm_tui.schedule.configs import DataConfig
from fourm_tui.schedule.shipped import find_file

if TYPE_CHECKING:
    from fourm_tui.batch.begin import Bulk
    from fourm_tui.metrics.wanted import Wanted

_RUNS = "runs"


def main(options: argparse.Namespace) -> int:
    rank = read_rank(os.environ)
    try:
        return _main(options, rank)
    except InputError as error:
        if rank.is_first:  # all of them would say the same
            raise
        return error.exit_code


def _main(options: argparse.Namespace, rank: Rank) -> int:
    from fourm_tui.batch.begin import prepare
    from fourm_tui.batch.bulk import Wishes, run_bulk
    from fourm_tui.cli.batch_view import View, ended, show_estimate

    inputs, data, base = _read(options)
    check = check_chain(replace(inputs, data=data), options.device or rank.device, options.dtype)
    _complain(check)
    bulk = prepare(inputs, data, vars(options), base)
    plots = data.num_log_images if options.plots is None else options.plots
    weights = Path(options.metric_weights) if options.metric_weights else None
    wishes = Wishes(
        Path(options.out or _RUNS), options.batch_size, options.device, options.strict, options.dtype,
        None if plots == "all" else plots, _wanted(bulk, weights) if options.metrics else None, weights,
    )  # fmt: skip
    if options.dry_run:
        if rank.is_first:
            show_estimate(bulk, check, wishes, options.json)
        return 0
    if rank.is_first:
        for text in bulk.dataset.notes:
            print(f"fourm-tui: {text}", file=sys.stderr)
    with Stop() as stop, View(quiet=not rank.is_first, json_lines=options.json, out=wishes.out / bulk.name) as view:
        result = run_bulk(bulk, check, wishes, rank, stop.asked, view.tell, lambda text: view.note(text, rank.rank))
    if rank.is_first:
        ended(result, options.json)
    return CANCELLED if result.cancelled else 0


def _read(options: argparse.Namespace) -> tuple[Inputs, DataConfig, Path | None]:
    """Settings, models and data; the data are a config or the data themselves."""
    path = options.data
    file = find_file(path) if path is not None else None
    is_config = file is not None and is_yaml(file)
    inputs = inputs_for(argparse.Namespace(**{**vars(options), "data": path if is_config else None}))
    base = None
    if is_config:
        assert inputs.data is not None and file is not None
        data, base = inputs.data, file.parent
        if data.name in (None, "auto"):
            data = replace(data, name=file.stem)
    else:
        data = DataConfig(path=path, name=Path(path).stem if path else "unconditional", num_workers=2)
    changes = {"num_samples": options.num_samples, "num_workers": options.workers, "path": options.data_path}
    return inputs, replace(data, **{name: value for name, value in changes.items() if value is not None}), base


def _wanted(bulk: Bulk, weights: Path | None) -> Wanted:
    """The figures that make sense; complains now of what would be missing in the end."""
    from fourm_tui.metrics.wanted import wanted_for
    from fourm_tui.metrics.weights import check

    wanted = wanted_for(bulk.inputs.editor.schedule, bulk.dataset.picture(bulk.samples[0]) is not None)
    if not wanted:
        raise InputError("--metrics: the chain makes no RGB, which is what figures are of")
    check(wanted, weights)
    return wanted


def _complain(check: Check) -> None:
    problems = [str(problem) for problem in check.findings.problems]
    if problems:
        raise InputError("\n".join(problems))
