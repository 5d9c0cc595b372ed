"""Pictures of targets that are not finished: when they come, where they go, and that they change nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from fourm_tui.conditions.loading import load_conditions
from fourm_tui.engine.job import Job, Models, Target
from fourm_tui.engine.keep import run_in_folder
from fourm_tui.engine.outputs import Outputs
from fourm_tui.engine.run import run
from fourm_tui.engine.tokenize import Tokenizers
from fourm_tui.events import Event, Note, Preview, StepDone
from fourm_tui.runs import RunRecord, SampleRecord, create_run
from fourm_tui.sampling.chain import Decoded
from fourm_tui.schedule.document import Document
from fourm_tui.schedule.reading import read_schedule
from tests.tiny import tiny_model
from tests.tiny_tokenizers import small_sizes, tiny_tokenizers

SETTINGS = """\
cond_domains: caption
target_domains: {target}
tokens_per_target: 196
autoregression_schemes: {scheme}
decoding_steps: 6
token_decoding_schedules: linear
temps: 1.0
temp_schedules: constant
cfg_scales: 2.0
cfg_schedules: constant
"""


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    with small_sizes():
        yield


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return tiny_tokenizers(tmp_path_factory.mktemp("tokenizers"))


@pytest.fixture
def with_pictures(models: Models, tokenizers: dict[str, str]) -> Models:
    domains = ["caption", "tok_rgb@224", "tok_depth@224"]
    model = tiny_model(domains_in=domains, domains_out=domains)
    return Models(model, None, models.text, Tokenizers(tokenizers, torch.device("cpu"), steps=2))


def job(every: int, scheme: str = "roar", target: str = "tok_rgb@224", samples: int = 1) -> Job:
    schedule = read_schedule([Document.parse(SETTINGS.format(scheme=scheme, target=target))])
    assert schedule.problems == ()
    return Job(
        schedule, [load_conditions({"caption": "a fox"})] * samples, list(range(samples)), preview_every=every
    )  # fmt: skip


class Kept(Outputs):
    """Remembers what was finished and what was previewed."""

    wants_pictures = True

    def __init__(self) -> None:
        self.target: Target | None = None
        self.previewed: list[tuple[int, Image.Image]] = []

    def tokens(self, target: Target, sample: int) -> tuple[str, ...]:
        self.target = target
        return ()

    def preview(self, row: int, target: str, sample: int, picture: Image.Image) -> str | None:
        self.previewed.append((sample, picture))
        return "preview.png"


def events_of(models: Models, asked: Job, kept: Kept | None = None) -> list[Event]:
    return list(run(models, asked, kept or Kept()))


def test_there_is_none_unless_asked_for(with_pictures: Models) -> None:
    assert not [event for event in events_of(with_pictures, job(0)) if isinstance(event, Preview)]


def test_they_come_every_so_many_steps_but_not_after_the_last(with_pictures: Models) -> None:
    events = events_of(with_pictures, job(2))
    assert [event.step for event in events if isinstance(event, Preview)] == [1, 3]


@pytest.mark.parametrize("scheme", ["roar", "maskgit"])
def test_tokens_are_the_same_with_and_without(with_pictures: Models, scheme: str) -> None:
    plain, previewed = Kept(), Kept()
    events_of(with_pictures, job(0, scheme), plain)
    events_of(with_pictures, job(1, scheme), previewed)
    assert plain.target and previewed.target
    assert np.array_equal(plain.target.tokens[0], previewed.target.tokens[0])


def test_the_random_numbers_of_torch_are_left_alone(with_pictures: Models) -> None:
    before = torch.get_rng_state()
    events_of(with_pictures, job(1))
    assert torch.equal(torch.get_rng_state(), before)


def test_every_sample_has_its_own(with_pictures: Models) -> None:
    kept = Kept()
    events_of(with_pictures, job(3, samples=2), kept)
    assert [sample for sample, _ in kept.previewed] == [0, 1]
    assert kept.previewed[0][1].tobytes() != kept.previewed[1][1].tobytes()


@pytest.mark.parametrize("scheme", ["roar", "maskgit"])
def test_what_is_decoded_is_in_the_picture_as_it_is(
    with_pictures: Models, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    decode = Tokenizers.decode

    def spy(self: Tokenizers, modality: Any, row: int, tokens: Any, *rest: Any, **more: Any) -> Any:
        asked.append((np.stack(tokens), more.get("steps")))
        return decode(self, modality, row, tokens, *rest, **more)

    monkeypatch.setattr(Tokenizers, "decode", spy)
    events = events_of(with_pictures, job(2, scheme))
    steps = [event for event in events if isinstance(event, StepDone)]
    guessed, made = asked[0]
    at = np.concatenate([step.positions.array for step in steps[:2]], axis=1)
    tokens = np.concatenate([step.tokens.array for step in steps[:2]], axis=1)
    assert np.array_equal(np.take_along_axis(guessed, at, axis=1), tokens)
    assert made == 1


def test_open_positions_take_the_most_probable_token(with_pictures: Models) -> None:
    from fourm_tui.engine.job import plan_job
    from fourm_tui.engine.prepare import base_state
    from fourm_tui.sampling.chain import branch_logits, run_chain, step_seeds
    from fourm_tui.sampling.guidance import combine

    asked = job(0)
    rows = plan_job(with_pictures, asked).rows
    state = base_state(with_pictures.model, rows, asked.samples, with_pictures.text)
    decoded: Decoded = next(iter(run_chain(with_pictures.model, state, rows[0].steps, step_seeds([0]))))
    assert decoded.guess is not None
    left = decoded.state.image("tok_rgb@224").open_positions()
    with torch.inference_mode():
        logits = combine(branch_logits(with_pictures.model, decoded.state, decoded.step, left), decoded.step.guidance)
    assert torch.equal(decoded.guess().gather(1, left), logits.argmax(-1))


def test_in_a_folder_it_is_a_file_until_the_picture_is_there(tmp_path: Path, with_pictures: Models) -> None:
    asked = replace(job(2), name="run")
    folder = create_run(tmp_path, RunRecord("run", samples=(SampleRecord(0),)))
    there = []
    for event in run_in_folder(folder, with_pictures, asked):
        if isinstance(event, Preview):
            with Image.open(folder.file(event.file)) as picture:
                there.append(picture.size)
    assert len(there) == 2
    assert not list(folder.folder.rglob("*preview*"))


def test_their_cost_is_told(with_pictures: Models) -> None:
    notes = [event.message for event in events_of(with_pictures, job(2)) if isinstance(event, Note)]
    assert any(note.startswith("2 previews of unfinished targets took") for note in notes)
