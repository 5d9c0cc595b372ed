"""Texts of captions, tables, JSON lines, folders of pictures, PartiPrompts, and nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import constants
from PIL import Image

from fourm_tui.datasets import open_dataset, subset
from fourm_tui.errors import FourmError, InputError
from fourm_tui.schedule.configs import DataConfig
from tests.datasets.made import captions, names, opened, picture, put, saved, tokens
from tests.fake_hub import fake_hub

TABLE = "Prompt\tCategory\tNote\n" + '"A" b\tx\ty\n\na "b\tx\ty\nü\t\t\n'


# -- captions -------------------------------------------------------------------------------------------------------


def test_captions_are_lines_and_empty_ones_count(tmp_path: Path) -> None:
    put(tmp_path, {"c.txt": "\ufeffone\r\n\r\n  three \n\n@five"})
    dataset = opened(tmp_path / "c.txt", "caption")
    assert names(dataset) == ["line 1", "line 3", "line 5"]
    assert captions(dataset) == ["one", "three", "@five"]
    assert dataset.title == "c.txt: captions, 3 samples" and dataset.picture(0) is None


def test_a_text_of_captions_has_nothing_else(tmp_path: Path) -> None:
    put(tmp_path, {"c.txt": "one"})
    with pytest.raises(
        InputError, match="a text of captions, has no det, which the settings want as a condition; it has"
    ):
        opened(tmp_path / "c.txt", "det")


def test_a_broken_sentinel_is_the_lines(tmp_path: Path) -> None:
    put(tmp_path, {"c.txt": "fine\na [s_1] fox\na [S_1] fox"})
    dataset = opened(tmp_path / "c.txt", "caption")
    with pytest.raises(InputError, match=r"^line 2: caption: .*c.txt, line 2: \[s_1\] is no sentinel"):
        dataset.conditions(1)
    assert not dataset.conditions(2)["caption"].complete


# -- tables ---------------------------------------------------------------------------------------------------------


def test_quotes_in_a_tsv_are_as_they_are(tmp_path: Path) -> None:
    put(tmp_path, {"p.tsv": TABLE})
    dataset = opened(tmp_path / "p.tsv", "caption")
    assert captions(dataset) == ['"A" b', 'a "b', "ü"]
    assert names(dataset) == ["line 2", "line 4", "line 5"]
    assert dataset.notes == ("columns that are no modalities and are not used: Category, Note",)


def test_long_cells_of_a_tsv_are_read(tmp_path: Path) -> None:
    put(tmp_path, {"p.tsv": "Prompt\n" + "x" * 200_000})
    assert captions(opened(tmp_path / "p.tsv", "caption")) == ["x" * 200_000]


def test_a_csv_has_quoted_cells_and_paths(tmp_path: Path) -> None:
    rows = 'rgb,caption,tok_rgb@224\np/1.png,"a, ""b""\nsecond line",t.npy\np/1.png,@c.txt,missing.npy\n,,\np/1.png,x\n'
    put(tmp_path, {"x.csv": rows, "p/1.png": picture(), "t.npy": tokens(3), "c.txt": "from a file"})
    dataset = opened(tmp_path / "x.csv", "caption", "tok_rgb@224")
    assert names(dataset) == ["line 2", "line 4", "line 6"]
    assert dataset.conditions(0)["caption"].text == 'a, "b"\nsecond line'
    assert dataset.conditions(0)["tok_rgb@224"].tokens[0] == 3  # type: ignore[index]
    shown = dataset.picture(0)
    assert shown is not None and shown.size == (30, 30)
    with pytest.raises(InputError, match=r"^line 4: tok_rgb@224: .*missing.npy cannot be read: No such file"):
        dataset.conditions(1)
    with pytest.raises(InputError, match=r"^line 6: has no tok_rgb@224$"):
        dataset.conditions(2)
    assert captions(opened(tmp_path / "x.csv", "caption"))[1] == "from a file"


def test_columns_that_are_missing_are_said_with_those_there(tmp_path: Path) -> None:
    put(tmp_path, {"x.csv": "a,caption\n1,2"})
    with pytest.raises(InputError, match="of whose first row the columns are a, caption, has no det"):
        opened(tmp_path / "x.csv", "det")
    put(tmp_path, {"y.tsv": "caption\n\n"})
    with pytest.raises(InputError, match="has no rows below its first one"):
        opened(tmp_path / "y.tsv", "caption")


def test_a_quote_that_is_never_closed_is_said_with_its_line(tmp_path: Path) -> None:
    put(tmp_path, {"x.csv": 'caption\none\n"two\n' + "three\n" * 40_000})
    with pytest.raises(
        InputError, match=r"x.csv, line 3: field larger than field limit .* \(is a quote never closed\?\)"
    ):
        opened(tmp_path / "x.csv", "caption")


# -- JSON lines -----------------------------------------------------------------------------------------------------


def test_json_lines_have_texts_json_and_paths(tmp_path: Path) -> None:
    people = {"instances": [{"boxes": [0.25, 0.25, 0.75, 0.75], "score": 1.0, "class_name": "cat"}]}
    lines = [
        json.dumps({"caption": "one", "det": people, "rgb": "1.png", "id": 1}), "", "{broken",
        json.dumps({"caption": [{"caption": "four"}], "det": "@boxes.json", "rgb": "1.png"}),
        json.dumps(["no object"]), json.dumps({"caption": None}),
    ]  # fmt: skip
    put(tmp_path, {"x.jsonl": "\n".join(lines), "1.png": picture(30, 30), "boxes.json": json.dumps(people)})
    dataset = opened(tmp_path / "x.jsonl", "caption", "det", "rgb@224")
    assert names(dataset) == ["line 1", "line 3", "line 4", "line 5", "line 6"]
    found = dataset.conditions(2)
    assert found["caption"].text == "four"
    assert found["det"].text == dataset.conditions(0)["det"].text == "v0=250 v1=250 v2=749 v3=749 cat"
    assert dataset.notes == ("keys that are no modalities and are not used: id",)
    for number, said in ((1, "line 3: .*x.jsonl, line 3: is no JSON"), (3, "is no JSON object"), (4, "has no caption")):
        with pytest.raises(InputError, match=said):
            dataset.conditions(number)


# -- pictures -------------------------------------------------------------------------------------------------------


def test_a_folder_of_pictures_with_captions(tmp_path: Path) -> None:
    files = {"b/2.PNG": picture(), "a.png": picture(), "a.txt": "one", "b/2.txt": "two", "c.webp": b"", "n.md": "x"}
    put(tmp_path, files)
    dataset = opened(tmp_path, "rgb@224", "caption")
    assert names(dataset) == ["a", "b/2"] and captions(dataset) == ["one", "two"]
    assert dataset.notes == ("1 name left out, missing 1 in caption: c", "1 file with other endings left out")
    assert dataset.conditions(1)["rgb@224"].pixels.shape == (3, 224, 224)  # type: ignore[union-attr]
    shown = opened(tmp_path, "caption").picture(1)
    assert shown is not None and shown.size == (30, 30)


def test_pictures_are_of_the_one_kind_that_is_wanted(tmp_path: Path) -> None:
    put(tmp_path, {"1.png": saved(Image.fromarray(np.arange(900, dtype=np.uint16).reshape(30, 30)))})
    dataset = opened(tmp_path, "tok_depth@224")
    assert dataset.conditions(0)["tok_depth@224"].values.shape == (1, 224, 224)  # type: ignore[union-attr]
    assert dataset.picture(0) is None
    assert len(opened(tmp_path, "rgb@224", "tok_rgb@224")) == 1
    with pytest.raises(InputError, match="cannot be tok_depth@224 and rgb@224 at once"):
        opened(tmp_path, "tok_depth@224", "rgb@224")
    with pytest.raises(InputError, match="is a folder of pictures, which has no det"):
        opened(tmp_path, "det")


# -- PartiPrompts ---------------------------------------------------------------------------------------------------


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder and empty caches."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path


PARTI = DataConfig("parti_prompts")


@pytest.mark.parametrize("place", ["work", "config", "cache/fourm-tui"])
def test_parti_prompts_are_found(place: str, nowhere: Path) -> None:
    put(nowhere / place, {"PartiPrompts.tsv": TABLE})
    dataset = open_dataset(PARTI, ["caption"], base=nowhere / "config")
    assert dataset.title == "PartiPrompts.tsv: a table in tabs, 3 samples"


def test_parti_prompts_are_downloaded_once(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with fake_hub() as hub:
        hub.files = {("datasets/nateraw/parti-prompts", "PartiPrompts.tsv"): TABLE.encode()}
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        url = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url)
        assert captions(open_dataset(PARTI, ["caption"]))[0] == '"A" b'
    assert len(open_dataset(PARTI, ["caption"])) == 3  # the Hub is gone


def test_parti_prompts_that_cannot_be_had(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(FourmError, match=r"HF_HUB_OFFLINE is set. Or put PartiPrompts.tsv .* into the working folder"):
        open_dataset(PARTI, ["caption"])


# -- nothing, and what is taken of something ------------------------------------------------------------------------


def test_without_conditions_there_are_as_many_samples_as_asked_for() -> None:
    dataset = open_dataset(DataConfig(num_samples=3), [])
    assert len(dataset) == 3 and dataset.conditions(2) == {} and dataset.picture(0) is None
    assert len(open_dataset(DataConfig("not/there", num_samples=2), [])) == 2
    with pytest.raises(InputError, match="num_samples: is to say how many"):
        open_dataset(DataConfig("x"), [])
    with pytest.raises(InputError, match="data_path: is missing; the settings want caption"):
        open_dataset(DataConfig(), ["caption"])


def test_a_path_is_looked_for_beside_the_config(tmp_path: Path) -> None:
    put(tmp_path, {"c.txt": "one"})
    assert len(open_dataset(DataConfig("c.txt"), ["caption"], base=tmp_path)) == 1
    with pytest.raises(InputError, match=r"d.txt is not there, nor beside the data config; it is to be a path"):
        open_dataset(DataConfig("d.txt"), ["caption"], base=tmp_path)


@pytest.mark.parametrize("name", ["x.parquet", "folder/x.md"])
def test_what_is_of_no_known_form_lists_the_known(name: str, tmp_path: Path) -> None:
    put(tmp_path, {name: "x"})
    with pytest.raises(InputError, match=r"no known form. Known are:"):
        opened(tmp_path / name.partition("/")[0], "caption")


def test_the_same_samples_are_drawn_as_in_ml_4m() -> None:
    # np.random.seed(0); np.random.permutation(10)[:4] is 2, 8, 4, 9
    assert subset(10, 4) == [2, 4, 8, 9]
    assert subset(3, None) == subset(3, 30_000) == [0, 1, 2]
