"""What keeps a schedule from running, all of it at once, each with row, column, place and a fix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from fourm_tui.architecture import Architecture
from fourm_tui.curves import named, parse_onex, reference_cosine_counts
from fourm_tui.errors import InputError, printable
from fourm_tui.modalities import MODALITIES, Modality, suggest
from fourm_tui.schedule.columns import COLUMNS
from fourm_tui.schedule.hints import hints_for
from fourm_tui.schedule.rows import Part, Place, Problem, Row, Schedule


@dataclass(frozen=True)
class Findings:
    """`problems` keep the schedule from running, `hints` are advice, `incompatible` says what ml-4m cannot read."""

    problems: tuple[Problem, ...]
    hints: tuple[Problem, ...]
    incompatible: tuple[Problem, ...]

    @property
    def runs_in_ml4m(self) -> bool:
        return not self.incompatible


def validate(
    schedule: Schedule,
    model: Architecture | None = None,
    sr_model: Architecture | None = None,
    given: Mapping[str, bool] | None = None,
) -> Findings:
    """Everything there is to say about a schedule, reading problems included, in the order of its rows.

    Args:
        schedule: as read, with whatever values could be read.
        model: what the base model takes and makes; None leaves that unchecked.
        sr_model: the same for the super-resolution model.
        given: the conditions at hand, each with whether it is complete (False: partly given, by a mask or
            sentinels); None: not known yet, so that nothing is said about them.
    """
    checks = [_Check(schedule, schedule.base, model, given)] if schedule.base else []
    if schedule.super_resolution:
        checks.append(_Check(schedule, schedule.super_resolution, sr_model, given))
    problems, hints, incompatible = list(schedule.problems), list(schedule.hints), list(schedule.incompatible)
    known = {(problem.place, problem.column) for problem in problems}
    first = 1
    for check in checks:
        found = [*check.conditions(), *check.all_rows(first)]
        # A value that could not be read has its problem already: its emptiness is not a second one.
        problems += [p for p in found if (p.place, p.column) not in known]
        hints += [*check.notes(), *hints_for(check.part, first)]
        incompatible += check.not_for_ml4m(first)
        first += len(check.part.rows)
    # Advice about a value that is wrong anyway would only stand in the way.
    wrong = {(problem.place, problem.column) for problem in problems}
    hints = [hint for hint in hints if (hint.place, hint.column) not in wrong]
    return Findings(_ordered(problems), _ordered(hints), _ordered(incompatible))


def missing_values(
    schedule: Schedule, model: Architecture | None, given: Mapping[str, bool]
) -> tuple[Problem, ...]:  # fmt: skip
    """Of the problems of a schedule those that are only that a condition has no value yet; arguments are those of
    `validate`."""
    return tuple(_Check(schedule, schedule.base, model, given).missing(given)) if schedule.base else ()


def _ordered(problems: list[Problem]) -> tuple[Problem, ...]:
    columns = list(COLUMNS)

    def position(problem: Problem) -> tuple[int, int]:
        column = columns.index(problem.column) if problem.column in columns else -1
        return (problem.row or 0, column)

    return tuple(sorted(dict.fromkeys(problems), key=position))


class _Check:
    """The checks of one part of a schedule."""

    def __init__(
        self, schedule: Schedule, part: Part, model: Architecture | None, given: Mapping[str, bool] | None
    ) -> None:
        self.schedule, self.part, self.model, self.given = schedule, part, model, given
        self.modalities: Mapping[str, Modality] = model.modalities if model else MODALITIES
        self.size = 448 if part.prefix else 224
        self.title = "super-resolution model" if part.prefix else "model"

    def place(self, column: str, index: int = -1) -> Place:
        return self.part.places.get((index, column), self.part.places.get((-1, column), Place()))

    def partly_given(self, name: str) -> bool:
        return self.given is not None and self.given.get(name) is False

    # -- conditions ---------------------------------------------------------------------------------------------

    def conditions(self) -> Iterator[Problem]:
        """Names that are no condition, or not one of this model, or not to be had, or the target itself."""
        targets = {row.target for row in self.part.rows}
        base = self.schedule.base
        for name in () if self.part.all_base_conditions else self.part.conditions:
            modality = self.modalities.get(name)
            if modality is None:
                meant = suggest(name, self.modalities, None if self.part.prefix else self.size)
                fix = f"did you mean {meant}?" if meant else ""
                yield self._condition(f"{printable(name, 40)} is no 4M modality", fix)
            elif self.model and name not in self.model.inputs:
                yield self._condition(f"the {self.title} does not take {name}", _knows(self.model.inputs))
            elif self.part.prefix and base and name not in base.conditions:
                if name not in {row.target for row in base.rows} and name not in (self.given or {}):
                    yield self._condition(
                        f"{name} is neither a base condition nor a base target", "generate it first, or leave it out"
                    )
            if name in targets and (self.given or {}).get(name):
                yield self._condition(
                    f"{name} is a complete condition and also a target",
                    "remove it from one of the two, or give it partly, with a mask or with [S_1]",
                )
        for name, complete in (self.given or {}).items():
            if not self.part.prefix and complete and name in targets and name not in self.part.conditions:
                yield self._condition(
                    f"{name} is given complete and is also a target", "leave it out, or give it partly, with a mask"
                )
        if self.given is not None and not self.part.prefix:
            yield from self.missing(self.given)

    def missing(self, given: Mapping[str, bool]) -> Iterator[Problem]:
        """Conditions of the base chain without a value."""
        for name in self.part.conditions:
            if name in self.modalities and name not in given:
                yield self._condition(f"there is no value for the condition {name}", f"give one with -i {name}=…")

    def _condition(self, message: str, fix: str) -> Problem:
        return Problem(message, fix, None, "cond_domains", self.place("cond_domains"))

    def notes(self) -> Iterator[Problem]:
        """What is taken differently than it is written, and does no harm."""
        targets = {row.target for row in self.part.rows}
        for name in self.part.conditions:
            if self.part.all_base_conditions and self.model and name not in self.model.inputs:
                yield self._condition(f"the {self.title} does not take {name}: it is left out", "")
            elif name in targets and name not in (self.given or {}):
                yield self._condition(f"{name} is also a target: it must be given partly, with a mask or [S_1]", "")
        if not self.part.prefix:
            for name in self.given or {}:
                if name not in self.part.conditions and name not in targets:
                    fix = "add it to cond_domains" if name in self.modalities else "known names are modalities"
                    yield self._condition(f"{printable(name, 40)} is given, but is no condition of this chain", fix)

    # -- rows ---------------------------------------------------------------------------------------------------

    def all_rows(self, first: int) -> Iterator[Problem]:
        seen: dict[str, int] = {}
        for index, row in enumerate(self.part.rows):
            number = first + index
            for column, message, fix in self.row(row, seen):
                # What was given once for all rows is said once.
                shared = column in self.part.broadcast
                yield Problem(message, fix, None if shared else number, column, self.place(column, index))
            seen.setdefault(row.target, number)

    def row(self, row: Row, seen: Mapping[str, int]) -> Iterator[tuple[str, str, str]]:
        """(column, message, fix) of everything wrong with one row."""
        modality = self.modalities.get(row.target)
        if row.target:
            yield from self._target(row, modality, seen)
        scheme = row.scheme
        if scheme not in COLUMNS["autoregression_schemes"].choices:
            lower = str(scheme).lower()
            meant = get_close_matches(lower, COLUMNS["autoregression_schemes"].choices, n=1, cutoff=0.6)
            fix = f"did you mean {meant[0]}?" if meant else "use maskgit, roar or autoregressive"
            yield "autoregression_schemes", f"{named(scheme)} is no scheme", fix
        elif modality and modality.is_target and scheme not in modality.schemes:
            kind = "a sequence" if modality.kind == "sequence" else "an image of tokens"
            fix = "use " + " or ".join(modality.schemes)
            yield "autoregression_schemes", f"{scheme} does not fit {row.target}, which is {kind}", fix
        yield from self._tokens(row, modality)
        yield from self._temperature(row)
        yield from self._guidance(row, seen)
        yield from self._filters(row, modality)

    def _target(
        self, row: Row, modality: Modality | None, seen: Mapping[str, int]
    ) -> Iterator[tuple[str, str, str]]:  # fmt: skip
        column = "target_domains"
        if modality is None:
            meant = suggest(row.target, self.modalities, self.size)
            yield column, f"{printable(row.target, 40)} is no 4M modality", f"did you mean {meant}?" * bool(meant)
        elif not modality.is_target:
            instead = f"tok_{row.target}" if modality.kind == "pixels" else "caption"
            yield column, f"{row.target} can only be a condition", f"generate {instead}"
        elif self.model and row.target not in self.model.outputs:
            yield column, f"the {self.title} does not generate {row.target}", _knows(self.model.outputs)
        if row.target in seen:
            yield column, f"{row.target} is generated by row {seen[row.target]} already", "remove one of the two"

    def _tokens(self, row: Row, modality: Modality | None) -> Iterator[tuple[str, str, str]]:
        limit = modality.max_tokens if modality and modality.is_target else None
        advice = f"{row.target} has {limit}" if limit else "write a whole number"
        if row.tokens is None:
            yield "tokens_per_target", "the number of tokens is missing", advice
        elif row.tokens < (2 if row.scheme == "autoregressive" else 1):
            yield "tokens_per_target", f"{row.tokens} tokens are too few", advice
        elif limit and row.tokens > limit and row.scheme in ("maskgit", "roar"):
            yield "tokens_per_target", f"{row.tokens} tokens are more than {row.target} has", f"write {limit}"
        if row.scheme not in ("maskgit", "roar"):
            return
        if row.steps is None:
            yield "decoding_steps", f"the number of steps is missing, which {row.scheme} needs", "write 8, for example"
        elif row.steps < 1:
            yield "decoding_steps", f"{row.steps} steps decode nothing", "write 1 or more"
        elif row.tokens and 0 < row.tokens < row.steps and not self.partly_given(row.target):
            yield "decoding_steps", f"{row.steps} steps for {row.tokens} tokens", f"write {row.tokens} or less"
        if row.scheme == "maskgit" and row.token_schedule not in COLUMNS["token_decoding_schedules"].choices:
            yield (
                "token_decoding_schedules",
                f"{named(row.token_schedule)} is no token schedule",
                ("use cosine or linear"),
            )

    def _temperature(self, row: Row) -> Iterator[tuple[str, str, str]]:
        if row.temp is None:
            yield "temps", "the temperature is missing", "write 1.0, or 0.0 for greedy decoding"
        elif row.temp < 0:
            yield "temps", f"a temperature of {row.temp} is negative", "write 0.0 for greedy decoding"
        if row.scheme == "autoregressive" or row.temp_schedule in ("constant", "linear"):
            return
        if row.temp_schedule is None:
            yield "temp_schedules", "the temperature schedule is missing", "use constant, linear or onex:{min}:{power}"
            return
        try:
            parse_onex(row.temp_schedule)
        except InputError as error:
            message, _, fix = str(error).partition("; ")
            yield "temp_schedules", message, fix

    def _guidance(self, row: Row, seen: Mapping[str, int]) -> Iterator[tuple[str, str, str]]:
        if row.cfg_scale is None:
            yield "cfg_scales", "the guidance scale is missing", "write 1.0 for no guidance"
        elif isinstance(row.cfg_scale, Mapping):
            visible = (*self.part.conditions, *seen)
            for name in row.cfg_scale:
                if name == row.target:
                    yield "cfg_scales", f"{name} weighs itself", "weigh conditions and earlier targets"
                elif name not in visible and not (self.part.all_base_conditions and not visible):
                    meant = suggest(name, visible) if visible else None
                    fix = f"did you mean {meant}?" if meant else "weigh " + (" or ".join(visible) or "nothing here")
                    yield "cfg_scales", f"{printable(name, 40)} is neither a condition nor an earlier target", fix
        if row.cfg_schedule not in COLUMNS["cfg_schedules"].choices and row.scheme != "autoregressive":
            message = f"{named(row.cfg_schedule)} is no guidance schedule"
            yield "cfg_schedules", message, "use constant, linear or cosine"

    def _filters(self, row: Row, modality: Modality | None) -> Iterator[tuple[str, str, str]]:
        if row.top_p is None or not 0 <= row.top_p <= 1:
            yield "top_p", f"top_p is {named(row.top_p)}", "write a number from 0.0 (off) to 1.0, such as 0.8"
        vocabulary = modality.vocab_size if modality else 0
        if row.top_k is None or row.top_k < 0:
            yield "top_k", f"top_k is {named(row.top_k)}", "write a count, a share such as 0.1, or 0.0 for off"
        elif isinstance(row.top_k, float) and 0 < row.top_k * vocabulary < 1:
            yield "top_k", f"a share of {row.top_k} of {vocabulary} tokens keeps none", "write a count such as 50"

    # -- ml-4m --------------------------------------------------------------------------------------------------

    def not_for_ml4m(self, first: int) -> Iterator[Problem]:
        """Cells that run here and not there, beyond those met while reading."""
        for index, row in enumerate(self.part.rows):
            found: list[tuple[str, str]] = []
            if row.cfg_schedule in ("linear", "cosine"):
                found.append(("cfg_schedules", f"{row.cfg_schedule} guidance is ours"))
            if self.partly_given(row.target):
                found.append(("target_domains", "partly given targets are ours"))
            cosine = row.scheme == "maskgit" and row.token_schedule == "cosine"
            if cosine and row.steps and row.tokens and 0 < row.steps <= row.tokens <= 2**16:
                if min(reference_cosine_counts(row.steps, row.tokens)) < 1:
                    message = f"{row.tokens} tokens in {row.steps} cosine steps leave none for the last step there"
                    found.append(("decoding_steps", message))
            if _is_nan_there(row):
                found.append(("temp_schedules", "the temperature is not a number there"))
            for column, message in found:
                number = None if column in self.part.broadcast else first + index
                yield Problem(message, "", number, column, self.place(column, index))


def _is_nan_there(row: Row) -> bool:
    """Whether ml-4m divides 0 by 0: onex over a single token, or with a power of 0."""
    try:
        _, power = parse_onex(row.temp_schedule or "")
    except InputError:
        return False
    return row.tokens == 1 or power == 0


def _knows(names: tuple[str, ...]) -> str:
    return "it has " + ", ".join(names) if names else ""
