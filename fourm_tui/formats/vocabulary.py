"""What the text vocabulary of 4M holds besides ordinary words: control tokens, sentinels, values, object classes.

Ids are those of the published tokenizer (apple/ml-4m, text_tokenizer_4m_wordpiece_30k.json); every text tokenizer has
to agree with those of control tokens and sentinels.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

PAD, UNK, SOS, EOS, S_0 = 0, 1, 2, 3, 4
"""Ids of padding, unknown word, start, end, and the sentinel [S_0], from which [S_k] counts on."""
SENTINELS = range(S_0, S_0 + 200)
"""Ids of [S_0] to [S_199], each of which stands for a span to be generated; spans are numbered from [S_1]."""
UNSEEN = frozenset((PAD, SOS, EOS, *SENTINELS))
"""Ids that order a text and are no part of it."""

CONTROL_WORDS = ("[PAD]", "[UNK]", "[SOS]", "[EOS]", *(f"[S_{k}]" for k in range(len(SENTINELS))))
"""Control tokens and sentinels; the id of each is its place here."""

BINS = 1000
"""Values of each kind of value token: `v0=0` to `v0=999`, and the same for `v1`, `v2` and `v3`."""

OBJECT_CLASSES = (
    "airplane", "apple", "backpack", "banana", "baseball bat", "baseball glove", "bear", "bed", "bench", "bicycle",
    "bird", "boat", "book", "bottle", "bowl", "broccoli", "bus", "cake", "car", "carrot", "cat", "cell phone", "chair",
    "clock", "couch", "cow", "cup", "dining table", "dog", "donut", "elephant", "fire hydrant", "fork", "frisbee",
    "giraffe", "hair drier", "handbag", "horse", "hot dog", "keyboard", "kite", "knife", "laptop", "microwave",
    "motorcycle", "mouse", "orange", "oven", "parking meter", "person", "pizza", "potted plant", "refrigerator",
    "remote", "sandwich", "scissors", "sheep", "sink", "skateboard", "skis", "snowboard", "spoon", "sports ball",
    "stop sign", "suitcase", "surfboard", "teddy bear", "tennis racket", "tie", "toaster", "toilet", "toothbrush",
    "traffic light", "train", "truck", "tv", "umbrella", "vase", "wine glass", "zebra",
)  # fmt: skip
"""Names of the things of COCO, each one token (from id 4204), also inside captions: `a cup of tea` holds one."""

_VALUE = re.compile(r"v([0-3])=(0|[1-9]\d{0,2})")
_SENTINEL_LIKE = re.compile(r"\[s_(\d+)\]", re.IGNORECASE)
_SENTINEL = re.compile(r"(?<!\w)\[S_(?:0|[1-9]\d?|1\d\d)\](?!\w)")


def value_word(axis: int, number: float) -> str:
    """`v<axis>=<number>`, rounded half to even and held between 0 and 999, outside of which there is no token."""
    return f"v{axis}={min(max(round(number), 0), BINS - 1)}"


def value_of(word: str) -> tuple[int, int] | None:
    """Axis 0 to 3 and number 0 to 999 of a value token; None for any other word."""
    match = _VALUE.fullmatch(word)
    return (int(match[1]), int(match[2])) if match else None


def values_of(words: Sequence[str], axes: Sequence[int]) -> tuple[int, ...] | None:
    """The numbers of value tokens whose axes are these, in this order; None if the words are anything else."""
    values = [value_of(word) for word in words]
    if [value[0] if value else None for value in values] != list(axes):
        return None
    return tuple(value[1] for value in values if value)


def codebook_word(token: int) -> str:
    """A token of a codebook of 1024 as a value token: `v0=<token>` below 512, from there on `v1=<token - 512>`."""
    if not 0 <= token < 1024:
        raise ValueError(f"{token} is no token of a codebook of 1024")
    return value_word(*divmod(token, 512))


def codebook_tokens(words: Sequence[str]) -> tuple[int, ...] | None:
    """Tokens of a codebook of 1024 from value tokens; None if a word is none or stands for a token beyond it."""
    values = [value_of(word) for word in words]
    tokens = tuple(value[0] * 512 + value[1] for value in values if value and value[0] < 2)
    return tokens if len(tokens) == len(words) and all(token < 1024 for token in tokens) else None


def parts(words: Sequence[str], begins: Callable[[str], bool]) -> list[list[str]]:
    """Each word with which a part begins, with what follows up to the next; words before the first are left out."""
    found: list[list[str]] = []
    for word in words:
        if begins(word):
            found.append([])
        if found:
            found[-1].append(word)
    return found


def content_words(text: str) -> list[str]:
    """The words of a generated text without control tokens and sentinels."""
    return [word for word in text.split() if word not in CONTROL_WORDS]


def has_sentinel(text: str) -> bool:
    """Whether the text says that parts of it are open."""
    return _SENTINEL.search(text) is not None


def broken_sentinel(text: str) -> str | None:
    """The first thing that looks like a sentinel and is no token (`a[S_1]b`, `[s_1]`, `[S_200]`); None if all are."""
    tokens = {match.start() for match in _SENTINEL.finditer(text)}
    return next((match[0] for match in _SENTINEL_LIKE.finditer(text) if match.start() not in tokens), None)
