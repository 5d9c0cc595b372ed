"""What the options of a command name."""

from __future__ import annotations

import argparse

from fourm_tui.chain.branch import inputs_from
from fourm_tui.chain.inputs import Inputs, read_inputs
from fourm_tui.errors import InputError
from fourm_tui.runs import Run


def inputs_for(options: argparse.Namespace, parent: Run | None = None) -> Inputs:
    """Reads the files that the options name and finds their checkpoints.

    Args:
        options: of `run`, `check`, `batch` or `bench`.
        parent: a run whose inputs hold where the options name none.

    Raises:
        InputError: a file, a checkpoint or an option is wrong.
    """
    if options.settings and options.gen_config:
        raise InputError("the settings file is given twice, with -gc and without")
    settings = options.settings or options.gen_config
    if parent is not None:
        return inputs_from(
            parent, settings=settings, sr=options.sr, models=options.models, conditions=options.input,
            overrides=options.set,
        )  # fmt: skip
    if settings is None:
        raise InputError(
            "no settings file is given; to begin with, fourm-tui "
            f'{options.command} demo/T2SDR -i caption="a large red sphere on grey ground under a clear sky"'
        )
    return read_inputs(
        settings, sr=options.sr, data=options.data, models=options.models, conditions=options.input,
        overrides=options.set,
    )  # fmt: skip
