"""Tar shards: folders of shards, shards of keys, JSON with columns, names in braces."""

from __future__ import annotations

import json
import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fourm_tui.datasets.tar import Report, members
from fourm_tui.errors import InputError
from tests.datasets.made import captions, names, npy, opened, picture, put, saved, tar, tokens
from tests.datasets.test_tree import EXAMPLE, ITEMS

FORMATS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]


def example_shards(root: Path) -> Path:
    """The hierarchical example as shards, two per modality."""
    for folder in sorted(EXAMPLE.iterdir()):
        if folder.is_dir():
            for number, kind in enumerate(("a_class", "b_class")):
                files = {f"{path.name}": path.read_bytes() for path in (folder / kind).iterdir()}
                tar(root / folder.name / f"shard-{number:05d}.tar", files)
    return root


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item["file_name"])
def test_a_folder_of_shards_per_modality_holds_what_the_tree_does(item: dict, tmp_path: Path) -> None:
    dataset = opened(example_shards(tmp_path), "det", "caption", "tok_rgb@224", "rgb@224")
    assert names(dataset) == ["shard-00000/s1", "shard-00000/s2", "shard-00001/s3"]
    ours = dataset.conditions(item["index"])
    theirs = opened(EXAMPLE, "det", "caption", "tok_rgb@224", "rgb@224").conditions(item["index"])
    assert ours["caption"].text == theirs["caption"].text == item["caption"]
    assert ours["det"].text == item["det"]
    assert np.array_equal(ours["tok_rgb@224"].tokens, theirs["tok_rgb@224"].tokens)  # type: ignore[arg-type]
    assert np.array_equal(ours["rgb@224"].pixels, theirs["rgb@224"].pixels)  # type: ignore[arg-type]
    real, expected = dataset.picture(item["index"]), opened(EXAMPLE, "caption").picture(item["index"])
    assert real is not None and expected is not None and real.tobytes() == expected.tobytes()


@pytest.mark.parametrize("form", FORMATS)
def test_members_of_one_key_belong_together(form: int, tmp_path: Path) -> None:
    long = "folder/" * 14 + "x" * 70  # ustar parts it in two
    tar(
        tmp_path / "one.tar",
        {
            "a.b.jpg": picture(), "a.b.txt": "first", "a.b.tok_rgb@224.npy": tokens(5),
            f"{long}.jpg": picture(20, 20), f"{long}.caption.txt": "second", f"{long}.tok_rgb@224.npy": tokens(7),
            "c.txt": "without tokens",
        },
        form,
    )  # fmt: skip
    dataset = opened(tmp_path / "one.tar", "caption", "tok_rgb@224")
    assert sorted(names(dataset)) == ["a.b", long]
    assert captions(dataset) == ["first", "second"]
    assert dataset.conditions(1)["tok_rgb@224"].tokens.tolist() == list(range(7, 203))  # type: ignore[union-attr]
    shown = dataset.picture(0)
    assert shown is not None and shown.size == (30, 30)
    assert dataset.notes == ("1 name left out, missing 1 in tok_rgb@224: one/c",)


def test_names_in_gnu_and_pax_headers_may_be_long_and_foreign(tmp_path: Path) -> None:
    for number, form in enumerate((tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)):
        tar(tmp_path / f"{number}.tar", {"é" * 200 + ".txt": "long", "ok.txt": "short"}, form)
    dataset = opened(tmp_path, "caption")
    assert names(dataset) == ["0/ok", "0/" + "é" * 200, "1/ok", "1/" + "é" * 200]
    assert captions(dataset) == ["short", "long"] * 2


def test_json_members_have_a_column_per_modality(tmp_path: Path) -> None:
    boxes = {"instances": [{"boxes": [0.1, 0.2, 0.5, 0.6], "score": 0.9, "class_name": "dog"}]}
    tar(
        tmp_path / "x.tar",
        {
            "1.json": json.dumps({"caption": ["one", "other"], "det": boxes, "url": "http://x"}), "1.jpg": picture(),
            "2.json": json.dumps({"caption": "@/etc/passwd", "det": "v0=1 v1=2 v2=3 v3=4 dog"}), "2.txt": "not taken",
            "3.json": json.dumps({"url": "nothing"}),
        },
    )  # fmt: skip
    dataset = opened(tmp_path, "det")
    assert names(dataset) == ["1", "2", "3"]
    assert dataset.notes == ("keys of JSON members that are no modalities and are not used: url",)
    # Boxes are those of the whole picture and move with its square.
    assert dataset.conditions(0)["det"].text == "v0=0 v1=200 v2=500 v3=599 dog"
    assert dataset.conditions(1)["det"].text == "v0=1 v1=2 v2=3 v3=4 dog"
    with pytest.raises(InputError, match=r"^3: has no det"):
        dataset.conditions(2)


def test_texts_in_json_members_are_no_paths(tmp_path: Path) -> None:
    tar(tmp_path / "x.tar", {"1.json": json.dumps({"caption": "@/etc/passwd", "rgb": "/etc/passwd"})})
    assert captions(opened(tmp_path, "caption")) == ["@/etc/passwd"]
    with pytest.raises(InputError, match=r"1: rgb@224: .*1.json, rgb is a text; expected is the path of a file"):
        opened(tmp_path, "rgb@224").conditions(0)


def test_depth_and_other_modalities_by_name(tmp_path: Path) -> None:
    from PIL import Image

    depth = saved(Image.fromarray(np.arange(900, dtype=np.uint16).reshape(30, 30)))
    tar(tmp_path / "x.tar", {"1.depth.png": depth, "1.png": picture(), "1.cls": "7"})
    dataset = opened(tmp_path, "tok_depth@224", "rgb@224")
    assert dataset.conditions(0)["tok_depth@224"].values.shape == (1, 224, 224)  # type: ignore[union-attr]
    assert dataset.notes == (
        "members that are no modalities and are not used: .cls (1)",
        "tok_depth@224 is encoded from depth",
    )


@pytest.mark.parametrize("pattern", ["s-{0..2}.tar", "s-{2..0}.tar", "s-{0,1,2}.tar"])
def test_shards_in_braces(pattern: str, tmp_path: Path) -> None:
    for number in range(3):
        tar(tmp_path / f"s-{number}.tar", {f"{number}.txt": f"caption {number}"})
    assert captions(opened(tmp_path / pattern, "caption")) == ["caption 0", "caption 1", "caption 2"]


def test_padded_numbers_and_modalities_in_braces(tmp_path: Path) -> None:
    for number in range(8, 12):
        tar(tmp_path / "caption" / f"{number:05d}.tar", {"k.txt": f"c{number}"})
        tar(tmp_path / "metadata" / f"{number:05d}.tar", {"k.json": json.dumps({"n_humans": number})})
    dataset = opened(tmp_path / "[caption,metadata]" / "{00008..00011}.tar", "metadata", "caption")
    assert names(dataset) == [f"{number:05d}/k" for number in range(8, 12)]
    assert dataset.conditions(3)["metadata"].text == "v1=5 v0=11"


def test_shards_that_are_not_there_are_counted(tmp_path: Path) -> None:
    tar(tmp_path / "1.tar", {"a.txt": "x"})
    with pytest.raises(InputError, match=r"means 4 shards, of which 3 are not there: .*/0.tar, .*/2.tar, .*/3.tar$"):
        opened(tmp_path / "{0..3}.tar", "caption")
    with pytest.raises(InputError, match="means more than 100,000 shards"):
        opened(tmp_path / "{0..99999999999}.tar", "caption")
    with pytest.raises(InputError, match="means more than 100,000 shards"):
        opened(tmp_path / ("{0..9}" * 6 + ".tar"), "caption")


def test_packed_shards_are_to_be_unpacked(tmp_path: Path) -> None:
    put(tmp_path, {"x.tar.gz": b"\x1f\x8b..."})
    with pytest.raises(InputError, match=r"x.tar.gz is packed; unpack the shards first"):
        opened(tmp_path, "caption")


def test_several_threads_read_at_once(tmp_path: Path) -> None:
    tar(
        tmp_path / "x.tar",
        [item for n in range(200) for item in ((f"{n:03d}.txt", f"text {n}"), (f"{n:03d}.npy", npy([n])))],
    )
    dataset = opened(tmp_path, "caption")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: dataset.conditions(n)["caption"].text, range(200)))
    assert found == [f"text {n}" for n in range(200)]


def test_a_shard_that_changes_is_noticed(tmp_path: Path) -> None:
    path = tar(tmp_path / "x.tar", {"1.txt": "one"})
    dataset = opened(path, "caption")
    path.write_bytes(path.read_bytes() + bytes(512))
    with pytest.raises(InputError, match=r"^1: caption: .*x.tar was changed since it was opened"):
        dataset.conditions(0)


def test_shards_of_real_pictures_are_read_when_one_is_wanted(tmp_path: Path) -> None:
    for number in range(2):
        tar(tmp_path / "caption" / f"{number}.tar", {"k.txt": f"caption {number}"})
        tar(tmp_path / "rgb" / f"{number}.tar", {"k.png": picture(20 + number, 20 + number)})
    dataset = opened(tmp_path, "caption")
    put(tmp_path, {"rgb/1.tar": b"damaged since"})
    shown = dataset.picture(0)
    assert dataset.notes == () and shown is not None and shown.size == (20, 20)
    with pytest.raises(
        InputError, match=r"^1/k: has no rgb, perhaps for this reason: .*1.tar: it is cut off at byte 0"
    ):
        dataset.picture(1)


NAMES = st.text("abé/._-@ \u65e5", min_size=1, max_size=300).filter(lambda name: not name.endswith("/"))


@given(st.lists(st.tuples(NAMES, st.binary(max_size=1500)), max_size=8), st.sampled_from(FORMATS[1:]))
@settings(max_examples=60, deadline=None)
def test_members_are_those_of_pythons_own_reader(content: list[tuple[str, bytes]], form: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = tar(Path(folder) / "x.tar", content, form)
        report, whole = Report(), path.read_bytes()
        ours = [(member.name, whole[member.start : member.start + member.size]) for member in members(path, report)]
        with tarfile.open(path) as archive:
            theirs = [(member.name, archive.extractfile(member).read()) for member in archive]  # type: ignore[union-attr]
    assert ours == theirs == content and not report.damage
