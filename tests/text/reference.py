"""The text cases of the reference implementation, and a tokenizer small enough to be made for a test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

from fourm_tui.formats.vocabulary import CONTROL_WORDS, OBJECT_CLASSES

DATA = Path(__file__).parents[1] / "data" / "text"


def cases(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


def write_tiny_tokenizer(file: Path, control: tuple[str, ...] = CONTROL_WORDS) -> Path:
    """A tokenizer built like the published one, with few words and the letters a to z."""
    values = [f"v{axis}={number}" for axis in range(4) for number in range(20)]
    words = ["a", "on", "the", "big", "red", "sun", "##set", "beach", "none", "human", "tea", "of", ",", "!"]
    letters = [f"{mark}{chr(code)}" for mark in ("", "##") for code in range(ord("a"), ord("z") + 1)]
    vocabulary = dict.fromkeys([*control, *values, *OBJECT_CLASSES, *words, *letters])
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    tokenizer.add_special_tokens([AddedToken(w, normalized=False, special=True) for w in control[:4]])
    whole = [AddedToken(w, single_word=True, normalized=False, special=True) for w in [*control[4:], *values]]
    classes = [AddedToken(w, single_word=True, normalized=True, special=True) for w in OBJECT_CLASSES]
    tokenizer.add_special_tokens(whole + classes)
    tokenizer.save(str(file))
    return file
