"""The checkpoints of 4M on the Hugging Face Hub: what they are called, how large they are, what belongs together.

Pure data, so that names can be listed and checked without loading or asking the Hub for anything. Source: the model
zoo of apple/ml-4m (README.md) and the pages of the EPFL-VILAB repositories there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Literal

from fourm_tui.errors import InputError, printable
from fourm_tui.modalities import MODALITIES

OWNER = "EPFL-VILAB"

WEIGHTS_LICENCE = "Sample Code License 1.1 (EPFL and Apple, non-commercial use)"
"""Of all published weights; its text is the file LICENSE in each repository."""

TEXT_TOKENIZER_REPO = "EPFL-VILAB/4M"
"""A Space, not a model repository."""
TEXT_TOKENIZER_FILE = "text_tokenizer_4m_wordpiece_30k.json"

Family = Literal["4M-7", "4M-7-T2I", "4M-7-SR", "4M-21"]
Size = Literal["B", "L", "XL"]

_WIDTHS: Mapping[Size, Mapping[str, int]] = {
    "B": {"encoder_depth": 12, "decoder_depth": 12, "dim": 768, "num_heads": 12},
    "L": {"encoder_depth": 24, "decoder_depth": 24, "dim": 1024, "num_heads": 16},
    "XL": {"encoder_depth": 24, "decoder_depth": 24, "dim": 2048, "num_heads": 32},
}

_TEXT_7 = ("caption", "det")
_IMAGES_7 = ("tok_rgb", "tok_depth", "tok_normal", "tok_semseg", "tok_clip")
_OUT_7 = (*_TEXT_7, *(f"{stem}@224" for stem in _IMAGES_7))
_OUT_SR = tuple(f"{stem}@448" for stem in _IMAGES_7)
# t5_caption stands among the outputs too, although no model has a decoder for it.
_TEXT_21 = ("caption", "t5_caption", "det", "metadata", "human_poses", "color_palette", "sam_instance")
_IMAGES_21 = (
    "tok_rgb@224", "tok_normal@224", "tok_depth@224", "tok_semseg@224", "tok_clip@224", "tok_dinov2@224",
    "tok_dinov2_global", "tok_imagebind@224", "tok_imagebind_global", "tok_sam_edge@224", "tok_canny_edge@224",
)  # fmt: skip

_DOMAINS: Mapping[Family, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "4M-7": (("rgb@224", *_OUT_7), _OUT_7),
    "4M-7-T2I": (("rgb@224", *_OUT_7), _OUT_7),
    "4M-7-SR": (("rgb@224", *_OUT_7, "rgb@448", *_OUT_SR), _OUT_SR),
    "4M-21": ((*_TEXT_21, "rgb@224", *_IMAGES_21), (*_TEXT_21, *_IMAGES_21)),
}
"""What goes in and what comes out, in the order of the published files."""

# All tensors of the model in fp32, without the file's header: rounded to three digits these are the sizes that the
# Hub shows (1.78, 4.13, 13.9, 3.86, 3.37, 6.26 and 18.2 GB). T2I models have the tensors of 4M-7.
_BYTES: Mapping[tuple[Family, Size], int] = {
    ("4M-7", "B"): 1_779_059_712,
    ("4M-7", "L"): 4_134_932_480,
    ("4M-7", "XL"): 13_915_791_360,
    ("4M-7-T2I", "B"): 1_779_059_712,
    ("4M-7-T2I", "L"): 4_134_932_480,
    ("4M-7-T2I", "XL"): 13_915_791_360,
    ("4M-7-SR", "L"): 3_858_239_488,
    ("4M-21", "B"): 3_370_521_600,
    ("4M-21", "L"): 6_256_881_664,
    ("4M-21", "XL"): 18_159_689_728,
}


@dataclass(frozen=True)
class PublishedModel:
    """A 4M model on the Hub: `config.json` and `model.safetensors`."""

    id: str
    """`EPFL-VILAB/4M-7_B_CC12M`."""
    title: str
    """For people: `4M-7 B (CC12M)`."""
    family: Family
    size: Size
    bytes: int
    """Of `model.safetensors`."""
    licence: str = WEIGHTS_LICENCE

    @property
    def config(self) -> dict[str, Any]:
        """What its `config.json` says, made anew at each call."""
        domains_in, domains_out = _DOMAINS[self.family]
        config: dict[str, Any] = {
            "domains_in": list(domains_in),
            "domains_out": list(domains_out),
            **_WIDTHS[self.size],
            "mlp_ratio": 4,
            "qkv_bias": False,
            "proj_bias": False,
            "mlp_bias": False,
            "norm_bias": False,
            "act_layer": "SiLU",
            "gated_mlp": True,
            "image_size": 224,
            "patch_size": 16,
        }
        if self.family == "4M-21":
            config["share_modality_embeddings"] = False
        return config


@dataclass(frozen=True)
class PublishedTokenizer:
    """A tokenizer on the Hub: `config.json` and `model.safetensors`."""

    id: str
    """`EPFL-VILAB/4M_tokenizers_rgb_16k_224-448`."""
    modalities: tuple[str, ...]
    """Those it encodes and decodes, without resolution: `tok_canny_edge`, `tok_sam_edge`."""
    key: str
    """Its key in a models config: `rgb_tok_id`."""
    bytes: int
    """Of `model.safetensors`."""
    licence: str = WEIGHTS_LICENCE


def _model(family: Family, size: Size, data: str = "") -> PublishedModel:
    name = f"{family}_{size}_{data}" if data else f"{family}_{size}"
    kind = family.replace("-T2I", " T2I").replace("-SR", " SR")
    title = f"{kind} {size} ({data})" if data else f"{kind} {size}"
    return PublishedModel(f"{OWNER}/{name}", title, family, size, _BYTES[family, size])


def _tokenizer(name: str, key: str, size: int) -> PublishedTokenizer:
    stems = dict.fromkeys(modality.stem for modality in MODALITIES.values() if modality.tokenizer_key == key)
    return PublishedTokenizer(f"{OWNER}/4M_tokenizers_{name}", tuple(stems), key, size)


_MODELS = (
    _model("4M-7", "B", "CC12M"),
    _model("4M-7", "L", "CC12M"),
    _model("4M-7", "XL", "CC12M"),
    _model("4M-7", "B", "COYO700M"),
    _model("4M-7", "L", "COYO700M"),
    _model("4M-7", "XL", "COYO700M"),
    _model("4M-21", "B"),
    _model("4M-21", "L"),
    _model("4M-21", "XL"),
    _model("4M-7-T2I", "B", "CC12M"),
    _model("4M-7-T2I", "L", "CC12M"),
    _model("4M-7-T2I", "XL", "CC12M"),
    _model("4M-7-SR", "L", "CC12M"),
)

MODELS: Mapping[str, PublishedModel] = MappingProxyType({model.id: model for model in _MODELS})
"""All models of the model zoo by Hub id."""

# Sizes are all tensors in fp32, which round to what the Hub shows. The exception is the edge tokenizer: the Hub shows
# 874 MB, and the tensors that its config describes are 872 MB.
_TOKENIZERS = (
    _tokenizer("rgb_16k_224-448", "rgb_tok_id", 1_151_546_692),
    _tokenizer("depth_8k_224-448", "depth_tok_id", 1_148_302_532),
    _tokenizer("normal_8k_224-448", "normal_tok_id", 1_150_465_348),
    _tokenizer("edge_8k_224-512", "edges_tok_id", 874_000_000),
    _tokenizer("semseg_4k_224-448", "semseg_tok_id", 879_672_964),
    _tokenizer("CLIP-B16_8k_224-448", "clip_tok_id", 727_476_356),
    _tokenizer("DINOv2-B14_8k_224-448", "dinov2_tok_id", 729_050_244),
    _tokenizer("ImageBind-H14_8k_224-448", "imagebind_tok_id", 732_198_020),
    _tokenizer("DINOv2-B14-global_8k_16_224", "dinov2_glob_tok_id", 460_168_192),
    _tokenizer("ImageBind-H14-global_8k_16_224", "imagebind_glob_tok_id", 464_364_544),
    _tokenizer("sam-instance_1k_64", "sam_instance_tok_id", 730_400_276),
    _tokenizer("human-poses_1k_8", "human_poses_tok_id", 426_734_396),
)

TOKENIZERS: Mapping[str, PublishedTokenizer] = MappingProxyType({tok.id: tok for tok in _TOKENIZERS})
"""All published tokenizers by Hub id, in the order of ml-4m's models configs."""

_BY_NAME = {name.lower(): model for model in _MODELS for name in (model.id, model.id.removeprefix(f"{OWNER}/"))}


def find(name: str) -> PublishedModel | None:
    """The published model of this name, in any case and with or without `EPFL-VILAB/`; None if there is none."""
    return _BY_NAME.get(name.strip().lower())


def tokenizers_for(model_id: str) -> tuple[PublishedTokenizer, ...]:
    """The published tokenizers of everything that a published model takes or generates.

    Raises:
        InputError: there is no such model.
    """
    config = _known(model_id).config
    names = {*config["domains_in"], *config["domains_out"]}
    keys = {MODALITIES[name].tokenizer_key for name in names}
    return tuple(tokenizer for tokenizer in _TOKENIZERS if tokenizer.key in keys)


def sr_model_for(model_id: str) -> PublishedModel | None:
    """The super-resolution model for the outputs of a published model; None if it is one itself.

    Raises:
        InputError: there is no such model.
    """
    return None if _known(model_id).family == "4M-7-SR" else MODELS[f"{OWNER}/4M-7-SR_L_CC12M"]


def _known(model_id: str) -> PublishedModel:
    model = find(model_id)
    if model is None:
        close = get_close_matches(model_id.strip().lower(), _BY_NAME, n=1, cutoff=0.6)
        meant = f"did you mean {_BY_NAME[close[0]].id}?" if close else f"published are {', '.join(MODELS)}"
        raise InputError(f"{printable(model_id)} is no published 4M model: {meant}")
    return model
