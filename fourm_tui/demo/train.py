"""`python -m fourm_tui.demo.train`: makes the model in the box, from nothing or from where it is.

Scenes are rendered, four image tokenizers trained on them one after the other, more scenes turned into tokens, and
the 4M model trained on those. What is finished is not done again: an interrupted training goes on from its last
checkpoint, and `--from-weights` trains the shipped model further. See README.md in this folder for what it cost.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import torch

from fourm_tui.demo.data import HELD_OUT, scenes_on_disk
from fourm_tui.demo.files import load_state, save_checkpoint, save_state
from fourm_tui.demo.learning import Learner, probe, rounded
from fourm_tui.demo.model import CONFIG, new_model
from fourm_tui.demo.text import write_text_tokenizer
from fourm_tui.demo.tokenizers import RECIPES, Recipe, new_tokenizer, quality, train
from fourm_tui.demo.tokens import TokenSet, tokens_on_disk
from fourm_tui.engine.loading import choose_device
from fourm_tui.model.loading import load_model
from fourm_tui.paths import bundled_dir, cache_dir
from fourm_tui.tokenizers.loading import load_tokenizer
from fourm_tui.tokenizers.text import BESIDE_MODEL, TextTokenizer
from fourm_tui.tokenizers.vqvae import VQVAE

HELD_OUT_SCENES = 256
CHECKPOINT_SECONDS = 600
TOKENIZER_MINUTES: Mapping[str, float] = {
    "tok_rgb@224": 30, "tok_depth@224": 5, "tok_normal@224": 5.5, "tok_semseg@224": 5,
}  # fmt: skip
"""On one core of a CPU; a GPU needs less."""


def main(argv: list[str] | None = None) -> int:
    options = _options(argv)
    device = choose_device(options.device)
    torch.manual_seed(options.seed)
    work, out = Path(options.work), Path(options.out)
    work.mkdir(parents=True, exist_ok=True)
    tokenizers = {}
    for name, recipe in RECIPES.items():
        folder = out / name.partition("@")[0]
        if not (folder / "config.json").is_file():
            _train_tokenizer(name, recipe, folder, work, device, options)
        tokenizer = load_tokenizer(str(folder), device)
        assert isinstance(tokenizer, VQVAE)
        tokenizers[name] = tokenizer
    (out / "model").mkdir(parents=True, exist_ok=True)
    write_text_tokenizer(out / "model" / BESIDE_MODEL)
    text = TextTokenizer(out / "model" / BESIDE_MODEL)
    tokens = tokens_on_disk(work, 0, options.scenes, tokenizers, text, progress=_Said("tokens of scenes"))
    held_out = tokens_on_disk(work, HELD_OUT, min(HELD_OUT_SCENES, options.scenes), tokenizers, text)
    _train_model(tokens, held_out, work / "model.safetensors", out / "model", device, options)
    return 0


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fourm_tui.demo.train", description="Trains the model in the box.")
    parser.add_argument(
        "--work", default=str(cache_dir() / "demo"), help="scenes, tokens and checkpoints (%(default)s)"
    )
    parser.add_argument("--out", default=str(bundled_dir()), help="where the weights go (%(default)s)")
    parser.add_argument("--minutes", type=float, default=120, help="of the model's training altogether (%(default)s)")
    parser.add_argument("--tokenizer-minutes", type=float, help="of each tokenizer (30 for RGB, 5 for the others)")
    parser.add_argument("--tokenizer-scenes", type=int, default=8000, help="tokenizers are trained on (%(default)s)")
    parser.add_argument("--scenes", type=int, default=24_000, help="the model is trained on (%(default)s)")
    parser.add_argument("--batch-size", type=int, default=16, help="samples per step (%(default)s)")
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate (%(default)s)")
    parser.add_argument("--from-weights", action="store_true", help="go on from the model in --out")
    parser.add_argument("--device", help="cpu, cuda, mps (the best there is)")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)


class _Said:
    """Progress in one line, on standard error."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __call__(self, done: int, total: int) -> None:
        print(f"\r{self.what}: {done} of {total}", end="\n" if done == total else "", file=sys.stderr, flush=True)


def _train_tokenizer(
    name: str, recipe: Recipe, folder: Path, work: Path, device: torch.device, options: argparse.Namespace
) -> None:
    scenes = scenes_on_disk(work, 0, options.tokenizer_scenes, _Said("scenes"))
    held_out = scenes_on_disk(work, HELD_OUT, min(HELD_OUT_SCENES, options.tokenizer_scenes))
    tokenizer = new_tokenizer(recipe).to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    state, start = work / f"{folder.name}.safetensors", 0.0
    if state.is_file():
        start = float(load_state(state, tokenizer)["seconds"])
    seconds, told = 60 * (options.tokenizer_minutes or TOKENIZER_MINUTES[name]), start
    saved = start
    for step in train(tokenizer, recipe, scenes, seconds, options.seed, start=start):
        if step.seconds > saved + CHECKPOINT_SECONDS:
            saved = step.seconds
            save_state(state, tokenizer, seconds=saved)
        if step.seconds > told + 10:
            told = step.seconds
            print(
                f"\r{name}: {told / 60:.1f} of {seconds / 60:g} min, step {step.step}, loss {step.loss:.4f} ",
                end="", file=sys.stderr, flush=True,
            )  # fmt: skip
    print(f"\n{name}: {quality(tokenizer, recipe, held_out, len(held_out))}", file=sys.stderr)
    save_checkpoint(folder, recipe.config, tokenizer.state_dict())


def _train_model(
    tokens: TokenSet, held_out: TokenSet, state: Path, folder: Path, device: torch.device, options: argparse.Namespace
) -> None:
    model = new_model(options.seed)
    if options.from_weights and not state.is_file():
        model = load_model(str(folder), "cpu", "fp32", packed=False)
        model.bring()
    learner = Learner(model.to(device), options.rate, options.seed, options.batch_size, new=not options.from_weights)
    if state.is_file():
        learner.load(state)
        print(f"going on from step {learner.steps}, after {learner.seconds / 60:.1f} min", file=sys.stderr)
    told = saved = learner.seconds
    for step in learner.learn(tokens, 60 * options.minutes):
        if step.seconds > told + 60:
            told = step.seconds
            rate = step.samples / step.seconds
            print(
                f"{told / 60:.0f} min, step {step.number}, {rate:.0f} samples/s: {rounded(step.losses)}",
                file=sys.stderr,
            )
        if step.seconds > saved + CHECKPOINT_SECONDS:
            saved = step.seconds
            learner.save(state)
            print(f"kept in {state}; right on unseen scenes: {probe(learner.model, held_out)}", file=sys.stderr)
    learner.save(state)
    print(f"right on unseen scenes: {probe(learner.model, held_out, len(held_out))}", file=sys.stderr)
    write_model(folder, learner.model)


def write_model(folder: Path, model: torch.nn.Module) -> None:
    """Config and weights in the Hub's layout, in fp16; what all models have (text positions, norm biases) stays out."""
    images = set(RECIPES)
    tensors = {
        name: tensor
        for name, tensor in model.state_dict().items()
        if not name.endswith("norm.bias") and not (name.endswith("pos_emb") and name.split(".")[1] not in images)
    }
    save_checkpoint(folder, CONFIG, tensors)


if __name__ == "__main__":
    raise SystemExit(main())
