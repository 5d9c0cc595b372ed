"""Validation finds every problem at once and says where it is and what to do."""

from __future__ import annotations

import pytest

from fourm_tui.architecture import Architecture
from fourm_tui.published import MODELS
from fourm_tui.schedule.document import Document
from fourm_tui.schedule.reading import read_schedule
from fourm_tui.schedule.rows import Problem
from fourm_tui.schedule.validation import Findings, validate

GOOD = """\
cond_domains: caption
target_domains: tok_clip@224-tok_rgb@224
tokens_per_target: 196
autoregression_schemes: roar-roar
decoding_steps: 49-25
token_decoding_schedules: linear
temps: 6.0-0.5
temp_schedules: onex:0.5:0.5-constant
cfg_scales: 3.0
cfg_schedules: constant
cfg_grow_conditioning: True
top_p: 0.9
top_k: 0.0
"""

SR = """\
sr_target_domains: tok_clip@448-tok_rgb@448
sr_temp_schedules: constant
sr_cfg_scales: 3.0
sr_top_p: 0.9
"""


def architecture(name: str) -> Architecture:
    return Architecture.from_config(MODELS[f"EPFL-VILAB/{name}"].config, name)


def findings(text: str, given: dict[str, bool] | None = None) -> Findings:
    schedule = read_schedule([Document.parse(text)])
    return validate(schedule, architecture("4M-7_B_CC12M"), architecture("4M-7-SR_L_CC12M"), given)


def edited(key: str, value: str, text: str = GOOD) -> str:
    """`text` with one key's line replaced; the key is on a known line."""
    lines = text.splitlines()
    (index,) = [i for i, line in enumerate(lines) if line.startswith(f"{key}:")]
    lines[index] = f"{key}: {value}"
    return "\n".join(lines) + "\n"


def only(problems: tuple[Problem, ...]) -> Problem:
    assert len(problems) == 1, [str(problem) for problem in problems]
    return problems[0]


def test_a_good_file_has_nothing_to_say() -> None:
    found = findings(GOOD + SR)
    assert (found.problems, found.hints, found.runs_in_ml4m) == ((), (), True)


@pytest.mark.parametrize(
    ("key", "value", "row", "column", "message", "fix"),
    [
        ("target_domains", "tok_clip@224-tok_rgb", 2, "target_domains", "tok_rgb is no 4M modality", "tok_rgb@224"),
        ("target_domains", "tok_clip@224-rgb@224", 2, "target_domains", "only be a condition", "tok_rgb@224"),
        ("target_domains", "tok_clip@224-tok_rgb@448", 2, "target_domains", "does not generate tok_rgb@448", "it has"),
        ("target_domains", "tok_rgb@224-tok_rgb@224", 2, "target_domains", "by row 1 already", "remove one"),
        ("autoregression_schemes", "roar-autoregressive", 2, "autoregression_schemes", "does not fit", "maskgit or roar"),
        ("autoregression_schemes", "roar-Roar", 2, "autoregression_schemes", "no scheme", "did you mean roar?"),
        ("decoding_steps", "49-300", 2, "decoding_steps", "300 steps for 196 tokens", "196 or less"),
        ("decoding_steps", "0-25", 1, "decoding_steps", "0 steps", "1 or more"),
        ("tokens_per_target", "196-256", 2, "tokens_per_target", "more than tok_rgb@224 has", "write 196"),
        ("temps", "[6.0, -0.5]", 2, "temps", "negative", "0.0 for greedy"),
        ("temps", "6.0-warm", 2, "temps", "'warm' is no number", "write a number"),
        ("temp_schedules", "onex:0.5-constant", 1, "temp_schedules", "not of the form", "onex:0.5:0.5"),
        ("temp_schedules", "cosine-constant", 1, "temp_schedules", "no temperature schedule", "constant, linear"),
        ("cfg_scales", "[{captoin: 2.0}, 3.0]", 1, "cfg_scales", "neither a condition", "did you mean caption?"),
        ("cfg_scales", "[{tok_rgb@224: 2.0}, 3.0]", 1, "cfg_scales", "neither a condition", "weigh caption"),
        ("cfg_schedules", "constant-wavy", 2, "cfg_schedules", "no guidance schedule", "constant, linear or cosine"),
        ("top_p", "1.5", None, "top_p", "top_p is 1.5", "0.0 (off) to 1.0"),
        ("top_k", "-3", None, "top_k", "top_k is -3", "0.0 for off"),
        ("top_k", "0.00001", None, "top_k", "keeps none", "write a count"),
        ("cond_domains", "captoin", None, "cond_domains", "captoin is no 4M modality", "did you mean caption?"),
        ("cond_domains", "metadata", None, "cond_domains", "does not take metadata", "it has"),
        ("cfg_grow_conditioning", "'False'", None, "cfg_grow_conditioning", "neither True nor False", "write True"),
        ("decoding_steps", "49", None, None, "", ""),
    ],
)  # fmt: skip
def test_one_mistake_gives_one_problem(
    key: str, value: str, row: int | None, column: str | None, message: str, fix: str
) -> None:  # fmt: skip
    problems = findings(edited(key, value)).problems
    if column is None:
        assert problems == ()
        return
    problem = next(p for p in problems if p.column == column)
    assert (row, column) == (problem.row, problem.column)
    assert message in problem.message
    assert fix in problem.fix
    assert problem.place.line == 1 + GOOD.splitlines().index(
        next(line for line in GOOD.splitlines() if line.startswith(f"{key}:"))
    )


def test_all_problems_are_found_at_once_in_the_order_of_the_rows() -> None:
    text = edited("decoding_steps", "0-300", edited("temps", "6.0-warm", edited("autoregression_schemes", "roar-x")))
    found = [(problem.row, problem.column) for problem in findings(text).problems]
    assert found == [
        (1, "decoding_steps"), (2, "autoregression_schemes"), (2, "temps"),
    ]  # fmt: skip


def test_super_resolution_rows_go_on_counting() -> None:
    problem = only(findings(GOOD + edited("sr_target_domains", "tok_clip@448-tok_rgb", SR)).problems)
    assert (problem.row, problem.fix) == (4, "did you mean tok_rgb@448?")


def test_a_complete_condition_cannot_be_a_target() -> None:
    text = edited("cond_domains", "caption-tok_clip@224")
    complete = findings(text, {"caption": True, "tok_clip@224": True})
    assert "complete condition and also a target" in only(complete.problems).message
    partly = findings(text, {"caption": True, "tok_clip@224": False})
    assert partly.problems == ()
    assert not partly.runs_in_ml4m
    assert findings(text).problems == ()
    assert any("must be given partly" in hint.message for hint in findings(text).hints)


def test_a_condition_without_a_value_is_a_problem_once_values_are_given() -> None:
    assert "no value for the condition caption" in only(findings(GOOD, {"det": True}).problems).message


def test_a_partly_given_target_may_have_fewer_open_tokens_than_steps() -> None:
    text = edited("tokens_per_target", "40-196")
    assert findings(text, {"caption": True, "tok_clip@224": False}).problems == ()
    assert "49 steps for 40 tokens" in only(findings(text).problems).message


def test_conditions_that_the_super_resolution_model_does_not_know_are_left_out_with_a_note() -> None:
    schedule = read_schedule([Document.parse(edited("cond_domains", "caption-metadata") + SR)])
    found = validate(schedule, architecture("4M-21_B"), architecture("4M-7-SR_L_CC12M"))
    assert found.problems == ()
    assert any("does not take metadata: it is left out" in hint.message for hint in found.hints)


@pytest.mark.parametrize(
    ("key", "value", "column", "words"),
    [
        ("temps", "0.5-0.5", "temps", "starts low"),
        ("temp_schedules", "constant-constant", "temp_schedules", "does not decay"),
        ("decoding_steps", "1-25", "decoding_steps", "one step from text"),
        ("top_p", "0.0", "top_p", "near 0.8"),
        ("top_k", "50.0", "top_k", "nothing is filtered"),
        ("tokens_per_target", "100-196", "tokens_per_target", "96 of 196 positions stay empty"),
    ],
)
def test_the_fields_experience_is_a_hint_not_a_problem(key: str, value: str, column: str, words: str) -> None:
    found = findings(edited(key, value))
    assert found.problems == ()
    assert any(hint.column == column and words in hint.message for hint in found.hints), found.hints


def test_high_guidance_with_low_temperature_blurs_super_resolution() -> None:
    found = findings(GOOD + edited("sr_cfg_scales", "5.0", SR) + "sr_temps: 0.5\n")
    assert any("blurs" in hint.message for hint in found.hints)
    assert found.problems == ()


def test_many_steps_from_rgb_to_depth_are_pointed_out() -> None:
    text = "cond_domains: rgb@224\n" + GOOD.partition("\n")[2]
    found = findings(edited("target_domains", "tok_depth@224-tok_rgb@224", text))
    assert any("few steps" in hint.message for hint in found.hints)
