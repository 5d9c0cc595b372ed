"""The training forward gives the reference's targets, logits and losses."""

from __future__ import annotations

import pytest
import torch

from fourm_tui.model.training import Masked, losses, predictions
from fourm_tui.sampling.images import patches
from tests.fm.reference import Case, case_names


def batch_of(case: Case) -> dict[str, Masked]:
    found = {}
    for entry in case.facts["inputs"]:
        name, values = entry["modality"], case.tensor(entry)
        values = patches(values, 16) if name.startswith("rgb") else values.long()
        visible, target = ~case.inputs[f"{name}.input_mask"], ~case.inputs[f"{name}.target_mask"]
        found[name] = Masked(values, visible, target)
    return {name: found[name] for name in case.facts["input_order"]}


@pytest.mark.parametrize("name", case_names("forward"))
def test_the_training_forward(name: str) -> None:
    case = Case(name)
    call, expected, order = case.facts["call"], case.facts["expected"], case.facts["target_modality_order"]
    budget = (call["num_encoder_tokens"], call["num_decoder_tokens"])
    batch = batch_of(case)
    with torch.no_grad():
        made = predictions(case.model, batch, *budget, order)
    for modality in order:
        logits, targets = made[modality].logits, made[modality].targets
        assert torch.equal(targets, case.expected[f"{modality}.target_ids"].long())
        torch.testing.assert_close(logits.logsumexp(1), case.expected[f"{modality}.lse"], atol=1e-3, rtol=0)
        torch.testing.assert_close(logits[:3, :64], case.expected[f"{modality}.log"], atol=1e-3, rtol=0)
        assert torch.equal(logits.argmax(1), case.expected[f"{modality}.argmax"].long())
    for kind in ("mod", "token"):
        with torch.no_grad():
            found = losses(case.model, batch, *budget, kind, order)
        wanted = expected[f"loss_{kind}"]
        assert float(found.total) == pytest.approx(wanted["total"], abs=1e-3)
        for modality, loss in found.by_modality.items():
            assert float(loss) == pytest.approx(wanted[modality], abs=1e-3)


def test_losses_have_gradients_and_a_batch_without_targets_is_refused() -> None:
    case = Case("15_forward_loss")
    batch = batch_of(case)
    model = case.model.requires_grad_(True)
    try:
        losses(model, batch, 64, 64).total.backward()
        assert model.mask_token.grad is not None
        assert float(model.mask_token.grad.abs().sum()) > 0
    finally:
        model.requires_grad_(False)
        for parameter in model.parameters():
            parameter.grad = None
    without = {name: Masked(p.values, p.visible, torch.zeros_like(p.target)) for name, p in batch.items()}
    with pytest.raises(ValueError, match="no sample of the batch has a target"):
        losses(model, without, 64, 64)
