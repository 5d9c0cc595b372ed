"""Schedules worked out: the steps that ml-4m makes of a schedule, and what is done where it makes none that work."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fourm_tui.errors import InputError
from fourm_tui.plan import (
    RowPlan,
    Step,
    guidance_at,
    plan,
    plan_part,
    plan_row,
    temp_schedule,
)
from fourm_tui.schedule.rows import ROW_COLUMNS, Part, Place, Row, Schedule

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "data" / "schedule_cases.json").read_text())
CASE = {case["id"]: case for case in CASES}
IMAGE = Row("tok_clip@224", 196, "roar", 8, "linear", 3.0, "constant", 3.0, "constant", 0.9, 0.0)
TEXT = Row("caption", 256, "autoregressive", None, None, 0.3, "constant", 1.0, "constant", 0.8, 0.0)


def part_of(case: dict[str, Any]) -> Part:
    """The chain of a case; weights given as a list are given to invented conditions."""
    settings = case.get("parsed") or case["call"]

    def cell(column: str, index: int) -> Any:
        values = settings.get(column, 0.0)
        value = values[index] if isinstance(values, list) else values
        return {f"condition {i}": weight for i, weight in enumerate(value)} if isinstance(value, list) else value

    rows = tuple(
        Row(**{attribute: cell(column, index) for column, attribute in ROW_COLUMNS.items()})
        for index in range(len(settings["target_domains"]))
    )
    conditions = tuple(name for name in settings["cond_domains"] if name)
    return Part(case.get("prefix", ""), conditions, rows, settings["cfg_grow_conditioning"])


def steps_of(case: dict[str, Any]) -> list[Step]:
    return [step for row in plan_part(part_of(case)) for step in row.steps]


def chain(*rows: Row, conditions: tuple[str, ...] = ("caption",), grow: bool = True) -> Part:
    return Part("", conditions, rows, grow)


def one(row: Row, **context: Any) -> RowPlan:
    return plan_row(chain(row, conditions=("det",)), 0, **context)


# -- what ml-4m does ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [case for case in CASES if case["kind"] == "ok"], ids=lambda case: case["id"])
def test_steps_are_those_of_ml4m(case: dict[str, Any]) -> None:
    steps = steps_of(case)
    assert len(steps) == len(case["steps"])
    for index, (ours, theirs) in enumerate(zip(steps, case["steps"], strict=True)):
        assert ours.index == index
        assert (ours.target, ours.scheme, ours.num_tokens) == (
            theirs["target_domain"], theirs["scheme"], theirs["num_tokens"],
        )  # fmt: skip
        assert ours.temperature == pytest.approx(theirs["temperature"], rel=1e-12, abs=0)
        guidance = list(ours.guidance.values()) if isinstance(ours.guidance, Mapping) else ours.guidance
        assert guidance == theirs["cfg_scale"]
        assert list(ours.guided) == theirs["cfg_cond_domains"]


@pytest.mark.parametrize("case", [case for case in CASES if case["kind"] == "ok"], ids=lambda case: case["id"])
def test_all_tokens_of_a_target_are_decoded(case: dict[str, Any]) -> None:
    decoded: dict[str, int] = {}
    for step in steps_of(case):
        if step.num_tokens is not None:
            decoded[step.target] = decoded.get(step.target, 0) + step.num_tokens
    assert decoded == case["tokens_decoded"]


@pytest.mark.parametrize(
    "name", ["roar_ignores_token_schedule", "roar_unknown_token_schedule", "temp_zero_onex", "wrong_count_long"]
)
def test_harmless_quirks_are_kept(name: str) -> None:
    assert [(step.num_tokens, step.temperature) for step in steps_of(CASE[name])] == [
        (step["num_tokens"], pytest.approx(step["temperature"], rel=1e-12)) for step in CASE[name]["steps"]
    ]


# -- where ml-4m gives no usable steps ----------------------------------------------------------------------------


def test_cosine_counts_that_turn_negative_are_corrected_where_rounding_went_furthest() -> None:
    case = CASE["cosine_24_196"]
    ours = [step.num_tokens for step in steps_of(case)]
    theirs = [step["num_tokens"] for step in case["steps"]]
    assert theirs[-1] == -1
    assert ours == [1, 2, 4, 6, 7, 8, 10, 11, 11, 12, 13, 13, 13, 13, 12, 11, 11, 10, 8, 7, 6, 4, 2, 1]
    assert sum(abs(a - b) for a, b in zip(ours, theirs, strict=True)) == 4


def test_a_linear_temperature_over_corrected_counts_falls_to_the_end() -> None:
    temperatures = [step.temperature for step in steps_of(CASE["cosine_24_196_linear_temp"])]
    assert all(a > b for a, b in pairwise(temperatures))
    assert temperatures[-1] == pytest.approx(1 / 196)


@pytest.mark.parametrize(
    ("name", "tokens"), [("cosine_more_steps_than_tokens_10_4", 4), ("cosine_more_steps_than_tokens_20_16", 16),
                         ("cosine_7_3", 3), ("linear_more_steps_than_tokens", 16),
                         ("linear_more_steps_than_tokens_onex", 16), ("cosine_196_196", 196)],
)  # fmt: skip
def test_more_steps_than_tokens_are_one_step_per_token(name: str, tokens: int) -> None:
    steps = steps_of(CASE[name])
    assert [step.num_tokens for step in steps] == [1] * tokens
    assert all(math.isfinite(step.temperature) for step in steps)


def test_six_tokens_in_five_cosine_steps() -> None:
    assert [step.num_tokens for step in steps_of(CASE["cosine_5_6"])] == [1, 1, 2, 1, 1]


def test_onex_over_one_token_is_at_its_lowest() -> None:
    (step,) = steps_of(CASE["onex_one_token"])
    assert step.temperature == 0.5


def test_onex_with_power_zero_falls_like_the_logarithm() -> None:
    temperatures = np.array([step.temperature for step in steps_of(CASE["onex_power_zero"])])
    x = np.linspace(1, 100, 196)[:4]
    expected = 0.5 + 2.5 * (1 - np.arange(1, 5) / 4) * (1 - np.log(x) / np.log(100))
    assert temperatures == pytest.approx(expected, rel=1e-12)
    assert temp_schedule("onex:0.5:1e-9", 3.0, np.full(4, 49)) == pytest.approx(temperatures, rel=1e-7)


def test_an_integer_scale_holds_for_its_own_target() -> None:
    steps = steps_of(CASE["int_cfg_second_target_api"])
    assert [(step.num_tokens, step.guidance) for step in steps] == [(98, 3.0)] * 2 + [(49, 2.0)] * 4


@pytest.mark.parametrize("name", ["cond_null", "cond_empty_string"])
def test_without_conditions_nothing_is_guided_until_a_target_is_done(name: str) -> None:
    first, second = plan_part(part_of(CASE[name]))
    assert (first.guided, first.passes.tolist()) == ((), [1, 1])
    assert (second.guided, second.passes.tolist()) == (("tok_clip@224",), [2, 2])


@pytest.mark.parametrize(
    ("name", "row", "column"),
    [
        ("steps_zero", 1, "decoding_steps"), ("steps_zero_cosine", 1, "decoding_steps"),
        ("steps_null", 1, "decoding_steps"), ("tokens_zero", 1, "tokens_per_target"), ("temps_null", 1, "temps"),
        ("unknown_scheme", 1, "autoregression_schemes"), ("unknown_scheme_case", 1, "autoregression_schemes"),
        ("unknown_token_schedule", 1, "token_decoding_schedules"), ("unknown_temp_schedule", 1, "temp_schedules"),
        ("onex_missing_power", 1, "temp_schedules"), ("onex_anywhere", 1, "temp_schedules"),
        ("api_modality_info_assert", 1, "autoregression_schemes"),
        ("api_seq_roar_no_info", 1, "autoregression_schemes"),
    ],
)  # fmt: skip
def test_what_cannot_run_is_refused_with_row_and_column(name: str, row: int, column: str) -> None:
    with pytest.raises(InputError, match=f"row {row}: {column}: "):
        steps_of(CASE[name])


# -- guidance ------------------------------------------------------------------------------------------------------


def test_an_unknown_guidance_schedule_is_refused() -> None:
    with pytest.raises(InputError, match="row 1: cfg_schedules: 'quadratic'"):
        one(replace(IMAGE, cfg_schedule="quadratic"))


def test_growing_guidance_needs_one_pass_only_while_it_is_one() -> None:
    row = one(replace(IMAGE, cfg_scale=1.0, cfg_schedule="cosine"))
    assert row.passes.tolist() == [1] * 8
    assert one(replace(IMAGE, cfg_scale=0.0)).passes.tolist() == [2] * 8


def test_an_autoregressive_step_keeps_its_guidance_schedule_for_the_sampler() -> None:
    (step,) = one(replace(TEXT, cfg_scale=3.0, cfg_schedule="linear")).steps
    assert (step.guidance, step.cfg_schedule, step.num_tokens) == (3.0, "linear", None)
    assert guidance_at(step.cfg_schedule, step.guidance, 0.25) == 1.5
    assert one(replace(TEXT, cfg_schedule=None)).steps[0].cfg_schedule == "constant"
    assert {step.cfg_schedule for step in one(replace(IMAGE, cfg_schedule="linear")).steps} == {"constant"}


# -- what is seen and what guidance drops -------------------------------------------------------------------------


def test_finished_targets_are_seen_and_join_guidance_unless_they_are_sequences() -> None:
    rows = (IMAGE, TEXT, replace(IMAGE, target="tok_rgb@224"))
    clip, caption, rgb = plan_part(chain(*rows, conditions=("rgb@224",)))
    assert (clip.visible, clip.guided) == (("rgb@224",), ("rgb@224",))
    assert (caption.visible, caption.guided) == (("rgb@224", "tok_clip@224"),) * 2
    assert rgb.visible == ("rgb@224", "tok_clip@224", "caption")
    assert rgb.guided == ("rgb@224", "tok_clip@224")


def test_without_growing_only_conditions_are_guided() -> None:
    _, rgb = plan_part(chain(IMAGE, replace(IMAGE, target="tok_rgb@224"), grow=False))
    assert (rgb.visible, rgb.guided) == (("caption", "tok_clip@224"), ("caption",))


def test_weights_hide_everything_else_from_the_unconditional_pass() -> None:
    weighted = replace(IMAGE, target="tok_rgb@224", cfg_scale={"caption": 2.0, "tok_clip@224": -0.5})
    part = chain(IMAGE, weighted, replace(IMAGE, target="tok_depth@224"), conditions=("caption", "det"), grow=False)
    _, rgb, depth = plan_part(part)
    assert rgb.guided == rgb.visible == ("caption", "det", "tok_clip@224")
    assert rgb.passes.tolist() == [3] * 8
    assert depth.guided == ("caption", "det")


def test_a_sequence_to_come_shows_its_first_token_already() -> None:
    clip, caption = plan_part(chain(IMAGE, TEXT, conditions=("rgb@224",)))
    assert (clip.pending, caption.pending) == ({"caption": 1}, {})


# -- partly given targets -----------------------------------------------------------------------------------------


def test_open_positions_replace_tokens() -> None:
    row = one(replace(IMAGE, scheme="maskgit", token_schedule="cosine"), open_positions={"tok_clip@224": 96})
    assert row.tokens.sum() == row.open_tokens == row.positions == 96
    assert row.given == 100


def test_fewer_open_positions_than_steps_are_one_step_each() -> None:
    assert one(IMAGE, open_positions={"tok_clip@224": 5}).tokens.tolist() == [1] * 5


def test_a_partly_given_target_is_no_condition_of_itself() -> None:
    row = plan_row(chain(IMAGE, conditions=("caption", "tok_clip@224")), 0, open_positions={"tok_clip@224": 96})
    assert row.visible == row.guided == ("caption",)


def test_what_is_given_of_a_later_image_is_seen_before() -> None:
    later = replace(IMAGE, target="tok_rgb@224")
    row = plan_row(chain(IMAGE, later), 0, open_positions={"tok_rgb@224": 96})
    assert row.pending == {"tok_rgb@224": 100}


def test_fewer_tokens_than_positions_leave_the_others_open() -> None:
    row = one(replace(IMAGE, tokens=100))
    assert (row.open_tokens, row.positions, row.given) == (100, 196, 0)


def test_nothing_open_is_refused() -> None:
    with pytest.raises(InputError, match="tokens_per_target: 0 tokens leave nothing to decode"):
        one(IMAGE, open_positions={"tok_clip@224": 0})


# -- rows, parts, schedules ---------------------------------------------------------------------------------------


def test_rows_count_on_and_steps_start_again_with_super_resolution() -> None:
    base = chain(IMAGE, replace(IMAGE, target="tok_rgb@224", steps=3))
    large = replace(IMAGE, target="tok_rgb@448", tokens=784, steps=2)
    sr = Part("sr_", ("caption", "tok_clip@224", "tok_rgb@224"), (large,))
    worked_out = plan(Schedule(base, sr))
    assert [(row.number, row.prefix, row.first_step) for row in worked_out] == [(1, "", 0), (2, "", 8), (3, "sr_", 0)]
    assert [(step.row, step.index) for step in worked_out.steps][7:] == [
        (1, 7),
        (2, 8),
        (2, 9),
        (2, 10),
        (3, 0),
        (3, 1),
    ]
    assert worked_out.part("sr_") == worked_out.rows[2:]


@pytest.mark.parametrize(
    "column", [column for column in ROW_COLUMNS if column not in ("target_domains", "token_decoding_schedules")]
)
def test_a_missing_value_is_named_with_its_row_and_place(column: str) -> None:
    broken = replace(IMAGE, **{ROW_COLUMNS[column]: None})
    places = {(1, column): Place(Path("chain.yaml"), 7, 4)}
    part = Part("", ("caption",), (replace(IMAGE, target="tok_rgb@224"), broken), places=places)
    with pytest.raises(InputError, match=rf"^chain\.yaml:7:4: row 6: {column}: the value is missing"):
        plan_part(part, first_row=5)


def test_a_maskgit_row_needs_a_token_schedule() -> None:
    with pytest.raises(InputError, match="token_decoding_schedules: the value is missing, which maskgit needs"):
        one(replace(IMAGE, scheme="maskgit", token_schedule=None))


def test_a_valid_row_can_be_worked_out_among_invalid_ones() -> None:
    broken = replace(IMAGE, steps=None, temp=None, cfg_scale=None)
    row = plan_row(chain(broken, replace(IMAGE, target="tok_rgb@224"), broken), 1)
    assert row.guided == ("caption", "tok_clip@224")
    assert len(row.steps) == 8


@pytest.mark.parametrize("target", ["rgb@224", "t5_caption"])
def test_a_condition_is_no_target(target: str) -> None:
    with pytest.raises(InputError, match=r"autoregression_schemes: .* it can only be a condition"):
        one(replace(IMAGE, target=target))


def test_a_target_without_a_name_is_refused() -> None:
    with pytest.raises(InputError, match="target_domains: the target has no name"):
        one(replace(IMAGE, target=""))


def test_more_tokens_than_an_image_has_are_refused() -> None:
    with pytest.raises(InputError, match="tokens_per_target: 197 tokens are more than tok_clip@224 has; write 196"):
        one(replace(IMAGE, tokens=197))


@pytest.mark.parametrize(("tokens", "length"), [(12, 12), (256, 256), (1000, 257)])
def test_a_sequence_is_as_long_as_its_modality_allows(tokens: int, length: int) -> None:
    row = one(replace(TEXT, tokens=tokens))
    assert (row.open_tokens, row.tokens.tolist(), len(row.steps)) == (length, [length], 1)


def test_a_sequence_needs_room_after_its_first_token() -> None:
    with pytest.raises(InputError, match="tokens_per_target: 1 tokens are too few"):
        one(replace(TEXT, tokens=1))
