"""Data that is broken or meant to harm: a clear sentence or a sample less; nothing is written, nothing hangs."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import struct
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fourm_tui.datasets import Dataset
from fourm_tui.errors import InputError
from tests.datasets.made import captions, names, npy, opened, picture, put, tar, tokens


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    """Ends a test that hangs."""

    def late(*_: object) -> None:
        raise TimeoutError("it takes too long")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, 10)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(autouse=True)
def nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Temporary files go, and beside the data nothing appears."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    yield
    assert list(place.iterdir()) == []


def tree_of(folder: Path) -> set[str]:
    return {str(path) for path in folder.rglob("*") if "temporary" not in path.name}


def what_happens(dataset: Dataset) -> list[str]:
    """The text of each sample, or the message about it; both can be shown."""
    found = []
    for number in range(len(dataset)):
        name = dataset.name(number)
        assert name.isprintable() and not name.startswith("/") and ".." not in name.split("/")
        try:
            found.append(str({key: value.text for key, value in dataset.conditions(number).items()}))
        except InputError as error:
            assert str(error).isprintable() and str(error).startswith(f"{name}: ")
            found.append(str(error))
    return found


# -- names and links in folders -------------------------------------------------------------------------------------


def test_links_that_lead_in_circles(tmp_path: Path) -> None:
    root = put(tmp_path / "r", {"caption/a/1.txt": "one"})
    (root / "caption" / "a" / "up").symlink_to("..")
    (root / "caption" / "loop").symlink_to("loop")
    (root / "caption" / "a" / "2.txt").symlink_to("2.txt")
    (root / "caption" / "a" / "3.txt").symlink_to("/nowhere")
    dataset = opened(root, "caption")
    assert names(dataset) == ["a/1", "a/2", "a/3"]
    found = what_happens(dataset)
    assert "Too many levels of symbolic links" in found[1] and "No such file" in found[2]


def test_links_that_double_at_every_level(tmp_path: Path) -> None:
    root = put(tmp_path / "r", {"caption/a/1.txt": "one"})
    for level in range(60):
        folder = tmp_path / "d" / str(level)
        folder.mkdir(parents=True)
        for name in "xy":
            (folder / name).symlink_to(tmp_path / "d" / str(level + 1))
    (root / "caption" / "b").symlink_to(tmp_path / "d" / "0")
    with pytest.raises(InputError, match="is reached by more than 8 links"):
        opened(root, "caption")


def test_folders_that_are_far_too_deep(tmp_path: Path) -> None:
    put(tmp_path / "r" / "caption" / "/".join("d" * 70), {"1.txt": "one"})
    with pytest.raises(InputError, match="is more than 64 folders deep"):
        opened(tmp_path / "r", "caption")


def test_control_characters_and_bytes_in_names(tmp_path: Path) -> None:
    folder = tmp_path / "r" / "caption" / "a"
    folder.mkdir(parents=True)
    for name in (b"\x1b[31mred.txt", b"no\xffutf8.txt", b"new\nline.txt", "\u202eback.txt".encode()):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(b"fine")
    dataset = opened(tmp_path / "r", "caption")
    assert names(dataset) == ["a/\\x1b[31mred", "a/new\\nline", "a/no\\udcffutf8", "a/\\u202eback"]
    assert captions(dataset) == ["fine"] * 4


@pytest.mark.parametrize("kind", ["pipe", "folder", "zero"])
def test_special_files_are_not_opened(kind: str, tmp_path: Path) -> None:
    path = put(tmp_path / "r", {"caption/a/1.txt": "one"}) / "caption" / "a" / "2.txt"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.with_name("2").mkdir()
        path.symlink_to("2")
    else:
        path.symlink_to("/dev/zero")
    found = what_happens(opened(tmp_path / "r", "caption"))
    assert len(found) == (1 if kind == "folder" else 2)
    assert kind == "folder" or "is a pipe" in found[1] or "is a device" in found[1]


# -- contents of files ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("caption/a/1.txt", b"", "is an empty file"),
        ("caption/a/1.txt", b" \n ", "is empty"),
        ("caption/a/1.txt", b"a\0b", "holds a NUL character"),
        ("caption/a/1.json", b'["a\\u0000b"]', "holds a NUL character"),
        ("caption/a/1.json", b'"\\ud800"', "is no text in UTF-8"),
        ("caption/a/1.txt", b"\xff\xfea\0", "is no text in UTF-8"),
        ("caption/a/1.txt", b"x" * 2**21, "is larger than a text of 1 MiB"),
        ("caption/a/1.json", b"[" * 100_000, "is no JSON"),
        ("caption/a/1.json", b"[]", "has 0 captions; number 1 is asked for"),
        ("caption/a/1.json.gz", b"\x1f\x8b\x08\0broken", "cannot be read"),
        ("metadata/a/1.json", b'{"n_humans": 1e999}', "is no number"),
        ("tok_rgb@224/a/1.npy", b"no array", "is damaged, or no .npy file"),
        ("tok_rgb@224/a/1.npy", npy([{"a": 1}]), "holds Python objects, which are not read"),
        ("tok_rgb@224/a/1.npy", npy(np.zeros((2, 100), np.int16)), "expected are token ids"),
        ("tok_rgb@224/a/1.npy", npy(np.full((2, 196), -1, np.int16)), "has token ids from -1 to -1"),
        ("tok_rgb@224/a/1.npy", npy(np.zeros((0, 196), np.int16)), "has the tokens of 0 crops"),
        ("tok_rgb@224/a/1.npy", tokens()[:200], "is cut off"),
        ("rgb/a/1.png", picture()[:60], "is no picture, or a damaged one"),
        ("rgb/a/1.png", b"text", "is no picture, or a damaged one"),
    ],
    ids=range(19),
)
def test_a_broken_file_is_a_broken_sample(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    wanted = name.partition("/")[0].replace("rgb", "rgb@224") if name.startswith("rgb") else name.partition("/")[0]
    root = put(tmp_path / "r", {name: content})
    (found,) = what_happens(opened(root, wanted))
    assert said in found and found.startswith(f"a/1: {wanted}: {root / name}")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (np.zeros((0, 5), int), "of the shape [0, 5]"),
        ([[0, 0, 10, 10]], "of the shape [1, 4]"),
        ([[0, 0, 0, 10, 0]], "which is none of a picture"),
        ([[0, 0, 10, 10, 7]], "which is none of a picture"),
        ([[0, 0, 10**9, 10, 0]], "which is none of a picture"),
        ([[0.5, 0, 10, 10, 0]], "expected are whole numbers"),
        ([[1000, 1000, 10, 10, 0]], "its crop_settings do not fit the picture"),
        ([[-1000, 0, 10, 10, 1]], "its crop_settings do not fit the picture"),
        ([["a", 0, 10, 10, 0]], "values of the type"),
        ([[None, 0, 10, 10, 0]], "holds Python objects"),
    ],
)
@pytest.mark.parametrize("kind", ["rgb@224", "tok_depth@224", "picture"])
def test_broken_crop_settings(rows: object, said: str, kind: str, tmp_path: Path) -> None:
    from PIL import Image

    from tests.datasets.made import saved

    depth = saved(Image.fromarray(np.arange(900, dtype=np.uint16).reshape(30, 30)))
    files = {"rgb/a/1.png": picture(), "depth/a/1.png": depth, "crop_settings/a/1.npy": npy(rows)}
    root = put(tmp_path / "r", {**files, "caption/a/1.txt": "one"})
    with pytest.raises(InputError) as error:
        if kind == "picture":
            opened(root, "caption").picture(0)
        else:
            opened(root, kind).conditions(0)
    assert said in str(error.value) and str(error.value).startswith("a/1: ")


def test_a_file_that_goes_is_said(tmp_path: Path) -> None:
    root = put(tmp_path / "r", {"caption/a/1.txt": "one", "caption/a/2.txt": "two"})
    dataset = opened(root, "caption")
    (root / "caption" / "a" / "1.txt").unlink()
    assert "1.txt cannot be read: No such file" in what_happens(dataset)[0]


def test_lines_that_are_far_too_long(tmp_path: Path) -> None:
    put(tmp_path, {"c.txt": b"one\n" + b"x" * 2**21})
    with pytest.raises(InputError, match="line 2 is longer than 1 MiB"):
        opened(tmp_path / "c.txt", "caption")


@pytest.mark.parametrize("name", ["x.txt", "x.tsv", "x.csv", "x.jsonl"])
@pytest.mark.parametrize("seed", range(20))
def test_tables_of_noise(name: str, seed: int, tmp_path: Path) -> None:
    noise = random.Random(seed)
    pieces = [
        b"caption",
        b"\n",
        b"\t",
        b",",
        b'"',
        b"{",
        b'{"caption": ',
        b"}",
        b"\0",
        b"\xff",
        b"\r",
        b"[S_1]",
        b"@/x",
    ]
    put(tmp_path, {name: b"caption\n" + b"".join(noise.choices(pieces, k=300))})
    try:
        what_happens(opened(tmp_path / name, "caption"))
    except InputError as error:
        assert str(error).replace("\n", "").isprintable()


# -- tar shards -----------------------------------------------------------------------------------------------------


def test_names_of_members_are_never_paths(tmp_path: Path) -> None:
    before_outside = tmp_path / "outside"
    odd = [
        "../../outside/x.txt",
        "/tmp/outside/y.txt",
        "a/../../z.txt",
        "\x1b[2J.txt",
        "no\udcffutf8.txt",
        "\u202ex.txt",
    ]
    tar(tmp_path / "s" / "x.tar", [(name, f"caption {number}") for number, name in enumerate(odd)])
    before = tree_of(tmp_path)
    dataset = opened(tmp_path / "s", "caption")
    assert len(dataset) == len(odd)
    what_happens(dataset)
    assert sorted(str(caption) for caption in captions(dataset)) == [f"caption {number}" for number in range(len(odd))]
    assert "_/_/outside/x" in names(dataset)
    assert dataset.notes[0].startswith(
        "odd names of members, taken as names only: ../../outside/x.txt, /tmp/outside/y.txt"
    )
    assert tree_of(tmp_path) == before and not before_outside.exists()


def test_a_member_is_read_through_a_file_of_our_own_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tar(tmp_path / "x.tar", [("../../evil.png", picture()), ("../../evil.tok_rgb@224.npy", tokens())])
    seen = []
    write = Path.write_bytes
    monkeypatch.setattr(Path, "write_bytes", lambda path, data: (seen.append(path), write(path, data))[1])
    found = opened(tmp_path / "x.tar", "rgb@224", "tok_rgb@224").conditions(0)
    assert list(found) == ["rgb@224", "tok_rgb@224"]
    assert {path.name for path in seen} == {"member.png", "member.npy"}
    assert all(path.parent.parent == Path(tempfile.gettempdir()) for path in seen)


def test_links_and_devices_in_shards_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    kinds = [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE]
    with tarfile.open(path, "w") as archive:
        for number, kind in enumerate(kinds):
            member = tarfile.TarInfo(f"{number}.txt")
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
        member = tarfile.TarInfo("fine.txt")
        member.size = 4
        archive.addfile(member, io.BytesIO(b"fine"))
    dataset = opened(path, "caption")
    assert names(dataset) == ["fine"] and captions(dataset) == ["fine"]
    assert dataset.notes == ("5 members of shards left out that are no files (links, devices)",)


def three(path: Path) -> bytes:
    return tar(path, {f"{number}.txt": f"caption {number}" for number in range(3)}).read_bytes()


@pytest.mark.parametrize(
    ("change", "left", "said"),
    [
        (lambda data: data[:1024], 1, "it ends without an end mark, and may be cut off; the 1 member before are used"),
        (lambda data: data[:1400], 1, "it is cut off at byte 1,024"),
        (lambda data: data[:1540], 1, "it is cut off, or its header at byte 1,024 is damaged: a member has 9 bytes"),
        (lambda data: data[:1024] + b"\x13" + data[1025:], 1, "at byte 1,024 is no header of a member"),
        (lambda data: data[:1024] + os.urandom(512) + data[1536:], 1, "at byte 1,024 is no header of a member"),
    ],
)  # fmt: skip
def test_what_lies_before_the_damage_is_used(change, left: int, said: str, tmp_path: Path) -> None:
    whole = three(tmp_path / "s" / "b.tar")
    put(tmp_path, {"s/a.tar": change(whole)})
    dataset = opened(tmp_path / "s", "caption")
    assert len(dataset) == left + 3
    assert captions(dataset)[0] == "caption 0"
    assert dataset.notes[0].startswith(f"{tmp_path}/s/a.tar: ") and said in dataset.notes[0]


def with_header(kind: bytes, size: bytes, content: bytes = b"") -> bytes:
    """A member with any type and size field."""
    header = bytearray(512)
    header[:5] = b"x.txt"
    header[100:108] = b"0000644\0"
    header[124:136] = size
    header[156:157] = kind
    header[257:265] = b"ustar\x0000"
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    return bytes(header) + content + bytes(-len(content) % 512)


@pytest.mark.parametrize(
    "piece",
    [
        with_header(b"0", b"77777777777\0"),
        with_header(b"0", b"\x80" + bytes(3) + struct.pack(">Q", 2**63 - 1)),
        with_header(b"0", b"\xff" * 12),
        with_header(b"0", b"-0000000001\0"),
        with_header(b"0", b"99999999999\0"),
        with_header(b"L", b"77777777777\0"),
        with_header(b"L", b"\x80" + bytes(3) + struct.pack(">Q", 2**40)),
        with_header(b"x", b"00000000777\0", b"9" * 511),
        with_header(b"x", b"00000000020\0", b"999999 path=a\n"),
        with_header(b"x", b"00000000020\0", b"16 size=-12345\n\n"),
        with_header(b"x", b"00000000010\0", b"0 a=b\n\n\n"),
        with_header(b"x", b"00000000030\0", b"24 size=99999999999999\n") + with_header(b"0", b"00000000001\0"),
        with_header(b"\0", b"\0" * 12) + b"\x01" * 512,
    ],
    ids=range(13),
)
def test_headers_that_lie(piece: bytes, tmp_path: Path) -> None:
    put(tmp_path, {"s/a.tar": three(tmp_path / "b.tar")[: 3 * 1024] + piece})
    dataset = opened(tmp_path / "s", "caption")
    assert [dataset.conditions(n)["caption"].text for n in range(3)] == ["caption 0", "caption 1", "caption 2"]
    assert any(note.startswith(f"{tmp_path}/s/a.tar: ") for note in dataset.notes)


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 10_240, b"\0" * 100, b"no tar at all" * 100, b"PK\x03\x04" + bytes(600)], ids=range(5)
)
def test_what_is_no_shard(content: bytes, tmp_path: Path) -> None:
    put(tmp_path, {"x.tar": content})
    with pytest.raises(InputError, match=r"x\.tar has no members that are values of modalities"):
        opened(tmp_path / "x.tar", "caption")


def test_a_shard_that_is_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.tar")
    with pytest.raises(InputError, match=r"x.tar: it is a pipe, not a file"):
        opened(tmp_path, "caption")


def test_members_of_gigantic_sizes_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    with path.open("wb") as file:  # a sparse file of 1 GiB
        file.write(with_header(b"0", b"10000000000\0"))
        file.truncate(512 + 2**30 + 1024)
    (found,) = what_happens(opened(path, "caption"))
    assert "x.txt has 1073741824 bytes, more than 1 MiB" in found


def test_pickles_in_shards(tmp_path: Path) -> None:
    tar(tmp_path / "x.tar", {"1.tok_rgb@224.npy": npy([{"a": 1}]), "2.tok_rgb@224.pkl": b"cos\nsystem\n."})
    dataset = opened(tmp_path / "x.tar", "tok_rgb@224")
    found = what_happens(dataset)
    assert "1.tok_rgb@224.npy holds Python objects, which are not read because they could run anything" in found[0]
    assert len(found) == 2 and "2: tok_rgb@224" in found[1]


def test_keys_that_are_there_twice(tmp_path: Path) -> None:
    tar(tmp_path / "x.tar", [("1.txt", "first"), ("1.txt", "second")])
    dataset = opened(tmp_path / "x.tar", "caption")
    assert captions(dataset) == ["first"]
    assert dataset.notes == ("1 member there twice, of which the first is taken: x/1",)


@pytest.mark.parametrize("seed", range(30))
def test_shards_of_noise(seed: int, tmp_path: Path) -> None:
    noise = random.Random(seed)
    rows = {f"{number}.json": json.dumps({"caption": "x" * number}) for number in range(5)}
    whole = bytearray(tar(tmp_path / "x.tar", {**rows, "1.txt": "a", "é" * 120 + ".txt": "b"}).read_bytes())
    for _ in range(noise.randint(1, 20)):
        whole[noise.randrange(len(whole))] = noise.randrange(256)
    put(tmp_path, {"x.tar": bytes(whole[: noise.randrange(512, len(whole))])})
    before = tree_of(tmp_path)
    try:
        what_happens(opened(tmp_path / "x.tar", "caption"))
    except InputError as error:
        assert str(error).replace("\n", "").isprintable()
    assert tree_of(tmp_path) == before
