"""The table of modalities of 4M-7, 4M-21 and the super-resolution model.

Names, vocabularies, grids and lengths are those of the published checkpoints (apple/ml-4m,
`fourm/data/modality_info.py`); a model's `config.json` may override some of them (`with_overrides`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Literal

from fourm_tui.errors import InputError, printable

Kind = Literal["pixels", "image", "sequence", "embeddings"]
"""`pixels`: patches of a picture, a condition only. `image`: a grid of tokens. `sequence`: text tokens.
`embeddings`: a sequence of vectors of a language model, a condition only."""

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
TOKENS = (".npy", ".safetensors")


@dataclass(frozen=True)
class Modality:
    """One modality as a 4M model knows it."""

    name: str
    """As published: `tok_rgb@224`."""
    kind: Kind
    title: str
    """For people: `RGB`."""
    max_tokens: int
    """Positions of a complete target; for sequences the most that is generated."""
    vocab_size: int = 0
    """Number of token ids; 0 where there are no tokens."""
    grid: tuple[int, int] | None = None
    """Rows and columns of positions; None for sequences."""
    input_size: int | None = None
    """Height and width in pixels of the picture that the grid covers."""
    patch_size: int = 16
    """Height and width in pixels of one position."""
    max_length: int = 0
    """Decoder positions of a sequence; a later token falls back to position 0."""
    learned_positions: bool = False
    """Learned position embeddings instead of sine-cosine ones (the global features)."""
    files: tuple[str, ...] = ()
    """File endings accepted as a condition."""
    tokenizer_key: str | None = None
    """The key of its tokenizer in a models config: `rgb_tok_id`."""
    typical_tokens: int = 0
    """Length assumed for costs while the text is not known; image modalities use their grid."""
    classes: tuple[str, ...] = ()
    """Names of the classes of a label map, if the model brings its own."""

    @property
    def is_target(self) -> bool:
        """Whether a model can generate it."""
        return self.kind in ("image", "sequence")

    @property
    def schemes(self) -> tuple[str, ...]:
        """The schemes that can generate it."""
        return {"image": ("maskgit", "roar"), "sequence": ("autoregressive",)}.get(self.kind, ())

    @property
    def stem(self) -> str:
        """The name without its resolution: `tok_rgb`."""
        return self.name.partition("@")[0]


def _image(name: str, title: str, vocab_size: int, key: str, files: tuple[str, ...], size: int, patch: int) -> Modality:
    side = size // patch
    return Modality(
        name, "image", title, max_tokens=side * side, vocab_size=vocab_size, grid=(side, side), input_size=size,
        patch_size=patch, files=files + TOKENS, tokenizer_key=key,
    )  # fmt: skip


def _global(name: str, title: str, key: str) -> Modality:
    # 16 tokens without a place in the picture: the grid only says how a token map is drawn.
    return Modality(
        name, "image", title, max_tokens=16, vocab_size=8192, grid=(4, 4), input_size=224, patch_size=56,
        learned_positions=True, files=TOKENS, tokenizer_key=key,
    )  # fmt: skip


def _sequence(
    name: str, title: str, max_tokens: int, typical: int, files: tuple[str, ...], *, max_length: int | None = None,
    key: str | None = None,
) -> Modality:  # fmt: skip
    return Modality(
        name, "sequence", title, max_tokens=max_tokens, vocab_size=30_000, max_length=max_length or max_tokens,
        files=files, tokenizer_key=key, typical_tokens=typical,
    )  # fmt: skip


def _pixels(size: int) -> Modality:
    side = size // 16
    return Modality(
        f"rgb@{size}", "pixels", "RGB photo", max_tokens=side * side, grid=(side, side), input_size=size,
        files=PICTURES, tokenizer_key=None,
    )  # fmt: skip


_ARRAYS = (".npy",)

_ALL = (
    _pixels(224),
    _pixels(448),
    _sequence("caption", "Caption", 256, 20, (".txt", ".json")),
    _sequence("det", "Bounding boxes", 256, 20, (".txt", ".json")),
    Modality("t5_caption", "embeddings", "T5 caption", max_tokens=77, max_length=77, files=(".npz", ".safetensors"),
             typical_tokens=20),
    _sequence("metadata", "Metadata", 40, 40, (".txt", ".json", ".yaml")),
    _sequence("human_poses", "Human poses", 275, 40, (".json",), max_length=263, key="human_poses_tok_id"),
    _sequence("color_palette", "Color palette", 23, 23, (".txt", ".json")),
    _sequence("sam_instance", "SAM instances", 290, 200, (".json",), key="sam_instance_tok_id"),
    *(
        _image(f"{stem}@{size}", title, vocab, key, files, size, 16)
        for size in (224, 448)
        for stem, title, vocab, key, files in (
            ("tok_rgb", "RGB", 16384, "rgb_tok_id", PICTURES),
            ("tok_depth", "Depth", 8192, "depth_tok_id", (".png", *_ARRAYS)),
            ("tok_normal", "Surface normals", 8192, "normal_tok_id", (".png", *_ARRAYS)),
            ("tok_semseg", "Segmentation", 4096, "semseg_tok_id", (".png", *_ARRAYS)),
            ("tok_clip", "CLIP features", 8192, "clip_tok_id", _ARRAYS),
        )
    ),
    _image("tok_canny_edge@224", "Canny edges", 8192, "edges_tok_id", PICTURES, 224, 16),
    _image("tok_sam_edge@224", "SAM edges", 8192, "edges_tok_id", PICTURES, 224, 16),
    _image("tok_dinov2@224", "DINOv2 features", 8192, "dinov2_tok_id", _ARRAYS, 224, 14),
    _image("tok_imagebind@224", "ImageBind features", 8192, "imagebind_tok_id", _ARRAYS, 224, 14),
    _global("tok_dinov2_global", "DINOv2 global", "dinov2_glob_tok_id"),
    _global("tok_imagebind_global", "ImageBind global", "imagebind_glob_tok_id"),
)  # fmt: skip

MODALITIES: Mapping[str, Modality] = MappingProxyType({modality.name: modality for modality in _ALL})
"""All published modalities by name."""

TOKENIZER_KEYS: tuple[str, ...] = tuple(dict.fromkeys(m.tokenizer_key for m in _ALL if m.tokenizer_key))
"""The keys of tokenizers in a models config, in the table's order."""


def suggest(name: str, known: Mapping[str, Any] | tuple[str, ...] | None = None, size: int | None = None) -> str | None:
    """The modality that was probably meant by an unknown `name`, or None.

    A published name without its resolution (`tok_rgb`) is completed, at `size` pixels if that is given; otherwise the
    closest spelling is taken.
    """
    names = list(MODALITIES if known is None else known)
    sizes = [size] if size else [224, 448]
    for candidate in (f"{name}@{s}" for s in sizes):
        if candidate in names:
            return candidate
    close = get_close_matches(name.lower(), names, n=1, cutoff=0.75)
    return close[0] if close else None


_OVERRIDES: Mapping[str, type] = {"vocab_size": int, "max_tokens": int, "max_length": int, "classes": list}


def with_overrides(overrides: Mapping[str, Any] | None, where: str = "config.json") -> Mapping[str, Modality]:
    """The table as one model sees it: the `modalities` entry of its `config.json` laid over the published values.

    Args:
        overrides: `{name: {vocab_size, max_tokens, max_length, classes}}`; None or empty changes nothing.
        where: names the file in messages.

    Raises:
        InputError: an entry names an unknown modality or key, or a value has the wrong type.
    """
    if not overrides:
        return MODALITIES
    if not isinstance(overrides, Mapping):
        raise InputError(f"{printable(where)}: `modalities` is to be a mapping from modality names to their values")
    table = dict(MODALITIES)
    for name, values in overrides.items():
        if name not in table:
            raise InputError(f"{printable(where)}: `modalities` names {printable(name)}, which is no 4M modality")
        if not isinstance(values, Mapping):
            raise InputError(f"{printable(where)}: `modalities.{name}` is to be a mapping")
        changes: dict[str, Any] = {}
        for key, value in values.items():
            kind = _OVERRIDES.get(key)
            if kind is None:
                known = ", ".join(_OVERRIDES)
                raise InputError(
                    f"{printable(where)}: `modalities.{name}.{printable(key)}` cannot be overridden; known are {known}"
                )
            if kind is list:
                if not isinstance(value, list):
                    raise InputError(f"{printable(where)}: `modalities.{name}.{key}` is to be a list of names")
                changes[key] = tuple(str(item) for item in value)
            elif not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise InputError(f"{printable(where)}: `modalities.{name}.{key}` is to be a positive whole number")
            else:
                changes[key] = value
        modality = replace(table[name], **changes)
        if modality.kind in ("image", "pixels") and "max_tokens" in changes:
            side = round(modality.max_tokens**0.5)
            if side * side != modality.max_tokens:
                raise InputError(f"{printable(where)}: `modalities.{name}.max_tokens` is to be a square number")
            modality = replace(modality, grid=(side, side))
        table[name] = modality
    return MappingProxyType(table)
