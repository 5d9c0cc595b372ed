"""The simple hierarchical format: what ml-4m's own loader returns, and names that do not fit together."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fourm_tui.datasets import Dataset, open_dataset
from fourm_tui.errors import InputError
from fourm_tui.schedule.configs import DataConfig

EXAMPLE = Path(__file__).parents[1] / "data" / "conditions" / "dataset_example"
ITEMS = json.loads((EXAMPLE / "expected.json").read_text())["items"]


def tree(root: Path, *wanted: str) -> Dataset:
    return open_dataset(DataConfig(str(root)), wanted)


def names(dataset: Dataset) -> list[str]:
    return [dataset.name(number) for number in range(len(dataset))]


def pairs(text: str | None) -> list[tuple[str, str]]:
    words = (text or "").split()
    return sorted(zip(words[::2], words[1::2], strict=True))


def texts(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item["file_name"])
@pytest.mark.parametrize("with_rgb", [True, False])
def test_samples_are_those_of_the_references_loader(item: dict[str, Any], with_rgb: bool) -> None:
    wanted = ["caption", "det", "metadata", "tok_rgb@224"]
    dataset = tree(EXAMPLE, *(["rgb@224"] if with_rgb else []), *wanted)
    assert len(dataset) == len(ITEMS)
    assert dataset.name(item["index"]) == f"{item['class_id']}/{item['file_name']}"
    found = dataset.conditions(item["index"])
    assert list(found) == [*(["rgb@224"] if with_rgb else []), *wanted]
    assert found["caption"].text == item["caption"]
    assert found["det"].text == item["det"]  # cropped as the picture is, also where only the boxes are wanted
    assert pairs(found["metadata"].text) == pairs(item["metadata"])  # training shuffles them
    tokens = found["tok_rgb@224"].tokens
    assert tokens is not None and tokens[:10].tolist() == item["tok_rgb_first10"]
    if with_rgb:
        pixels = found["rgb@224"].pixels
        assert pixels is not None and list(pixels.shape) == item["rgb_shape"]
        assert np.allclose(pixels.mean(axis=(1, 2)), item["rgb_mean"], atol=0.005)


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item["file_name"])
def test_the_real_picture_is_cropped_as_the_sample_is(item: dict[str, Any]) -> None:
    picture = tree(EXAMPLE, "caption").picture(item["index"])
    rows = np.load(EXAMPLE / "crop_settings" / item["class_id"] / f"{item['file_name']}.npy")
    assert picture is not None and picture.mode == "RGB"
    assert picture.size == (rows[0][3], rows[0][2])
    resized = np.asarray(picture.resize((224, 224), Image.Resampling.BICUBIC), np.float32) / 255
    mean = ((resized - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]).mean(axis=(0, 1))
    assert np.allclose(mean, item["rgb_mean"], atol=0.005)


def test_names_are_matched_whatever_their_place(tmp_path: Path) -> None:
    root = texts(
        tmp_path,
        {
            "caption/a/1.txt": "one", "caption/a/2.json": '[{"caption": "two"}, "other"]', "caption/a/3.txt": "three",
            "metadata/a/2.txt": "v1=0 v0=2", "metadata/a/3.json": '{"n_humans": 3}', "metadata/a/4.txt": "v1=0 v0=4",
        },
    )  # fmt: skip
    dataset = tree(root, "metadata", "caption")
    assert names(dataset) == ["a/2", "a/3"]
    assert [dataset.conditions(n)["caption"].text for n in range(2)] == ["two", "three"]
    assert [dataset.conditions(n)["metadata"].text for n in range(2)] == ["v1=0 v0=2", "v1=5 v0=3"]
    assert dataset.notes == ("2 names left out, missing 1 in caption, 1 in metadata: a/1, a/4",)
    assert dataset.title.endswith(": one folder per modality, 2 samples")


def test_the_order_is_that_of_folders_and_then_of_file_names(tmp_path: Path) -> None:
    root = texts(
        tmp_path,
        {f"caption/{name}.txt": "x" for name in ("b/1", "a-b/1", "a/z/0", "a/10", "a/1", "a/1-2", "a/2")},
    )
    # `1-2.txt` stands before `1.txt`, as sorted file names do; what is in a class folder stays together.
    assert names(tree(root, "caption")) == ["a/1-2", "a/1", "a/10", "a/2", "a/z/0", "a-b/1", "b/1"]


def test_folders_are_found_through_links_and_loops_end(tmp_path: Path) -> None:
    root = texts(tmp_path / "root", {"caption/a/1.txt": "one"})
    texts(tmp_path / "elsewhere", {"2.txt": "two"})
    (root / "caption" / "b").symlink_to(tmp_path / "elsewhere")
    (root / "caption" / "a" / "up").symlink_to(root / "caption")
    (root / "caption" / "a" / "self").symlink_to("self")
    assert names(tree(root, "caption")) == ["a/1", "b/2"]


def test_files_of_other_kinds_are_counted(tmp_path: Path) -> None:
    root = texts(tmp_path, {"caption/a/1.txt": "one", "caption/a/1.json": '"first"', "caption/a/Thumbs.db": "x"})
    dataset = tree(root, "caption")
    assert dataset.conditions(0)["caption"].text == "first"
    assert dataset.notes == (
        "caption: 1 name with several files, of which the first is taken",
        "caption: 1 file with other endings left out",
    )


def test_what_is_missing_is_said_with_what_is_there(tmp_path: Path) -> None:
    root = texts(tmp_path, {"caption/a/1.txt": "one", "metadata/a/1.txt": "v1=0 v0=1"})
    with pytest.raises(
        InputError, match="has no det, which the settings want as a condition; it has caption, metadata"
    ):
        tree(root, "caption", "det")


def test_no_common_name_is_said(tmp_path: Path) -> None:
    root = texts(tmp_path, {"caption/a/1.txt": "one", "metadata/b/1.txt": "v1=0 v0=1"})
    with pytest.raises(InputError, match=r"no name is in all of caption, metadata; 2 names left out.*a/1, b/1"):
        tree(root, "caption", "metadata")


def test_tokens_that_are_not_there_are_encoded_from_the_picture(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE / "rgb", tmp_path / "rgb")
    dataset = tree(tmp_path, "tok_rgb@224")
    assert dataset.notes == ("tok_rgb@224 is encoded from rgb",)
    values = dataset.conditions(0)["tok_rgb@224"].values
    assert values is not None and values.shape == (3, 224, 224)


def test_a_broken_sample_is_named(tmp_path: Path) -> None:
    root = texts(tmp_path, {"caption/a/1.json": '{"text": "no caption"}', "caption/a/2.txt": "two"})
    dataset = tree(root, "caption")
    with pytest.raises(InputError) as error:
        dataset.conditions(0)
    path = root / "caption" / "a" / "1.json"
    assert str(error.value) == f"a/1: caption: {path}: is to be a caption, an object with `caption`, or a list of them"
    assert dataset.conditions(1)["caption"].text == "two"


def test_files_are_not_looked_at_when_names_are_gathered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = texts(tmp_path, {f"caption/{number % 3}/{number}.txt": "x" for number in range(60)})
    looked_at: list[str] = []
    stat = os.stat
    monkeypatch.setattr(os, "stat", lambda path, **more: (looked_at.append(str(path)), stat(path, **more))[1])
    assert len(tree(root, "caption")) == 60
    assert not [path for path in looked_at if path.endswith(".txt")]
