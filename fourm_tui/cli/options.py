"""Options that run, check, batch and bench have in common, so that one word turns a `run` into a `check`."""

from __future__ import annotations

import argparse
from collections.abc import Collection

DTYPES = ("bf16", "fp16", "fp32")
DECODE = ("all", "last", "none")


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
    add("--decode", name="decode", choices=DECODE,
        help="whose tokens become pictures: of all targets, of the last of each chain, or of none; `fourm-tui decode` "
             "makes the others later")  # fmt: skip
    add("--preview", name="preview", action=argparse.BooleanOptionalAction, help="show outputs in the terminal")
    add("--from", name="branch", metavar="RUN", help="take the first rows over from another run, and its settings")
    add("--row", name="row", metavar="K", type=int, help="with --from: make the rows from K on anew")
    add("--sweep", name="sweep", metavar="KEY.ROW=A,B,C", help="one run per value, sharing the rows before")
    add("--detach", name="detach", action="store_true", help="return at once, the run goes on")
    add("--no-engine", name="no_engine", action="store_true", help="run inside this process")


def add_batch_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """`batch`, which has options of its own beside the common ones."""
    batch = commands.add_parser(
        "batch",
        allow_abbrev=False,
        help="generate over a data set, on one device or many",
        description="Generates every sample of a data set in every variation, alone or as `torchrun --nproc_per_node=8 "
        "-m fourm_tui batch ...`. Started again, the same command goes on with what is left to do. --data is a data "
        "config (YAML), a folder in the simple hierarchical format, tar shards, a folder of pictures, or a file of "
        "prompts (.tsv, .txt, .csv, .jsonl).",
    )
    effective = {"models", "sr", "data", "input", "set", "seed", "num_variations", "device", "dtype", "out", "json"}
    add_run_options(batch, effective)
    batch.add_argument("--data-path", metavar="PATH", help="the data, in place of what the data config names")
    batch.add_argument("--num-samples", type=_count, metavar="N", help="so many of the samples, chosen as ml-4m does")
    batch.add_argument("--batch-size", type=_count, metavar="N", help="items made together (default: as memory allows)")
    batch.add_argument("--workers", type=_count, metavar="N", help="threads that read samples ahead, and that save")
    batch.add_argument("--strict", action="store_true", help="stop at a sample that cannot be used")
    batch.add_argument(
        "--plots", type=_count_or_all, metavar="N", help="a sheet of conditions and targets for N samples, or `all`"
    )
    batch.add_argument("--metrics", action="store_true", help="FID, Inception and CLIP score of RGB (extra `metrics`)")
    batch.add_argument("--metric-weights", metavar="FOLDER", help="where the networks of --metrics lie")
    batch.add_argument("--dry-run", action="store_true", help="say what would be done and what it takes")


def add_bench_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """`bench`, likewise."""
    bench = commands.add_parser(
        "bench",
        allow_abbrev=False,
        help="measure how fast a chain runs here, and how near the hardware's limits that is",
        description="Measures loading, the steps of each row and detokenizing, beside what the hardware could do: its "
        "matrix products and its memory are measured first. Models that are not on this machine are made up from their "
        "configs, so nothing is downloaded.",
    )
    add_run_options(bench, {"models", "sr", "set", "device", "dtype", "json"})
    bench.add_argument("--batch-size", type=_count, default=1, metavar="N", help="samples made together (default: 1)")


def _count(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError("is to be a whole number from 1 on")


def _count_or_all(text: str) -> int | str:
    return text if text == "all" else _count(text)
