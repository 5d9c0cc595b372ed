"""What decoding by diffusion promises beyond the reference's numbers: previews, stopping, batches, sizes, settings."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from fourm_tui.errors import InputError
from fourm_tui.model.loading import load_weights
from fourm_tui.tokenizers.config import DiffusionConfig, TokenizerConfig
from fourm_tui.tokenizers.diffusion import Denoised, Diffusion, noise_per_sample
from fourm_tui.tokenizers.divae import DiVAE, decoder_size
from fourm_tui.tokenizers.loading import build
from fourm_tui.tokenizers.uvit import UViT, UViTSize
from tests.vq.divae_cases import case_and_model
from tests.vq.reference import published, published_facts, token_ids

UNET, UVIT, DEPTH = "divae_unet_tiny_ddim", "divae_uvit_tiny_edge", "divae_unet_tiny_ddim_depth"
DIVAES = [name for name in published() if published_facts(name)[2]["model_class"] == "DiVAE"]


def model_of(name: str) -> DiVAE:
    return case_and_model(name)[1]


def some_tokens(*shape: int) -> Tensor:
    return token_ids("tokens", shape, 256)


def config(**keys: object) -> TokenizerConfig:
    return TokenizerConfig.from_config({"enc_type": "vit_s_enc", "dec_type": "unet_patched", **keys})


@pytest.mark.parametrize("name", DIVAES)
def test_has_the_tensors_of_the_published_tokenizer(name: str) -> None:
    settings, state_dict, counts = published_facts(name)
    with torch.device("meta"):
        model = build(TokenizerConfig.from_config(settings))
    assert isinstance(model, DiVAE)
    tensors = model.state_dict(keep_vars=True)
    assert {key: list(tensor.shape) for key, tensor in tensors.items()} == {
        key: entry[0] for key, entry in state_dict.items()
    }
    assert len(tensors) == counts["num_tensors"]
    once = {id(tensor): tensor.numel() for tensor in tensors.values()}
    assert 4 * sum(once.values()) == counts["fp32_bytes"]
    codebook = sum(tensor.numel() for key, tensor in tensors.items() if "._codebook." in key)
    assert codebook == counts["num_buffer_elements"]
    assert sum(once.values()) - codebook == counts["num_parameters"]


def test_names_the_tensors_that_a_file_may_hold_once() -> None:
    model = model_of(UVIT)
    tensors = model.state_dict(keep_vars=True)
    same = {(a, b) for a, x in tensors.items() for b, y in tensors.items() if a != b and x is y}
    assert set(model.shared_names()) | {(b, a) for a, b in model.shared_names()} == same
    assert model_of(UNET).shared_names() == []


def test_loads_from_a_file_that_holds_them_once_and_no_positions(tmp_path: Path) -> None:
    size = UViTSize(mid_layers=1, mid_num_heads=2, mid_dim=64, block_out_channels=(32, 32), mid_hw_posemb=4)
    stored = UViT(1, 16, size)
    tensors = stored.state_dict()
    for name in [*dict(stored.shared_names()).values(), "mid_block.mid_pos_emb"]:
        del tensors[name]
    save_file(tensors, tmp_path / "model.safetensors")
    with torch.device("meta"):
        loaded = UViT(1, 16, size)
    load_weights(
        loaded,
        tmp_path / "model.safetensors",
        torch.device("cpu"),
        torch.float32,
        dict(loaded.shared_names()),
        lambda name: loaded.mid_block.default_buffer(name.rpartition(".")[2]),
    )
    codes, x, late = torch.randn(1, 16, 4, 4), torch.randn(1, 1, 64, 64), torch.tensor([900])
    expected = stored(x, late, stored.condition(codes, (64, 64)))
    torch.testing.assert_close(loaded(x, late, loaded.condition(codes, (64, 64))), expected)


@pytest.mark.parametrize("name", [UNET, UVIT])
def test_a_batch_does_not_change_a_picture(name: str) -> None:
    model, tokens = model_of(name), some_tokens(3, 4, 4)
    together = model.decode(tokens, steps=2, noise=noise_per_sample([5, 6, 7]))
    alone = model.decode(tokens[1:2], steps=2, noise=noise_per_sample([6]))
    torch.testing.assert_close(together[1:2], alone, atol=1e-4, rtol=0)
    other = model.decode(tokens[1:2], steps=2, noise=noise_per_sample([8]))
    assert not torch.allclose(alone, other, atol=1e-3)


def test_noise_of_a_sample_is_that_of_its_seed_alone() -> None:
    drawn = noise_per_sample([1, 2**64 + 2])
    first, second = drawn((2, 3, 8, 8)), drawn((2, 3, 8, 8))
    generator = torch.Generator().manual_seed(2)
    assert torch.equal(first[1], torch.randn(3, 8, 8, generator=generator))
    assert torch.equal(second[1], torch.randn(3, 8, 8, generator=generator))


def test_noise_for_another_number_of_samples_is_an_error() -> None:
    with pytest.raises(ValueError, match="2 seeds for a batch of 3"):
        noise_per_sample([1, 2])((3, 1, 8, 8))


def test_pictures_have_the_size_of_their_tokens() -> None:
    """The reference would decode them at the size of training, 64 here."""
    picture = model_of(UNET).decode(some_tokens(1, 3, 5), steps=1, noise=noise_per_sample([0]))
    assert list(picture.shape) == [1, 3, 48, 80]


def test_pictures_can_have_another_size() -> None:
    picture = model_of(UVIT).decode(some_tokens(1, 4, 4), (32, 96), steps=1, noise=noise_per_sample([0]))
    assert list(picture.shape) == [1, 1, 32, 96]


@pytest.mark.parametrize(("size", "near"), [((100, 64), "96x64"), ((64, 15), "64x16"), ((-16, 0), "16x16")])
def test_a_size_that_does_not_fit_is_refused(size: tuple[int, int], near: str) -> None:
    with pytest.raises(InputError, match=f"multiples of 16 pixels, for example {near}"):
        model_of(UNET).decode(some_tokens(1, 4, 4), size, steps=1, noise=noise_per_sample([0]))


def test_one_step_is_a_preview_of_the_picture() -> None:
    model, tokens = model_of(UNET), some_tokens(1, 4, 4)
    preview = model.decode(tokens, steps=1, noise=noise_per_sample([0]))
    first = next(model.denoise(tokens, steps=25, noise=noise_per_sample([0])))
    assert torch.equal(preview, first.x0)
    assert bool((preview.abs() <= 1).all())


def test_each_step_is_shown_and_can_stop_the_decoding() -> None:
    seen: list[Denoised] = []

    def show(step: Denoised) -> None:
        seen.append(step)
        if step.number == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model_of(UNET).decode(some_tokens(1, 4, 4), steps=5, noise=noise_per_sample([0]), progress=show)
    assert [(step.number, step.total, step.timestep) for step in seen] == [(1, 5, 999), (2, 5, 799)]


def test_decoding_gives_what_the_last_step_came_to() -> None:
    model, tokens = model_of(UNET), some_tokens(1, 4, 4)
    *_, last = model.denoise(tokens, steps=3, noise=noise_per_sample([0]))
    assert last.total == 4
    assert torch.equal(last.x_prev, model.decode(tokens, steps=3, noise=noise_per_sample([0])))
    assert torch.equal(last.x_prev, last.x0)


def test_steps_are_only_made_when_asked_for() -> None:
    model, calls = model_of(UNET), []
    handle = model.decoder.register_forward_hook(lambda *_: calls.append(1))
    try:
        list(islice(model.denoise(some_tokens(1, 4, 4), steps=10, noise=noise_per_sample([0])), 3))
    finally:
        handle.remove()
    assert len(calls) == 3


@pytest.mark.parametrize("steps", [0, -1, 1001])
def test_a_wrong_number_of_steps_is_refused(steps: int) -> None:
    with pytest.raises(InputError, match=f"{steps} decoding steps: use from 1 to 1000"):
        model_of(UNET).decode(some_tokens(1, 4, 4), steps=steps, noise=noise_per_sample([0]))


def test_an_unknown_spacing_is_refused() -> None:
    with pytest.raises(InputError, match="spacing is 'even'; use trailing or linspace or leading"):
        Diffusion(DiffusionConfig()).timesteps(5, "even")


@pytest.mark.parametrize("steps", [3, 30, 64, 600])
def test_steps_that_do_not_divide_the_timesteps_reach_the_end(steps: int) -> None:
    """As in the reference there are some more of them."""
    timesteps = Diffusion(DiffusionConfig(scheduler="ddim")).timesteps(steps)
    stride = 1000 // steps
    assert (timesteps[0], timesteps[0] - timesteps[1]) == (999, stride)
    assert 0 <= timesteps[-1] < stride
    assert len(timesteps) > steps


def test_one_step_of_ddpm_begins_at_the_end() -> None:
    """A quirk of the reference that its cases have; published tokenizers use DDIM."""
    assert Diffusion(DiffusionConfig(scheduler="ddpm")).timesteps(1) == [0]
    assert Diffusion(DiffusionConfig(scheduler="ddim")).timesteps(1) == [999]


@pytest.mark.parametrize("name", [UNET, UVIT])
def test_hidden_tokens_do_not_matter(name: str) -> None:
    model, tokens = model_of(name), some_tokens(1, 4, 4)
    mask = torch.zeros(1, 4, 4, dtype=torch.bool)
    mask[:, :, 2:] = True
    changed = torch.where(mask, (tokens + 1) % 256, tokens)

    def decode(given: Tensor, mask: Tensor | None) -> Tensor:
        return model.decode(given, steps=1, noise=noise_per_sample([0]), mask=mask)

    assert torch.equal(decode(tokens, mask), decode(changed, mask))
    assert not torch.allclose(decode(tokens, None), decode(changed, None), atol=1e-3)


def test_a_mask_of_another_shape_is_refused() -> None:
    mask = torch.zeros(1, 8, 8, dtype=torch.bool)
    with pytest.raises(InputError, match=r"a mask of shape \[1, 8, 8\] does not fit tokens of shape \[1, 4, 4\]"):
        model_of(UNET).decode(some_tokens(1, 4, 4), steps=1, noise=noise_per_sample([0]), mask=mask)


def test_tokens_outside_of_the_codebook_are_refused() -> None:
    with pytest.raises(InputError, match="not all in the codebook of 512"):
        model_of(UNET).decode(some_tokens(1, 4, 4) + 512, steps=1, noise=noise_per_sample([0]))


@pytest.mark.parametrize("name", [UNET, UVIT])
def test_the_condition_is_made_once(name: str) -> None:
    model, calls = model_of(name), []
    make = model.decoder.condition
    model.decoder.condition = lambda *given: (calls.append(1), make(*given))[1]  # type: ignore[method-assign]
    try:
        model.decode(some_tokens(1, 4, 4), steps=5, noise=noise_per_sample([0]))
    finally:
        del model.decoder.condition
    assert len(calls) == 1


@pytest.mark.parametrize("name", [UNET, UVIT])
def test_other_layouts_and_types_give_the_same_picture(name: str) -> None:
    case_and_model.cache_clear()
    model, tokens = model_of(name), some_tokens(2, 4, 4)
    try:
        expected = model.decode(tokens, steps=2, noise=noise_per_sample([0, 1]))
        last = model.to(memory_format=torch.channels_last).decode(tokens, steps=2, noise=noise_per_sample([0, 1]))
        torch.testing.assert_close(last, expected, atol=1e-3, rtol=0)
        half = model.to(torch.bfloat16).decode(tokens, steps=2, noise=noise_per_sample([0, 1]))
        assert half.dtype == torch.float32
        assert float((half - expected).abs().mean()) < 0.02
    finally:
        case_and_model.cache_clear()


def test_depth_is_not_clipped() -> None:
    depth = model_of(DEPTH).decode(some_tokens(1, 4, 4), steps=1, noise=noise_per_sample([0]))
    assert float(depth.abs().max()) > 1


def test_without_downsampling_before_the_transformer() -> None:
    size = UViTSize(mid_layers=1, mid_num_heads=2, mid_dim=64, block_out_channels=(32, 64), downsample_before_mid=False)
    network = UViT(1, 16, size)
    assert size.granularity == 8
    condition = network.condition(torch.randn(2, 16, 4, 4), (24, 40))
    assert list(condition.shape) == [2, 15, 64]
    out = network(torch.randn(2, 1, 24, 40), torch.tensor([3]), condition)
    assert list(out.shape) == [2, 1, 24, 40]


def test_timesteps_can_differ_within_a_batch() -> None:
    """As training needs them."""
    for name in (UNET, UVIT):
        case, model = case_and_model(name)
        x = case.input("x_noised")[:1].repeat(2, 1, 1, 1)
        condition = model.decoder.condition(model.embed_tokens(some_tokens(1, 4, 4)).repeat(2, 1, 1, 1), (64, 64))
        both = model.decoder(x, torch.tensor([7, 900]), condition)
        late = model.decoder(x[:1], torch.tensor([900]), condition[:1])
        torch.testing.assert_close(both[1:], late, atol=1e-4, rtol=0)
        assert not torch.allclose(both[0], both[1], atol=1e-4)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"dec_type": "unet_huge"}, "dec_type is unet_huge; diffusion decoders are unet_patched, uvit_b_p4_f16"),
        (
            {"dec_type": "uvit_b_p4_f16", "conditioning": "xattn"},
            "conditioning is xattn, .* supported with concat only",
        ),
    ],
)
def test_decoders_that_do_not_exist_are_refused(keys: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        decoder_size(config(**keys))


def test_a_unet_ignores_how_it_is_conditioned() -> None:
    assert decoder_size(config(conditioning="add")) == decoder_size(config(conditioning="concat"))


@pytest.mark.parametrize(
    "schedule", ["shifted_cosine:0", "shifted_cosine:", "shifted_cosine:nan", "cosine", "linear:1"]
)
def test_unknown_noise_schedules_are_refused(schedule: str) -> None:
    with pytest.raises(InputError, match="beta_schedule is"):
        Diffusion(DiffusionConfig(beta_schedule=schedule))


def test_too_few_timesteps_are_refused() -> None:
    with pytest.raises(InputError, match="num_train_timesteps is 1; at least 2"):
        Diffusion(DiffusionConfig(num_train_timesteps=1))


def test_a_tokenizer_without_diffusion_is_refused() -> None:
    with pytest.raises(InputError, match="dec_type is vit_b_dec, which has no diffusion"):
        DiVAE(replace(config(), diffusion=None, dec_type="vit_b_dec"))
