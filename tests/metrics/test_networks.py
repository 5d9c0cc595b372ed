"""The real networks with random weights: they take ours where they would download theirs, and are asked rightly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from fourm_tui.errors import InputError
from fourm_tui.metrics.networks import ClipSimilarity, cut_caption, load_clip, load_inception, load_networks
from fourm_tui.metrics.wanted import Wanted
from fourm_tui.metrics.weights import CLIP_FOLDER, INCEPTION_FILE
from tests.metrics.tiny import needs_torchmetrics, pictures

CPU = torch.device("cpu")


class LetterTokenizer:
    """A token per letter, between marks of one letter each."""

    def encode(self, text: str, truncation: bool, max_length: int) -> list[int]:
        return [1, *map(ord, text[: max_length - 2]), 2]

    def decode(self, ids: list[int]) -> str:
        return "".join({1: "<", 2: ">"}.get(number, chr(number)) for number in ids)


def test_a_caption_is_cut_only_where_it_is_too_long() -> None:
    tokenizer = LetterTokenizer()
    short, long = "a" * 57, "a" * 100
    assert cut_caption(short, tokenizer) == short
    assert cut_caption(long, tokenizer) == "a" * 60
    assert cut_caption("", tokenizer) == ""


# -- with the extra -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def inception(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A file with random weights, and torchmetrics' own network with them, asked for both outputs."""
    needs_torchmetrics()
    fidelity = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3", reason="needs the extra metrics")
    from torchmetrics.image.fid import NoTrainInceptionV3

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fidelity, "load_state_dict_from_url", lambda *_, **__: {})
        patch.setattr(NoTrainInceptionV3, "load_state_dict", lambda *_: None)
        torch.manual_seed(0)
        network = NoTrainInceptionV3("inception-v3-compat", ["2048", "logits_unbiased"])
    folder = tmp_path_factory.mktemp("weights")
    state = {name: value for name, value in network.state_dict().items() if "num_batches" not in name}
    save_file(state, folder / INCEPTION_FILE)
    return folder, network


@pytest.mark.usefixtures("inception")
def test_inception_gives_torchmetrics_features_and_logits(inception: tuple[Path, Any]) -> None:
    folder, network = inception
    ours = load_networks(Wanted(fid=True, inception=True, clip=False), CPU, folder)
    assert ours.features is not None and ours.logits is not None and ours.similarity is None
    some = pictures(2, 0, 256)
    with torch.inference_mode():
        features, logits = network._torch_fidelity_forward(some)
        found = ours.features(some)
    assert found.shape == (2, 2048) and torch.equal(found, features)
    assert ours.logits(found).shape == (2, 1008)
    torch.testing.assert_close(ours.logits(found), logits)


@pytest.mark.usefixtures("inception")
def test_loading_leaves_the_library_as_it_was(inception: tuple[Path, Any]) -> None:
    import torch_fidelity.feature_extractor_inceptionv3 as fidelity

    before = fidelity.load_state_dict_from_url
    load_inception(inception[0] / INCEPTION_FILE, CPU)
    assert fidelity.load_state_dict_from_url is before


@pytest.mark.usefixtures("inception")
def test_files_that_are_not_inceptions_are_said(tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    save_file({"a": torch.zeros(1)}, other)
    with pytest.raises(InputError, match=r"other\.safetensors: is not Inception's"):
        load_inception(other, CPU)
    other.write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"other\.safetensors: cannot be read"):
        load_inception(other, CPU)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny CLIP of random weights and a tokenizer of single letters, in the published files."""
    transformers: Any = pytest.importorskip("transformers", reason="needs the extra metrics")
    folder = tmp_path_factory.mktemp("weights") / CLIP_FOLDER
    letters = "abcdefghijklmnopqrstuvwxyz"
    marks = ["<|startoftext|>", "<|endoftext|>"]
    words = [*letters, *(f"{letter}</w>" for letter in letters), *marks]
    vocab = {word: number for number, word in enumerate(words)}
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    ends = {"bos_token_id": vocab[marks[0]], "eos_token_id": vocab[marks[1]], "pad_token_id": vocab[marks[1]]}
    torch.manual_seed(0)
    config = transformers.CLIPConfig(
        text_config={**sizes, **ends, "vocab_size": len(words), "max_position_embeddings": 77},
        vision_config={**sizes, "image_size": 32, "patch_size": 16},
        projection_dim=8,
    )
    transformers.CLIPModel(config).save_pretrained(folder, safe_serialization=True)
    (folder / "vocab.json").write_text(json.dumps(vocab))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    named = {"vocab": str(folder / "vocab.json"), "merges": str(folder / "merges.txt")}
    try:
        tokenizer = transformers.CLIPTokenizerFast(vocab=vocab, merges=[])
    except TypeError:
        tokenizer = transformers.CLIPTokenizerFast(named["vocab"], named["merges"])
    tokenizer.save_pretrained(folder)
    size = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}
    transformers.CLIPImageProcessor(**size).save_pretrained(folder)
    for name in ("vocab.json", "merges.txt", "special_tokens_map.json"):
        (folder / name).unlink(missing_ok=True)
    return folder


def similarity(folder: Path) -> ClipSimilarity:
    return load_clip(folder, CPU)


def test_clip_similarity_is_the_cosine_of_the_embeddings(clip: Path) -> None:
    found = load_networks(Wanted(fid=False, inception=False, clip=True), CPU, clip.parent)
    assert found.similarity is not None and found.features is None
    some, captions = pictures(3, 0, 48), ["a b", "hello there", "x"]
    with torch.inference_mode():
        scores = found.similarity(some, captions)
        alone = [found.similarity(some[i : i + 1], captions[i : i + 1]) for i in range(3)]
    torch.testing.assert_close(scores, torch.cat(alone), msg="padding changes nothing")

    ours = similarity(clip)
    pixels = ours.processor(images=list(some), return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        for i, caption in enumerate(captions):
            ids = torch.tensor([ours.tokenizer.encode(caption)])
            a = ours.model.visual_projection(ours.model.vision_model(pixels[i : i + 1]).pooler_output)[0]
            b = ours.model.text_projection(ours.model.text_model(ids).pooler_output)[0]
            expected = 100 * (a @ b) / (a.norm() * b.norm())
            assert scores[i].item() == pytest.approx(expected.item(), abs=1e-3)


def test_captions_are_cut_by_clips_own_tokens_and_never_overflow(clip: Path) -> None:
    ours = similarity(clip)
    exact = " ".join("a" for _ in range(57))
    assert cut_caption(exact, ours.tokenizer) == exact
    long = " ".join("a" for _ in range(300))
    tokens = ours.tokenizer.encode(long)
    assert cut_caption(long, ours.tokenizer) == long[: len(ours.tokenizer.decode([*tokens[:59], tokens[-1]]))]
    assert 60 <= len(ours.tokenizer.encode(cut_caption(long, ours.tokenizer))) < 77
    with torch.inference_mode():
        assert ours(pictures(1, 0), [long]).isfinite().all()


def test_a_folder_without_sound_files_is_said(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="needs the extra metrics")
    (tmp_path / "config.json").write_text('{"model_type": "clip"}')
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(InputError, match="CLIP cannot be loaded"):
        load_clip(tmp_path, CPU)
