"""Targets that nobody looks at stay tokens, and are made pictures when that is asked for later."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from PIL import Image

from fourm_tui.chain.begin import begin
from fourm_tui.chain.inputs import read_inputs
from fourm_tui.chain.tokens_only import tokens_only
from fourm_tui.engine.decode import decode
from fourm_tui.engine.execute import execute
from fourm_tui.engine.keep import InFolder
from fourm_tui.engine.outputs import Gallery
from fourm_tui.engine.store import ModelStore
from fourm_tui.engine.tokenize import Tokenizers
from fourm_tui.errors import FourmError, InputError
from fourm_tui.events import Decoding, EventLog, Note, RowStarted, RunCancelled, RunDone, TargetDone, read_events
from fourm_tui.pictures.save import read_facts
from fourm_tui.runs import Run, open_run
from tests.tiny import tiny_checkpoint, tiny_sr_checkpoint
from tests.tiny_tokenizers import small_sizes, tiny_tokenizers

TARGETS = ("tok_clip@224", "det", "tok_depth@224", "tok_dinov2_global", "tok_rgb@224")
SETTINGS = """\
cond_domains: rgb@224
target_domains: tok_clip@224-det-tok_depth@224-tok_dinov2_global-tok_rgb@224
tokens_per_target: 196-8-196-16-196
autoregression_schemes: roar-autoregressive-roar-roar-roar
decoding_steps: 1-null-1-1-2
token_decoding_schedules: linear-null-linear-linear-linear
temps: 1.0
temp_schedules: constant
cfg_scales: 1.0
cfg_schedules: constant
num_variations: 2
"""
BOXES = """\
cond_domains: []
target_domains: tok_rgb@224-det
tokens_per_target: 196-8
autoregression_schemes: roar-autoregressive
decoding_steps: 1-null
token_decoding_schedules: linear-null
temps: 1.0
temp_schedules: constant
cfg_scales: 1.0
cfg_schedules: constant
num_variations: 2
"""
SR = """\
sr_target_domains: tok_clip@448-tok_rgb@448
sr_decoding_steps: 1
sr_temps: 1.0
sr_temp_schedules: constant
sr_cfg_scales: 1.0
"""


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    with small_sizes():
        yield


@pytest.fixture(scope="module")
def store() -> ModelStore:
    return ModelStore()


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models config with all tokenizers."""
    folder = tmp_path_factory.mktemp("models")
    domains = ["rgb@224", *TARGETS]
    model = tiny_checkpoint(folder / "base", domains_in=domains, domains_out=domains[1:])
    names = tiny_tokenizers(folder / "tokenizers")
    lines = [f"model: {model}", f"sr_model: {tiny_sr_checkpoint(folder / 'sr')}", "detokenizer_steps: 2"]
    (folder / "models.yaml").write_text("\n".join([*lines, *(f"{key}: {name}" for key, name in names.items())]))
    return folder / "models.yaml"


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 120, 3), dtype=np.uint8)).save(path)
    return path


def asked_for(
    out: Path, config: Path, photo: Path, which: str | None, sr: bool = False, settings: str = SETTINGS
) -> Run:  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    chain, sr_chain = out / "chain.yaml", out / "sr.yaml"
    chain.write_text(settings)
    sr_chain.write_text(SR)
    photos = [f"rgb@224={photo},fit=pad"] if settings == SETTINGS else []
    inputs = read_inputs(str(chain), sr=str(sr_chain) if sr else None, models=str(config), conditions=photos)
    return begin(inputs, out / "runs", {"seed": 3, "decode": which, "device": "cpu"}).run


def made(run: Run, store: ModelStore) -> tuple[Run, list[Any]]:
    events = list(execute(run, store))
    assert isinstance(events[-1], RunDone)
    return open_run(run.folder), events


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory, config: Path, photo: Path, store: ModelStore
) -> Run:  # fmt: skip
    """A run that decoded all of its targets at once."""
    return made(asked_for(tmp_path_factory.mktemp("whole"), config, photo, None), store)[0]


def pictures(run: Run) -> list[str]:
    found = (path for path in run.folder.glob("samples/000/*") if path.suffix in (".png", ".npy"))
    return sorted(path.name for path in found if not path.stem.endswith("_16bit"))


def content(path: Path) -> Any:
    """A file byte by byte; of a picture its pixels and facts without the run's name and whose pictures it made."""
    if path.suffix != ".png":
        return path.read_bytes()
    facts = {key: value for key, value in read_facts(path).items() if key != "run"}
    options = json.loads(facts.pop("options"))
    with Image.open(path) as image:
        return image.mode, image.tobytes(), facts, {key: value for key, value in options.items() if key != "decode"}


def test_of_the_last_target_alone_a_picture_is_made(
    tmp_path: Path, config: Path, photo: Path, store: ModelStore
) -> None:
    with mock.patch.object(Tokenizers, "decode", autospec=True, side_effect=Tokenizers.decode) as calls:
        run, events = made(asked_for(tmp_path, config, photo, "last"), store)
    assert [call.args[1].name for call in calls.call_args_list] == ["tok_rgb@224"]
    assert pictures(run) == ["02_det.png", "05_tok_rgb@224.png"]
    assert len(run.finished()) == 10
    assert not any(isinstance(event, Note) for event in events)


def test_of_none_a_picture_is_made_and_text_is_one_all_the_same(
    tmp_path: Path, config: Path, photo: Path, store: ModelStore
) -> None:
    with mock.patch.object(Tokenizers, "decode") as calls:
        run, _ = made(asked_for(tmp_path, config, photo, "none"), store)
    assert calls.call_count == 0
    assert pictures(run) == ["02_det.png"]
    assert (run.folder / "contact.png").is_file()


def test_the_last_target_of_each_chain_is_a_picture(
    tmp_path: Path, config: Path, photo: Path, store: ModelStore
) -> None:
    run, _ = made(asked_for(tmp_path, config, photo, "last", sr=True), store)
    assert pictures(run) == ["02_det.png", "05_tok_rgb@224.png", "07_tok_rgb@448.png"]


def test_the_sheet_tells_plainly_what_stays_tokens(
    tmp_path: Path, config: Path, photo: Path, store: ModelStore
) -> None:
    seen: list[Any] = []
    end = Gallery.end_group

    def looked_at(gallery: Gallery, numbers: list[int]) -> None:
        seen.extend(gallery.panels[0])
        end(gallery, numbers)

    with mock.patch.object(Gallery, "end_group", looked_at):
        made(asked_for(tmp_path, config, photo, "last"), store)
    assert [panel.text for panel in seen if panel.picture is None] == ["196 tokens", "196 tokens", "16 tokens"]


@pytest.mark.parametrize("which", ["all", "last", "none"])
def test_boxes_are_drawn_over_the_picture_before_them_if_there_is_one(
    which: str, tmp_path: Path, config: Path, photo: Path, store: ModelStore
) -> None:
    run = asked_for(tmp_path, config, photo, which, settings=BOXES)
    with mock.patch.object(InFolder, "picture", autospec=True, side_effect=InFolder.picture) as calls:
        made(run, store)
    outputs = [call.args[3] for call in calls.call_args_list]
    assert [output.over is not None for output in outputs if output.modality.name == "det"] == [which == "all"] * 2


@pytest.mark.parametrize("which", ["last", "none"])
def test_what_is_decoded_later_is_what_the_run_would_have_made(
    which: str, whole: Run, tmp_path: Path, config: Path, photo: Path, store: ModelStore
) -> None:
    run, _ = made(asked_for(tmp_path, config, photo, which), store)
    record = (run.folder / "run.json").read_bytes()
    events = list(decode(run, tokens_only(run)))
    assert isinstance(events[-1], RunDone)
    files = sorted(path.relative_to(run.folder) for path in run.folder.rglob("*.*") if path.is_file())
    assert files == sorted(path.relative_to(whole.folder) for path in whole.folder.rglob("*.*") if path.is_file())
    for file in files:
        if file.name not in ("run.json", "events.jsonl") and file.suffix != ".safetensors":  # not of `decode`
            assert content(run.folder / file) == content(whole.folder / file), file
    assert (run.folder / "run.json").read_bytes() == record
    assert tokens_only(run) == ()


def test_only_what_is_named_is_decoded(tmp_path: Path, config: Path, photo: Path, store: ModelStore) -> None:
    run, _ = made(asked_for(tmp_path, config, photo, "none"), store)
    assert tokens_only(run) == (1, 3, 4, 5)
    assert tokens_only(run, ["tok_depth@224", "1"]) == (3, 1)
    list(decode(run, tokens_only(run, ["tok_depth@224"])))
    assert pictures(run) == ["02_det.png", "03_tok_depth@224.png"]
    assert tokens_only(run, ["3", "det"]) == ()


def test_the_log_says_the_files_and_the_run_stays_done(
    tmp_path: Path, config: Path, photo: Path, store: ModelStore
) -> None:
    run, _ = made(asked_for(tmp_path, config, photo, "none"), store)
    before = len(list(read_events(run.events)))
    list(decode(run, tokens_only(run, ["3"])))
    later = list(read_events(run.events))[before:]
    assert all(isinstance(event, Decoding | TargetDone) for event in later)
    assert "samples/001/03_tok_depth@224_16bit.png" in later[-1].files  # type: ignore[attr-defined]
    assert open_run(run.folder).record.status == "done"


def test_stopped_it_leaves_whole_files_and_goes_on_when_it_is_called_again(
    whole: Run, tmp_path: Path, config: Path, photo: Path, store: ModelStore
) -> None:
    run, _ = made(asked_for(tmp_path, config, photo, "none"), store)
    seen: list[Any] = []
    decoding = [3]
    for event in decode(run, tokens_only(run), lambda: any(getattr(each, "row", 0) in decoding for each in seen)):
        seen.append(event)
    assert isinstance(seen[-2], Decoding)
    assert isinstance(seen[-1], RunCancelled)
    assert pictures(run) == ["01_tok_clip@224.npy", "01_tok_clip@224.png", "02_det.png"]
    (run.folder / "samples/000/03_tok_depth@224_16bit.png").write_bytes(b"of a process that was killed")
    list(decode(run, tokens_only(run)))
    assert pictures(run) == pictures(whole)
    file = "samples/000/03_tok_depth@224_16bit.png"
    assert content(run.folder / file) == content(whole.folder / file)


def test_a_run_goes_on_with_its_option(tmp_path: Path, config: Path, photo: Path, store: ModelStore) -> None:
    run = asked_for(tmp_path, config, photo, "last")
    for event in execute(run, store):
        if isinstance(event, RowStarted) and event.row == 4:
            break
    run, _ = made(open_run(run.folder), store)
    assert pictures(run) == ["02_det.png", "05_tok_rgb@224.png"]


def test_what_was_decoded_of_an_interrupted_run_stays(
    tmp_path: Path, config: Path, photo: Path, store: ModelStore
) -> None:
    run = asked_for(tmp_path, config, photo, "last")
    for event in execute(run, store):
        if isinstance(event, RowStarted) and event.row == 4:
            break
    run = open_run(run.folder)
    list(decode(run, tokens_only(run, ["tok_depth@224"])))
    assert not (run.folder / "contact.png").exists()
    run, _ = made(open_run(run.folder), store)
    assert pictures(run) == ["02_det.png", "03_tok_depth@224.png", "05_tok_rgb@224.png"]


def test_what_is_being_written_is_refused(whole: Run) -> None:
    with EventLog(whole.events), pytest.raises(FourmError, match="another process is working on this run"):
        list(decode(whole, [1]))


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("tok_normal@224", "it has 1 tok_clip@224, 2 det, 3"),
        ("6", "is no target of"),
        ("\x1b[2J", "is no target of"),
    ],
)
def test_a_target_that_is_none_is_said(whole: Run, named: str, words: str) -> None:
    with pytest.raises(InputError) as error:
        tokens_only(whole, [named])
    assert words in str(error.value)
    assert "\x1b" not in str(error.value)
