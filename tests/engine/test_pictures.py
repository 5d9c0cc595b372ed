"""Pictures in and out: conditions are encoded, targets decoded, files and a contact sheet kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from fourm_tui.conditions.loading import load_conditions
from fourm_tui.engine.job import Job, Models
from fourm_tui.engine.keep import run_in_folder
from fourm_tui.engine.outputs import Outputs
from fourm_tui.engine.run import run
from fourm_tui.engine.tokenize import Decoded, Tokenizers
from fourm_tui.errors import InputError
from fourm_tui.events import Decoding, Loading, Note, RunCancelled, RunDone, TargetDone
from fourm_tui.formats.instances import Instance, Query
from fourm_tui.formats.instances import encode as encode_instances
from fourm_tui.modalities import MODALITIES
from fourm_tui.pictures.save import read_facts
from fourm_tui.runs import RunRecord, SampleRecord, SettingsText, create_run, open_run
from fourm_tui.schedule.document import Document
from fourm_tui.schedule.reading import read_schedule
from tests.tiny import tiny_model
from tests.tiny_tokenizers import small_sizes, tiny_tokenizers

IMAGES = ("tok_rgb@224", "tok_depth@224", "tok_normal@224", "tok_semseg@224", "tok_clip@224", "tok_dinov2_global")
SETTINGS = """\
cond_domains: {conditions}
target_domains: {targets}
tokens_per_target: {tokens}
autoregression_schemes: {schemes}
decoding_steps: 1
token_decoding_schedules: linear
temps: 1.0
temp_schedules: constant
cfg_scales: 1.0
cfg_schedules: constant
"""


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    with small_sizes():
        yield


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return tiny_tokenizers(tmp_path_factory.mktemp("tokenizers"))


@pytest.fixture
def models(models: Models, names: dict[str, str]) -> Models:
    domains = ["rgb@224", "caption", "det", *IMAGES]
    model = tiny_model(domains_in=domains, domains_out=domains[1:])
    return Models(model, None, models.text, Tokenizers(names, torch.device("cpu"), steps=2))


def job(targets: tuple[str, ...], conditions: dict[str, Any], seeds: tuple[int, ...] = (0,)) -> Job:
    text = [target in ("caption", "det") for target in targets]
    settings = SETTINGS.format(
        conditions="-".join(conditions) or "[]",
        targets="-".join(targets),
        tokens="-".join(
            "8" if is_text else "16" if "global" in t else "196" for t, is_text in zip(targets, text, strict=True)
        ),
        schemes="-".join("autoregressive" if is_text else "roar" for is_text in text),
    )
    schedule = read_schedule([Document.parse(settings)])
    assert schedule.problems == ()
    return Job(schedule, [load_conditions(conditions)] * len(seeds), seeds, title="test")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    rows = np.linspace(0, 255, 90, dtype=np.uint8)[:, None, None]
    Image.fromarray(np.broadcast_to(rows, (90, 120, 3)).copy()).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def kept(folder: Path, models: Models, job: Job) -> tuple[Path, list[Any]]:
    record = RunRecord(
        "test", settings=(SettingsText("settings", "temps: 1.0\n"),), samples=tuple(map(SampleRecord, job.seeds))
    )
    made = create_run(folder, record)
    return made.folder, list(run_in_folder(made, models, job))


def test_a_photo_to_everything_leaves_pictures_and_data(tmp_path: Path, models: Models, photo: Path) -> None:
    targets = (*IMAGES, "caption", "det")
    folder, events = kept(tmp_path / "runs", models, job(targets, {"rgb@224": photo}))
    assert isinstance(events[-1], RunDone)
    files = sorted(
        path.name.partition("_")[2] for path in (folder / "samples" / "000").iterdir() if path.suffix != ".safetensors"
    )
    assert files == sorted([
        "tok_rgb@224.png", "tok_depth@224.png", "tok_depth@224_16bit.png", "tok_normal@224.png", "tok_semseg@224.png",
        "tok_semseg@224_classes.png", "tok_semseg@224_legend.png", "tok_clip@224.png", "tok_clip@224.npy",
        "tok_dinov2_global.npy", "caption.txt", "caption.png", "det.txt", "det.png", "det.json",
    ])  # fmt: skip
    said = [name for event in events if isinstance(event, TargetDone) for name in event.files]
    assert all((folder / name).is_file() for name in said)
    assert len(said) == len(files) + len(targets)
    with Image.open(folder / "contact.png") as sheet:
        assert sheet.width > 500


def test_loading_and_decoding_are_told_step_by_step(models: Models, photo: Path) -> None:
    events = list(run(models, job(("tok_depth@224",), {"rgb@224": photo}), _Pictures()))
    assert [event.fraction for event in events if isinstance(event, Loading)] == [0.0, 1.0]
    assert [(event.step, event.steps) for event in events if isinstance(event, Decoding)] == [(1, 2), (2, 2)]


def test_pngs_carry_the_chain_and_the_seed(tmp_path: Path, models: Models, photo: Path) -> None:
    folder, _ = kept(tmp_path / "runs", models, job(("tok_rgb@224",), {"rgb@224": photo}, (5, 6)))
    for sample, seed in enumerate((5, 6)):
        facts = read_facts(open_run(folder).path_for(1, "tok_rgb@224", sample, ".png"))
        assert facts["seed"] == str(seed)
        assert json.loads(facts["settings"])[0]["text"] == "temps: 1.0\n"


def test_a_batch_does_not_change_a_picture(tmp_path: Path, models: Models, photo: Path) -> None:
    def picture(seeds: tuple[int, ...], sample: int, folder: str) -> bytes:
        made, _ = kept(tmp_path / folder, models, job(("tok_rgb@224",), {"rgb@224": photo}, seeds))
        with Image.open(open_run(made).path_for(1, "tok_rgb@224", sample, ".png")) as found:
            return found.tobytes()

    alone, together = picture((6,), 0, "a"), picture((5, 6, 7), 1, "b")
    difference = np.frombuffer(alone, np.uint8).astype(int) - np.frombuffer(together, np.uint8)
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("name", ["tok_rgb@224", "tok_normal@224"])
def test_pictures_become_tokens(models: Models, photo: Path, name: str) -> None:
    given = {name: photo}
    outputs = _Pictures()
    list(run(models, job(("tok_clip@224",), given), outputs))
    other = photo.with_name("other.png")
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(other)
    different = _Pictures()
    list(run(models, job(("tok_clip@224",), {name: other}), different))
    assert outputs.ids["tok_clip@224"] != different.ids["tok_clip@224"]


def test_what_is_encoded_is_what_the_tokenizer_says(models: Models, photo: Path) -> None:
    assert models.tokenizers is not None
    (condition,) = load_conditions({"tok_rgb@224": photo}).values()
    *_, made = models.tokenizers.encode([{"tok_rgb@224": condition}])
    assert isinstance(made, list)
    tokenizer = models.tokenizers._of("tok_rgb@224")
    assert condition.values is not None
    with torch.no_grad():
        expected = tokenizer.encode(torch.from_numpy(condition.values)[None])
    found = made[0]["tok_rgb@224"].tokens
    assert found is not None
    assert found.tolist() == expected.flatten().tolist()


def test_instances_in_a_text_are_decoded_to_masks(models: Models) -> None:
    assert models.tokenizers is not None
    instance = Instance((20, 30, 120, 130), tuple(range(16)))
    texts = [encode_instances([Query(50, 60, (instance, instance))]), "nothing to see"]
    *_, made = models.tokenizers.decode(MODALITIES["sam_instance"], 1, [], texts, [0, 1])
    assert isinstance(made, Decoded)
    assert [array.shape for array in made.arrays] == [(2, 64, 64), (0, 64, 64)]
    assert np.array_equal(made.arrays[0][0], made.arrays[0][1])


def test_a_target_without_its_tokenizer_stays_tokens_and_says_so(
    models: Models, names: dict[str, str], photo: Path
) -> None:
    without = {key: name for key, name in names.items() if key != "clip_tok_id"}
    fewer = replace(models, tokenizers=Tokenizers(without, torch.device("cpu"), steps=1))
    events = list(run(fewer, job(("tok_clip@224", "tok_rgb@224"), {"rgb@224": photo}), _Pictures()))
    (note,) = [event for event in events if isinstance(event, Note)]
    assert "clip_tok_id" in note.message
    assert isinstance(events[-1], RunDone)


def test_a_picture_that_cannot_be_encoded_says_which_tokenizer_is_missing(models: Models, photo: Path) -> None:
    for tokenizers in (None, Tokenizers({}, torch.device("cpu"))):
        with pytest.raises(InputError, match="tokenizer"):
            list(run(replace(models, tokenizers=tokenizers), job(("tok_clip@224",), {"tok_rgb@224": photo})))


def test_decoding_can_be_stopped(tmp_path: Path, models: Models, photo: Path) -> None:
    made = create_run(tmp_path / "runs", RunRecord("test", samples=(SampleRecord(0),)))
    events: list[Any] = []
    asked = job(("tok_rgb@224", "tok_depth@224"), {"rgb@224": photo})
    for event in run_in_folder(made, models, asked, lambda: any(isinstance(seen, Decoding) for seen in events)):
        events.append(event)
    assert isinstance(events[-1], RunCancelled)
    assert open_run(made.folder).finished() == {(1, 0)}
    assert not list(made.folder.rglob("*.png"))


class _Pictures(Outputs):
    """Outputs that only count what was decoded."""

    wants_pictures = True

    def __init__(self) -> None:
        self.ids: dict[str, list[int]] = {}

    def tokens(self, target: Any, sample: int) -> tuple[str, ...]:
        self.ids[target.name] = target.tokens[sample].tolist()
        return ()

    def picture(self, target: Any, sample: int, output: Any, picture: Any) -> tuple[str, ...]:
        return ()

    def end(self, sheet: Any) -> tuple[str, ...]:
        return ()
