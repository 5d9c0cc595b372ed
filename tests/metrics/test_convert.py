"""The published Inception weights become safetensors, and nothing but tensors is ever made of a file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from fourm_tui.errors import FourmError, InputError
from fourm_tui.metrics import convert as converting
from fourm_tui.metrics.convert import convert, main

TENSORS = {"fc.weight": torch.arange(6.0).reshape(2, 3), "bn.num_batches_tracked": torch.tensor(3)}


def sha(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    torch.save(TENSORS, tmp_path / "weights.pth")
    return tmp_path / "weights.pth"


@pytest.mark.parametrize("zipped", [True, False])
def test_the_tensors_arrive_unchanged(tmp_path: Path, zipped: bool) -> None:
    source = tmp_path / "weights.pth"
    torch.save(TENSORS, source, _use_new_zipfile_serialization=zipped)
    target = tmp_path / "new" / "out.safetensors"
    convert(source, target, sha(source)[:8])
    found = load_file(target)
    assert set(found) == set(TENSORS) and all(torch.equal(found[name], TENSORS[name]) for name in found)
    with safe_open(target, framework="pt") as file:
        assert file.metadata() == {"source": "weights.pth", "sha256": sha(source)}
    assert [path.name for path in target.parent.iterdir()] == ["out.safetensors"]


def test_another_file_is_refused_before_it_is_read(source: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"not the published file .*get https://"):
        convert(source, tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()


class Trap:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("sprung"),)  # type: ignore[return-value]


def test_what_would_run_code_is_refused_even_if_its_hash_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = tmp_path / "trap.pth"
    torch.save({"fc.weight": Trap()}, source)
    with pytest.raises(InputError, match=r"trap\.pth: cannot be read"):
        convert(source, tmp_path / "out.safetensors", sha(source))
    assert not Path("sprung").exists() and not Path("out.safetensors").exists()


@pytest.mark.parametrize("content", [{"a": 1}, [torch.zeros(1)]])
def test_other_contents_are_refused(content: object, tmp_path: Path) -> None:
    source = tmp_path / "other.pth"
    torch.save(content, source)
    with pytest.raises(InputError, match="something else than tensors"):
        convert(source, tmp_path / "out.safetensors", sha(source))


def test_files_that_cannot_be_read_or_written(source: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        convert(tmp_path / "none.pth", tmp_path / "out.safetensors")
    (tmp_path / "file").touch()
    with pytest.raises(FourmError, match="cannot be written"):
        convert(source, tmp_path / "file" / "out.safetensors", sha(source))


def test_the_command(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(source), str(tmp_path / "out.safetensors")]) == 2
    assert "is not the published file" in capsys.readouterr().err
    monkeypatch.setattr(converting.convert, "__defaults__", (sha(source)[:8],))
    assert main([str(source), str(tmp_path / "out.safetensors")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'out.safetensors'}\n"
    assert (tmp_path / "out.safetensors").is_file()
