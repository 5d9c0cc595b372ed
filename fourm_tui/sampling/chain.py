"""The chain: one step after the other, each of them a pass per guidance branch, a draw, and an update of the state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fourm_tui.curves import Guidance, guidance_at
from fourm_tui.model.fourm import FourM, Seen
from fourm_tui.model.passes import passes_of
from fourm_tui.plan import Step
from fourm_tui.sampling.draw import Drawn, Generators, draw, generators
from fourm_tui.sampling.guidance import branches, combine, seen
from fourm_tui.sampling.spans import merge_spans
from fourm_tui.sampling.state import ImageTokens, State


@dataclass(frozen=True)
class Decoded:
    """What a step has decoded, and the state after it."""

    step: Step
    positions: Tensor
    """`[B, n]`: places in the grid, or in what was generated of a sequence."""
    tokens: Tensor
    """`[B, n]`."""
    confidence: Tensor
    """`[B, n]`, see `Drawn`."""
    state: State
    finished: bool = True
    """Whether the plan's step is over; a sequence's is one, and gives one of these per token."""
    done: tuple[bool, ...] = ()
    """For a sequence: which samples had stopped before this token."""
    guess: Callable[[], Tensor] | None = None
    """Of a grid: its tokens `[B, N]` with the most probable ones, by this step's state, at the positions still open.
    Uses no random numbers. To be called before the next step is asked for; costs a pass, but for MaskGIT."""


Seeds = Callable[[int], Sequence[int]]
"""From the index of a step to one seed per sample."""


def step_seeds(seeds: Sequence[int]) -> Seeds:
    """Step i of a chain uses effective seed + i, for each sample."""
    return lambda index: [seed + index for seed in seeds]


@torch.inference_mode()
def run_chain(model: FourM, state: State, steps: Sequence[Step], seeds: Seeds) -> Iterator[Decoded]:
    """Decodes the targets of a chain.

    Args:
        model: whose modalities the steps name.
        state: conditions, and targets with what is given of them.
        steps: of one part of a plan.
        seeds: see `step_seeds`.
    """
    for step in steps:
        sources = generators(seeds(step.index), state.device)
        decode = _sequence if step.scheme == "autoregressive" else _image
        for decoded in decode(model, state, step, sources):
            yield decoded
            state = decoded.state


def _image(model: FourM, state: State, step: Step, sources: Generators) -> Iterator[Decoded]:
    tokens = state.image(step.target)
    positions = tokens.open_positions()
    count = min(step.num_tokens or 0, positions.shape[1])
    if count == 0:
        return
    if step.scheme == "roar":
        positions = _random_order(tokens.known, sources)[:, :count]
    logits = combine(branch_logits(model, state, step, positions), step.guidance)
    drawn = draw(logits, step.temperature, step.top_k, step.top_p, sources)
    looked_at = positions
    if positions.shape[1] > count:
        drawn, positions = _most_certain(drawn, positions, count)
    state = state.having(step.target, tokens.decoded(positions, drawn.tokens))

    held = [logits]
    yield Decoded(
        step,
        positions,
        drawn.tokens,
        drawn.confidence,
        state,
        guess=lambda: _guess(model, state, step, looked_at, held),
    )
    held.clear()  # the next step needs the room


@torch.inference_mode()
def _guess(model: FourM, state: State, step: Step, positions: Tensor, logits: list[Tensor]) -> Tensor:
    """What `Decoded.guess` gives, from a step's logits at `positions` and the state after it."""
    tokens = state.image(step.target)
    if step.scheme == "maskgit":
        return _filled(tokens, positions, logits[0])
    left = tokens.open_positions()
    if not left.shape[1]:
        return tokens.ids
    return _filled(tokens, left, combine(branch_logits(model, state, step, left), step.guidance))


def _filled(tokens: ImageTokens, positions: Tensor, logits: Tensor) -> Tensor:
    """All ids `[B, N]`, the most probable ones of `logits` `[B, n, V]` at those of `positions` that are open."""
    filled = tokens.ids.scatter(1, positions, logits.argmax(dim=-1))
    return torch.where(tokens.known, tokens.ids, filled)


def branch_logits(model: FourM, state: State, step: Step, positions: Tensor) -> list[Tensor]:
    """Logits `[B, n, V]` of every guidance branch at `positions` `[B, n]`; the decoder sees these and no others."""
    parts = _parts(model, state, step)
    query = model.mask_token + model.output(step.target).place(positions)
    return list(passes_of(model).image(step.target, parts, query).float().chunk(len(parts)))


def _parts(model: FourM, state: State, step: Step) -> list[Seen]:
    """What the encoder sees in every guidance branch."""
    return [
        seen(model, state, branch) for branch in branches(step.guidance, step.guided, state.modalities, step.target)
    ]


def _random_order(known: Tensor, sources: Generators) -> Tensor:
    """A random order of each sample's positions, `[B, N]`, the open ones first."""
    noise = torch.stack([torch.rand(known.shape[1], generator=source, device=known.device) for source in sources])
    return torch.argsort(known + noise * 1e-6, dim=1)


def _most_certain(drawn: Drawn, positions: Tensor, count: int) -> tuple[Drawn, Tensor]:
    best = drawn.rank.topk(count, dim=1).indices
    taken = Drawn(drawn.tokens.gather(1, best), drawn.confidence.gather(1, best), drawn.rank.gather(1, best))
    return taken, positions.gather(1, best)


def _sequence(model: FourM, state: State, step: Step, sources: Generators) -> Iterator[Decoded]:
    """Token by token, with cached keys and values; each sample stops at its own stop token."""
    sequence, B = state.sequence(step.target), state.batch
    parts = _parts(model, state, step)
    room = min(sequence.room, model.architecture.modalities[step.target].max_tokens)
    following = passes_of(model).text(step.target, parts, B, room)
    newest = torch.full((B, 1), sequence.start, device=state.device)
    generated: list[list[int]] = [[sequence.start] for _ in range(B)]
    done = [sequence.start == sequence.stop] * B
    for t in range(room):
        if all(done):
            break
        position = torch.full((B, 1), t, device=state.device)
        logits = list(following(newest, t).float().chunk(len(parts)))
        guidance: Guidance = guidance_at(step.cfg_schedule, step.guidance, (t + 1) / room)
        drawn = draw(combine(logits, guidance), step.temperature, step.top_k, step.top_p, sources)
        before = tuple(done)
        for b, token in enumerate(drawn.tokens[:, 0].tolist()):
            if not done[b]:
                generated[b].append(token)
                done[b] = token == sequence.stop
        newest = drawn.tokens
        last = all(done) or t + 1 == room
        if last:
            merged = [merge_spans(text, new) for text, new in zip(sequence.texts(), generated, strict=True)]
            state = state.having(step.target, type(sequence).of(merged, state.device))
        yield Decoded(step, position, drawn.tokens, drawn.confidence, state, finished=last, done=before)
