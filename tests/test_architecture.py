"""What a config says of a model: its modalities and parameters, and a message for everything that is wrong in it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fourm_tui.architecture import Architecture
from fourm_tui.errors import InputError

MODELS: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "data" / "published_models.json").read_text())
"""Configs and parameter counts: of the published checkpoints (by name), and of small models with the remaining options.
`parameters_shared` counts every modality embedding once, whatever the config says of sharing them."""

MODEL = MODELS["4M-7_B_CC12M"]["config"]


def read(name: str) -> Architecture:
    return Architecture.from_config(MODELS[name]["config"], name)


def without(*keys: str) -> dict[str, Any]:
    return {key: value for key, value in MODEL.items() if key not in keys}


def message_of(config: Any) -> str:
    with pytest.raises(InputError) as caught:
        Architecture.from_config(config, "folder/config.json")
    return str(caught.value)


@pytest.mark.parametrize("name", MODELS)
def test_parameters_are_those_of_the_checkpoint(name: str) -> None:
    counts, model = MODELS[name], read(name)
    assert model.parameters_outside_embeddings == counts["parameters_outside_embeddings"]
    assert model.parameters_by_name == counts["parameters_by_name"]
    assert replace(model, share_modality_embeddings=True).parameters == counts["parameters_shared"]


@pytest.mark.parametrize(("name", "shares"), [("4M-21_L", False), ("4M-7_L_CC12M", True)])
def test_shared_modality_embeddings_are_counted_once(name: str, shares: bool) -> None:
    model = read(name)
    shared = [name for name in model.inputs if name in model.outputs]
    assert model.parameters_by_name - model.parameters == (len(shared) * model.dim if shares else 0)


def test_embedding_parameters_of_each_kind() -> None:
    model = read("4M-21_B")
    D = model.dim
    assert model.embedding_parameters("rgb@224") == 16 * 16 * 3 * D + D
    assert model.embedding_parameters("t5_caption") == 4096 * D + D + D
    assert model.embedding_parameters("caption") == 3 * 30_000 * D + 2 * D
    assert model.embedding_parameters("tok_dinov2_global") == 3 * 8192 * D + 2 * (16 * D + D)
    assert replace(model, share_modality_embeddings=True).embedding_parameters("caption") == 3 * 30_000 * D + D


def test_each_matrix_of_a_gated_mlp_has_a_bias() -> None:
    model = read("4M-7_B_CC12M")
    more = replace(model, mlp_bias=True).parameters - model.parameters
    assert more == (model.encoder_depth + model.decoder_depth) * (2 * model.mlp_hidden + model.dim)


def test_modalities_without_a_decoder_are_no_outputs_even_if_listed() -> None:
    model = read("4M-21_L")
    assert "t5_caption" in model.domains_out
    assert "t5_caption" in model.inputs and "t5_caption" not in model.outputs
    assert "rgb@224" in model.inputs and "rgb@224" not in model.outputs
    assert (len(model.inputs), len(model.outputs)) == (19, 17)


def test_super_resolution_makes_only_the_large_modalities() -> None:
    assert set(read("4M-7-SR_L_CC12M").outputs) == {
        f"tok_{stem}@448" for stem in ("rgb", "depth", "normal", "semseg", "clip")
    }


@pytest.mark.parametrize(("name", "hidden"), [("4M-7_B_CC12M", 2048), ("4M-7_L_CC12M", 2730), ("s7_gelu_bias", 512)])
def test_a_gated_mlp_has_two_thirds_of_the_hidden_width(name: str, hidden: int) -> None:
    assert read(name).mlp_hidden == hidden


def test_keys_that_may_be_absent_have_the_constructors_defaults() -> None:
    required = ("domains_in", "domains_out", "norm_bias", "act_layer", "image_size", "patch_size")
    model = Architecture.from_config({key: MODEL[key] for key in required})
    assert (model.dim, model.encoder_depth, model.decoder_depth, model.num_heads, model.mlp_ratio) == (
        768,
        12,
        12,
        12,
        4,
    )
    assert model.qkv_bias and model.proj_bias and model.mlp_bias and model.share_modality_embeddings
    assert not (model.gated_mlp or model.qk_norm or model.num_register_tokens)


def test_keys_of_training_and_unknown_keys_are_ignored() -> None:
    more = {"drop_path_rate_encoder": 0.1, "use_act_checkpoint": True, "invented": object()}
    assert Architecture.from_config({**MODEL, **more}) == Architecture.from_config(MODEL)


def test_a_model_can_bring_its_own_vocabulary() -> None:
    small = Architecture.from_config({**MODEL, "modalities": {"tok_rgb@224": {"vocab_size": 512}}})
    whole = Architecture.from_config(MODEL)
    assert small.modalities["tok_rgb@224"].vocab_size == 512
    assert whole.parameters - small.parameters == 3 * (16_384 - 512) * whole.dim


def test_architectures_can_be_compared_and_be_keys() -> None:
    assert {read("4M-7_B_CC12M"): 1}[read("4M-7_B_CC12M")] == 1
    assert read("4M-7_B_CC12M") != read("4M-7_L_CC12M")


def test_all_problems_are_in_one_message() -> None:
    config = {**without("norm_bias", "domains_out"), "dim": "wide", "qk_norm": 1, "act_layer": "ReLU"}
    text = message_of({**config, "modalities": {"tok_rgb@224": {"vocab_size": 0}}})
    assert text.startswith("folder/config.json: ")
    for part in (
        "norm_bias is missing",
        "domains_out is missing",
        "dim is 'wide', not a whole number",
        "qk_norm is 1, not true or false",
        "act_layer is 'ReLU', not SiLU or GELU",
        "`modalities.tok_rgb@224.vocab_size` is to be a positive whole number",
    ):
        assert part in text


def test_unknown_modalities_are_listed_per_side() -> None:
    text = message_of({**MODEL, "domains_in": ["caption", "tok_sound", "x\x1b[2J"], "domains_out": ["tok_smell"]})
    assert "domains_in names tok_sound, x\\x1b[2J" in text
    assert "domains_out names tok_smell" in text


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dim", 0), ("dim", 768.0), ("dim", 10**9), ("encoder_depth", True), ("encoder_depth", -1),
        ("decoder_depth", 10**6), ("num_heads", None), ("mlp_ratio", 0), ("mlp_ratio", float("nan")),
        ("mlp_ratio", "4"), ("qkv_bias", "false"), ("num_register_tokens", -1), ("domains_in", []),
        ("domains_in", "caption"), ("domains_out", [1]), ("image_size", [224, 224]), ("act_layer", []),
        ("modalities", 3),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named(key: str, value: Any) -> None:
    assert key in message_of({**MODEL, key: value})


@pytest.mark.parametrize(("dim", "heads"), [(96, 5), (90, 9)])
def test_a_width_that_does_not_divide_is_refused(dim: int, heads: int) -> None:
    assert f"dim is {dim}" in message_of({**MODEL, "dim": dim, "num_heads": heads})


@pytest.mark.parametrize("config", [None, [], "text"])
def test_a_config_that_is_no_mapping_is_refused(config: Any) -> None:
    assert "is to be a mapping" in message_of(config)
