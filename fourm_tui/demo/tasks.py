"""What the 4M model is asked in training: which tokens of a scene it sees, and which it is to predict.

4M draws both at random over all modalities. Small models learn that slowly, so most batches ask what chains will ask:
whole pictures to maps and texts (`see`), texts to a layout of which some is known (`lay_out`), a layout to pictures
of which some is known (`paint`); the rest is drawn as in 4M (`mix`). What all of them rest on, which place of one
modality belongs to which of another, is learned first and most quickly from a picture and its maps alone (`trace`);
which words belong to which thing, where only the words can tell (`name`: geometry and a caption to everything that has
colours).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from fourm_tui.demo.data import PHRASINGS
from fourm_tui.demo.model import IMAGES, TEXTS
from fourm_tui.demo.scenes import SIZE
from fourm_tui.demo.tokens import TokenSet
from fourm_tui.formats.vocabulary import PAD, S_0
from fourm_tui.model.training import Masked

RGB, DEPTH, NORMAL, SEMSEG = IMAGES
POSITIONS = (SIZE // 16) ** 2

ABSENT, OPEN, GIVEN, TARGET = range(4)
"""A text that is not there; one that is to come later (the encoder sees its sentinel); one that is known; a target."""

_S_1, _S_2 = S_0 + 1, S_0 + 2


@dataclass
class Asked:
    """Of a batch of B samples: how many tokens of each image are seen and wanted, and the state of each text."""

    samples: int
    seen: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    wanted: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    texts: dict[str, NDArray[np.int64]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in IMAGES:
            self.seen[name] = np.zeros(self.samples, np.int64)
            self.wanted[name] = np.zeros(self.samples, np.int64)
        for name in TEXTS:
            self.texts[name] = np.zeros(self.samples, np.int64)


@dataclass(frozen=True)
class Task:
    """A kind of batch."""

    early: float
    """Part of all batches in the first `EARLY` of the training."""
    later: float
    """And from then on."""
    encoder_tokens: int
    decoder_tokens: int
    ask: Callable[[np.random.Generator, Asked], None]
    looks: bool = False
    """Whether most of what is wanted of an image of which nothing is seen are places of things. Only where the answer
    follows from what is seen: elsewhere the model would learn that things are everywhere."""


def _trace(draw: np.random.Generator, asked: Asked) -> None:
    asked.seen[RGB][:] = POSITIONS
    for name, most in ((SEMSEG, 64), (DEPTH, 24), (NORMAL, 24)):
        asked.wanted[name][:] = most


def _see(draw: np.random.Generator, asked: Asked) -> None:
    B = asked.samples
    asked.seen[RGB][:] = np.where(draw.random(B) < 0.7, POSITIONS, draw.integers(60, POSITIONS, B))
    for name, most in ((SEMSEG, 40), (DEPTH, 24), (NORMAL, 24)):
        asked.seen[name][:] = np.where(draw.random(B) < 0.3, draw.integers(0, 12, B), 0)
        asked.wanted[name][:] = most
    _choose(draw, asked.texts["caption"], {TARGET: 0.7, GIVEN: 0.1, OPEN: 0.1})
    _choose(draw, asked.texts["det"], {TARGET: 0.5, GIVEN: 0.1, OPEN: 0.2})
    for name in ("color_palette", "metadata"):
        _choose(draw, asked.texts[name], {TARGET: 0.12, OPEN: 0.1})


def _name(draw: np.random.Generator, asked: Asked) -> None:
    B = asked.samples
    kind = draw.choice([DEPTH, NORMAL], size=B)
    for name in (DEPTH, NORMAL):
        asked.seen[name][:] = np.where(kind == name, POSITIONS, 0)
    asked.wanted[SEMSEG][:] = 64
    asked.wanted[RGB][:] = 48
    asked.texts["caption"][:] = GIVEN
    _choose(draw, asked.texts["det"], {GIVEN: 0.2})


def _lay_out(draw: np.random.Generator, asked: Asked) -> None:
    B = asked.samples
    kind = draw.choice([SEMSEG, RGB, DEPTH, NORMAL], size=B, p=[0.62, 0.22, 0.1, 0.06])
    known = np.where(draw.random(B) < 0.4, draw.integers(0, 12, B), np.minimum(_known(draw, B), 140))
    for name in IMAGES:
        asked.seen[name][:] = np.where(kind == name, known, 0)
        asked.wanted[name][:] = np.where(kind == name, POSITIONS, 0)
    _choose(draw, asked.texts["caption"], {GIVEN: 0.85, OPEN: 0.03})
    _choose(draw, asked.texts["det"], {GIVEN: 0.25, OPEN: 0.1})
    for name in ("color_palette", "metadata"):
        _choose(draw, asked.texts[name], {GIVEN: 0.06})


def _paint(draw: np.random.Generator, asked: Asked) -> None:
    B = asked.samples
    kind = draw.choice([RGB, DEPTH, NORMAL], size=B, p=[0.7, 0.18, 0.12])
    known = np.minimum(_known(draw, B), 150)
    extra = np.where(draw.random(B) < 0.4, draw.integers(40, POSITIONS, B), 0)  # of depth or normals, for RGB
    other = draw.random(B) < 0.7
    room = 234 - known
    asked.seen[SEMSEG][:] = np.minimum(POSITIONS, room)
    asked.seen[DEPTH][:] = np.where((kind == RGB) & other, np.minimum(extra, room - asked.seen[SEMSEG]), 0)
    asked.seen[NORMAL][:] = np.where((kind == RGB) & ~other, np.minimum(extra, room - asked.seen[SEMSEG]), 0)
    for name in (RGB, DEPTH, NORMAL):
        asked.seen[name][:] = np.where(kind == name, known, asked.seen[name])
        asked.wanted[name][:] = np.where(kind == name, POSITIONS, 0)
    _choose(draw, asked.texts["caption"], {GIVEN: 0.7, OPEN: 0.1})
    _choose(draw, asked.texts["det"], {GIVEN: 0.1, OPEN: 0.1})
    _choose(draw, asked.texts["color_palette"], {GIVEN: 0.05})


def _mix(draw: np.random.Generator, asked: Asked) -> None:
    B = asked.samples
    for counts, budget in ((asked.seen, 100), (asked.wanted, 80)):
        shares = draw.dirichlet([0.3] * len(IMAGES), size=B)
        for name, share in zip(IMAGES, shares.T, strict=True):
            counts[name][:] = np.minimum(np.round(share * budget), POSITIONS)
    for name in TEXTS:
        _choose(draw, asked.texts[name], {GIVEN: 0.25, TARGET: 0.25, OPEN: 0.1})


TASKS: Mapping[str, Task] = {
    "trace": Task(1.0, 0.04, POSITIONS, 112, _trace, looks=True),
    "see": Task(0.0, 0.16, 224, 132, _see, looks=True),
    "name": Task(0.0, 0.28, 240, 112, _name, looks=True),
    "lay_out": Task(0.0, 0.32, 192, 96, _lay_out),
    "paint": Task(0.0, 0.17, 256, 96, _paint),
    "mix": Task(0.0, 0.03, 192, 128, _mix),
}
EARLY = 0.1


def batch(draw: np.random.Generator, tokens: TokenSet, task: Task, samples: int) -> dict[str, Masked]:
    """A batch for `model.training.losses`: texts first, so that no budget cuts them."""
    asked = Asked(samples)
    task.ask(draw, asked)
    chosen = draw.integers(len(tokens), size=samples)
    made = {}
    for name in TEXTS:
        rows = tokens.texts[name][chosen]
        if name == "caption":
            phrasing = np.where(
                (asked.texts[name] == TARGET) | (draw.random(samples) < 0.5), 0, draw.integers(PHRASINGS, size=samples)
            )
            rows = rows[np.arange(samples), phrasing]
        made[name] = _text(rows.astype(np.int64), asked.texts[name])
    for name in IMAGES:
        seen, wanted = asked.seen[name][:, None], asked.wanted[name][:, None]
        noise = draw.random((samples, POSITIONS))
        if task.looks:
            noise -= 0.6 * (tokens.things[chosen] & (seen == 0))
        order = noise.argsort(1).argsort(1)
        made[name] = Masked(
            torch.from_numpy(tokens.images[name][chosen].astype(np.int64)),
            torch.from_numpy(order < seen),
            torch.from_numpy((order >= seen) & (order < seen + wanted)),
        )
    return made


def _text(ids: NDArray[np.int64], state: NDArray[np.int64]) -> Masked:
    """Texts `[B, L]` that end in [EOS]; as a target `[S_1] text [S_2]` with its sentinel before it in the encoder."""
    B, L = ids.shape
    lengths = (ids != PAD).sum(1)
    target = np.full((B, L + 3), PAD, np.int64)
    target[:, :2] = _S_1
    target[:, 2 : L + 2] = ids
    target[np.arange(B), lengths + 2] = _S_2
    given = np.pad(ids, ((0, 0), (0, 3)), constant_values=PAD)
    place = np.arange(L + 3)
    state = state[:, None]
    values = np.where(state == GIVEN, given, target)
    visible = np.where(state == GIVEN, given != PAD, (place == 0) & (state != ABSENT))
    wanted = (state == TARGET) & (place >= 1) & (place <= (lengths + 2)[:, None])
    return Masked(torch.from_numpy(values), torch.from_numpy(visible), torch.from_numpy(wanted))


def _known(draw: np.random.Generator, samples: int) -> NDArray[np.int64]:
    """How many tokens are known at a random moment of a chain with a cosine schedule."""
    return np.round(POSITIONS * (1 - np.cos(np.pi / 2 * draw.random(samples)))).astype(np.int64)


def _choose(draw: np.random.Generator, states: NDArray[np.int64], shares: Mapping[int, float]) -> None:
    shares = {ABSENT: 1 - sum(shares.values()), **shares}
    states[:] = draw.choice(list(shares), size=len(states), p=list(shares.values()))
