"""`fourm-tui check`: what a schedule would do, what it costs, what it loads, and what is wrong with it."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from fourm_tui.chain.check import check_chain
from fourm_tui.chain.inputs import find_all
from fourm_tui.cli.check_data import SCHEMA, as_data, load_data
from fourm_tui.cli.check_view import show, show_config
from fourm_tui.cli.inputs import inputs_for
from fourm_tui.schedule.configs import file_kind, read_data, read_models
from fourm_tui.schedule.document import Document
from fourm_tui.schedule.shipped import find_file


def main(options: argparse.Namespace) -> int:
    settings = options.settings or options.gen_config
    if settings is not None and not options.sr:
        document = Document.read(find_file(settings))
        if file_kind(document) != "settings":
            return _check_config(document, options)
    check = check_chain(inputs_for(options), options.device, options.dtype, alone=not options.input)
    if options.json:
        print(json.dumps(as_data(check), indent=1, ensure_ascii=False))
    else:
        show(check)
    return 0 if check.ok else 2


def _check_config(document: Document, options: argparse.Namespace) -> int:
    """A models or data config given instead of settings: what it names."""
    if file_kind(document) == "models":
        config = read_models([document])
        checkpoints = find_all(config, document.path.parent if document.path else None)
        if options.json:
            loads = [load_data(role, checkpoint) for role, checkpoint in checkpoints.items()]
            print(json.dumps({"schema": SCHEMA, "models": asdict(config), "loads": loads}, indent=1))
        else:
            show_config(document, config, checkpoints)
    else:
        data = read_data([document])
        if options.json:
            print(json.dumps({"schema": SCHEMA, "data": asdict(data)}, indent=1))
        else:
            show_config(document, data, {})
    return 0
