"""Tokens and logits equal those of the reference implementation.

Tokens: greedy ones and those drawn with the case's seeds. Logits, and the probabilities with which tokens were drawn:
by replay, that is with the reference's own tokens put in place step by step.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from fourm_tui.plan import Step
from fourm_tui.sampling.chain import Decoded, branch_logits, run_chain, step_seeds
from fourm_tui.sampling.draw import filtered
from fourm_tui.sampling.guidance import branches, combine, seen
from fourm_tui.sampling.state import ImageTokens, Sequence, State, Vectors
from tests.fm.reference import Case, case_names

LOGITS = 1e-3
"""Absolute tolerance of logits and their logsumexp in float32."""

ALL = case_names("greedy", "seeded")
LARGE = [name for name in ALL if name.startswith("20_")]
NOT_THE_SAME = {
    "04_ar_batch2_stop": "a row goes on after its stop token there",
    "07_batch3_seeded": "rows after the first use other random numbers there",
    "11_sam_dense_batch2": "rows after the first use other random numbers there",
}


def is_a_tie(case: Case) -> bool:
    """Whether MaskGIT chose between equal probabilities, so that an accident decides."""
    return any(step.get("selection_gap") == 0 for step in case.facts["steps"])


def decode(case: Case) -> list[Decoded]:
    seed, batch = case.facts["call"]["seed"], case.state.batch
    weighted = case.facts["call"]["method"] == "generate_multi_guided"  # the same seed in every step
    seeds = (lambda index: [seed] * batch) if weighted else step_seeds([seed] * batch)
    return list(run_chain(case.model, case.state, case.steps, seeds))


def expected_texts(case: Case, name: str) -> list[list[int]]:
    ids, hidden = case.expected[f"final.{name}.tensor"].long(), case.expected[f"final.{name}.input_mask"]
    return [row[~mask].tolist() for row, mask in zip(ids, hidden, strict=True)]


@pytest.mark.parametrize("name", [n for n in ALL if n not in NOT_THE_SAME and n not in LARGE])
def test_tokens(name: str) -> None:
    case = Case(name)
    if is_a_tie(case):
        pytest.skip("equal probabilities decide; replayed below")
    final = decode(case)[-1].state
    for target in {step.target for step in case.steps}:
        values = final.modalities[target]
        if isinstance(values, ImageTokens):
            assert torch.equal(values.ids, case.expected[f"final.{target}.tensor"].long())
            assert values.count == values.ids.shape[1]
        else:
            assert isinstance(values, Sequence)
            assert values.texts() == expected_texts(case, target)


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_tokens_of_the_true_base_model(name: str) -> None:
    test_tokens(name)


@pytest.mark.parametrize("name", [n for n in ALL if n not in LARGE])
def test_logits_and_probabilities(name: str) -> None:
    case = Case(name)
    state = case.state
    for index, step in enumerate(case.steps):
        if step.scheme == "autoregressive":
            state = replay_sequence(case, state, step, index)
        else:
            state = replay_image(case, state, step, index)


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_logits_of_the_true_base_model(name: str) -> None:
    test_logits_and_probabilities(name)


def replay_image(case: Case, state: State, step: Step, index: int) -> State:
    expected = {key.partition(".")[2]: v for key, v in case.expected.items() if key.startswith(f"s{index:03d}.")}
    positions, tokens = expected["pos"].long(), expected["tok"].long()
    open_positions = state.image(step.target).open_positions()
    asked = positions if step.scheme == "roar" else open_positions
    with torch.inference_mode():
        logits = branch_logits(case.model, state, step, asked)
        if step.scheme != "roar":
            at = (open_positions[:, :, None] == positions[:, None]).int().argmax(dim=1)
            logits = [each.gather(1, at[..., None].expand(-1, -1, each.shape[-1])) for each in logits]
        guided = combine(logits, step.guidance)
    compare(expected, logits, guided)
    if step.temperature > 0:
        # The filters look at each place alone, so the places taken can be compared without the others.
        drawn_with = (filtered(guided, step.top_k, step.top_p) / step.temperature).softmax(-1)
        probability = drawn_with.gather(-1, tokens[..., None])[..., 0]
        torch.testing.assert_close(probability, expected["prob"], atol=2e-3, rtol=0)
    return state.having(step.target, state.image(step.target).decoded(positions, tokens))


def replay_sequence(case: Case, state: State, step: Step, index: int) -> State:
    """All tokens in one pass with a causal mask, which also holds the cache against a decoder without one."""
    expected = {key.partition(".")[2]: v for key, v in case.expected.items() if key.startswith(f"s{index:03d}.")}
    tokens = expected["tok"].long()[:, :-1]
    output = case.model.output(step.target)
    logits = []
    with torch.inference_mode():
        for branch in branches(step.guidance, step.guided, state.modalities, step.target):
            contexts = case.model.keys_values(case.model.encode([seen(case.model, state, branch)]))
            places = torch.arange(tokens.shape[1]).expand(tokens.shape)
            query = output.token_emb(tokens) + output.place(places)
            made = case.model.decode(query, contexts, causal=True)
            logits.append(output.to_logits(made))
    compare(expected, logits, combine(logits, step.guidance))
    return state.having(step.target, Sequence.of(expected_texts(case, step.target)))


def compare(expected: dict[str, Tensor], logits: list[Tensor], guided: Tensor) -> None:
    """Logits of each branch against the stored logsumexp, arg-max and samples of them."""
    *conditional, unconditional = logits if len(logits) > 1 else [*logits, logits[0]]
    named = {"c": conditional[0], "g": guided, **{f"c{i}": each for i, each in enumerate(conditional)}}
    if len(logits) > 1:
        named["u"] = unconditional
    for name, each in named.items():
        if f"lse_{name}" in expected:
            torch.testing.assert_close(each.logsumexp(-1), expected[f"lse_{name}"], atol=LOGITS, rtol=0)
        if f"log_{name}" in expected:
            checked = each[:, expected["chk"].long(), :64]
            torch.testing.assert_close(checked, expected[f"log_{name}"], atol=3 * LOGITS, rtol=0)
        if f"amax_{name}" in expected:
            largest = each.gather(-1, expected[f"amax_{name}"].long()[..., None])[..., 0]
            torch.testing.assert_close(largest, each.amax(-1), atol=3 * LOGITS, rtol=0)


# -- where ours is meant to differ ----------------------------------------------------------------------------------


def test_a_row_ends_at_its_own_stop_token() -> None:
    case = Case("04_ar_batch2_stop")
    texts = decode(case)[-1].state.sequence("caption").texts()
    theirs = expected_texts(case, "caption")
    stop = case.state.sequence("caption").stop
    assert texts == [row[: row.index(stop) + 1] if stop in row else row for row in theirs]


@pytest.mark.parametrize("kind", ["greedy", "seeded"])
def test_a_batch_gives_the_tokens_of_single_runs(kind: str) -> None:
    batch = Case(f"07_batch3_{kind}")
    ids = decode(batch)[-1].state.image("tok_clip@224").ids
    for row in range(3):
        single = Case(f"07_single{row}_{kind}")
        assert torch.equal(ids[row], single.expected["final.tok_clip@224.tensor"][0].long())


def test_the_first_token_of_dense_instances_is_the_references() -> None:
    """Later ones use other random numbers there, as one stream serves all rows; their logits are replayed above."""
    case = Case("11_sam_dense_batch2")
    rgb = case.state.modalities["rgb@224"]
    assert isinstance(rgb, Vectors)
    both = {"rgb@224": Vectors.of(rgb.values.expand(2, -1, -1)), "sam_instance": Sequence.empty(2, 20)}
    last = list(run_chain(case.model, State(both, 2), case.steps, step_seeds([0, 1])))[-1]
    texts = last.state.sequence("sam_instance").texts()
    assert texts[0][0] == expected_texts(case, "sam_instance")[0][0]
    assert texts[0] != texts[1]


def test_greedy_maskgit_takes_the_most_probable_tokens_first() -> None:
    case = Case("03_maskgit_cosine6_greedy_ties")
    state = case.state
    for decoded in decode(case):
        step, count = decoded.step, decoded.tokens.shape[1]
        with torch.inference_mode():
            logits = branch_logits(case.model, state, step, state.image(step.target).open_positions())
        best = combine(logits, step.guidance).softmax(-1).amax(-1).sort(descending=True).values
        taken = decoded.confidence.sort(descending=True).values
        torch.testing.assert_close(taken, best[:, :count], atol=1e-5, rtol=0)
        state = decoded.state


def test_weighted_roar_in_several_steps_decodes_the_same_positions_in_every_branch() -> None:
    case = Case("06_multi_guided_roar_3step_bug")
    decoded = decode(case)
    taken = torch.cat([each.positions for each in decoded], dim=1)
    assert sorted(taken[0].tolist()) == list(range(196))


def test_generation_with_register_tokens_works() -> None:
    case = Case("15_forward_loss_registers")
    state = State({"tok_depth@224": ImageTokens.empty(1, 196)}, 1)
    step = Step(0, 1, "tok_depth@224", "roar", 196, 1.0, 1.0, (), 0.0, 0.0)
    decoded = list(run_chain(case.model, state, [step], step_seeds([0])))
    assert decoded[-1].state.image("tok_depth@224").count == 196
