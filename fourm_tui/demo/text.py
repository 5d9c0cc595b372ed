"""The text tokenizer of the bundled model: WordPiece like the published one, with the words of its world.

Ids are in an order that lets each modality of text have a vocabulary of its own size: words and letters of captions
first, then the few values that palettes and metadata use, then all others, which only boxes need.
"""

from __future__ import annotations

import string
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

from fourm_tui.demo.scenes import CLASSES, COLORS, GROUNDS, SHAPES, SIZES, SKIES
from fourm_tui.formats.vocabulary import BINS, CONTROL_WORDS

THINGS = CLASSES[2:]
"""Labels of boxes, each one token, also inside captions."""

_WORDS = (
    "a", "of", "left", "right", "next", "to", "and", "on", "ground", "under", "sky", "the", "with", "ball", "cube",
    *SIZES, *COLORS, *SHAPES, *GROUNDS, *SKIES, ",", ".",
)  # fmt: skip
_LETTERS = tuple(mark + letter for mark in ("", "##") for letter in string.ascii_lowercase + string.digits)
_FEW = (*(f"v1={n}" for n in range(32)), *(f"v0={n}" for n in range(256)))
"""Values of palettes (up to 255) and metadata."""
_MANY = tuple(f"v{axis}={n}" for axis in range(4) for n in range(BINS))

_CAPTION = tuple(dict.fromkeys([*CONTROL_WORDS, *THINGS, *_WORDS, *_LETTERS]))
_VALUES = tuple(dict.fromkeys([*_CAPTION, *_FEW]))
VOCABULARY = tuple(dict.fromkeys([*_VALUES, *_MANY]))
"""All tokens; ids are places here."""

VOCABULARY_SIZES = {
    "caption": len(_CAPTION), "color_palette": len(_VALUES), "metadata": len(_VALUES), "det": len(VOCABULARY),
}  # fmt: skip
"""Ids that a modality needs run from 0 to these, without them."""


def write_text_tokenizer(file: Path) -> None:
    """Writes the tokenizer in the JSON format of the `tokenizers` library."""
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(VOCABULARY)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    tokenizer.add_special_tokens([AddedToken(word, normalized=False, special=True) for word in CONTROL_WORDS[:4]])
    whole = [
        AddedToken(word, single_word=True, normalized=False, special=True) for word in (*CONTROL_WORDS[4:], *_MANY)
    ]
    names = [AddedToken(word, single_word=True, normalized=True, special=True) for word in THINGS]
    tokenizer.add_special_tokens(whole + names)
    beside = file.with_suffix(".part")
    tokenizer.save(str(beside), pretty=False)
    beside.replace(file)
