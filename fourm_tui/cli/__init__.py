"""The command line. Each command is a file here, imported only when it is called."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from fourm_tui import __version__
from fourm_tui.cli.kept import add_run_folder_commands
from fourm_tui.cli.machine import add_machine_commands
from fourm_tui.cli.options import add_batch_command, add_bench_command, add_run_options
from fourm_tui.cli.steering import add_steering_commands
from fourm_tui.errors import FourmError

CANCELLED = 130
SCREENS = "screens"
"""The command that is meant where none is named."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code: 0 done, 1 failed, 2 the input is wrong, 130 cancelled."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = make_parser(all_commands=False) if not words or _is_settings(words[0]) else make_parser()
    options = parser.parse_args(words if _names_command(parser, words) else [SCREENS, *words])
    if os.name == "nt":
        print("fourm-tui: runs on Linux and macOS; on Windows, use it inside WSL", file=sys.stderr)
        return 1
    if options.command == SCREENS:
        gc.disable()  # until the first picture: all that is imported stays anyway
    try:
        return int(import_module(f"fourm_tui.cli.{options.command}").main(options))
    except FourmError as error:
        for line in str(error).splitlines():
            print(f"fourm-tui: {line}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return CANCELLED
    except BrokenPipeError:
        # The reader of our output has left (`| head`): nothing more to say, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0


def _names_command(parser: argparse.ArgumentParser, words: Sequence[str]) -> bool:
    """Whether the first word is a command or asks for help; anything else is for the screens."""
    known = {"-h", "--help", "--version"}
    for action in parser._subparsers._group_actions if parser._subparsers else ():
        known |= set(action.choices or ())
    return bool(words) and words[0] in known


def _is_settings(word: str) -> bool:
    """Whether a word is surely no command: then the screens need not wait until the parser knows all of them."""
    return "/" in word or word.endswith(".yaml")


def make_parser(all_commands: bool = True) -> argparse.ArgumentParser:
    """The command line, from which shell completion is made, too; the screens alone if not all commands are wanted."""
    parser = argparse.ArgumentParser(
        prog="fourm-tui", description="Chained any-to-any generation with 4M models.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"fourm-tui {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    if all_commands:
        _add_commands(commands)
    screens = commands.add_parser(SCREENS, allow_abbrev=False, help="the screens (also without a command)")
    add_run_options(screens, {"models", "sr", "input", "set", "seed", "num_variations", "device", "dtype"})
    screens.add_argument("--ascii", action="store_true", help="ASCII characters only")
    screens.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")
    return parser


def _add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Those that need no screen."""
    check = commands.add_parser(
        "check",
        allow_abbrev=False,
        help="show what a schedule would do, what it costs, and what is wrong with it",
        description="Shows the rows of a schedule, its curves, what guidance drops, what it costs and loads, "
        "whether ml-4m can run it, and everything that is wrong with it. Exit code 2 if something is.",
    )
    add_run_options(check, effective={"models", "sr", "data", "input", "set", "device", "dtype", "json"})
    run = commands.add_parser(
        "run",
        allow_abbrev=False,
        help="generate once: conditions in, every target of the chain out",
        description="Generates what a schedule says, shows its progress, and leaves a run folder behind. Ctrl-C stops "
        "at the next step; what is finished is kept.",
    )
    effective = {
        "models",
        "sr",
        "input",
        "set",
        "seed",
        "num_variations",
        "device",
        "dtype",
        "out",
        "json",
        "sam_dense",
        "decode",
        "preview",
        "branch",
        "row",
        "sweep",
        "detach",
        "no_engine",
    }
    add_run_options(run, effective)
    add_batch_command(commands)
    add_bench_command(commands)
    add_steering_commands(commands)
    add_machine_commands(commands)
    show = commands.add_parser(
        "show",
        allow_abbrev=False,
        help="pictures, maps, tokens and runs in the terminal",
        description="Draws pictures, depth and label maps, features, token files and the outputs of runs with what the "
        "terminal can do: sixel, kitty's protocol, or block characters. Where the output is no terminal, it prints a "
        "line of facts per file instead, unless --protocol asks for a picture.",
    )
    show.add_argument("what", nargs="+", metavar="FILE_OR_RUN", help="a file; a run: path, name, its beginning, latest")
    show.add_argument("--protocol", choices=("auto", "sixel", "kitty", "blocks", "none"), help="default: auto")
    show.add_argument("--width", type=int, metavar="COLS", help="columns of a picture")
    show.add_argument("--ascii", action="store_true", help="ASCII characters only")
    show.add_argument("--by", choices=("step", "confidence", "token"), help="what the colours of tokens tell")
    show.add_argument("--runs", metavar="FOLDER", help="where runs are kept (default: runs)")
    add_run_folder_commands(commands)
