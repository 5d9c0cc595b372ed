"""Settings files as ml-4m's run_generation.py reads them: the same values where it reads well, a message where not.

`tests/data/schedule_cases.json` holds what the reference makes of each file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fourm_tui.plan import plan_part
from fourm_tui.schedule.columns import COLUMNS
from fourm_tui.schedule.document import Document
from fourm_tui.schedule.reading import read_schedule
from fourm_tui.schedule.rows import Part, Schedule
from fourm_tui.schedule.validation import validate

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "data" / "schedule_cases.json").read_text())
YAML_CASES = {case["id"]: case for case in CASES if case["source"] == "yaml"}


def read(case: dict[str, Any]) -> tuple[Schedule, Part]:
    """The schedule of a case and the part that it is about; run_generation's base defaults stand below `sr_` files."""
    documents = [Document.parse(case["yaml"])]
    if case["prefix"]:
        documents = [
            Document.parse("cfg_scales: 4.0-4.0-4.0\n"),
            Document.parse(case["yaml"].replace("{}", "sr_name: auto")),
        ]
    schedule = read_schedule(documents)
    part = schedule.super_resolution if case["prefix"] else schedule.base
    assert part is not None
    return schedule, part


def problems_of(case: dict[str, Any]) -> list[str]:
    schedule, _ = read(case)
    return [str(problem) for problem in validate(schedule).problems]


@pytest.mark.parametrize("case", [c for c in YAML_CASES.values() if c["kind"] == "ok"], ids=lambda case: case["id"])
def test_a_file_that_ml4m_reads_well_means_the_same_here(case: dict[str, Any]) -> None:
    schedule, part = read(case)
    assert schedule.problems == ()
    parsed = case["parsed"]
    assert list(part.conditions) == parsed["cond_domains"]
    assert part.cfg_grow_conditioning == parsed["cfg_grow_conditioning"]
    for key, column in COLUMNS.items():
        expected = parsed[key] if isinstance(parsed[key], list) else [parsed[key]] * len(part.rows)
        values = [getattr(row, column.attribute) for row in part.rows]
        assert values == [None if value == "null" else value for value in expected], key
    for key, names in case["parsed_types"].items():
        values = [getattr(row, COLUMNS[key].attribute) for row in part.rows]
        expected_types = ["float" if key == "temps" and name == "int" else name for name in names]
        assert [type(value).__name__ for value in values] == expected_types, key
    steps = [step for row_plan in plan_part(part) for step in row_plan.steps]
    assert [(step.target, step.scheme, step.num_tokens) for step in steps] == [
        (step["target_domain"], step["scheme"], step["num_tokens"]) for step in case["steps"]
    ]
    for ours, theirs in zip(steps, case["steps"], strict=True):
        assert ours.temperature == pytest.approx(theirs["temperature"], rel=1e-12)
        assert ours.guidance == pytest.approx(theirs["cfg_scale"], rel=1e-12)
        assert list(ours.guided) == theirs["cfg_cond_domains"]


REFUSED = {
    # what the reference crashes on or takes for something else -> words of our message
    "cosine_more_steps_than_tokens_10_4": "10 steps for 4 tokens",
    "cosine_more_steps_than_tokens_20_16": "20 steps for 16 tokens",
    "cosine_7_3": "7 steps for 3 tokens",
    "linear_more_steps_than_tokens": "20 steps for 16 tokens",
    "linear_more_steps_than_tokens_onex": "20 steps for 16 tokens",
    "float_steps_in_list": None,
    "float_steps_scalar": None,
    "negative_with_hyphen": "cut at every hyphen",
    "negative_quoted_scalar": "cut at every hyphen",
    "exponent_hyphen": "also inside 1e-2",
    "wrong_count_short": "2 values for 3 targets",
    "wrong_count_long": "3 values for 2 targets",
    "unknown_scheme": "is no scheme",
    "unknown_scheme_case": "did you mean",
    "unknown_token_schedule": "is no token schedule",
    "unknown_temp_schedule": "is no temperature schedule",
    "onex_missing_power": "not of the form onex:{min}:{power}",
    "onex_anywhere": "is no temperature schedule",
    "cfg_schedule_unknown": None,
    "steps_null": "the number of steps is missing",
    "steps_zero": "0 steps decode nothing",
    "steps_zero_cosine": "0 steps decode nothing",
    "tokens_zero": "0 tokens are too few",
    "temps_null": "the temperature is missing",
    # what runs here although the reference crashes on it or silently does something else
    "int_cfg_first_target": None,
    "yaml_list": None,
    "cfg_schedule_cosine": None,
    "float_tokens_scalar": None,
    "cosine_196_196": None,
    "cosine_24_196": None,
    "cosine_24_196_linear_temp": None,
    "cosine_5_6": None,
    "temp_zero_onex": None,
    "roar_ignores_token_schedule": None,
    "roar_unknown_token_schedule": None,
    "onex_one_token": None,
    "onex_power_zero": None,
    "cond_null": None,
    "cond_empty_string": None,
    "top_k_int_yaml": None,
    "unknown_yaml_key": None,
}


def test_every_odd_case_has_a_statement() -> None:
    assert {case["id"] for case in YAML_CASES.values() if case["kind"] != "ok"} == set(REFUSED)


@pytest.mark.parametrize(("name", "words"), REFUSED.items(), ids=REFUSED)
def test_odd_files_are_refused_with_a_reason_or_run(name: str, words: str | None) -> None:
    problems = problems_of(YAML_CASES[name])
    if words is None:
        assert problems == []
        _, part = read(YAML_CASES[name])
        assert plan_part(part)
    else:
        assert any(words in problem for problem in problems), problems
        assert all("settings:" in problem for problem in problems)


@pytest.mark.parametrize(
    "name", ["int_cfg_first_target", "yaml_list", "float_steps_scalar", "cfg_schedule_cosine", "cfg_schedule_unknown"]
)
def test_what_crashes_ml4m_is_said_to_be_incompatible(name: str) -> None:
    schedule, _ = read(YAML_CASES[name])
    assert not validate(schedule).runs_in_ml4m


@pytest.mark.parametrize("name", ["cond_null", "cond_empty_string"])
def test_no_conditions_means_unconditional(name: str) -> None:
    schedule, part = read(YAML_CASES[name])
    assert part.conditions == ()
    assert not validate(schedule).runs_in_ml4m


@pytest.mark.parametrize("name", ["cosine_24_196", "cosine_5_6"])
def test_cosine_counts_that_fail_in_ml4m_are_said_to_be_incompatible(name: str) -> None:
    schedule, _ = read(YAML_CASES[name])
    (found,) = validate(schedule).incompatible
    assert found.column == "decoding_steps"


def test_an_unknown_key_is_a_hint() -> None:
    schedule, _ = read(YAML_CASES["unknown_yaml_key"])
    assert any("bogus_key" in hint.message for hint in validate(schedule).hints)


def test_an_integer_top_k_is_a_count() -> None:
    _, part = read(YAML_CASES["top_k_int_yaml"])
    assert all(row.top_k == 50 and isinstance(row.top_k, int) for row in part.rows)
