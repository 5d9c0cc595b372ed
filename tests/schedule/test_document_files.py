"""Settings files are read and written as they are, or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from fourm_tui.errors import InputError
from fourm_tui.schedule.document import Document


def test_a_file_is_written_as_a_whole_with_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: \xc3\xa9")
    path.chmod(0o640)
    Document.read(path).replace("a", "2").write()
    assert path.read_bytes() == b"\xef\xbb\xbfa: 2\r\nb: \xc3\xa9"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_has_the_permissions_that_new_files_have(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    Document.parse("a: 1\n").write(tmp_path / "new.yaml")
    assert (tmp_path / "new.yaml").read_text() == "a: 1\n"
    assert (tmp_path / "new.yaml").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "a.yaml", tmp_path / "link.yaml"
    target.write_text("a: 1\n")
    link.symlink_to(target)
    Document.read(link).replace("a", "2").write()
    assert link.is_symlink()
    assert target.read_text() == "a: 2\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a: 1\nb: \xe9\n", ":2:4: the byte 0xe9 is not UTF-8"),
        ("a: 1\n".encode("utf-16"), ":1:1: the byte 0xff is not UTF-8"),
        (b"a: 1\n#" + b"x" * 2**20, "more than 1 MiB"),
        (b"a: \x00\n", ":1:4: the character U+0000"),
    ],
)
def test_a_file_that_is_no_settings_file_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.yaml").write_bytes(content)
    with pytest.raises(InputError) as caught:
        Document.read(tmp_path / "a.yaml")
    assert words in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "a.yaml"))


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        Document.read(tmp_path / "nothing.yaml")
    with pytest.raises(InputError, match="is a folder"):
        Document.read(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        Document.read(Path("a\0b"))
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(InputError, match="cannot be read"):
        Document.read(tmp_path / "loop")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_files_without_permission_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: 1\n")
    path.chmod(0)
    with pytest.raises(InputError, match="Permission denied"):
        Document.read(path)


def test_places_that_cannot_be_written_are_refused_and_nothing_is_left(tmp_path: Path) -> None:
    document = Document.parse("a: 1\n")
    with pytest.raises(InputError, match="no file yet"):
        document.write()
    with pytest.raises(InputError, match="cannot be written"):
        document.write(tmp_path / "no" / "a.yaml")
    with pytest.raises(InputError, match="no file that can be written"):
        document.write(tmp_path)
    with pytest.raises(InputError, match="cannot be written"):
        document.write(Path(__file__) / "a.yaml")
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: 1\n")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left on device"):
        Document.read(path).replace("a", "2").write()
    assert path.read_text() == "a: 1\n"
    assert list(tmp_path.iterdir()) == [path]
