"""`fourm-tui open`: the chain behind an output, and the command that makes it again."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fourm_tui.chain.recorded import state_of_file
from fourm_tui.chain.times import ago, lasting, moment
from fourm_tui.cli.console import make_console
from fourm_tui.cli.open_again import Again, again, in_a_shell, with_files
from fourm_tui.cli.open_chain import Chain, find_chain
from fourm_tui.cli.open_checks import CheckedModel, State, checked_models, condition_files
from fourm_tui.cli.open_files import planned, write
from fourm_tui.cli.runs_which import STATUS_STYLES
from fourm_tui.errors import InputError, printable
from fourm_tui.events import RunStarted, read_events
from fourm_tui.runs import ConditionRecord, Run, SettingsText

SCHEMA = 1
RUNS = Path("runs")
_SIGNS: dict[State, tuple[str, str]] = {
    "same": ("✓", "green"), "there": ("✓", "green"), "changed": ("!", "yellow"), "gone": ("✗", "red"),
    "unknown": ("?", "dim"),
}  # fmt: skip
_SEEDS = 12  # that are listed


def main(options: argparse.Namespace) -> int:
    chain = find_chain(options.what, Path(options.runs) if options.runs else RUNS)
    saved: tuple[Path, ...] = ()
    if options.save:
        folder = Path(options.save).expanduser()
        files = planned(chain.record, folder)
        saved, made = write(files, folder), with_files(chain, files)
    else:
        made = again(chain, options.what, options.runs)
    if options.json:
        print(json.dumps(_as_data(chain, made, saved), indent=1))
    elif options.save:
        _show_saved(saved, made, make_console())
    else:
        _show(chain, made, make_console())
    return 0


# -- data -------------------------------------------------------------------------------------------------------


def _as_data(chain: Chain, made: Again, saved: Sequence[Path]) -> dict[str, Any]:
    record, output = chain.record, chain.output
    return {
        "schema": SCHEMA,
        "run": chain.name,
        "folder": str(chain.run.folder.absolute()) if chain.run else None,
        "status": record.status if chain.run else None,
        "created": record.created or None,
        "seconds": record.seconds,
        "version": record.version,
        "output": {
            "file": str(output.file.absolute()), "row": output.row, "target": output.target, "seed": output.seed,
        } if output else None,
        "chain": record.chain,
        "rows": [{"row": row.number, "target": row.target, "state": row.state} for row in record.rows],
        "parent": {"run": record.parent.run, "row": record.parent.row} if record.parent else None,
        "conditions": [
            {
                "name": condition.name,
                "text": condition.text,
                "options": dict(condition.options),
                "files": [{"path": each.path, "state": each.state} for each in condition_files(condition)],
            }
            for condition in record.conditions
        ],
        "models": [
            {
                "role": model.role, "name": model.record.name, "revision": model.record.revision,
                "weights": model.record.weights, "state": model.state, "says": model.says,
            }
            for model in _models(chain)
        ],
        "seeds": [sample.seed for sample in chain.samples],
        "overrides": list(record.overrides),
        "options": dict(record.options),
        "settings": [
            {"role": each.role, "file": each.file, "state": state_of_file(each), "text": each.text}
            for each in record.settings
        ],
        "commands": [list(words) for words in made.commands],
        "saved": [str(path.absolute()) for path in saved],
        "notes": [*chain.notes, *made.notes],
    }  # fmt: skip


def _models(chain: Chain) -> list[CheckedModel]:
    config = next((each.file for each in chain.record.settings if each.role == "models" and each.file), None)
    return list(checked_models(chain.record, Path(config).parent if config else None))


# -- for people -------------------------------------------------------------------------------------------------


def _show(chain: Chain, made: Again, console: Console) -> None:
    console.print(Text(printable(chain.name), "bold"), soft_wrap=True)
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for part, lines in _facts(chain):
        for number, line in enumerate(lines):
            table.add_row("" if number else part, line)
    console.print(table)
    for each in chain.record.settings:
        if each.role != "models":  # whose names are above
            _show_settings(each, console)
    console.print()
    _show_commands(made, chain.notes, console)


def _facts(chain: Chain) -> Iterator[tuple[str, list[Text]]]:
    """Parts and the lines of each."""
    record = chain.record
    yield "when", [_when(chain)]
    if chain.run:
        yield "in", [Text(printable(chain.run.folder.absolute().parent, 400))]
    if chain.output:
        yield "output", [Text(printable(_place(chain.output.file, chain.run), 400))]
    yield "chain", [_rows(chain)]
    if record.parent:
        yield "parent", [Text(f"{printable(record.parent.run)}, rows before {record.parent.row}")]
    yield "given", [line for condition in record.conditions for line in _condition(condition)]
    yield "models", list(_model_lines(chain))
    yield "seeds" if len(chain.samples) > 1 else "seed", [_seeds(chain)]
    yield "overrides", [Text(printable(assignment, 400), "yellow") for assignment in record.overrides]
    yield "options", [Text(f"{printable(name, 40)} {printable(value)}") for name, value in record.options.items()]


def _place(file: Path, run: Run | None) -> Path:
    """A file as its run calls it, if it lies there."""
    try:
        return file.resolve().relative_to(run.folder.resolve()) if run else file
    except ValueError:
        return file


def _condition(condition: ConditionRecord) -> Iterator[Text]:
    yield Text(printable(condition.name, 40), "cyan")
    if condition.text is not None:
        yield Text(_lines(condition.text))
    for file in condition_files(condition):
        yield _marked(file.state, file.says, file.path)
    if condition.options:
        yield Text(printable(", ".join(f"{name}: {value}" for name, value in condition.options.items())), "dim")


def _model_lines(chain: Chain) -> Iterator[Text]:
    """A line per checkpoint, more where something is not as it was."""
    models = _models(chain)
    for model in models:
        name = f"{model.record.name}@{model.record.revision}" if model.record.revision else model.record.name
        line = Text.assemble(_sign(model.state), (printable(name), "cyan"), (f"  {printable(model.role, 40)}", "dim"))
        if model.state in ("changed", "gone"):
            line.append(f"  {model.says}", _SIGNS[model.state][1])
        yield line
        if model.state in ("changed", "gone"):
            yield Text(f"  {printable(model.record.weights or '', 400)}")
    if any(model.state == "unknown" for model in models):
        yield Text.assemble(_sign("unknown"), ("it is not known which file this was", "dim"))
    if any(model.state == "there" for model in models):
        yield Text.assemble(
            _sign("there"), ("not written since; no hash is kept, so contents were not compared", "dim")
        )
    for each in chain.record.settings:
        if each.role == "models" and each.file:
            yield _marked(*_said(each), each.file)


def _show_saved(saved: Sequence[Path], made: Again, console: Console) -> None:
    for path in saved:
        console.print(Text(printable(path, 4000)), soft_wrap=True)
    console.print()
    _show_commands(made, (), console)


def _when(chain: Chain) -> Text:
    record, began = chain.record, moment(chain.record.created)
    text = Text("unknown" if began is None else f"{began:%Y-%m-%d %H:%M:%S}  ")
    if began:
        text.append(ago(began, datetime.now().astimezone()), "dim")
    if chain.run is None:
        return text
    text.append(f"  {record.status}", STATUS_STYLES[record.status])
    if record.seconds is not None:
        text.append(f"  {lasting(record.seconds)}", "dim")
    try:
        events = (event for event in read_events(chain.run.events) if isinstance(event, RunStarted))
        started = next(events, None)
    except InputError:
        started = None
    if started:
        text.append(f"  {printable(started.device, 20)} {printable(started.dtype, 20)}".rstrip(), "dim")
    return text


def _rows(chain: Chain) -> Text:
    """`caption → 1 tok_clip@224 → 2 tok_rgb@224`, the output that was asked for in bold."""
    record, row = chain.record, chain.output.row if chain.output else None
    text = Text(" + ".join(printable(condition.name, 40) for condition in record.conditions) or "nothing")
    if not record.rows and chain.output and chain.output.target:
        return Text.assemble(text, " → … → ", (f"{row or ''} {printable(chain.output.target, 40)}".strip(), "bold"))
    for each in record.rows:
        style = "bold" if each.number == row else "" if each.state == "done" else "dim"
        text.append(" → ").append(f"{each.number} {printable(each.target, 40)}", style)
    return text


def _seeds(chain: Chain) -> Text:
    seeds = [str(sample.seed) for sample in chain.samples]
    if len(seeds) > _SEEDS:
        seeds[_SEEDS:] = [f"and {len(seeds) - _SEEDS} more (--json has all)"]
    text = Text(", ".join(seeds) or "not known")
    if len(chain.samples) < len(chain.record.samples):
        number = chain.record.samples.index(chain.samples[0]) if chain.samples[0] in chain.record.samples else None
        of = f"sample {number} of {len(chain.record.samples)}, from 0"
        text.append(f"  {of}" if number is not None else "", "dim")
    return text


def _sign(state: State) -> tuple[str, str]:
    sign, style = _SIGNS[state]
    return f"{sign} ", style


def _marked(state: State, says: str, what: str) -> Text:
    return Text.assemble(_sign(state), (says, _SIGNS[state][1]), "  " if what else "", printable(what, 400))


def _lines(text: str) -> str:
    return "\n".join(printable(line, len(line) + 1) for line in text.splitlines())


def _said(settings: SettingsText) -> tuple[State, str]:
    state = state_of_file(settings)
    says = {
        "same": "unchanged",
        "changed": "changed since the run began",
        "gone": "gone",
        "unknown": "no file is known",
    }
    return state, says[state]


def _show_settings(settings: SettingsText, console: Console) -> None:
    head = Text.assemble(
        "\n", (printable(settings.role, 40), "dim"), "  ", _marked(*_said(settings), settings.file or "")
    )
    console.print(head, soft_wrap=True)
    for line in settings.text.rstrip().splitlines():
        style = "dim" if line.lstrip().startswith("#") else ""
        console.print(Text(printable(line.expandtabs(), len(line) * 8 + 1), style), soft_wrap=True)


def _show_commands(made: Again, notes: Sequence[str], console: Console) -> None:
    """Why outputs may be others, and the commands to be copied, broken only where a shell allows it."""
    for note in (*notes, *made.notes):
        console.print(Text(f"! {note}", "yellow"))
    for words in made.commands:
        pieces = in_a_shell(words)
        line = " ".join(pieces[:2])
        for piece in _with_flags(pieces[2:]):
            if cell_len(line) + cell_len(piece) + 3 > console.width:
                console.print(Text(f"{line} \\", "cyan"), soft_wrap=True)
                line = f"  {piece}"
            else:
                line += f" {piece}"
        console.print(Text(line, "cyan"), soft_wrap=True)


def _with_flags(pieces: Sequence[str]) -> list[str]:
    """An option and its value stay together."""
    joined: list[str] = []
    for piece in pieces:
        if joined and joined[-1].startswith("-") and " " not in joined[-1]:
            joined[-1] += f" {piece}"
        else:
            joined.append(piece)
    return joined
