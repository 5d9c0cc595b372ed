"""Configs of image tokenizers are read as published, and what is wrong with one is said at once."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from fourm_tui.errors import InputError
from fourm_tui.tokenizers.config import DiffusionConfig, TokenizerConfig
from tests.vq.reference import DATA, published, published_facts

VIT = {"enc_type": "vit_b_enc", "dec_type": "vit_b_dec"}


@pytest.mark.parametrize("name", published())
def test_every_published_config_is_read(name: str) -> None:
    config = published_facts(name)[0]
    read = TokenizerConfig.from_config(config, name)
    for part in (read, read.diffusion):
        for key, value in vars(part).items() if part else ():
            assert key == "diffusion" or value == config.get(key, value), key
    assert (read.diffusion is not None) == (published_facts(name)[2]["model_class"] == "DiVAE")


@pytest.mark.parametrize("path", sorted((DATA / "cases").glob("*_*/case.json")), ids=lambda path: path.parent.name)
def test_every_config_of_a_case_is_read(path: Any) -> None:
    facts = json.loads(path.read_text())
    read = TokenizerConfig.from_config(facts["config"], path.parent.name)
    assert (read.diffusion is not None) == (facts["model_class"] == "DiVAE")


def test_what_a_config_leaves_out_is_as_the_constructor_has_it() -> None:
    read = TokenizerConfig.from_config({"enc_type": "vit_b_enc"})
    assert (read.image_size, read.n_channels, read.codebook_size, read.latent_dim) == (224, 3, 16384, 32)
    assert (read.dec_type, read.post_mlp, read.norm_codes, read.diffusion) == ("vit_b_dec", False, True, None)
    divae = TokenizerConfig.from_config({"enc_type": "vit_b_enc", "beta_schedule": "linear"})
    assert divae.dec_type == "unet_patched"
    assert divae.diffusion == DiffusionConfig(beta_schedule="linear")
    assert (divae.diffusion.scheduler, divae.diffusion.thresholding) == ("ddpm", True)


def test_sizes_of_encoder_and_decoder_fall_back_to_the_common_one() -> None:
    edge = TokenizerConfig.from_config(published_facts("4M_tokenizers_edge_8k_224-512")[0])
    assert (edge.encoder_image_size, edge.decoder_image_size) == (256, 512)
    semseg = TokenizerConfig.from_config(published_facts("4M_tokenizers_semseg_4k_224-448")[0])
    assert (semseg.n_channels, semseg.out_channels) == (64, 134)


def test_keys_of_training_are_ignored() -> None:
    assert TokenizerConfig.from_config({**VIT, "ema_decay": "x", "new": None}) == TokenizerConfig.from_config(VIT)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"image_size": "224"}, "image_size is '224', not a whole number from 1"),
        ({"image_size": None}, "image_size is None"),
        ({"codebook_size": "8192-8192"}, "codebook_size is '8192-8192'"),
        ({"latent_dim": True}, "latent_dim is True"),
        ({"n_labels": 0}, "n_labels is 0, not a whole number from 1 to 65536 or null"),
        ({"post_mlp": "no"}, "post_mlp is 'no', not true or false"),
        ({"enc_type": "vit_x_enc"}, "enc_type is 'vit_x_enc', not vit_s_enc"),
        ({"enc_type": "vit_b_dec"}, "enc_type is 'vit_b_dec'"),
        ({"enc_type": "MLP/B_6-Wi_1024"}, "enc_type is 'MLP/B_6-Wi_1024'"),
        ({"enc_type": "BottleneckMLP/B_9999-Wi_1024"}, "enc_type is"),
        ({"quant_type": "fsq"}, "quant_type is 'fsq', not lucid or memcodes"),
        ({"quant_type": None}, "quant_type is None"),
        ({"image_size": 100}, "the image size 100 is no multiple of patch_size (16)"),
        ({"image_size_dec": 100}, "the decoder's image size 100"),
        ({"num_codebooks": 2}, "lucid has one codebook"),
        ({"num_codebooks": 3, "quant_type": "memcodes"}, "latent_dim is 32, no multiple of num_codebooks (3)"),
        ({"scheduler": "ddim"}, "dec_type is vit_b_dec, which does not go with a diffusion's settings"),
        ({"dec_type": "unet_patched", "beta_schedule": "cosine"}, "beta_schedule is 'cosine'"),
        ({"dec_type": "unet_patched", "beta_schedule": "shifted_cosine:-1"}, "beta_schedule is"),
        ({"dec_type": "uvit_b_p4_f16", "prediction_type": "x0"}, "prediction_type is 'x0'"),
        ({"enc_type": "\x1b[2J"}, r"enc_type is '\x1b[2J'"),
        ({"sd_path": "x"}, "ControlNet"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=r"^here\.json: describes .*" + re.escape(said)):
        TokenizerConfig.from_config({**VIT, **changes}, "here.json")


def test_everything_wrong_is_named_at_once() -> None:
    wrong = {"image_size": -1, "dec_type": "resnet", "scheduler": "euler", "clip_sample": 1}
    with pytest.raises(InputError) as caught:
        TokenizerConfig.from_config({**VIT, **wrong})
    assert all(f"{key} is " in str(caught.value) for key in wrong)


@pytest.mark.parametrize("config", [[], "x", None])
def test_a_config_is_a_mapping(config: Any) -> None:
    with pytest.raises(InputError, match="mapping"):
        TokenizerConfig.from_config(config, "x")


def test_a_config_of_something_else_is_no_tokenizer() -> None:
    with pytest.raises(InputError, match="enc_type is missing"):
        TokenizerConfig.from_config({"domains_in": ["rgb@224"]}, "x")
