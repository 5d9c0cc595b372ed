"""The commands about this machine rather than about a run: models, doctor, locate, completion."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import _SubParsersAction

SHELLS = ("bash", "zsh", "fish")


def add_machine_commands(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds their parsers."""
    _add_models(commands)
    doctor = commands.add_parser(
        "doctor",
        allow_abbrev=False,
        help="what this terminal and this machine can do, and what is missing",
        description="Looks at the terminal, the machine, the caches and the Hub, and says for everything that is "
        "missing which command mends it. Nothing is changed; each check has a time limit. Exit code 1 if something "
        "keeps the program from working.",
    )
    doctor.add_argument("--json", action="store_true", help="print data")
    locate = commands.add_parser(
        "locate",
        allow_abbrev=False,
        help="the folders and files that are used",
        description="One folder a line: what is kept there, where it is, and whether it exists.",
    )
    locate.add_argument("--json", action="store_true", help="print data")
    completion = commands.add_parser(
        "completion",
        allow_abbrev=False,
        help="print a script that completes commands, options and names in a shell",
        description='bash: eval "$(fourm-tui completion bash)" in ~/.bashrc. zsh: the same in ~/.zshrc, after '
        "compinit. fish: fourm-tui completion fish > ~/.config/fish/completions/fourm-tui.fish.",
    )
    completion.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))


def _add_models(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    models = commands.add_parser(
        "models",
        allow_abbrev=False,
        help="the published models and tokenizers: list, download, remove",
        description="Lists the published models and tokenizers with their sizes, and what of them is on this machine.",
    )
    models.add_argument("--json", action="store_true", help="print data")
    actions = models.add_subparsers(dest="action", metavar="ACTION")
    pull = actions.add_parser(
        "pull",
        allow_abbrev=False,
        help="download into the Hub's cache",
        description="Downloads into the Hub's cache and checks the hashes. Ctrl-C keeps what has arrived; the same "
        "command goes on from there. HF_ENDPOINT, HF_HUB_CACHE and HF_HUB_OFFLINE are respected.",
    )
    pull.add_argument(
        "names",
        nargs="+",
        metavar="NAME",
        help="a published name, any Hub id (owner/name), either with @revision; "
        "all-of MODEL for a model and everything it works with",
    )
    pull.add_argument("--sr", action="store_true", help="with all-of: also the super-resolution model")
    remove = actions.add_parser(
        "remove",
        allow_abbrev=False,
        help="remove from the Hub's cache",
        description="Removes from the Hub's cache, without asking, and says how much that freed.",
    )
    remove.add_argument("names", nargs="+", metavar="NAME", help="as for pull; with @revision only that one")
