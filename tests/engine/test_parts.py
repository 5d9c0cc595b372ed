"""A run that goes on in smaller pieces, or without some of its samples."""

from __future__ import annotations

from typing import Any

import pytest

from fourm_tui.engine.job import Job, Models
from fourm_tui.engine.memory import OutOfMemoryError
from fourm_tui.engine.row import RowDecoder
from fourm_tui.engine.run import run
from fourm_tui.events import (
    Event,
    Note,
    RunCancelled,
    RunDone,
    SampleSkipped,
    StepDone,
)
from tests.engine.small_jobs import SETTINGS, SR, TEXT, Kept, job, outputs, photo

# -- memory ----------------------------------------------------------------------------------------------------------


class Tight:
    """Says that memory ran out wherever more than so many samples are decoded together."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
        self.most, self.decode = most, RowDecoder.decode
        monkeypatch.setattr(RowDecoder, "decode", lambda row, stop, skipped: self.tried(row, stop, skipped))

    def tried(self, row: RowDecoder, stop: Any, skipped: Any) -> Any:
        for number, event in enumerate(self.decode(row, stop, skipped)):
            if len(row.numbers) > self.most and number == 2:
                raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
            yield event


WORDS = TEXT.format(target="caption", scale=1.0, schedule="constant")


@pytest.mark.parametrize("settings", [SETTINGS, WORDS], ids=["images", "text"])
def test_what_does_not_fit_together_is_made_in_pieces_with_the_same_result(
    settings: str, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ("a red fox", "the sun", "tea", "a", "on the sun")
    samples = [{"rgb@224": photo(i)} if settings is WORDS else {"caption": text} for i, text in enumerate(texts)]
    asked = job(settings, samples, [1, 2, 3, 4, 5])
    expected = outputs(models, asked)
    Tight(monkeypatch, 2)
    kept = Kept()
    events = list(run(models, asked, kept))
    assert {
        name: [tokens.tolist() for tokens in target.tokens.values()] for name, target in kept.targets.items()
    } == expected
    notes = [event.message for event in events if isinstance(event, Note)]
    assert "5 samples at once do not fit in memory; going on with 3" in notes[0]
    told = {sample for event in events if isinstance(event, StepDone) for sample in event.samples}
    assert told == set(range(5))


def test_what_does_not_fit_alone_fails_with_what_was_found(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    Tight(monkeypatch, 0)
    with pytest.raises(OutOfMemoryError, match=r"out of memory on cpu, with one sample .* 2.00 GiB .* GB are free"):
        list(run(models, job(SETTINGS, [{"caption": "x"}])))


def test_what_is_kept_from_pass_to_pass_is_freed_before_anything_is_made_in_pieces(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = job(SETTINGS, [{"caption": "x"}, {"caption": "y"}], [1, 2])
    expected = outputs(models, asked)
    tight = Tight(monkeypatch, 1)
    freed: list[bool] = []

    def forget(_: Models) -> bool:
        tight.most = 9  # as much as was taken
        freed.append(not freed)
        return freed[-1]

    monkeypatch.setattr(Models, "forget", forget)
    kept = Kept()
    events = list(run(models, asked, kept))
    assert freed == [True]
    assert not [event for event in events if isinstance(event, Note)]
    assert {
        name: [tokens.tolist() for tokens in each.tokens.values()] for name, each in kept.targets.items()
    } == expected


def test_freeing_again_and_again_comes_to_an_end(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    Tight(monkeypatch, 0)
    monkeypatch.setattr(Models, "forget", lambda models: True)
    with pytest.raises(OutOfMemoryError, match="with one sample"):
        list(run(models, job(SETTINGS, [{"caption": "x"}])))


# -- samples that are left out ---------------------------------------------------------------------------------------


CAPTIONS = ("a red fox", "the sun", "tea", "a")


def skipping(models: Models, asked: Job, number: int, after: int) -> tuple[Kept, list[Event]]:
    """A run that goes on without a sample after some steps."""
    kept = Kept()
    events: list[Event] = []

    def skipped() -> frozenset[int]:
        return frozenset({number} if steps_of(events) >= after else ())

    for event in run(models, asked, kept, skipped=skipped):
        events.append(event)
    return kept, events


def steps_of(events: list[Event]) -> int:
    return sum(isinstance(event, StepDone) for event in events)


@pytest.mark.parametrize("after", [0, 2, 3, 5])
@pytest.mark.parametrize("text", [False, True], ids=["images", "text"])
def test_a_skipped_sample_changes_nothing_about_the_others(text: bool, after: int, models: Models) -> None:
    settings = TEXT.format(target="caption", scale=2.0, schedule="constant") if text else SETTINGS + SR
    samples = [{"rgb@224": photo(i)} if text else {"caption": caption} for i, caption in enumerate(CAPTIONS)]
    asked = job(settings, samples, [1, 2, 3, 4])
    whole = outputs(models, asked)
    kept, events = skipping(models, asked, 1, after)
    assert isinstance(events[-1], RunDone)
    skipped = next(place for place, event in enumerate(events) if isinstance(event, SampleSkipped))
    later = [event for event in events[skipped:] if isinstance(event, StepDone)]
    assert {sample for event in later for sample in event.samples} == {0, 2, 3}
    assert steps_of(events[:skipped]) == after
    for name, each in whole.items():
        found = kept.targets[name].tokens
        assert {number: found[number].tolist() for number in (0, 2, 3)} == {n: each[n] for n in (0, 2, 3)}
    last = next(reversed(kept.targets.values()))
    assert 1 not in last.tokens
    assert 1 not in last.texts


def test_without_any_sample_left_a_run_is_cancelled(models: Models) -> None:
    for captions in (CAPTIONS[:1], CAPTIONS):
        everyone = frozenset(range(len(captions)))
        asked = job(SETTINGS, [{"caption": caption} for caption in captions])
        events: list[Event] = []
        for event in run(models, asked, skipped=lambda: everyone if steps_of(events) >= 2 else frozenset()):  # noqa: B023
            events.append(event)
        assert isinstance(events[-1], RunCancelled)
        assert steps_of(events) == 2


def test_a_sample_skipped_where_memory_is_tight(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = job(SETTINGS, [{"caption": caption} for caption in CAPTIONS], [1, 2, 3, 4])
    whole = outputs(models, asked)
    Tight(monkeypatch, 1)
    for after in (0, 1, 4):
        kept, events = skipping(models, asked, 2, after)
        assert isinstance(events[-1], RunDone)
        found = kept.targets["tok_rgb@224"].tokens
        assert {number: ids.tolist() for number, ids in found.items()} == {
            n: whole["tok_rgb@224"][n] for n in (0, 1, 3)
        }
