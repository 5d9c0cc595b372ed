"""Training the 4M model of the box: steps, checkpoints to go on from, and a look at how far it is."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from fourm_tui.demo.tasks import DEPTH, EARLY, NORMAL, POSITIONS, RGB, SEMSEG, TASKS, batch
from fourm_tui.demo.tokens import TokenSet
from fourm_tui.model.fourm import FourM
from fourm_tui.model.training import Masked, predictions

LOSS_WEIGHTS: Mapping[str, float] = {
    "caption": 0.7, "det": 0.5, "color_palette": 0.1, "metadata": 0.1, RGB: 1.0, SEMSEG: 1.0, DEPTH: 0.6, NORMAL: 0.6,
}  # fmt: skip
"""How much the mean loss of a modality counts."""
WARM_UP = 300
COOL_DOWN = 0.35
"""Part of the time in which the learning rate falls to nothing, at the end."""


@dataclass(frozen=True)
class Step:
    """What became of a training step."""

    number: int
    samples: int
    seconds: float
    losses: Mapping[str, float]
    """Running means, by `task/modality`."""


class Learner:
    """A model, its optimizer, and how far both are.

    Args:
        model: to be trained, on its device.
        rate: the highest learning rate.
        seed: of the batches.
        new: whether the model knows nothing yet, so that it begins with the early tasks.
    """

    def __init__(
        self, model: FourM, rate: float = 1.5e-3, seed: int = 0, batch_size: int = 16, new: bool = True
    ) -> None:  # fmt: skip
        self.new = new
        self.model, self.rate, self.seed, self.batch_size = model.train().requires_grad_(True), rate, seed, batch_size
        decayed = [p for n, p in model.named_parameters() if p.dim() == 2 and "embeddings" not in n]
        others = [p for n, p in model.named_parameters() if p.dim() != 2 or "embeddings" in n]
        self.optimizer = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}],
            lr=rate, betas=(0.9, 0.97), fused=True,
        )  # fmt: skip
        self.steps = self.samples = 0
        self.seconds = 0.0
        self._running: dict[str, float] = {}

    def learn(self, tokens: TokenSet, seconds: float) -> Iterator[Step]:
        """Trains until so many seconds have been spent, those before a resumption included."""
        names = list(TASKS)
        early, later = [task.early for task in TASKS.values()], [task.later for task in TASKS.values()]
        parameters = list(self.model.parameters())
        device = self.model.device
        warm = self.steps
        began = time.monotonic() - self.seconds
        while self.seconds < seconds:
            draw = np.random.Generator(np.random.PCG64([self.seed, self.steps]))
            name = str(draw.choice(names, p=early if self.new and self.seconds < EARLY * seconds else later))
            rate = self.rate * min(1.0, (self.steps - warm + 1) / WARM_UP)
            rate *= min(1.0, (1 - self.seconds / seconds) / COOL_DOWN + 0.01)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            asked = batch(draw, tokens, TASKS[name], self.batch_size)
            asked = {
                n: Masked(m.values.to(device), m.visible.to(device), m.target.to(device)) for n, m in asked.items()
            }
            losses = self._losses(asked, TASKS[name].encoder_tokens, TASKS[name].decoder_tokens)
            total = sum((LOSS_WEIGHTS[n] * loss for n, loss in losses.items()), torch.zeros((), device=device))
            self.optimizer.zero_grad()
            total.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            self.optimizer.step()
            self.steps += 1
            self.samples += self.batch_size
            self.seconds = time.monotonic() - began
            for n, loss in losses.items():
                key, value = f"{name}/{n}", float(loss.detach())
                self._running[key] = 0.98 * self._running.get(key, value) + 0.02 * value
            yield Step(self.steps, self.samples, self.seconds, self._running)

    def _losses(self, asked: Mapping[str, Masked], seen: int, wanted: int) -> dict[str, Tensor]:
        with torch.autocast(self.model.device.type, dtype=torch.bfloat16):
            made = predictions(self.model, asked, seen, wanted)
            return {n: F.cross_entropy(p.logits.float(), p.targets) for n, p in made.items() if len(p.targets)}

    # -- to go on later ---------------------------------------------------------------------------------------------

    def save(self, file: Path) -> None:
        """Everything that is needed to go on, in fp32."""
        tensors = {f"model.{name}": p.detach().contiguous() for name, p in self.model.named_parameters()}
        for name, p in self.model.named_parameters():
            for key in ("exp_avg", "exp_avg_sq"):
                if p in self.optimizer.state:
                    tensors[f"{key}.{name}"] = self.optimizer.state[p][key]
        facts = {"steps": self.steps, "samples": self.samples, "seconds": self.seconds}
        beside = file.with_suffix(".part")
        save_file(tensors, beside, metadata={"state": json.dumps(facts)})
        beside.replace(file)

    def load(self, file: Path) -> None:
        """Goes on from what `save` wrote."""
        with safe_open(file, framework="pt") as stored:
            facts = json.loads(stored.metadata()["state"])
            names = set(stored.keys())
            with torch.no_grad():
                for name, p in self.model.named_parameters():
                    p.copy_(stored.get_tensor(f"model.{name}"))
                    if f"exp_avg.{name}" in names:
                        step = torch.tensor(float(facts["steps"]), device=p.device)
                        moments = {
                            key: stored.get_tensor(f"{key}.{name}").to(p.device) for key in ("exp_avg", "exp_avg_sq")
                        }
                        self.optimizer.state[p] = {"step": step, **moments}
        self.steps, self.samples, self.seconds = facts["steps"], facts["samples"], facts["seconds"]


@torch.inference_mode()
def probe(model: FourM, tokens: TokenSet, count: int = 64) -> dict[str, float]:
    """Part of the tokens predicted rightly in one step from the whole RGB picture, of scenes that were not trained on:
    at the places of things, and of all."""
    model.eval()
    chosen = np.arange(min(count, len(tokens)))
    B = len(chosen)
    full, none = torch.ones(B, POSITIONS, dtype=torch.bool), torch.zeros(B, POSITIONS, dtype=torch.bool)
    found = {}

    things = torch.from_numpy(tokens.things[chosen])
    for name in (SEMSEG, DEPTH, NORMAL):
        asked = {
            RGB: Masked(torch.from_numpy(tokens.images[RGB][chosen].astype(np.int64)), full, none),
            name: Masked(torch.from_numpy(tokens.images[name][chosen].astype(np.int64)), none, full),
        }
        with torch.autocast(model.device.type, dtype=torch.bfloat16):
            asked = {
                n: Masked(*(t.to(model.device) for t in (m.values, m.visible, m.target))) for n, m in asked.items()
            }
            made = predictions(model, asked, POSITIONS, POSITIONS)[name]
        right = (made.logits.argmax(1) == made.targets).view(B, POSITIONS).cpu()
        found[f"{name} things"] = float(right[things].float().mean())
        found[f"{name} all"] = float(right.float().mean())
    model.train()
    return {key: round(value, 3) for key, value in found.items()}


def rounded(losses: Mapping[str, float]) -> str:
    """Losses in one line."""
    return " ".join(
        f"{key.replace('@224', '').replace('tok_', '')} {value:.2f}"
        for key, value in sorted(losses.items())
        if math.isfinite(value)
    )
