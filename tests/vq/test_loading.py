"""Image tokenizers are loaded from folders and files as published, and what does not fit is listed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from fourm_tui.errors import FourmError, InputError
from fourm_tui.tokenizers import divae
from fourm_tui.tokenizers.config import TokenizerConfig
from fourm_tui.tokenizers.divae import DiVAE
from fourm_tui.tokenizers.loading import load_tokenizer
from fourm_tui.tokenizers.vqvae import VQVAE
from tests.vq.divae_cases import case_and_model
from tests.vq.reference import fill

POSITIONS = "decoder.mid_block.mid_pos_emb"

MLP = {
    "enc_type": "BottleneckMLP/B_1-Wi_8", "dec_type": "BottleneckMLP/B_2-Wi_8-E_2",
    "n_channels": 5, "codebook_size": 12, "latent_dim": 4, "sync_codebook": False,
}  # fmt: skip
VIT = {
    "enc_type": "vit_s_enc", "dec_type": "vit_s_dec", "image_size": 32, "n_channels": 1,
    "codebook_size": 12, "latent_dim": 4, "norm_codes": False,
}  # fmt: skip


def made(config: dict[str, Any]) -> VQVAE:
    model = VQVAE(TokenizerConfig.from_config(config))
    fill(model)
    return model


def folder(path: Path, config: dict[str, Any], tensors: dict[str, Tensor]) -> str:
    path.mkdir(exist_ok=True)
    (path / "config.json").write_text(json.dumps(config))
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path / "model.safetensors")
    return str(path)


def test_a_folder_gives_the_tokenizer_that_was_stored(tmp_path: Path) -> None:
    model = made(MLP)
    loaded = load_tokenizer(folder(tmp_path, MLP, model.state_dict()))
    assert isinstance(loaded, VQVAE)
    assert not loaded.training and not any(p.requires_grad for p in loaded.parameters())
    vectors = torch.rand(7, 5, 1, 1)
    assert torch.equal(loaded.encode(vectors), model.encode(vectors))
    assert torch.equal(loaded.decode(loaded.encode(vectors)), model.decode(model.encode(vectors)))


def test_a_single_file_carries_its_config(tmp_path: Path) -> None:
    model, file = made(MLP), tmp_path / "poses.safetensors"
    save_file(model.state_dict(), file, metadata={key: str(value) for key, value in MLP.items()} | {"n_labels": "None"})
    assert load_tokenizer(str(file)).config == model.config


def test_a_path_is_also_looked_for_beside_the_settings_file(tmp_path: Path) -> None:
    folder(tmp_path / "tok", MLP, made(MLP).state_dict())
    assert isinstance(load_tokenizer("tok", relative_to=tmp_path), VQVAE)


def test_weights_are_fp32_unless_asked_for_otherwise(tmp_path: Path) -> None:
    path = folder(tmp_path, MLP, {name: tensor.half() for name, tensor in made(MLP).state_dict().items()})
    assert load_tokenizer(path).quant_proj.weight.dtype == torch.float32
    assert load_tokenizer(path, dtype="bf16").quant_proj.weight.dtype == torch.bfloat16


def test_what_the_tokenizer_computes_itself_may_be_left_out(tmp_path: Path) -> None:
    model = made(VIT)
    computed = ("pos_emb", "initted", "cluster_size", "embed_avg")
    kept = {name: tensor for name, tensor in model.state_dict().items() if not name.endswith(computed)}
    assert len(kept) == len(model.state_dict()) - 5
    loaded, pixels = load_tokenizer(folder(tmp_path, VIT, kept)), torch.rand(1, 1, 48, 32)
    assert torch.equal(loaded.encode(pixels), model.encode(pixels))
    assert not any(tensor.is_meta for tensor in loaded.state_dict().values())


def test_position_embeddings_of_another_image_size_are_taken_as_stored(tmp_path: Path) -> None:
    model = made(VIT)
    other = made({**VIT, "image_size_enc": 64})
    assert other.encoder.pos_emb.shape == (1, 512, 4, 4)
    loaded = load_tokenizer(folder(tmp_path, VIT, other.state_dict()))
    assert torch.equal(loaded.encoder.pos_emb, other.encoder.pos_emb)
    assert torch.equal(loaded.decoder.pos_emb, model.decoder.pos_emb)
    pixels = torch.rand(1, 1, 32, 32)
    assert torch.equal(loaded.latent(pixels), other.latent(pixels))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"quantize._codebook.embed": None}, "quantize._codebook.embed is missing"),
        ({"decoder.proj.weight": torch.zeros(3)}, "decoder.proj.weight is not part of this model"),
        ({"quant_proj.bias": torch.zeros(5)}, r"quant_proj.bias has the shape \[5\], not \[4\]"),
        ({"encoder.pos_emb": torch.zeros(1, 768, 2, 2)}, r"encoder.pos_emb has the shape \[1, 768, 2, 2\]"),
        ({"encoder.pos_emb": torch.zeros(1, 512, 0, 2)}, "encoder.pos_emb has the shape"),
        ({"encoder.pos_emb": torch.zeros(1, 512, 2)}, "encoder.pos_emb has the shape"),
        ({"quantize._codebook.initted": torch.zeros(1)}, "codebook was never set"),
    ],
)
def test_tensors_that_do_not_fit_are_named(tmp_path: Path, changes: dict[str, Tensor | None], said: str) -> None:
    tensors = {**made(VIT).state_dict(), **changes}
    with pytest.raises(InputError, match=said):
        load_tokenizer(folder(tmp_path, VIT, {name: t for name, t in tensors.items() if t is not None}))


def test_a_config_with_a_diffusion_decoder_gives_a_divae(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case, model = case_and_model("divae_uvit_tiny_edge")
    monkeypatch.setattr(divae, "UVIT_SIZES", {case.facts["config"]["dec_type"]: model.decoder.size})
    shared = [name for _, name in model.shared_names()]
    assert shared
    # A tensor with two names is stored under one of them; positions of the decoder can be computed.
    tensors = {name: t.clone() for name, t in model.state_dict().items() if name not in (*shared, POSITIONS)}
    loaded = load_tokenizer(folder(tmp_path, case.facts["config"], tensors))
    assert isinstance(loaded, DiVAE)
    assert all(torch.equal(tensor, model.state_dict()[name]) for name, tensor in loaded.state_dict().items())


def test_a_decoder_that_does_not_exist_is_named_with_its_checkpoint(tmp_path: Path) -> None:
    config = {"enc_type": "vit_s_enc", "dec_type": "unet_of_tomorrow", "scheduler": "ddim"}
    with pytest.raises(InputError, match=rf"{tmp_path}: dec_type is unet_of_tomorrow"):
        load_tokenizer(folder(tmp_path, config, {}))


def test_a_config_that_does_not_fit_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"{tmp_path}.*latent_dim"):
        load_tokenizer(folder(tmp_path, {**MLP, "latent_dim": 0}, {}))


def test_progress_counts_tensors_and_stops_the_loading(tmp_path: Path) -> None:
    model = made(MLP)
    path, seen = folder(tmp_path, MLP, model.state_dict()), []
    load_tokenizer(path, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (len(model.state_dict()),) * 2

    def stop(done: int, total: int) -> None:
        raise FourmError("enough")

    with pytest.raises(FourmError, match="enough"):
        load_tokenizer(path, progress=stop)


def test_an_unknown_name_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder or file"):
        load_tokenizer("./nothing", relative_to=tmp_path)
