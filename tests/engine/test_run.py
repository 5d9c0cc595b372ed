"""A run: what it tells, what it leaves, and that a batch changes nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fourm_tui.conditions.loading import Condition
from fourm_tui.engine.job import Job, Models
from fourm_tui.engine.keep import run_in_folder
from fourm_tui.engine.row import RowDecoder
from fourm_tui.engine.run import run
from fourm_tui.errors import InputError
from fourm_tui.events import (
    Event,
    RowStarted,
    RunCancelled,
    RunDone,
    RunFailed,
    RunStarted,
    StepDone,
    TargetDone,
    TextPiece,
    read_events,
)
from fourm_tui.runs import GIVEN, RunRecord, SampleRecord, create_run, open_run, read_tokens
from fourm_tui.sampling import chain
from tests.engine.small_jobs import SETTINGS, SR, TEXT, Kept, job, outputs, photo


def test_events_tell_the_whole_run(models: Models) -> None:
    events = list(run(models, job(SETTINGS, [{"caption": "a red fox"}])))
    kinds = [type(event) for event in events]
    assert kinds == [
        RunStarted, RowStarted, *[StepDone] * 3, TargetDone, RowStarted, *[StepDone] * 4, TargetDone, RunDone,
    ]  # fmt: skip
    steps = [event for event in events if isinstance(event, StepDone)]
    assert [(step.row, step.step, step.total_step) for step in steps] == [
        (1, 0, 0), (1, 1, 1), (1, 2, 2), (2, 0, 3), (2, 1, 4), (2, 2, 5), (2, 3, 6),
    ]  # fmt: skip
    assert {step.total_steps for step in steps} == {7}
    for row in (1, 2):
        positions = np.concatenate([step.positions.array[0] for step in steps if step.row == row])
        assert sorted(positions.tolist()) == list(range(196))
    for step in steps:
        assert step.tokens.array.max() < 64
        assert 0 <= step.confidence.array.min() <= step.confidence.array.max() <= 1


@pytest.mark.parametrize("settings", [SETTINGS, SETTINGS + SR])
def test_a_batch_of_different_samples_gives_the_tokens_of_single_runs(models: Models, settings: str) -> None:
    captions = ["a red fox", "snow", "a dog and a cat on a table", "the sea", "a", "two boats", "a red house", "x y z"]
    samples = [{"caption": caption} for caption in captions]
    seeds = [7, 2**64 - 1, 3, 3, 0, 12345, 99, 1]
    together = outputs(models, job(settings, samples, seeds))
    ties = 0
    for index, sample in enumerate(samples):
        alone = outputs(models, job(settings, [sample], [seeds[index]]))
        for name, tokens in alone.items():
            ties += int((np.array(tokens[0]) != np.array(together[name][index])).sum())
    assert ties == 0, f"{ties} of {len(samples) * sum(len(t[0]) for t in together.values())} tokens differ by ties"


def test_text_of_a_batch_is_that_of_single_runs(models: Models) -> None:
    settings = TEXT.format(target="caption", scale=2.0, schedule="constant")
    samples = [{"rgb@224": photo(seed)} for seed in range(3)]
    together = outputs(models, job(settings, samples, [5, 6, 7]))
    for index, sample in enumerate(samples):
        assert outputs(models, job(settings, [sample], [5 + index]))["caption"][0] == together["caption"][index]


def test_the_same_seed_gives_the_same_and_another_seed_another(models: Models) -> None:
    one, same, other = (outputs(models, job(SETTINGS, [{"caption": "a fox"}], [seed])) for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_guidance_weights_change_what_comes_out(models: Models) -> None:
    weighted = SETTINGS.replace("cfg_scales: 2.0", "cfg_scales: [{{caption: {}}}, 1.0]")
    found = [
        outputs(models, job(weighted.format(weight), [{"caption": "a fox"}]))["tok_clip@224"]
        for weight in ("2.0", "-1.0", "0.0")
    ]
    assert found[0] != found[1] != found[2]


def test_no_conditions_at_all(models: Models) -> None:
    settings = SETTINGS.replace("cond_domains: caption", "cond_domains: []")
    assert len(outputs(models, job(settings, [{}]))["tok_rgb@224"][0]) == 196


def test_super_resolution_sees_the_base_outputs(models: Models) -> None:
    found = outputs(models, job(SETTINGS + SR, [{"caption": "a fox"}]))
    assert [len(tokens[0]) for tokens in found.values()] == [196, 196, 784, 784]
    # With nothing to see, and nothing to guide by, the same seed gives something else.
    blind = outputs(models, job(SETTINGS + SR + "sr_cond_domains: []\n", [{"caption": "a fox"}]))
    assert blind["tok_rgb@224"] == found["tok_rgb@224"]
    assert blind["tok_clip@448"] != found["tok_clip@448"]


def test_a_partly_given_target_keeps_what_is_given(models: Models) -> None:
    tokens, known = np.arange(196) % 64, np.arange(196) < 150
    given = Condition("tok_clip@224", False, tokens=tokens, known=known)
    kept = Kept()
    list(run(models, job(SETTINGS, [{"caption": "a fox", "tok_clip@224": given}]), kept))
    target = kept.targets["tok_clip@224"]
    assert target.tokens[0][:150].tolist() == tokens[:150].tolist()
    assert (target.step[0][:150] == GIVEN).all()
    assert sorted(set(target.step[0][150:].tolist())) == [0, 1, 2]


def test_samples_with_different_numbers_of_open_positions_are_refused(models: Models) -> None:
    def given(count: int) -> dict[str, Any]:
        known = np.arange(196) < count
        return {
            "caption": "x",
            "tok_clip@224": Condition("tok_clip@224", False, tokens=np.zeros(196, int), known=known),
        }

    with pytest.raises(InputError, match="same number of given positions"):
        list(run(models, job(SETTINGS, [given(10), given(11)])))


def test_a_caption_with_a_sentinel_is_completed(models: Models) -> None:
    assert models.text is not None
    settings = TEXT.format(target="caption", scale=1.0, schedule="constant")
    kept = Kept()
    events = list(run(models, job(settings, [{"rgb@224": photo(0), "caption": "a red [S_1] snow"}]), kept))
    target = kept.targets["caption"]
    red, snow = (models.text.encode(word) for word in ("a red", "snow"))
    ids = target.tokens[0].tolist()
    assert ids[: len(red)] == red
    assert ids[-len(snow) :] == snow
    assert target.step[0][: len(red)].tolist() == [GIVEN] * len(red)
    pieces = [event for event in events if isinstance(event, TextPiece)]
    assert len(pieces) <= 11
    assert pieces[-1].finished
    assert not any(piece.finished for piece in pieces[:-1])


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine"])
def test_guided_text_with_every_guidance_schedule(models: Models, schedule: str) -> None:
    settings = TEXT.format(target="caption", scale=3.0, schedule=schedule)
    assert outputs(models, job(settings, [{"rgb@224": photo(0)}]))["caption"]


def test_t5_embeddings_condition(models: Models) -> None:
    settings = SETTINGS.replace("cond_domains: caption", "cond_domains: t5_caption")
    vectors = np.random.default_rng(0).normal(size=(9, 4096)).astype(np.float32)
    one = outputs(models, job(settings, [{"t5_caption": vectors}]))
    assert one != outputs(models, job(settings, [{"t5_caption": vectors[::-1].copy()}]))


def test_dense_instances_are_several_passes_put_together(models: Models) -> None:
    settings = TEXT.format(target="sam_instance", scale=1.0, schedule="constant")
    sample = {"rgb@224": photo(0)}
    once = outputs(models, job(settings, [sample, sample], [4, 5]))["sam_instance"]
    dense = outputs(models, job(settings, [sample, sample], [4, 5], sam_dense=3))["sam_instance"]
    for single, several in zip(once, dense, strict=True):
        assert several[: len(single)] == single
        assert len(several) > len(single)


@pytest.mark.parametrize("target", ["sam_instance-tok_clip@224", "tok_clip@224"])
def test_dense_instances_cannot_be_chained_onward(models: Models, target: str) -> None:
    settings = SETTINGS.replace("tok_clip@224-tok_rgb@224", target)
    if "sam" in target:
        settings = settings.replace("roar-maskgit", "autoregressive-roar")
    else:
        settings = settings.replace("roar-maskgit", "roar").replace("3-4", "3")
    with pytest.raises(InputError, match="sam_instance"):
        list(run(models, job(settings, [{"caption": "x"}], sam_dense=2)))


def test_super_resolution_without_its_model_is_refused(models: Models) -> None:
    with pytest.raises(InputError, match="sr_model"):
        list(run(replace(models, sr_model=None), job(SETTINGS + SR, [{"caption": "x"}])))


# -- the run folder -------------------------------------------------------------------------------------------------


def kept_run(tmp_path: Path, models: Models, job: Job, **more: Any) -> tuple[Path, list[Event]]:
    folder = create_run(tmp_path, RunRecord("test", samples=tuple(SampleRecord(seed) for seed in job.seeds)))
    return folder.folder, list(run_in_folder(folder, models, job, **more))


def test_the_folder_holds_tokens_steps_and_confidence(tmp_path: Path, models: Models) -> None:
    folder, events = kept_run(tmp_path, models, job(SETTINGS, [{"caption": "a"}, {"caption": "b c"}], [3, 4]))
    done = open_run(folder)
    assert done.record.status == "done"
    assert [(row.target, row.state) for row in done.record.rows] == [("tok_clip@224", "done"), ("tok_rgb@224", "done")]
    assert done.finished() == {(1, 0), (1, 1), (2, 0), (2, 1)}
    assert list(read_events(done.events)) == events
    assert [event.seq for event in events] == list(range(len(events)))
    for sample, seed in enumerate((3, 4)):
        found = read_tokens(done.path_for(2, "tok_rgb@224", sample, ".safetensors"))
        assert (found.modality, found.row, found.seed, len(found.tokens)) == ("tok_rgb@224", 2, seed, 196)
        assert sorted(set(found.step.tolist())) == [0, 1, 2, 3]
        assert 0 < found.confidence.min() <= found.confidence.max() <= 1


def test_text_is_a_file_too(tmp_path: Path, models: Models) -> None:
    settings = TEXT.format(target="caption", scale=1.0, schedule="constant")
    folder, events = kept_run(tmp_path, models, job(settings, [{"rgb@224": photo(0)}]))
    (done,) = [event for event in events if isinstance(event, TargetDone)]
    assert done.files == ("samples/000/01_caption.safetensors", "samples/000/01_caption.txt")
    assert (folder / done.files[1]).read_text().endswith("\n")


def test_a_stop_leaves_what_is_finished(tmp_path: Path, models: Models) -> None:
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 5

    folder, events = kept_run(tmp_path, models, job(SETTINGS, [{"caption": "a"}]), stop=stop)
    assert isinstance(events[-1], RunCancelled)
    stopped = open_run(folder)
    assert stopped.record.status == "cancelled"
    assert stopped.finished() == {(1, 0)}
    assert [row.state for row in stopped.record.rows] == ["done", "running"]


def test_an_error_is_logged_and_raised(tmp_path: Path, models: Models) -> None:
    broken = job(SETTINGS, [{"caption": "a"}])
    folder = create_run(tmp_path, RunRecord("test", samples=(SampleRecord(0),)))
    events = run_in_folder(folder, replace(models, text=None), broken)
    with pytest.raises(InputError, match="text tokenizer"):
        list(events)
    logged = list(read_events(folder.events))
    assert isinstance(logged[-1], RunFailed)
    assert open_run(folder.folder).record.status == "failed"


def test_a_viewer_that_leaves_cancels_the_run(tmp_path: Path, models: Models) -> None:
    folder = create_run(tmp_path, RunRecord("test", samples=(SampleRecord(0),)))
    events = run_in_folder(folder, models, job(SETTINGS, [{"caption": "a"}]))
    for _ in range(4):
        next(events)
    events.close()  # type: ignore[attr-defined]
    assert open_run(folder.folder).record.status == "cancelled"
    assert isinstance(list(read_events(folder.events))[-1], RunCancelled)


def one_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps are told as on a GPU: while the next one is made."""
    begin = RowDecoder.__init__

    def beginning(self: RowDecoder, *args: Any, **more: Any) -> None:
        begin(self, *args, **more)
        self.behind = 0 if self.row.is_sequence else 1

    monkeypatch.setattr(RowDecoder, "__init__", beginning)


def test_telling_a_step_while_the_next_one_is_made_changes_no_event(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> list[Event]:
        events = run(models, job(SETTINGS, [{"caption": "a red fox"}]))
        return [replace(event, seconds=0.0) if hasattr(event, "seconds") else event for event in events]

    at_once = told()
    made: list[str] = []
    step = chain._image

    def noted(*args: Any) -> Any:
        made.append("made")
        return step(*args)

    monkeypatch.setattr(chain, "_image", noted)
    one_behind(monkeypatch)
    assert told() == at_once
    made.clear()
    for event in run(models, job(SETTINGS, [{"caption": "a red fox"}])):
        made += ["told"] if isinstance(event, StepDone) else []
    assert made[:4] == ["made", "made", "told", "made"]


def test_a_step_that_was_made_is_told_before_a_run_stops(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    one_behind(monkeypatch)
    asked: list[None] = []

    def stop() -> bool:
        asked.append(None)
        return len(asked) > 2

    events = list(run(models, job(SETTINGS, [{"caption": "a red fox"}]), stop=stop))
    assert [event.step for event in events if isinstance(event, StepDone)] == [0, 1]
    assert isinstance(events[-1], RunCancelled)
