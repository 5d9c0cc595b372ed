"""`fourm-tui completion`: a script for a shell, made from the parser itself, so that it knows what the parser knows."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from fourm_tui.hub import ALL_OF, published_sources
from fourm_tui.modalities import MODALITIES
from fourm_tui.runs import LATEST, Status

_SAFE = re.compile(r"[\w@.,:/=+-]+")


@dataclass(frozen=True)
class Offer:
    """What may stand in one place of the command line."""

    words: tuple[str, ...] = ()
    files: Literal["", "files", "folders"] = ""
    assigns: bool = False
    """The words are `NAME=`, with a file after them."""


@dataclass(frozen=True)
class Option:
    flags: tuple[str, ...]
    help: str
    value: Offer | None
    """None: it takes none."""


@dataclass(frozen=True)
class Place:
    """A command: `` for the program itself, `/models/pull` for a command in a command."""

    path: str
    commands: tuple[tuple[str, str], ...]
    """Names and what they are for."""
    options: tuple[Option, ...]
    rest: Offer
    """Its positional arguments."""


def main(options: argparse.Namespace) -> int:
    from fourm_tui.cli import make_parser

    print(script(options.shell, make_parser()), end="")
    return 0


def script(shell: str, parser: argparse.ArgumentParser) -> str:
    """The script for bash, zsh or fish."""
    places = list(_places(parser, ""))
    for place in places:
        _check_words(place)
    write = {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell]
    return "\n".join(write(places)) + "\n"


# -- from the parser --------------------------------------------------------------------------------------------


def _places(parser: argparse.ArgumentParser, path: str) -> Iterator[Place]:
    commands: list[tuple[str, str]] = []
    inner: dict[str, argparse.ArgumentParser] = {}
    options: list[Option] = []
    words: tuple[str, ...] = ()
    files: Literal["", "files", "folders"] = ""
    for action in parser._actions:  # argparse has no public way to list them
        if isinstance(action, argparse._SubParsersAction):
            inner.update(action.choices)
            commands += [(choice.dest, choice.help or "") for choice in action._choices_actions]
        elif action.help is argparse.SUPPRESS and action.option_strings:
            continue
        elif action.option_strings:
            value = _offer(action, path) if action.nargs != 0 else None
            options.append(Option(tuple(action.option_strings), action.help or "", value))
        else:
            offer = _offer(action, path)
            words, files = words + offer.words, files or offer.files
    yield Place(path, tuple(commands), tuple(options), Offer(words, files))
    for name, sub in inner.items():
        yield from _places(sub, f"{path}/{name}")


def _offer(action: argparse.Action, path: str) -> Offer:
    """What completes the value of an option or a positional, told from its choices and its metavar."""
    metavar = action.metavar if isinstance(action.metavar, str) else " ".join(action.metavar or ())
    if action.choices is not None:
        return Offer(tuple(map(str, action.choices)))
    if metavar == "FILE_OR_ID":
        models = (source.name for source in published_sources().values() if source.kind == "model")
        return Offer(tuple(models), "files")
    if metavar == "NAME" and path.startswith("/models/"):
        return Offer((*((ALL_OF,) if path.endswith("/pull") else ()), *published_sources()))
    if metavar == "TARGET":
        return Offer(tuple(MODALITIES))
    if metavar == "STATUS":
        return Offer(get_args(Status))
    if "RUN" in metavar.split() or metavar == "FILE_OR_RUN":
        return Offer((LATEST,), "files" if "FILE" in metavar else "folders")
    if action.dest == "input":
        return Offer(tuple(f"{name}=" for name in MODALITIES), assigns=True)
    if "FOLDER" in metavar:
        return Offer(files="folders")
    return Offer(files="files") if "FILE" in metavar or metavar == "SETTINGS" else Offer()


def _check_words(place: Place) -> None:
    """Words go unquoted into a shell script, so there must be nothing in them that a shell could act on."""
    offers = [place.rest, *(option.value for option in place.options if option.value)]
    words = [word for offer in offers for word in offer.words]
    words += [name for name, _ in place.commands] + [flag for option in place.options for flag in option.flags]
    strange = [word for word in words if not _SAFE.fullmatch(word)]
    if strange:
        raise ValueError(f"not fit for a completion script: {strange}")


def _flags(place: Place) -> list[str]:
    return [flag for option in place.options for flag in option.flags]


def _paths(places: list[Place]) -> list[str]:
    return [place.path for place in places if place.path]


# -- bash -------------------------------------------------------------------------------------------------------

_BASH_HEAD = """\
# Completion of fourm-tui for bash. Made by: fourm-tui completion bash
_fourm_tui_offer() {  # WORDS KIND: fills COMPREPLY with what begins like the word under the cursor
    local found
    while IFS= read -r found; do
        COMPREPLY+=("${found#"$cut"}")
    done < <(
        compgen -W "$1" -- "$word"
        case $2 in
            files) compgen -f -- "$word" ;;
            folders) compgen -d -- "$word" ;;
            assigns) [[ $word == *=* ]] && compgen -f -P "${word%%=*}=" -- "${word#*=}" ;;
        esac
    )
    case $2 in
        files|folders) compopt -o filenames 2>/dev/null ;;
        assigns) compopt -o nospace 2>/dev/null ;;
    esac
    return 0
}
_fourm_tui() {
    local line=${COMP_LINE:0:COMP_POINT} place="" words=() word prev cut now i
    COMPREPLY=()
    read -ra words <<< "$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    word=${words[${#words[@]}-1]}
    prev=${words[${#words[@]}-2]}
    # bash parts words at = and @, too, and replaces the last part only.
    now=${COMP_WORDS[COMP_CWORD]}
    [[ $now == [=@:]* ]] && now=""
    cut=${word%"$now"}
    for ((i = 1; i < ${#words[@]} - 1; i++)); do"""


def _bash(places: list[Place]) -> Iterator[str]:
    yield _BASH_HEAD
    yield f'        case "$place/${{words[i]}}" in {"|".join(_paths(places))}) place="$place/${{words[i]}}" ;; esac'
    yield "    done"
    yield '    case "$place $prev" in'
    for place in places:
        for option in place.options:
            if option.value is not None:
                patterns = "|".join(f'"{place.path} {flag}"' for flag in option.flags)
                yield f"        {patterns}) {_bash_offer(option.value)}; return ;;"
    yield "    esac"
    yield '    case "$place" in'
    for place in places:
        flags = " ".join(_flags(place))
        commands = Offer((*(name for name, _ in place.commands), *place.rest.words), place.rest.files)
        yield f'        "{place.path}")'
        yield f'            if [[ $word == -* ]]; then _fourm_tui_offer "{flags}"'
        yield f"            else {_bash_offer(commands)}; fi ;;"
    yield "    esac"
    yield "}"
    yield "complete -F _fourm_tui fourm-tui"


def _bash_offer(offer: Offer) -> str:
    return f'_fourm_tui_offer "{" ".join(offer.words)}" {"assigns" if offer.assigns else offer.files}'.rstrip()


# -- zsh --------------------------------------------------------------------------------------------------------


def _zsh(places: list[Place]) -> Iterator[str]:
    yield "#compdef fourm-tui"
    yield "# Completion of fourm-tui for zsh. Made by: fourm-tui completion zsh"
    yield "_fourm_tui() {"
    yield '    local place="" prev=${words[CURRENT-1]} i'
    yield "    for ((i = 2; i < CURRENT; i++)); do"
    yield f'        case "$place/${{words[i]}}" in ({"|".join(_paths(places))}) place="$place/${{words[i]}}" ;; esac'
    yield "    done"
    yield '    case "$place $prev" in'
    for place in places:
        for option in place.options:
            if option.value is not None:
                patterns = "|".join(f'"{place.path} {flag}"' for flag in option.flags)
                yield f"        ({patterns}) {_zsh_offer(option.value)}; return ;;"
    yield "    esac"
    yield '    case "$place" in'
    for place in places:
        commands = Offer((*(name for name, _ in place.commands), *place.rest.words), place.rest.files)
        yield f'        ("{place.path}")'
        yield f"            if [[ $PREFIX == -* ]]; then compadd -- {' '.join(_flags(place))}"
        yield f"            else {_zsh_offer(commands)}; fi ;;"
    yield "    esac"
    yield "}"
    # Read by eval the function is registered; lying in $fpath it is called.
    yield 'if [[ $funcstack[1] == _fourm-tui || $funcstack[1] == _fourm_tui ]]; then _fourm_tui "$@"'
    yield "else compdef _fourm_tui fourm-tui; fi"


def _zsh_offer(offer: Offer) -> str:
    words = " ".join(offer.words)
    if offer.assigns:
        return f"if compset -P '*='; then _files; else compadd -S '' -- {words}; fi"
    parts = [f"compadd -- {words}"] if words else []
    parts += [{"files": "_files", "folders": "_files -/"}[offer.files]] if offer.files else []
    return "; ".join(parts) or ":"


# -- fish -------------------------------------------------------------------------------------------------------


def _fish(places: list[Place]) -> Iterator[str]:
    yield "# Completion of fourm-tui for fish. Made by: fourm-tui completion fish"
    yield "function __fourm_tui_at  # PLACE: whether the command line has come to this command"
    yield '    set -l place ""'
    yield "    for word in (commandline -opc)[2..-1]"
    yield f"        contains -- $place/$word {' '.join(_paths(places))}; and set place $place/$word"
    yield "    end"
    yield '    test "$place" = "$argv[1]"'
    yield "end"
    yield "complete -c fourm-tui -f"
    for place in places:
        at = f"complete -c fourm-tui -n '__fourm_tui_at \"{place.path}\"'"
        for name, help in place.commands:
            yield f"{at} -a {name} -d {_fish_quoted(help)}"
        if place.rest.words:
            yield f"{at} -a '{' '.join(place.rest.words)}'"
        if place.rest.files:
            yield f"{at} {_FISH_FILES[place.rest.files]}"
        for option in place.options:
            yield f"{at} {_fish_flags(option)}{_fish_value(option.value)} -d {_fish_quoted(option.help)}"


_FISH_FILES = {"files": "-F", "folders": "-f -a '(__fish_complete_directories)'"}


def _fish_flags(option: Option) -> str:
    kinds = []
    for flag in option.flags:
        name = flag.lstrip("-")
        kinds.append(f"-l {name}" if flag.startswith("--") else f"-s {name}" if len(name) == 1 else f"-o {name}")
    return " ".join(kinds)


def _fish_value(offer: Offer | None) -> str:
    if offer is None:
        return ""
    words = f" -a '{' '.join(offer.words)}'" if offer.words else ""
    files = f" {_FISH_FILES[offer.files]}" if offer.files else " -F" if offer.assigns else ""
    return f" -r{words}{files}"


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("%%", "%").replace("\\", "\\\\").replace("'", "\\'") + "'"
