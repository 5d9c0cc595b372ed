"""The networks behind the figures: Inception by torchmetrics, CLIP by transformers. Loaded once, for all sizes."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from fourm_tui.download import Transfer
from fourm_tui.errors import InputError, printable
from fourm_tui.metrics.wanted import Wanted
from fourm_tui.metrics.weights import clip_folder, inception_file

CAPTION_TOKENS = 60
"""A caption is cut to so many CLIP tokens, as in run_generation.py."""


@dataclass(frozen=True)
class Networks:
    """What is asked of the networks; those of figures that are not wanted are None."""

    features: Callable[[Tensor], Tensor] | None = None
    """Pictures, uint8 `[B, 3, H, W]`, to features `[B, F]` (of Inception: F = 2048)."""
    logits: Callable[[Tensor], Tensor] | None = None
    """These features to logits `[B, C]` without bias (of Inception: C = 1008)."""
    similarity: Callable[[Tensor, Sequence[str]], Tensor] | None = None
    """Pictures and their captions to 100 times the cosine of their CLIP embeddings `[B]`."""


def load_networks(
    wanted: Wanted,
    device: torch.device,
    weights: Path | None = None,
    progress: Callable[[Transfer], None] | None = None,
) -> Networks:
    """Loads what the figures need; `weights.check` says beforehand whether that can work.

    Args:
        weights: the folder of the weights; None: the usual one (`weights.weights_dir`).
        progress: told how far a download of CLIP is.

    Raises:
        FourmError: weights are missing or do not fit, or cannot be downloaded.
    """
    features = logits = similarity = None
    if wanted.fid or wanted.inception:
        network = load_inception(inception_file(weights), device)

        def features(pictures: Tensor) -> Tensor:
            return network(pictures.to(device))

        def logits(found: Tensor) -> Tensor:
            return found.to(device) @ network.fc.weight.T

    if wanted.clip:
        similarity = load_clip(clip_folder(weights, progress), device)
    return Networks(features, logits, similarity)


def load_inception(file: Path, device: torch.device) -> Any:
    """torchmetrics' Inception v3 with the layer before the classifier as its output, from a safetensors file.

    Raises:
        InputError: the file is none or does not fit.
    """
    try:
        state = load_file(file)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{printable(file)}: cannot be read: {printable(error, 150)}; convert it again") from None
    fid: Any = importlib.import_module("torchmetrics.image.fid")
    try:
        with _instead_of_download(state) as used:
            network = fid.NoTrainInceptionV3(name="inception-v3-compat", features_list=["2048"])
    except RuntimeError as error:  # what load_state_dict raises
        raise InputError(f"{printable(file)}: is not Inception's: {printable(error, 150)}; convert it again") from None
    if not used:
        raise RuntimeError("this release of torch-fidelity takes its weights in a way that is not known here")
    return network.to(device).eval().requires_grad_(False)


@contextmanager
def _instead_of_download(state: Mapping[str, Tensor]) -> Iterator[list[str]]:
    """Gives torch-fidelity weights where it would download and unpickle them; its constructor has no other way in.
    The list names what was asked for."""
    module: Any = importlib.import_module("torch_fidelity.feature_extractor_inceptionv3")
    asked: list[str] = []
    download = module.load_state_dict_from_url

    def give(url: str, *_: Any, **__: Any) -> Mapping[str, Tensor]:
        asked.append(url)
        return state

    module.load_state_dict_from_url = give
    try:
        yield asked
    finally:
        module.load_state_dict_from_url = download


def load_clip(folder: Path, device: torch.device) -> ClipSimilarity:
    """CLIP from a folder with safetensors weights; nothing is downloaded.

    Raises:
        InputError: the files do not fit.
    """
    transformers: Any = importlib.import_module("transformers")
    try:
        model = transformers.CLIPModel.from_pretrained(folder, use_safetensors=True, local_files_only=True)
        tokenizer = transformers.CLIPTokenizerFast.from_pretrained(folder, local_files_only=True)
        processor = transformers.CLIPImageProcessor.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        raise InputError(f"{printable(folder)}: CLIP cannot be loaded: {printable(error, 150)}") from None
    return ClipSimilarity(model.float().to(device).eval().requires_grad_(False), tokenizer, processor)


class ClipSimilarity(nn.Module):
    """100 times the cosine of CLIP embeddings of pictures and captions.

    torchmetrics' CLIPScore is the same, but does not work with transformers 5 and cuts the end token off long texts.
    """

    def __init__(self, model: Any, tokenizer: Any, processor: Any) -> None:
        super().__init__()
        self.model, self.tokenizer, self.processor = model, tokenizer, processor

    def forward(self, pictures: Tensor, captions: Sequence[str]) -> Tensor:
        device = next(self.model.parameters()).device
        pixels = self.processor(images=list(pictures.cpu()), return_tensors="pt")
        texts = self.tokenizer(
            [cut_caption(caption, self.tokenizer) for caption in captions],
            return_tensors="pt",
            padding=True,
            truncation=True,
            max_length=self.model.config.text_config.max_position_embeddings,
        )
        found = self.model(
            input_ids=texts["input_ids"].to(device),
            attention_mask=texts["attention_mask"].to(device),
            pixel_values=pixels["pixel_values"].to(device),
        )
        a, b = found.image_embeds.float(), found.text_embeds.float()  # [B, D], [B, D]
        return 100 * torch.cosine_similarity(a, b, dim=-1)


def cut_caption(caption: str, tokenizer: Any, tokens: int = CAPTION_TOKENS) -> str:
    """A caption cut as run_generation.py cuts it: to the length in characters that its first tokens have when written
    out with the start and end mark. A long caption so keeps a few tokens more than `tokens`."""
    ids = tokenizer.encode(caption, truncation=True, max_length=tokens)  # the end mark stays
    return caption if len(ids) < tokens else caption[: len(tokenizer.decode(ids))]
