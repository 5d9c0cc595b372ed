"""Tokenizers without diffusion give the numbers of the reference implementation, and say what does not fit them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pytest
import torch
from torch import Tensor

from fourm_tui.errors import InputError
from fourm_tui.tokenizers.config import TokenizerConfig
from fourm_tui.tokenizers.loading import build
from fourm_tui.tokenizers.vqvae import VQVAE
from tests.vq.reference import DATA, TIE, Case, check_state_dict, published, published_facts, stored_part

REAL = ("real_CLIP-B16_8k", "real_human-poses_1k_8", "real_sam-instance_1k_64", "real_semseg_4k_224")
"""Of published size."""
QUICK = ("real_human-poses_1k_8", "real_sam-instance_1k_64")
"""Those of them that take less than three seconds."""


NAMES = [
    *sorted(path.name for path in (DATA / "cases").glob("vqvae_*")),
    *(pytest.param(name, marks=pytest.mark.slow) for name in REAL if name not in QUICK),
    *QUICK,
]


@lru_cache(maxsize=1)
def case_and_model(name: str) -> tuple[Case, VQVAE]:
    case = Case(name)
    model = VQVAE(TokenizerConfig.from_config(case.facts["config"], name))
    case.fill(model)
    return case, model


@pytest.fixture(scope="module", params=NAMES)
def filled(request: pytest.FixtureRequest) -> tuple[Case, VQVAE]:
    return case_and_model(request.param)


def check_values(case: Case, output: dict[str, Any], full: Tensor) -> None:
    # A tenth of what the cases allow; other kernels of the reference itself differ by 2e-5 at most.
    torch.testing.assert_close(
        stored_part(output, full), case.expected(output), atol=1e-4 * max(1.0, output["std"]), rtol=0
    )


def test_encoding_gives_the_latents_and_tokens_of_the_reference(filled: tuple[Case, VQVAE]) -> None:
    case, model = filled
    for call in case.calls("encode_"):
        outputs, pixels = call["outputs"], case.input(call["id"].replace("encode_", "x_"))
        encoded = model.encoder(model.prepare(pixels))
        check_values(case, outputs["encoder_out"], encoded)
        check_values(case, outputs["pre_quant"], model.quant_proj(encoded))
        tokens = model.encode(pixels)
        certain = case.expected(outputs["tokens_margin"]) > TIE
        assert certain.float().mean() > 0.95
        assert torch.equal(tokens[certain], case.expected(outputs["tokens"]).long()[certain])
        if bool(certain.all()):
            check_values(case, outputs["quant"], model.embed_tokens(tokens))


def test_decoding_gives_the_values_of_the_reference(filled: tuple[Case, VQVAE]) -> None:
    case, model = filled
    for call in case.calls("decode_"):
        outputs = call["outputs"]
        encoding = case.call(call["id"].replace("decode", "encode"))
        tokens = case.expected(encoding["outputs"]["tokens"])  # int32
        check_values(case, outputs["embedding"], model.embed_tokens(tokens))
        decoded = model.decode(tokens)
        check_values(case, outputs["decoded"], decoded)
        if "argmax" in outputs:
            certain = case.expected(outputs["argmax_margin"]) > 10 * TIE
            classes = stored_part(outputs["argmax"], decoded.argmax(1))[:, ::4, ::4]
            assert torch.equal(classes[certain], case.expected(outputs["argmax"])[:, ::4, ::4].long()[certain])
        if "sigmoid_gt_half" in outputs:
            certain = decoded.abs() > 10 * TIE
            mask = stored_part(outputs["sigmoid_gt_half"], decoded > 0)
            assert torch.equal(mask[certain], case.expected(outputs["sigmoid_gt_half"]).bool()[certain])


@pytest.mark.parametrize("name", ["vqvae_vit_s_outconv_mask", "vqvae_vit_s_plain_euclid"])
def test_position_embeddings_are_those_of_the_reference(name: str) -> None:
    case, model = case_and_model(name)
    output = case.call("pos_emb")["outputs"]["pos_emb"]
    torch.testing.assert_close(stored_part(output, model.encoder.pos_emb), case.expected(output), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", [n for n in published() if "scheduler" not in published_facts(n)[0]])
def test_tensors_are_those_of_the_published_checkpoint(name: str) -> None:
    with torch.device("meta"):
        model = build(TokenizerConfig.from_config(published_facts(name)[0], name))
    assert isinstance(model, VQVAE)
    check_state_dict(model, name)


# -- where the reference is not followed ----------------------------------------------------------------------------


def small(**changes: Any) -> VQVAE:
    sizes = {"image_size": 32, "n_channels": 6, "codebook_size": 10, "latent_dim": 8}
    ids = {"enc_type": "BottleneckMLP/B_1-Wi_8", "dec_type": "BottleneckMLP/B_1-Wi_8"}
    torch.manual_seed(0)
    return VQVAE(TokenizerConfig.from_config({**sizes, **ids, **changes})).eval().requires_grad_(False)


def test_several_codebooks_keep_the_places_of_a_grid() -> None:
    """The reference swaps rows and columns, or fails, wherever there is more than one place."""
    model = small(quant_type="memcodes", num_codebooks=4)
    tokens = torch.randint(10, (2, 4, 3, 5))
    together = model.embed_tokens(tokens)
    assert together.shape == (2, 8, 3, 5)
    for row in range(3):
        for column in range(5):
            alone = model.embed_tokens(tokens[:, :, row : row + 1, column : column + 1])
            assert torch.equal(together[:, :, row, column], alone[:, :, 0, 0])


def test_memcodes_with_one_codebook_have_tokens_of_the_grids_shape() -> None:
    model = small(quant_type="memcodes", num_codebooks=1)
    tokens = model.encode(torch.rand(2, 6, 3, 5))
    assert tokens.shape == (2, 3, 5)
    assert model.decode(tokens).shape == (2, 6, 3, 5)


def test_train_mode_changes_no_codes_and_draws_no_noise() -> None:
    """In the reference encoding in train mode moves the codebook, and its hub loading leaves models in train mode."""
    for kind in ("lucid", "memcodes"):
        model, pixels = small(quant_type=kind), torch.rand(4, 6, 2, 2)
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        tokens = model.encode(pixels)
        assert torch.equal(model.train().encode(pixels), tokens)
        assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_a_codebook_that_is_not_set_is_not_made_up_from_the_input() -> None:
    """The reference runs k-means over the first input, even in evaluation."""
    model = small()
    model.quantize._codebook.initted.zero_()
    before = model.quantize._codebook.embed.clone()
    model.encode(torch.rand(1, 6, 4, 4))
    assert torch.equal(model.quantize._codebook.embed, before)


# -- codebooks ------------------------------------------------------------------------------------------------------


def test_codes_are_compared_at_unit_length_but_given_as_stored() -> None:
    model = small(norm_codes=True, latent_dim=2, codebook_size=2)
    codes = torch.tensor([[5.0, 0.0], [0.6, 0.6]])
    model.quantize._codebook.embed.copy_(codes)
    latent = torch.tensor([1.0, 0.9]).view(1, 2, 1, 1)
    assert model.quantize.tokens(latent).item() == 1
    assert torch.equal(model.embed_tokens(torch.tensor([[[0, 1]]]))[0, :, 0].T, codes)


def test_without_normed_codes_the_least_distance_counts() -> None:
    model = small(norm_codes=False, latent_dim=2, codebook_size=2)
    model.quantize._codebook.embed.copy_(torch.tensor([[5.0, 5.0], [1.0, 0.0]]))
    latent = torch.tensor([1.0, 1.0]).view(1, 2, 1, 1)
    assert model.quantize.tokens(latent).item() == 1


def test_equally_near_codes_give_the_first() -> None:
    model = small()
    model.quantize._codebook.embed.copy_(torch.ones(10, 8))
    assert model.encode(torch.rand(1, 6, 2, 2)).unique().tolist() == [0]


def test_many_latents_are_compared_in_parts() -> None:
    model, pixels = small(), torch.rand(1, 6, 80, 80)
    tokens = model.encode(pixels)
    assert torch.equal(tokens[:, 70:], model.encode(pixels[:, :, 70:]))


def test_weights_of_half_the_bits_give_tokens_too() -> None:
    model = small().to(torch.bfloat16)
    tokens = model.encode(torch.rand(1, 6, 4, 4))
    assert model.decode(tokens).dtype == torch.bfloat16


# -- what does not fit ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "said"),
    [((1, 5, 4, 4), r"\[1, 5, 4, 4\].*\[batch, 6, height, width\]"), ((6, 4, 4), r"\[6, 4, 4\]")],
)
def test_an_input_of_other_channels_is_named(shape: tuple[int, ...], said: str) -> None:
    with pytest.raises(InputError, match=said):
        small().encode(torch.zeros(shape))


def test_a_picture_that_cannot_be_cut_into_patches_is_named() -> None:
    _, model = case_and_model("vqvae_vit_s_outconv_mask")
    with pytest.raises(InputError, match=r"64 x 70 .* multiples of 16"):
        model.encode(torch.zeros(1, 1, 64, 70))


@pytest.mark.parametrize("wrong", [-1, 5])
def test_class_ids_outside_of_the_labels_are_named(wrong: int) -> None:
    with pytest.raises(InputError, match="from 0 to 4"):
        small(n_labels=5).encode(torch.full((1, 4, 4), wrong))


@pytest.mark.parametrize("wrong", [-1, 10])
def test_tokens_outside_of_the_codebook_are_named(wrong: int) -> None:
    with pytest.raises(InputError, match=f"{wrong}.*codebook of 10"):
        small().decode(torch.full((1, 2, 2), wrong))


def test_tokens_of_another_shape_are_named() -> None:
    with pytest.raises(InputError, match=r"\[1, 4\].*\[batch, rows, columns\]"):
        small().decode(torch.zeros(1, 4, dtype=torch.long))
    with pytest.raises(InputError, match=r"\[1, 3, 1, 1\].*\[batch, 2, rows, columns\]"):
        small(quant_type="memcodes", num_codebooks=2).decode(torch.zeros(1, 3, 1, 1, dtype=torch.long))
