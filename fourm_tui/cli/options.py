"""Options that run, check, batch and bench have in common, so that one word turns a `run` into a `check`."""

from __future__ import annotations

import argparse
from collections.abc import Collection

DTYPES = ("bf16", "fp16", "fp32")


def add_run_options(parser: argparse.ArgumentParser, effective: Collection[str]) -> None:
    """Adds the options that DECISIONS fixes for all of these commands.

    Args:
        parser: of one command.
        effective: names of the options that mean something to it; the others are taken, too, and not shown.
    """

    def add(*flags: str, name: str, help: str, **more: object) -> None:
        shown = help if name in effective else argparse.SUPPRESS
        parser.add_argument(*flags, dest=name, help=shown, **more)  # type: ignore[arg-type]

    parser.add_argument("settings", nargs="?", metavar="SETTINGS", help="settings file (YAML)")
    parser.add_argument("-gc", "--gen-config", dest="gen_config", metavar="FILE", help=argparse.SUPPRESS)
    add("-c", "--models", name="models", metavar="FILE_OR_ID",
        help="models config (YAML), Hub id, folder, or .safetensors file")  # fmt: skip
    add("--sr", "-src", name="sr", metavar="FILE", help="super-resolution settings (YAML)")
    add("--data", "-dc", name="data", metavar="FILE", help="data config (YAML)")
    add("-i", "--input", name="input", metavar="NAME=VALUE", action="append", default=[],
        help="a condition: text is literal, @PATH reads a file; pictures and arrays are paths; "
             "NAME=PATH,mask=PATH for a partly given target")  # fmt: skip
    add("--set", name="set", metavar="KEY=VALUE", action="append", default=[],
        help="override one setting, as it would stand in YAML; KEY.ROW=VALUE for one row")  # fmt: skip
    add("--seed", name="seed", metavar="N", type=int, help="seed of the first variation")
    add("--num-variations", name="num_variations", metavar="N", type=int, help="outputs per sample")
    add("--device", name="device", metavar="DEVICE", help="cpu, cuda, cuda:1, mps")
    add("--dtype", name="dtype", choices=DTYPES, help="number type of the weights")
    add("--out", name="out", metavar="FOLDER", help="folder for runs")
    add("--json", name="json", action="store_true", help="print data instead of pictures")
    add("--sam-dense", name="sam_dense", metavar="N", type=int, help="passes of dense SAM instance prediction")
    add("--preview", name="preview", action=argparse.BooleanOptionalAction, help="show outputs in the terminal")
    add("--from", name="branch", metavar="RUN", help="take the first rows over from another run, and its settings")
    add("--row", name="row", metavar="K", type=int, help="with --from: make the rows from K on anew")
    add("--sweep", name="sweep", metavar="KEY.ROW=A,B,C", help="one run per value, sharing the rows before")
    add("--detach", name="detach", action="store_true", help="return at once, the run goes on")
    add("--no-engine", name="no_engine", action="store_true", help="run inside this process")
