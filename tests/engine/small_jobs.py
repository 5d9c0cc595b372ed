"""Jobs that take a moment, and what they hand over."""

from __future__ import annotations

from typing import Any

import numpy as np

from fourm_tui.conditions.loading import Condition, load_conditions
from fourm_tui.engine.job import Job, Models, Target
from fourm_tui.engine.outputs import Outputs
from fourm_tui.engine.run import run
from fourm_tui.events import (
    RunDone,
)
from fourm_tui.schedule.document import Document
from fourm_tui.schedule.reading import read_schedule

SETTINGS = """\
cond_domains: caption
target_domains: tok_clip@224-tok_rgb@224
tokens_per_target: 196
autoregression_schemes: roar-maskgit
decoding_steps: 3-4
token_decoding_schedules: cosine
temps: 1.0
temp_schedules: constant
cfg_scales: 2.0
cfg_schedules: constant
cfg_grow_conditioning: True
top_p: 0.9
top_k: 0.0
"""
SR = """\
sr_target_domains: tok_clip@448-tok_rgb@448
sr_decoding_steps: 2
sr_temps: 1.0
sr_temp_schedules: constant
sr_cfg_scales: 2.0
"""
TEXT = """\
cond_domains: rgb@224
target_domains: {target}
tokens_per_target: 12
autoregression_schemes: autoregressive
decoding_steps: null
token_decoding_schedules: null
temps: 1.0
temp_schedules: constant
cfg_scales: {scale}
cfg_schedules: {schedule}
"""


class Kept(Outputs):
    """What `run` hands over, by target."""

    def __init__(self) -> None:
        self.targets: dict[str, Target] = {}

    def tokens(self, target: Target, sample: int) -> tuple[str, ...]:
        self.targets[target.name] = target
        return ()


def job(settings: str, samples: list[dict[str, Any]], seeds: list[int] | None = None, **more: Any) -> Job:
    schedule = read_schedule([Document.parse(settings)])
    assert schedule.problems == ()
    loaded = [load_conditions(sample) for sample in samples]
    return Job(schedule, loaded, seeds or list(range(len(samples))), **more)


def outputs(models: Models, job: Job) -> dict[str, list[list[int]]]:
    kept = Kept()
    events = list(run(models, job, kept))
    assert isinstance(events[-1], RunDone)
    return {name: [tokens.tolist() for tokens in target.tokens.values()] for name, target in kept.targets.items()}


def photo(seed: int) -> Condition:
    pixels = np.random.default_rng(seed).normal(size=(3, 224, 224)).astype(np.float32)
    return Condition("rgb@224", pixels=pixels)
