"""In what two runs differ, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from fourm_tui.chain.recorded import models_of, schedule_of
from fourm_tui.chain.times import lasting
from fourm_tui.errors import printable
from fourm_tui.runs import ConditionRecord, ModelRecord, Run, RunRecord
from fourm_tui.schedule.columns import COLUMNS, MODEL_KEYS
from fourm_tui.schedule.configs import ModelsConfig
from fourm_tui.schedule.editor import format_conditions
from fourm_tui.schedule.rows import Part, Row, Schedule
from fourm_tui.schedule.values import format_value


@dataclass(frozen=True)
class Pair:
    """One thing that both runs have, or one of them."""

    group: str
    what: str
    a: str | None
    b: str | None
    """As text; None where there is none."""
    same: bool


def compared(a: Run, b: Run) -> Iterator[Pair]:
    """Everything that two runs have in common or not."""
    yield from _runs(a.record, b.record)
    yield from _conditions(a.record, b.record)
    yield from _models(a.record, b.record)
    first, second = schedule_of(a.record), schedule_of(b.record)
    if first is not None and second is not None:
        yield from _schedules(first, second)


def _pair(group: str, what: str, a: str | None, b: str | None) -> Pair:
    return Pair(group, what, a, b, a == b)


def _runs(a: RunRecord, b: RunRecord) -> Iterator[Pair]:
    yield _pair("run", "chain", a.chain, b.chain)
    yield _pair("run", "status", a.status, b.status)
    yield Pair("run", "time", lasting(a.seconds), lasting(b.seconds), a.seconds == b.seconds)
    yield Pair("run", "seeds", _seeds(a), _seeds(b), _all_seeds(a) == _all_seeds(b))
    for name in dict.fromkeys([*a.options, *b.options]):
        if name not in ("seed", "num_variations"):  # these are the seeds
            yield _pair("run", name, _option(a.options.get(name)), _option(b.options.get(name)))
    yield _pair("run", "fourm-tui", a.version, b.version)


def _option(value: Any) -> str | None:
    return None if value is None else str(value)


def _all_seeds(record: RunRecord) -> list[int]:
    return [sample.seed for sample in record.samples]


def _seeds(record: RunRecord) -> str:
    seeds = [str(seed) for seed in _all_seeds(record)]
    return ", ".join([*seeds[:4], *([f"and {len(seeds) - 4} more"] if len(seeds) > 4 else [])])


def _conditions(a: RunRecord, b: RunRecord) -> Iterator[Pair]:
    first, second = ({condition.name: condition for condition in record.conditions} for record in (a, b))
    for name in dict.fromkeys([*first, *second]):
        one, other = first.get(name), second.get(name)
        same = one is not None and other is not None and _content(one) == _content(other)
        yield Pair("conditions", name, _condition(one), _condition(other), same)


def _content(condition: ConditionRecord) -> tuple[Any, ...]:
    """A file is what is in it, wherever it lies."""
    file = None if condition.text is not None else condition.sha256 or condition.path
    return condition.text, file, condition.mask_sha256 or condition.mask, dict(condition.options)


def _condition(condition: ConditionRecord | None) -> str | None:
    if condition is None:
        return None
    if condition.text is not None:
        return condition.text
    said = [f"{condition.path}{_digest(condition.sha256)}"]
    if condition.mask:
        said.append(f"mask {condition.mask}{_digest(condition.mask_sha256)}")
    said += [f"{name}: {value}" for name, value in condition.options.items()]
    return "\n".join(said)


def _digest(sha256: str | None) -> str:
    return f" ({sha256[:8]})" if sha256 else ""


def _models(a: RunRecord, b: RunRecord) -> Iterator[Pair]:
    first, second = models_of(a), models_of(b)
    mine, others = _checkpoints(a, first), _checkpoints(b, second)
    for role in dict.fromkeys([*mine, *others]):
        one, other = mine.get(role), others.get(role)
        # The same name for two files: the files say more.
        moved = bool(one and other and one.weights and other.weights) and _name(one) == _name(other) and one != other
        yield _pair("models", role, _name(one, moved), _name(other, moved))
    if first is not None and second is not None:
        for name in ("text_tokenizer", "detokenizer_steps", "dtype"):
            yield _pair("models", name, _option(getattr(first, name)), _option(getattr(second, name)))


def _checkpoints(record: RunRecord, config: ModelsConfig | None) -> Mapping[str, ModelRecord]:
    """By role; a record need not list the tokenizers that its files name."""
    named = {role: ModelRecord(name) for role, name in (config.tokenizers if config else {}).items()}
    return {**record.models, **{role: model for role, model in named.items() if role not in record.models}}


def _name(model: ModelRecord | None, by_file: bool = False) -> str | None:
    if model is None:
        return None
    return model.weights if by_file else f"{model.name}@{model.revision}" if model.revision else model.name


# -- schedules --------------------------------------------------------------------------------------------------


def _schedules(a: Schedule, b: Schedule) -> Iterator[Pair]:
    for prefix in ("", "sr_"):
        one, other = (next((part for part in each.parts if part.prefix == prefix), None) for each in (a, b))
        group = "super resolution" if prefix else "chain"
        if one is not None or other is not None:
            yield _pair(group, f"{prefix}cond_domains", _given(one), _given(other))
            yield _pair(group, f"{prefix}cfg_grow_conditioning", _grows(one), _grows(other))
    for key in dict.fromkeys([*a.settings, *b.settings]):
        if key not in MODEL_KEYS and key not in ("seed", "num_variations"):
            yield _pair("chain", key, _option(a.settings.get(key)), _option(b.settings.get(key)))
    for one_row, other_row in _aligned(list(a.rows()), list(b.rows())):
        yield from _rows(one_row, other_row)


def _given(part: Part | None) -> str | None:
    if part is None:
        return None
    return "null" if part.all_base_conditions else format_conditions(part.conditions)


def _grows(part: Part | None) -> str | None:
    return None if part is None else str(part.cfg_grow_conditioning)


Numbered = tuple[int, Part, Row]


def _aligned(
    a: Sequence[Numbered], b: Sequence[Numbered]
) -> Iterator[tuple[Numbered | None, Numbered | None]]:  # fmt: skip
    """Rows side by side: those of one target, whatever stands before them; then what is left, in order."""
    first, second = ([(part.prefix, row.target) for _, part, row in rows] for rows in (a, b))
    for kind, a0, a1, b0, b1 in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        for at in range(max(a1 - a0, b1 - b0)):
            one = a[a0 + at] if a0 + at < a1 else None
            other = b[b0 + at] if b0 + at < b1 else None
            if kind == "replace" and one and other and one[1].prefix != other[1].prefix:
                yield one, None
                one = None
            yield one, other


def _rows(a: Numbered | None, b: Numbered | None) -> Iterator[Pair]:
    numbers = list(dict.fromkeys(row[0] for row in (a, b) if row))
    targets = list(dict.fromkeys(row[2].target for row in (a, b) if row))
    group = f"row {' and '.join(map(str, numbers))}: {' and '.join(targets)}"
    for key, column in COLUMNS.items():
        texts = [
            None if row is None else format_value(column, getattr(row[2], column.attribute)) for row in (a, b)
        ]  # fmt: skip
        yield _pair(group, key, *texts)
        if a is None or b is None:
            return  # the target says which row it is; the rest would differ from nothing


def schedules_differ(a: Schedule, b: Schedule) -> list[Pair]:
    """Cells and conditions in which two schedules differ."""
    return [pair for pair in _schedules(a, b) if not pair.same]


# -- in few words -----------------------------------------------------------------------------------------------

_NOT_SETTINGS = ("status", "time", "fourm-tui", "device", "preview_every", "decode")


def settings_differ(before: Run, after: Run) -> list[Pair]:
    """What was changed from one run to the other; how they went is left out."""
    return [
        pair
        for pair in compared(before, after)
        if not pair.same and not (pair.group == "run" and pair.what in _NOT_SETTINGS)
    ]


def named(pairs: Sequence[Pair], arrow: str = "→") -> str:
    """Differences in a few words: the one there is (`temps.2 0.5 → 0.7`), or how many."""
    if not pairs:
        return "same settings"
    told = [pair for pair in pairs if pair.what != "chain"] or list(pairs)
    if len(told) > 1:
        return f"{len(told)} differences"
    pair = told[0]
    row = pair.group.removeprefix("row ").partition(":")[0] if pair.group.startswith("row ") else ""
    what = f"{pair.what}.{row}" if row.isdecimal() else pair.what
    return f"{what} {_one_line(pair.a)} {arrow} {_one_line(pair.b)}"


def _one_line(value: str | None) -> str:
    return printable(" ".join((value or "none").split()), 30)
