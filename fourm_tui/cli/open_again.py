"""The command that makes a run, or one sample of it, again."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fourm_tui import __version__
from fourm_tui.chain.recorded import file_of, models_of, schedule_of
from fourm_tui.checkpoints import BUNDLED, find_checkpoint
from fourm_tui.cli.open_chain import Chain
from fourm_tui.cli.open_files import Files, planned
from fourm_tui.conditions.files import LARGEST_TEXT, read_text
from fourm_tui.conditions.given import parse_conditions
from fourm_tui.errors import InputError, printable
from fourm_tui.published import find
from fourm_tui.runs import ConditionRecord, ModelRecord, RunRecord, effective_seed

Words = tuple[str, ...]

_FLAGS: Mapping[str, Words] = {"settings": (), "sr": ("--sr",), "models": ("-c",), "data": ("--data",)}
_OPTIONS = {"device": "--device", "dtype": "--dtype", "sam_dense": "--sam-dense"}
_AS_GIVEN = {"fit": "fit", "reading": "as", "ids": "ids"}
_ASSIGNED = re.compile(r"[\w@.]+=(?=.)", re.ASCII | re.DOTALL)
_SNAPSHOT = re.compile(r"/snapshots/([0-9a-f]{40})/")


@dataclass(frozen=True)
class Again:
    """How to make something again."""

    commands: tuple[Words, ...]
    """To be called one after the other; none where the settings cannot be read."""
    notes: tuple[str, ...] = ()
    """Why the outputs may be others."""


def again(chain: Chain, what: str, runs: str | None) -> Again:
    """The commands for what was asked for; where a text is in no file any more, `open --save` goes before.

    Args:
        chain: behind it.
        what: as it was named on the command line.
        runs: `--runs` as it was given.
    """
    files = {each.role: file_of(each) for each in chain.record.settings}
    texts: dict[str, str] = {}
    lost = [role for role, file in files.items() if file is None]
    for condition in chain.record.conditions:
        if condition.text is not None and (condition.text.startswith("@") or "\0" in condition.text):
            if condition.path and _reads(Path(condition.path), condition.text):
                texts[condition.name] = f"@{condition.path}"
            else:
                lost.append(condition.name)
    if not lost:
        known = {role: file for role, file in files.items() if file is not None}
        return _again(chain, known, texts, chain.record.overrides)
    folder = _free("again")
    save = ("fourm-tui", "open", what, *(("--runs", runs) if runs else ()), "--save", str(folder))
    try:
        made = with_files(chain, planned(chain.record, folder))
    except InputError as error:
        return Again((), (f"there is no command for it: {error}",))
    return Again((save, *made.commands), made.notes)


def with_files(chain: Chain, files: Files) -> Again:
    """The command that uses saved files."""
    texts = {}
    for condition in chain.record.conditions:
        if condition.text is not None and _survives_a_file(condition.text):
            texts[condition.name] = f"@{files[f'-i {condition.name}'][0]}"
    return _again(chain, {role: str(files[role][0]) for role in _FLAGS if role in files}, texts, ())


def in_a_shell(words: Words) -> list[str]:
    """The words as a shell reads them, in printable characters; those with control characters as `$'...'`."""
    quoted = []
    for word in words:
        name = _ASSIGNED.match(word)  # caption='a red fox' reads better than 'caption=a red fox'
        quoted.append(name.group() + _quoted(word[name.end() :]) if name else _quoted(word))
    return quoted


def _quoted(word: str) -> str:
    if printable(word, len(word) + 1) == word:
        return shlex.quote(word)
    inner = ""
    for character in word:
        if character in "\\'":
            inner += f"\\{character}"
        elif printable(character) == character:
            inner += character
        elif character == "\n":
            inner += "\\n"
        else:
            inner += "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "surrogateescape"))
    return f"$'{inner}'"


# -- the words --------------------------------------------------------------------------------------------------


def _again(chain: Chain, files: Mapping[str, str], texts: Mapping[str, str], overrides: Words) -> Again:
    """The command.

    Args:
        chain: what to make.
        files: by role, as the command line calls them.
        texts: what stands for the text of a condition, by its name; the others stand there literally.
        overrides: what is not in the files.
    """
    record = chain.record
    notes: list[str] = []
    words = ["fourm-tui", "run"]
    for role, flags in _FLAGS.items():
        words += [*flags, files[role]] if role in files else []
    words += _model(record) if "models" not in files else []
    for condition in record.conditions:
        argument = f"{condition.name}={texts.get(condition.name, _value(condition))}"
        words += ["-i", argument]
        if condition.name not in texts and not _is_read_back(condition, argument):
            notes.append(f"{printable(condition.name, 40)} was given in a way that -i cannot say")
    for assignment in overrides:
        words += ["--set", assignment]
    words += _seed(chain, notes)
    for name, flag in _OPTIONS.items():
        words += [flag, str(record.options[name])] if record.options.get(name) is not None else []
    return Again((tuple(words),), (*notes, *_doubts(chain)))


def _model(record: RunRecord) -> list[str]:
    """`-c`, unless the settings themselves name the model."""
    model, config = record.models.get("model"), models_of(record)
    if model is None:
        return []
    named = config.model if config else None
    published = find(named.partition("@")[0]) if named else None
    if model.name == named or (published and model.name == published.id):
        return []
    return ["-c", _checkpoint(model)]


def _checkpoint(model: ModelRecord) -> str:
    """A name that means what it meant then: an absolute path, or a revision where the Hub has gone on since."""
    if model.revision:
        return f"{model.name}@{model.revision}"
    if model.weights is None or model.name.partition("/")[0] == BUNDLED:
        return model.name
    commit = _SNAPSHOT.search(model.weights)
    if commit is None:
        weights = Path(model.weights)
        return str(weights if model.name.endswith(weights.suffix) else weights.parent)
    try:
        same = find_checkpoint(model.name).weights == Path(model.weights)
    except InputError:
        same = False
    return model.name if same else f"{model.name}@{commit[1]}"


def _value(condition: ConditionRecord) -> str:
    if condition.text is not None:
        return condition.text
    options = [f"{word}={condition.options[name]}" for name, word in _AS_GIVEN.items() if name in condition.options]
    return ",".join([condition.path or "", *([f"mask={condition.mask}"] if condition.mask else []), *options])


def _is_read_back(condition: ConditionRecord, argument: str) -> bool:
    """Whether `-i` makes of an argument what the record says."""
    try:
        given = parse_conditions([argument])[condition.name]
    except (InputError, KeyError):
        return False
    if condition.text is not None:
        return given.text == condition.text and not condition.options
    paths = tuple(str(path) if path else None for path in (given.path, given.mask))
    return paths == (condition.path, condition.mask) and given.options == dict(condition.options)


def _seed(chain: Chain, notes: list[str]) -> list[str]:
    """`--seed` and, where that is not what the settings say anyway, `--num-variations`."""
    samples = chain.samples
    if not samples:
        notes.append("the seed is not known, so the command leaves it out (sheets of earlier versions lack it)")
        return []
    seed, count = samples[0].seed, len(samples)
    if count > 1 and any(each.seed != effective_seed(seed, 0, at) for at, each in enumerate(samples)):
        notes.append("its samples do not come of one seed; open a file of one sample for the command of that one")
    schedule = schedule_of(chain.record)
    by_itself = (schedule.settings.get("num_variations") or 1) if schedule else None
    return ["--seed", str(seed), *(["--num-variations", str(count)] if count != by_itself else [])]


def _doubts(chain: Chain) -> Iterator[str]:
    record = chain.record
    if any(each.role == "data" for each in record.settings) or any(each.source for each in chain.samples):
        yield "its conditions come from data and are to be given with -i, too"
    if record.parent:
        run, row = printable(record.parent.run), record.parent.row
        yield f"rows before {row} were taken over from {run}; the command makes them anew with the settings above"
    if chain.run is None:
        yield "a picture does not carry revisions, masks and options of conditions"
    if record.version != __version__:
        yield f"made by fourm-tui {printable(record.version, 40) or 'of an unknown version'}, this is {__version__}"


def _survives_a_file(text: str) -> bool:
    """Whether a file read with `@` gives the same text: blanks around it are not kept."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return False
    return 0 < size <= LARGEST_TEXT and text.strip() == text and not text.startswith("\ufeff")


def _reads(path: Path, text: str) -> bool:
    try:
        return read_text(path, "") == text
    except InputError:
        return False


def _free(name: str) -> Path:
    """A folder of this name that is not there yet."""
    path, number = Path(name), 1
    while path.exists():
        number += 1
        path = Path(f"{name}-{number}")
    return path
