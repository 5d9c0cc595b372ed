"""Models configs and data configs: the `-c` and `--data` files of run_generation.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fourm_tui.errors import InputError, printable
from fourm_tui.modalities import TOKENIZER_KEYS
from fourm_tui.schedule.columns import DATA_KEYS, KNOWN_KEYS, MODEL_KEYS, SCHEDULE_KEYS
from fourm_tui.schedule.document import Document

DETOKENIZER_STEPS = 25
"""Diffusion steps of the detokenizers where no config says another number, as in run_generation.py."""

CONTROLNET = "ControlNet decoding of RGB tokens is not supported; RGB is decoded by its own tokenizer"

DTYPES: Mapping[str, str] = {
    "float32": "fp32", "fp32": "fp32", "float16": "fp16", "fp16": "fp16", "bfloat16": "bf16", "bf16": "bf16",
}  # fmt: skip
"""Names of number types and the short one that this program uses."""


@dataclass(frozen=True)
class ModelsConfig:
    """Which checkpoints a run uses. A checkpoint is a Hub id, a folder, or a `.safetensors` file."""

    model: str | None = None
    sr_model: str | None = None
    tokenizers: Mapping[str, str] = field(default_factory=dict)
    """Checkpoint of each tokenizer by its key: `{"rgb_tok_id": "EPFL-VILAB/4M_tokenizers_rgb_16k_224-448"}`."""
    text_tokenizer: str | None = None
    detokenizer_steps: int = DETOKENIZER_STEPS
    dtype: str | None = None
    """`fp32`, `bf16` or `fp16`; None: bf16 on CUDA, else fp32."""
    notes: tuple[str, ...] = ()
    """What the files ask for and is not done."""


@dataclass(frozen=True)
class DataConfig:
    """Where the samples of a bulk run come from."""

    path: str | None = None
    name: str | None = None
    num_samples: int | None = None
    """None: all of them."""
    num_variations: int = 1
    num_workers: int = 1
    num_log_images: int | None = 0
    """Samples of which a sheet of conditions and targets is drawn; None: all of them."""
    image_size_metrics: int = 256
    """Pixels a side at which figures look at pictures."""


def file_kind(document: Document) -> str:
    """What a file holds by its keys: `settings`, `models` or `data`; `settings` if it cannot be told."""
    keys = set(document.keys())
    if keys & (SCHEDULE_KEYS - {"name", "sr_name"}):
        return "settings"
    if keys & (MODEL_KEYS - {"dtype", "image_size", "patch_size"}):
        return "models"
    return "data" if keys & DATA_KEYS else "settings"


def read_models(documents: Sequence[Document]) -> ModelsConfig:
    """The checkpoints that these files name; a later file's value wins.

    Raises:
        InputError: a value has the wrong type; all of them are listed, each with its place.
    """
    values = _Values(documents)
    tokenizers = {key: values.text(key) for key in TOKENIZER_KEYS}
    config = ModelsConfig(
        model=values.text("model"),
        sr_model=values.text("sr_model"),
        tokenizers={key: name for key, name in tokenizers.items() if name},
        text_tokenizer=values.text("text_tok_path"),
        detokenizer_steps=values.count("detokenizer_steps", DETOKENIZER_STEPS) or DETOKENIZER_STEPS,
        dtype=values.choice("dtype", DTYPES),
        notes=(CONTROLNET,) if values.flag("activate_controlnet") else (),
    )
    values.complain()
    return config


def read_data(documents: Sequence[Document]) -> DataConfig:
    """The data config in these files.

    Raises:
        InputError: a value has the wrong type; all of them are listed, each with its place.
    """
    values = _Values(documents)
    config = DataConfig(
        path=values.text("data_path"),
        name=values.text("data_name"),
        num_samples=values.count("num_samples", None),
        num_variations=values.count("num_variations", 1) or 1,
        num_workers=values.count("num_workers", 1, least=0) or 0,
        num_log_images=values.count_or_all("num_log_images", 0),
        image_size_metrics=values.count("image_size_metrics", 256) or 256,
    )
    values.complain()
    return config


def unknown_keys(document: Document) -> list[str]:
    """Keys that neither ml-4m nor this program reads."""
    return [key for key in document.keys() if key not in KNOWN_KEYS]  # noqa: SIM118


class _Values:
    """Typed values out of documents; what does not fit is gathered and raised together."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = documents
        self.wrong: list[str] = []

    def _find(self, key: str) -> tuple[Any, str]:
        for document in reversed(self.documents):
            if key in document:
                return document[key], str(document.place(key))
        return None, ""

    def text(self, key: str) -> str | None:
        value, place = self._find(key)
        if value is None or isinstance(value, str):
            return value or None
        self.wrong.append(f"{place}: {key}: {printable(value, 40)} is no text; put it in quotes")
        return None

    def count(self, key: str, default: int | None, least: int = 1) -> int | None:
        value, place = self._find(key)
        if value is None:
            return default
        if isinstance(value, int) and not isinstance(value, bool) and value >= least:
            return value
        self.wrong.append(f"{place}: {key}: {printable(value, 40)} is no whole number from {least} on")
        return default

    def count_or_all(self, key: str, default: int | None) -> int | None:
        value, _ = self._find(key)
        return None if value == "all" else self.count(key, default, least=0)

    def flag(self, key: str) -> bool:
        value, place = self._find(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        self.wrong.append(f"{place}: {key}: {printable(value, 40)} is neither True nor False")
        return False

    def choice(self, key: str, choices: Mapping[str, str]) -> str | None:
        value, place = self._find(key)
        if value is None:
            return None
        if isinstance(value, str) and value in choices:
            return choices[value]
        self.wrong.append(f"{place}: {key}: {printable(value, 40)} is unknown; use {', '.join(choices)}")
        return None

    def complain(self) -> None:
        if self.wrong:
            raise InputError("\n".join(self.wrong))
