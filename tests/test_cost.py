"""What a plan costs: the tokens that ml-4m's encoder sees, operations counted one by one, seconds, memory."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fourm_tui.architecture import Architecture
from fourm_tui.cost import Calibration, Cost, expected_tokens, peak_bytes, plan_cost, row_cost
from fourm_tui.errors import InputError
from fourm_tui.modalities import MODALITIES
from fourm_tui.plan import Plan, RowPlan, plan, plan_part
from fourm_tui.schedule.rows import Part, Row, Schedule

CONFIGS = json.loads((Path(__file__).parent / "data" / "published_models.json").read_text())
BASE, LARGE, SR = (
    Architecture.from_config(CONFIGS[name]["config"], name) for name in ("4M-7_B_CC12M", "4M-21_L", "4M-7-SR_L_CC12M")
)
SMALL = {name: Architecture.from_config(CONFIGS[name]["config"], name) for name in ("s7_gelu_bias", "s7_swiglu")}
REGISTERS = Architecture.from_config(CONFIGS["s7_registers"]["config"])


def image(target: str, scheme: str = "roar", steps: int = 1, cfg: Any = 1.0, tokens: int | None = None) -> Row:
    """A row of an image target; MaskGIT decodes by the cosine schedule."""
    tokens = tokens or MODALITIES[target].max_tokens
    return Row(target, tokens, scheme, steps, "cosine", 1.0, "constant", cfg, "constant", 0.0, 0.0)


def text(target: str, tokens: int, cfg: Any = 1.0) -> Row:
    return Row(target, tokens, "autoregressive", None, None, 0.0, "constant", cfg, "constant", 0.0, 0.0)


def chain(conditions: str, *rows: Row, grow: bool = True, prefix: str = "") -> Part:
    return Part(prefix, tuple(conditions.split()), rows, grow)


def first(part: Part) -> RowPlan:
    return plan_part(part)[0]


# -- tokens of the encoder: lengths that ml-4m's encoder had in runs of the reference implementation ----------------

ENCODER_TOKENS: dict[str, tuple[Part, dict[str, int], dict[str, int], list[list[list[int]]]]] = {
    # name: chain, known lengths, open positions, then per row and step the tokens of each pass
    "an emptied image leaves nothing": (
        chain("rgb@224", image("tok_depth@224", steps=2, cfg=2.0)), {}, {}, [[[196, 0], [294, 98]]],
    ),
    "an emptied caption leaves one token": (
        chain("caption", image("tok_clip@224", steps=3, cfg=2.0)), {"caption": 8}, {},
        [[[8, 1], [74, 67], [139, 132]]],
    ),
    "so does each of two sequences": (
        chain("caption det", image("tok_semseg@224", steps=8, cfg=2.0)), {"caption": 8, "det": 22}, {},
        [[[30, 2], [55, 27], [80, 52], [105, 77], [130, 102], [154, 126], [178, 150], [202, 174]]],
    ),
    "and an emptied T5 caption": (
        chain("t5_caption", image("tok_clip@224", steps=4, cfg=3.0)), {"t5_caption": 12}, {},
        [[[12, 1], [61, 50], [110, 99], [159, 148]]],
    ),
    "without guidance there is one pass": (
        chain("caption", image("tok_clip@224", "maskgit", 6)), {"caption": 8}, {},
        [[[8], [21], [57], [106], [155], [191]]],
    ),
    "MaskGIT by the cosine": (
        chain("caption", image("tok_clip@224", "maskgit", 6, 2.5)), {"caption": 8}, {},
        [[[8, 1], [21, 14], [57, 50], [106, 99], [155, 148], [191, 184]]],
    ),
    "a finished target is dropped if guidance grows": (
        chain("caption", image("tok_clip@224", steps=7, cfg=3.0), image("tok_rgb@224", steps=5, cfg=3.0)),
        {"caption": 8}, {},
        [[[8, 1], [36, 29], [64, 57], [92, 85], [120, 113], [148, 141], [176, 169]],
         [[204, 1], [244, 41], [283, 80], [322, 119], [361, 158]]],
    ),
    "and stays if it does not": (
        chain("caption", image("tok_clip@224", steps=7, cfg=3.0), image("tok_rgb@224", steps=5, cfg=3.0), grow=False),
        {"caption": 8}, {},
        [[[8, 1], [36, 29], [64, 57], [92, 85], [120, 113], [148, 141], [176, 169]],
         [[204, 197], [244, 237], [283, 276], [322, 315], [361, 354]]],
    ),
    "unconditional at first, guided by what it made": (
        chain("", image("tok_clip@224", steps=3, cfg=3.0), image("tok_rgb@224", "maskgit", 3, 3.0)), {}, {},
        [[[0], [66], [131]], [[196, 0], [245, 49], [343, 147]]],
    ),
    "a caption in the middle of a chain": (
        chain("rgb@224", text("caption", 12), image("tok_depth@224", steps=2, cfg=2.0)), {"caption": 11}, {},
        [[[197]], [[207, 11], [305, 109]]],
    ),
    "a caption at the end shows its first token from the start": (
        chain("rgb@224", image("tok_clip@224", steps=2, cfg=2.0), text("caption", 12, 2.0)), {"caption": 11}, {},
        [[[197, 1], [295, 99]], [[393, 1]]],
    ),
    "positions that are given are seen in both passes": (
        chain("caption", image("tok_rgb@224", "maskgit", 3, 2.0)), {"caption": 8}, {"tok_rgb@224": 96},
        [[[108, 101], [132, 125], [180, 173]]],
    ),
    "weighted conditions are seen one at a time": (
        chain(
            "caption tok_depth@224",
            image("tok_clip@224", "maskgit", 2, {"caption": 2.0, "tok_depth@224": 1.0}),
            image("tok_rgb@224", "maskgit", 2, {"caption": 2.0, "tok_depth@224": 1.0, "tok_clip@224": 0.7}),
        ), {"caption": 8}, {},
        [[[8, 196, 0], [106, 294, 98]], [[8, 196, 196, 0], [106, 294, 294, 98]]],
    ),
    "super-resolution sees the base targets": (
        chain("caption tok_clip@224 tok_rgb@224", image("tok_clip@448", "maskgit", 4, 3.0),
              image("tok_rgb@448", "maskgit", 4, 3.0), prefix="sr_"),
        {"caption": 8}, {},
        [[[400, 1], [515, 116], [792, 393], [1069, 670]], [[1184, 1], [1299, 116], [1576, 393], [1853, 670]]],
    ),
    "global tokens after patch-14 ones": (
        chain("caption metadata", image("tok_imagebind@224", steps=2, cfg=2.0), image("tok_dinov2_global", cfg=2.0)),
        {"caption": 4, "metadata": 9}, {},
        [[[13, 2], [141, 130]], [[269, 2]]],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ENCODER_TOKENS)
def test_the_encoder_sees_what_it_sees_in_ml4m(name: str) -> None:
    part, known, open_positions, expected = ENCODER_TOKENS[name]
    model = SR if part.prefix else LARGE
    for row, steps in zip(plan_part(part, open_positions=open_positions), expected, strict=True):
        cost = row_cost(row, model, known)
        assert cost.encoder_tokens == sum(sum(step) for step in steps)
        assert row.passes.tolist() == [len(step) for step in steps]


def test_register_tokens_are_seen_in_every_pass() -> None:
    row = first(chain("rgb@224", image("tok_depth@224", steps=2, cfg=2.0)))
    assert row_cost(row, REGISTERS).encoder_tokens == 196 + 0 + 294 + 98 + 4 * REGISTERS.num_register_tokens


def test_conditions_that_the_model_does_not_take_are_not_seen() -> None:
    row = first(chain("metadata rgb@224", image("tok_depth@224")))
    assert row_cost(row, BASE).encoder_tokens == 196
    assert row_cost(row, LARGE).encoder_tokens == 196 + 40


def test_lengths_are_expected_where_they_are_not_known() -> None:
    row = first(chain("caption rgb@224", image("tok_depth@224")))
    assert row_cost(row, BASE).encoder_tokens == 20 + 196
    assert row_cost(row, BASE, {"caption": 77}).encoder_tokens == 77 + 196
    assert [expected_tokens(MODALITIES[name]) for name in ("tok_rgb@448", "sam_instance", "tok_dinov2_global")] == [
        784, 200, 16,
    ]  # fmt: skip


def test_a_target_decoded_in_part_is_seen_in_part_by_later_rows() -> None:
    rows = plan_part(chain("", image("tok_clip@224", tokens=100), image("tok_rgb@224")))
    assert plan_cost(rows, BASE).encoder_tokens == 0 + 100


# -- tokens of the decoder ------------------------------------------------------------------------------------------


def test_roar_decodes_only_its_positions_and_maskgit_all_that_remain() -> None:
    roar, maskgit = (first(chain("caption", image("tok_clip@224", scheme, 4))) for scheme in ("roar", "maskgit"))
    assert row_cost(roar, BASE).decoder_tokens == 196
    assert row_cost(maskgit, BASE).decoder_tokens == 196 + (196 - 29) + (196 - 29 - 69) + 29


def test_maskgit_also_looks_at_positions_that_stay_empty() -> None:
    row = first(chain("caption", image("tok_clip@224", "maskgit", 1, tokens=100)))
    assert row_cost(row, BASE).decoder_tokens == 196


@pytest.mark.parametrize(("tokens", "known", "length"), [(256, {}, 20), (12, {}, 11), (256, {"caption": 64}, 64)])
def test_a_caption_takes_a_pass_per_token_and_branch(tokens: int, known: dict[str, int], length: int) -> None:
    row = first(chain("rgb@224", text("caption", tokens, 2.0)))
    cost = row_cost(row, BASE, known)
    assert (cost.steps, cost.passes, cost.decoder_tokens) == (1, 2 * length, 2 * length)
    assert cost.encoder_tokens == 197 + 1


# -- operations and traffic -----------------------------------------------------------------------------------------


def by_hand(model: Architecture, n: int, m: int, keys: int, vocab_size: int, encode: bool = True) -> int:
    """Operations of one pass, matrix by matrix: each [a, b] x [b, c] takes 2 a b c."""
    D, H = model.dim, model.mlp_hidden

    def attention(queries: int, sources: int) -> list[tuple[int, int, int]]:
        heads, width = model.num_heads, D // model.num_heads
        return [(queries, width, sources), (queries, sources, width)] * heads

    def mlp(tokens: int) -> list[tuple[int, int, int]]:
        return [(tokens, D, H)] * (2 if model.gated_mlp else 1) + [(tokens, H, D)]

    encoder = [(n, D, 3 * D), *attention(n, n), (n, D, D), *mlp(n)]
    context = [(n, D, 2 * D)]
    decoder = [(m, D, 3 * D), *attention(m, keys), (m, D, D), (m, D, D), *attention(m, n), (m, D, D), *mlp(m)]
    products = decoder * model.decoder_depth + [(m, D, vocab_size)]
    if encode:
        products += encoder * model.encoder_depth + [(n, D, D)] + context * model.decoder_depth
    return sum(2 * a * b * c for a, b, c in products)


@pytest.mark.parametrize("model", SMALL.values(), ids=SMALL)
def test_operations_of_an_image_row(model: Architecture) -> None:
    cost = row_cost(first(chain("rgb@224", image("tok_depth@224", steps=2, cfg=2.0))), model)
    passes = [(196, 98), (294, 98), (0, 98), (98, 98)]
    assert cost.each[:, 0].tolist() == [by_hand(model, n, m, m, 8192) for n, m in passes]
    assert cost.flops == cost.each[:, 0].sum()


@pytest.mark.parametrize("model", SMALL.values(), ids=SMALL)
def test_operations_of_a_sequence_row(model: Architecture) -> None:
    cost = row_cost(first(chain("rgb@224", text("caption", 4))), model)
    assert cost.each[:, 0].tolist() == [by_hand(model, 197, 1, t, 30_000, encode=t == 1) for t in (1, 2, 3)]


def test_each_pass_reads_the_weights_once() -> None:
    cost = row_cost(first(chain("caption", image("tok_depth@224", steps=3, cfg=2.0))), BASE, bytes_per_weight=4)
    read = cost.each[:, 1] / 4 - 8192 * BASE.dim
    assert cost.passes == len(read) == 6
    assert read == pytest.approx(BASE.parameters_outside_embeddings, rel=1e-3)
    assert cost.bytes == cost.each[:, 1:].sum()


def test_a_caption_reads_the_encoder_once_and_a_growing_cache() -> None:
    each = row_cost(first(chain("rgb@224", text("caption", 8))), BASE, {"caption": 7}).each
    assert len(each) == 7
    assert each[0, 1] > each[1, 1]
    assert np.ptp(each[1:, 1]) == 0
    assert np.diff(each[1:, 2]).tolist() == [2 * 2 * BASE.dim * BASE.decoder_depth] * 5


def test_nothing_is_read_for_an_encoder_without_tokens() -> None:
    empty, seeing = (row_cost(first(chain(conditions, image("tok_depth@224"))), BASE) for conditions in ("", "caption"))
    assert empty.each[0, 1] < seeing.each[0, 1]


# -- sums, seconds --------------------------------------------------------------------------------------------------


def test_a_plan_costs_what_its_rows_cost() -> None:
    base = chain("caption", image("tok_clip@224", steps=3, cfg=2.0), text("det", 256))
    sr = chain("tok_clip@224", image("tok_clip@448", "maskgit", 2), prefix="sr_")
    worked_out = plan(Schedule(base, sr))
    cost = plan_cost(worked_out, BASE, SR)
    rows = [row_cost(row, SR if row.prefix else BASE) for row in worked_out]
    assert cost == Cost.total(rows)
    assert (cost.steps, cost.passes) == (3 + 1 + 2, 6 + 20 + 2)
    calibration = Calibration(1e12, 1e11, 1e-3)
    assert cost.seconds(calibration) == pytest.approx(sum(row.seconds(calibration) for row in rows))


def test_no_rows_cost_nothing() -> None:
    cost = plan_cost(Plan(()), BASE)
    assert (cost.passes, cost.flops, cost.seconds(Calibration(1.0, 1.0, 1.0))) == (0, 0, 0)


def test_a_cost_is_plain_data() -> None:
    cost = row_cost(first(chain("caption", image("tok_depth@224"))), BASE)
    assert json.loads(json.dumps(asdict(cost))) == {
        "steps": 1, "passes": 1, "encoder_tokens": 20, "decoder_tokens": 196, "flops": cost.flops, "bytes": cost.bytes,
    }  # fmt: skip


def test_seconds_are_the_longer_of_computing_and_moving_in_each_pass() -> None:
    work = np.array([[8.0, 1.0, 1.0], [1.0, 3.0, 3.0]])
    cost = Cost(2, 2, 0, 0, 9.0, 8.0, work)
    assert cost.seconds(Calibration(flops_per_second=2.0, bytes_per_second=1.0)) == 8 / 2 + 6 / 1
    assert cost.seconds(Calibration(2.0, 1.0, seconds_per_pass=0.5)) == 11.0


def test_a_batch_reads_the_weights_once() -> None:
    cost = Cost(1, 1, 0, 0, 1.0, 5.0, np.array([[1.0, 4.0, 1.0]]))
    slow_memory, slow_chip = Calibration(1e9, 1.0), Calibration(1.0, 1e9)
    assert [cost.seconds(slow_memory, batch) for batch in (1, 3)] == [5.0, 7.0]
    assert [cost.seconds(slow_chip, batch) for batch in (1, 3)] == [1.0, 3.0]


def test_a_measured_run_is_foretold() -> None:
    # ml-4m on one core: 74 guided steps with the base model in 62 s, the 49 of the first row in 32.1 s.
    clip, rgb = plan_part(
        chain("caption", image("tok_clip@224", steps=49, cfg=3.0), image("tok_rgb@224", steps=25, cfg=3.0))
    )
    known = {"caption": 8}
    one, other = (row_cost(row, BASE, known, bytes_per_weight=4) for row in (clip, rgb))
    assert one.passes + other.passes == 148
    speed = Calibration(one.flops / 32.1, 1e11)
    assert other.seconds(speed) == pytest.approx(29.9, rel=0.15)


# -- memory ---------------------------------------------------------------------------------------------------------


def test_memory_is_at_least_the_weights_and_grows_with_the_batch() -> None:
    rows = plan_part(chain("caption", image("tok_rgb@224", "maskgit", 8, 3.0)))
    one, four, eight = (peak_bytes(BASE, rows, batch) for batch in (1, 4, 8))
    assert one > 2 * BASE.parameters
    assert (eight - four) * 3 == pytest.approx((four - one) * 4)
    assert peak_bytes(BASE, rows, 1, 4) > one


def test_rows_of_another_model_need_no_memory() -> None:
    base = chain("caption", image("tok_rgb@224", "maskgit", 8, 3.0))
    sr = chain("tok_rgb@224", image("tok_rgb@448", "maskgit", 8, 3.0), prefix="sr_")
    both = plan(Schedule(base, sr))
    assert peak_bytes(BASE, both) == peak_bytes(BASE, both.part(""))
    assert peak_bytes(SR, both) == peak_bytes(SR, both.part("sr_")) > peak_bytes(SR, both.part("")) == 2 * SR.parameters


def test_memory_is_that_of_the_largest_row() -> None:
    small, large = image("tok_clip@224", steps=8), image("tok_rgb@224", "maskgit", 8, 3.0)
    rows = plan_part(chain("caption", small, large))
    assert peak_bytes(BASE, rows) == max(peak_bytes(BASE, [row]) for row in rows) > peak_bytes(BASE, rows[:1])


# -- bad input -----------------------------------------------------------------------------------------------------


def test_a_target_that_the_model_does_not_make_is_named() -> None:
    row = first(chain("rgb@224", image("tok_dinov2@224")))
    with pytest.raises(InputError, match="row 1: the model does not generate tok_dinov2@224"):
        row_cost(row, BASE)
