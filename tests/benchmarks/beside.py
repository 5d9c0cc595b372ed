"""Ours beside the reference, one job after the other in one go: seconds, peak memory, ratios.

    python -m tests.benchmarks.beside --reference ML4M [--python PYTHON] [--threads 2] [--jobs chain,caption,picture]

ML4M is a checkout of apple/ml-4m, PYTHON an interpreter that can import it. Both sides have the same weights, computed
from their names. Each job is a process of its own, so that its peak memory is its own; figures only, no verdicts.

| job | what |
|---|---|
| chain | caption of 8 tokens -> CLIP (49 ROAR steps) -> RGB (25), guidance 3: `settings_base/T2CR` |
| caption | photo -> 256 tokens of caption, unguided |
| picture | RGB tokens -> picture, diffusion steps of the UNet |
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MODEL, TOKENIZER = "4M-7_B_CC12M", "4M_tokenizers_rgb_16k_224-448"
JOBS = ("chain", "caption", "picture")
CAPTION = [2750, 4410, 4480, 5120, 6001, 7402, 8888, 3]
LENGTH = 256
UNET_STEPS = 4


# -- what is measured ---------------------------------------------------------------------------------------------------


class Peak:
    """The most anonymous memory of this process, looked at every few milliseconds."""

    def __enter__(self) -> Peak:
        self.bytes, self._over = 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.005):
            lines = Path("/proc/self/status").read_text().splitlines()
            line = next(line for line in lines if line.startswith("RssAnon"))
            self.bytes = max(self.bytes, 1024 * int(line.split()[1]))


def ours(job: str, folder: Path, dtype: str) -> Callable[[], Any]:
    """A job of this program, its model loaded."""
    import torch

    from fourm_tui.engine.tokenize import Decoded, Tokenizers
    from fourm_tui.modalities import MODALITIES
    from fourm_tui.model.loading import load_model
    from fourm_tui.plan import plan
    from fourm_tui.sampling.chain import run_chain, step_seeds
    from fourm_tui.sampling.images import patches
    from fourm_tui.sampling.state import ImageTokens, Sequence, State, Vectors
    from fourm_tui.schedule.document import Document
    from fourm_tui.schedule.editor import Editor
    from fourm_tui.schedule.shipped import find_file

    if job == "picture":
        import numpy as np

        tokenizers = Tokenizers({"rgb_tok_id": str(folder / TOKENIZER)}, torch.device("cpu"), dtype, steps=UNET_STEPS)
        for _ in tokenizers.load("tok_rgb@224"):
            pass
        ids = np.random.default_rng(0).integers(0, 16384, 196)

        def decode() -> Any:
            made = list(tokenizers.decode(MODALITIES["tok_rgb@224"], 1, [ids], [], [0]))
            assert isinstance(made[-1], Decoded)
            return made[-1].arrays[0]

        return decode
    model = load_model(str(folder / MODEL), dtype=dtype)
    settings = {"chain": "settings_base/T2CR", "caption": "settings_base/RGB2T"}[job]
    editor = Editor([Document.read(find_file(settings))])
    steps = plan(editor.schedule).steps
    if job == "chain":
        empty = ImageTokens.empty(1, 196)
        state = State({"caption": Sequence.of([CAPTION]), "tok_clip@224": empty, "tok_rgb@224": empty}, 1)
    else:
        pixels = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0)) * 2 - 1
        state = State({"rgb@224": Vectors.of(patches(pixels, 16)), "caption": Sequence.empty(1, LENGTH)}, 1)
    return lambda: sum(1 for _ in run_chain(model, state, steps, step_seeds([0])))


def theirs(job: str, folder: Path, checkout: Path) -> Callable[[], Any]:
    """The same job of the reference."""
    sys.path.insert(0, str(checkout))
    import torch
    from safetensors.torch import load_file

    torch.set_grad_enabled(False)
    config = json.loads((folder / (TOKENIZER if job == "picture" else MODEL) / "config.json").read_text())
    if job == "picture":
        from fourm.vq.vqvae import DiVAE

        tokenizer = DiVAE(config=config)
        tokenizer.load_state_dict(load_file(folder / TOKENIZER / "model.safetensors"), strict=False)
        tokenizer.eval()
        ids = torch.randint(0, 16384, (1, 14, 14), generator=torch.Generator().manual_seed(0))
        return lambda: tokenizer.decode_tokens(ids, timesteps=UNET_STEPS, verbose=False)
    from fourm.data.modality_info import MODALITY_INFO
    from fourm.models.fm import FM
    from fourm.models.generate import (
        GenerationSampler,
        build_chained_generation_schedules,
        init_empty_target_modality,
        init_full_input_modality,
    )

    model = FM(config=config)
    model.load_state_dict(load_file(folder / MODEL / "model.safetensors"), strict=False)
    sampler = GenerationSampler(model.eval())
    cpu = torch.device("cpu")
    targets = ["tok_clip@224", "tok_rgb@224"] if job == "chain" else ["caption"]
    sample: dict[str, Any] = {}
    if job == "chain":
        ids = torch.zeros(1, 256, dtype=torch.int64)
        ids[0, : len(CAPTION)] = torch.tensor(CAPTION)
        sample["caption"] = {"tensor": ids}
        sample = init_full_input_modality(sample, MODALITY_INFO, "caption", cpu)
    else:
        sample["rgb@224"] = {"tensor": torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0)) * 2 - 1}
        sample = init_full_input_modality(sample, MODALITY_INFO, "rgb@224", cpu)
    for target in targets:
        sample = init_empty_target_modality(sample, MODALITY_INFO, target, 1, LENGTH if job == "caption" else 196, cpu)
    schedule = build_chained_generation_schedules(
        cond_domains=["caption"] if job == "chain" else ["rgb@224"],
        target_domains=targets,
        tokens_per_target=[196, 196] if job == "chain" else [LENGTH],
        autoregression_schemes=["roar", "roar"] if job == "chain" else ["autoregressive"],
        decoding_steps=[49, 25] if job == "chain" else [LENGTH],
        token_decoding_schedules=["linear"] * len(targets) if job == "chain" else ["linear"],
        temps=[6.0, 0.5] if job == "chain" else [0.3],
        temp_schedules=["onex:0.5:0.5", "constant"] if job == "chain" else ["constant"],
        cfg_scales=[3.0, 3.0] if job == "chain" else [1.0],
        cfg_schedules=["constant"] * len(targets),
        cfg_grow_conditioning=True,
        modality_info=MODALITY_INFO,
    )
    return lambda: sampler.generate(
        sample, schedule, text_tokenizer=_words(), seed=0, top_p=0.9 if job == "chain" else 0.8
    )


def _words() -> Any:
    """The reference asks its text tokenizer for the sentinels only."""
    from tokenizers import Tokenizer

    import fourm_tui

    return Tokenizer.from_file(str(Path(fourm_tui.__file__).parent / "demo/weights/model/text_tokenizer.json"))


# -- measuring ----------------------------------------------------------------------------------------------------------


def measure(options: argparse.Namespace) -> dict[str, float]:
    import torch

    torch.set_num_threads(options.threads)
    with Peak() as peak:
        if options.side == "ours":
            run = ours(options.job, options.weights, options.dtype)
        else:
            run = theirs(options.job, options.weights, options.reference)
        times = []
        for _ in range(options.times):
            began = time.perf_counter()
            run()
            times.append(time.perf_counter() - began)
    return {"seconds": min(times), "peak_bytes": peak.bytes}


def make_weights(folder: Path) -> None:
    """Makes what is not there yet."""
    from tests.make_checkpoint import make_checkpoint, make_tokenizer

    for name, make in ((MODEL, make_checkpoint), (TOKENIZER, make_tokenizer)):
        if not (folder / name / "model.safetensors").exists():
            make(name, folder / name)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--reference", type=Path, help="a checkout of apple/ml-4m; without it ours alone is measured")
    parser.add_argument("--python", default=sys.executable, help="an interpreter that can import it")
    parser.add_argument("--weights", type=Path, default=Path("benchmark-weights"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--times", type=int, default=2, help="of which the fastest counts")
    parser.add_argument("--jobs", default=",".join(JOBS))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--job", help=argparse.SUPPRESS)
    parser.add_argument("--dtype", default="fp32", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        print(json.dumps(measure(options)))
        return 0
    make_weights(options.weights)
    found: dict[str, dict[str, dict[str, float]]] = {}
    for job in options.jobs.split(","):
        sides = [("reference", "theirs", "fp32", options.python)] if options.reference else []
        sides += [("fp32", "ours", "fp32", sys.executable), ("bf16", "ours", "bf16", sys.executable)]
        found[job] = {}
        for name, side, dtype, python in sides:
            words = [python, "-m", "tests.benchmarks.beside", "--side", side, "--job", job, "--dtype", dtype,
                     "--weights", str(options.weights), "--threads", str(options.threads), "--times", str(options.times),
                     *(["--reference", str(options.reference)] if options.reference else [])]  # fmt: skip
            done = subprocess.run(
                words, stdout=subprocess.PIPE, check=True, env={**os.environ, "OMP_NUM_THREADS": str(options.threads)}
            )
            found[job][name] = json.loads(done.stdout.splitlines()[-1])
            if not options.json:
                print(in_words(job, name, found[job]), flush=True)
    if options.json:
        print(json.dumps(found, indent=1))
    return 0


def in_words(job: str, name: str, found: dict[str, dict[str, float]]) -> str:
    figures, beside = found[name], found.get("reference")
    text = f"{job:8} {name:10} {figures['seconds']:8.2f} s  {figures['peak_bytes'] / 1e9:6.2f} GB"
    if beside and name != "reference":
        speed, memory = beside["seconds"] / figures["seconds"], figures["peak_bytes"] / beside["peak_bytes"]
        text += f"   {speed:5.2f} times as fast, {100 * memory:.0f} % of the memory"
    return text


if __name__ == "__main__":
    raise SystemExit(main())
